/** Reads what an emulator needs of a 32-bit little-endian ELF file: what is loaded where, and the symbols. */

export interface Segment {
  /** Where it lies in memory when the chip is switched on. */
  readonly address: number;
  readonly bytes: Uint8Array;
}

export interface Elf {
  /** Only those with contents. */
  readonly segments: readonly Segment[];
  /** Addresses by name; of a Thumb function the one of its first instruction. */
  readonly symbols: ReadonlyMap<string, number>;
}

const LOADABLE = 1;
const SYMBOL_TABLE = 2;
const FUNCTION = 2;
const ARM = 40;

/** Throws a RangeError, as a sentence, when the file is no such ELF. */
export function readElf(file: Uint8Array): Elf {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 52 || view.getUint32(0) !== 0x7f454c46 || view.getUint16(18, true) !== ARM) {
    throw new RangeError("it is not an ELF file for ARM");
  }
  return { segments: segmentsOf(file, view), symbols: symbolsOf(file, view) };
}

function segmentsOf(file: Uint8Array, view: DataView): Segment[] {
  const [start, size, count] = [view.getUint32(28, true), view.getUint16(42, true), view.getUint16(44, true)];
  const headers = Array.from({ length: count }, (_, i) => start + i * size);
  return headers
    .filter((at) => view.getUint32(at, true) === LOADABLE && view.getUint32(at + 16, true) > 0)
    .map((at) => {
      const offset = view.getUint32(at + 4, true);
      return { address: view.getUint32(at + 12, true), bytes: file.subarray(offset, offset + view.getUint32(at + 16, true)) };
    });
}

function symbolsOf(file: Uint8Array, view: DataView): Map<string, number> {
  const [start, size, count] = [view.getUint32(32, true), view.getUint16(46, true), view.getUint16(48, true)];
  const symbols = new Map<string, number>();
  for (let section = 0; section < count; section += 1) {
    const at = start + section * size;
    if (view.getUint32(at + 4, true) !== SYMBOL_TABLE) continue;
    const names = view.getUint32(start + view.getUint32(at + 24, true) * size + 16, true);
    const [table, length] = [view.getUint32(at + 16, true), view.getUint32(at + 20, true)];
    for (let entry = table; entry < table + length; entry += 16) {
      const name = textAt(file, names + view.getUint32(entry, true));
      const value = view.getUint32(entry + 4, true);
      if (name !== "") symbols.set(name, (view.getUint8(entry + 12) & 15) === FUNCTION ? value & ~1 : value);
    }
  }
  return symbols;
}

function textAt(file: Uint8Array, at: number): string {
  return Buffer.from(file.subarray(at, file.indexOf(0, at))).toString("latin1");
}
