/** UF2 files for tests, right in everything but what a test makes wrong. */

/** What a block says; the defaults are those of a right one. */
export interface Block {
  readonly magic?: number;
  readonly flags?: number;
  readonly target?: number;
  readonly payload?: number;
  readonly number?: number;
  readonly total?: number;
  readonly family?: number;
  readonly end?: number;
}

/** `blocks` blocks for the start of a Pico's flash. `wrong`: what some of them say instead. */
export function uf2(blocks: number, wrong: Readonly<Record<number, Block>> = {}): Uint8Array {
  const bytes = new Uint8Array(blocks * 512);
  for (let index = 0; index < blocks; index += 1) {
    const view = new DataView(bytes.buffer, index * 512, 512);
    const block = wrong[index] ?? {};
    const words = [
      block.magic ?? 0x0a324655, 0x9e5d5157, block.flags ?? 0x2000, block.target ?? 0x10000000 + index * 256,
      block.payload ?? 256, block.number ?? index, block.total ?? blocks, block.family ?? 0xe48bff56,
    ];
    for (const [place, word] of words.entries()) view.setUint32(4 * place, word, true);
    for (let at = 0; at < 256; at += 1) view.setUint8(32 + at, (index + at) & 0xff);
    view.setUint32(508, block.end ?? 0x0ab16f30, true);
  }
  return bytes;
}
