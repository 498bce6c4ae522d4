/**
 * UF2, the format that a Pico's drive takes: blocks of 512 bytes that each carry 256 bytes and say where they belong.
 * https://github.com/microsoft/uf2
 */
export const BLOCK = 512;
export const PAYLOAD = 256;
export const MAGIC_START = [0x0a324655, 0x9e5d5157] as const;
export const MAGIC_END = 0x0ab16f30;
/** Flags of a block. */
export const NOT_FOR_FLASH = 0x0001;
export const FAMILY_ID_PRESENT = 0x2000;

/** The blocks of `bytes`, which belong at `address`. The last one is filled up with zeros. */
export function toUf2(bytes: Uint8Array, address: number, family: number): Buffer {
  const count = Math.ceil(bytes.length / PAYLOAD);
  const blocks = Buffer.alloc(count * BLOCK);
  for (let i = 0; i < count; i += 1) {
    const block = blocks.subarray(i * BLOCK, (i + 1) * BLOCK);
    const words = [...MAGIC_START, FAMILY_ID_PRESENT, address + i * PAYLOAD, PAYLOAD, i, count, family];
    words.forEach((word, at) => block.writeUInt32LE(word, at * 4));
    block.set(bytes.subarray(i * PAYLOAD, (i + 1) * PAYLOAD), words.length * 4);
    block.writeUInt32LE(MAGIC_END, BLOCK - 4);
  }
  return blocks;
}
