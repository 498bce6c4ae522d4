/** A UF2 file for the RP2040, checked to the last block: its boot ROM ignores what it does not like, without a word. */
import { BLOCK, FAMILY_ID_PRESENT, MAGIC_END, MAGIC_START, NOT_FOR_FLASH, PAYLOAD } from "../build/uf2";
import { FlashFailure, hex } from "./failure";

const RP2040 = 0xe48bff56;
/** Where the RP2040 sees its flash. */
export const PICO_FLASH = 0x10000000;
const FLASH_TO = 0x11000000;

/** Families that a Moth image, or one from a neighbouring folder, may be of. */
const FAMILY_NAMES = new Map([
  [0x57755a57, "STM32F4"],
  [0x6d0922fa, "STM32F407"],
  [0xe48bff57, "RP2350 (absolute addresses)"],
  [0xe48bff59, "RP2350"],
  [0xe48bff5a, "RP2350 (RISC-V)"],
  [0xada52840, "nRF52840"],
  [0x68ed2b88, "SAMD21"],
]);

export interface Uf2 {
  readonly blocks: number;
  /** What ends up in the flash, in bytes. */
  readonly size: number;
  /** The lowest address, and the first behind the highest. */
  readonly from: number;
  readonly to: number;
}

/** Whether a file claims to be UF2. */
export function looksLikeUf2(bytes: Uint8Array): boolean {
  if (bytes.length < 8) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return MAGIC_START.every((magic, index) => view.getUint32(4 * index, true) === magic);
}

/** Reads a file for a Pico, `name` for messages. `room`: for firmware, in bytes. Throws a {@link FlashFailure}. */
export function readUf2(bytes: Uint8Array, name: string, room: number): Uf2 {
  const wrong = (what: string): FlashFailure => new FlashFailure("image", `${name}: ${what}: build it again`);
  if (bytes.length === 0 || bytes.length % BLOCK !== 0) {
    throw wrong(`${bytes.length} bytes are no whole number of UF2 blocks of ${BLOCK}`);
  }
  const blocks = bytes.length / BLOCK;
  const targets = new Set<number>();
  for (let index = 0; index < blocks; index += 1) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + index * BLOCK, BLOCK);
    const problem = problemOf(view, index, blocks);
    if (problem !== undefined) throw wrong(`block ${index}: ${problem}`);
    checkFamily(view.getUint32(28, true), name);
    const target = view.getUint32(12, true);
    if (targets.has(target)) throw wrong(`block ${index}: ${hex(target, 8)} comes twice`);
    targets.add(target);
  }
  const from = Math.min(...targets);
  const to = Math.max(...targets) + PAYLOAD;
  if (from !== PICO_FLASH) throw wrong(`begins at ${hex(from, 8)}, not at the start of the flash, ${hex(PICO_FLASH, 8)}`);
  if (to > PICO_FLASH + room) {
    throw new FlashFailure(
      "image", `${name}: too big: reaches ${hex(to, 8)}, firmware may reach ${hex(PICO_FLASH + room, 8)}`,
      { size: to - PICO_FLASH, most: room },
    );
  }
  return { blocks, size: blocks * PAYLOAD, from, to };
}

function problemOf(view: DataView, index: number, blocks: number): string | undefined {
  const word = (at: number): number => view.getUint32(at, true);
  if (word(0) !== MAGIC_START[0] || word(4) !== MAGIC_START[1] || word(508) !== MAGIC_END) return "no UF2 block (wrong magic numbers)";
  if ((word(8) & NOT_FOR_FLASH) !== 0) return "is not meant for flash";
  if ((word(8) & FAMILY_ID_PRESENT) === 0) return "does not say which chip it is for";
  if (word(16) !== PAYLOAD) return `carries ${word(16)} bytes, the RP2040 takes ${PAYLOAD}`;
  if (word(20) !== index) return `says that it is number ${word(20)}`;
  if (word(24) !== blocks) return `says that there are ${word(24)} blocks, the file has ${blocks}`;
  const target = word(12);
  if (target < PICO_FLASH || target >= FLASH_TO) return `${hex(target, 8)} is not in the flash`;
  if (target % PAYLOAD !== 0) return `${hex(target, 8)} is no multiple of ${PAYLOAD}`;
  return undefined;
}

function checkFamily(family: number, name: string): void {
  if (family === RP2040) return;
  const known = FAMILY_NAMES.get(family) ?? "a chip that Moth does not know";
  throw new FlashFailure(
    "image", `${name}: an image for another chip: family ${hex(family, 8)} (${known}), a Pico needs ${hex(RP2040, 8)} (RP2040)`,
    { found: hex(family, 8), expected: hex(RP2040, 8) },
  );
}
