/** What an image takes, by part, read from the linker's map. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { BoardFile } from "./board-file";
import { boardFiles } from "./lua-source";

export type Part = "application" | "Lua" | "runtime" | "port" | "C library" | "filling";

export interface ImageSize {
  /** Bytes of the flash, in all and by part. */
  readonly flash: number;
  readonly flashByPart: Readonly<Record<string, number>>;
  /** Bytes of RAM that are taken from the start: in all, and by what they are for. */
  readonly ram: number;
  readonly ramByUse: Readonly<Record<string, number>>;
}

/** A piece of an output section: who brought it, and how big it is. */
interface Piece {
  readonly section: string;
  readonly size: number;
  readonly object: string;
}

const luaNames = new Set([...boardFiles.map((file) => basename(file)), "vm.c", "debug.c", "state.c"]);

function partOf(object: string, board: BoardFile): Part {
  if (object === "") return "filling";
  if (object.includes(".application.o")) return "application";
  if (/\.a[(:]/.test(object) || object.endsWith(".a")) return "C library";
  // Objects are called <hash>-<source>.o.
  const source = basename(object).replace(/^[0-9a-f]+-/, "").replace(/\.o$/, "");
  if (luaNames.has(source)) return "Lua";
  return board.sources.includes(source) ? "port" : "runtime";
}

function piecesIn(map: string): Piece[] {
  const pieces: Piece[] = [];
  let section = "";
  // A long name stands on a line of its own, and what belongs to it on the next.
  const text = map.slice(map.indexOf("Linker script and memory map")).replace(/^( ?[.*]\S+)\n\s+(?=0x)/gm, "$1 ");
  for (const line of text.split("\n")) {
    const output = /^(\.\S+)/.exec(line);
    if (output !== null) section = output[1] ?? "";
    const input = /^ (\S+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)\s*(\S.*)?$/.exec(line);
    if (input === null) continue;
    pieces.push({ section, size: parseInt(input[2] ?? "0", 16), object: input[1] === "*fill*" ? "" : (input[3] ?? "") });
  }
  return pieces.filter(({ size }) => size > 0);
}

const inFlash = new Set([".boot2", ".vectors", ".isr_vector", ".text", ".rodata", ".application", ".data"]);
const inRam = new Map([
  [".noinit", "kept over a reset"], [".data", "variables"], [".bss", "variables"], [".arena", "Lua's arena"],
  [".stack", "stack"],
]);

function addUp<T>(pieces: readonly Piece[], keyOf: (piece: Piece) => T | undefined): Map<T, number> {
  const sums = new Map<T, number>();
  for (const piece of pieces) {
    const key = keyOf(piece);
    if (key !== undefined) sums.set(key, (sums.get(key) ?? 0) + piece.size);
  }
  return sums;
}

function total(sums: Map<string, number>): number {
  return [...sums.values()].reduce((sum, each) => sum + each, 0);
}

/** The size of sections, alignment and all, is what counts; who brought how much is told as exactly as the map does. */
export function sizeOf(linkMap: string, board: BoardFile): ImageSize {
  const pieces = piecesIn(readFileSync(linkMap, "utf8"));
  const flash = addUp(pieces, (piece) => (inFlash.has(piece.section) ? partOf(piece.object, board) : undefined));
  const ram = addUp(pieces, (piece) => inRam.get(piece.section));
  return {
    flash: total(flash), flashByPart: Object.fromEntries(flash), ram: total(ram), ramByUse: Object.fromEntries(ram),
  };
}
