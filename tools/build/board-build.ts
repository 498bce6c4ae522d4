/** Builds an application for a board: `moth build APP --board NAME`. */
import { readFileSync, writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { SIZES } from "../../firmware/board/sizes";
import { type BoardFile, boardNamed } from "./board-file";
import { build } from "./build";
import { compileBytecode } from "./bytecode";
import { linkImage } from "./image";
import { shown } from "./problem";
import type { Problem } from "./problem";
import { nameOfApp } from "./program";
import { type ImageSize, sizeOf } from "./size";
import { withLines } from "./source-map";

/** Bytes of RAM, found out by booting the image in the board's emulator. */
export interface Memory {
  /** Lua's arena: all that there is, what a booted board uses of it, and the most that it used on the way there. */
  readonly arena: { readonly size: number; readonly used: number; readonly peak: number };
  /** Everything: variables, rings, stack, and what is used of the arena. */
  readonly ram: number;
}

export interface BoardReport {
  readonly app: string;
  readonly board: string;
  /** Names this build: what a crash report tells, 8 hexadecimal digits. */
  readonly build: string;
  /** Files by their format: elf, bin, uf2. */
  readonly files: Readonly<Record<string, string>>;
  /** Leads a line of Lua, or an instruction of the image, back to its TypeScript. */
  readonly map: string;
  /** Bytes of bytecode: the application's share of the flash. */
  readonly bytecode: number;
  /** Undefined for a computer. */
  readonly size: ImageSize | undefined;
  /** Bytes of each ring and buffer. */
  readonly rings: Readonly<Record<string, number>>;
  /** What the booted board takes, where it was measured: see memory.ts. */
  readonly memory?: Memory;
  /** What is over the budget of board.json, in words. */
  readonly warnings: readonly string[];
}

export interface BoardBuildOptions {
  readonly outDir: string;
  /** Added to every compiler call: sanitizers, for example. */
  readonly extraFlags?: readonly string[];
}

export type BoardBuild = { readonly report: BoardReport } | { readonly problems: readonly Problem[] };

/** Where objects are kept between builds: whoever builds where, they are the same. */
const cache = resolve("build/.objects");

/** What of the firmware's sizes is a number of things, not of bytes. */
const counts = new Set(["outboxSlots", "journal"]);

/** `MODULE_RX_RING` and `receivePiece`, as people say it. */
function inWords(name: string): string {
  return name.replace(/_/g, " ").replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}

function ringsOf({ config }: BoardFile): Record<string, number> {
  const uarts = Object.entries(config).filter(([key]) => key.endsWith("_RING"));
  const firmware = Object.entries(SIZES).filter(([key]) => !counts.has(key));
  return Object.fromEntries([...uarts, ...firmware].map(([key, size]) => [inWords(key), Number(size)]));
}

/** A sentence when something takes more than board.json allows. */
export function overBudget(kind: "flash" | "ram", bytes: number, { budget, name }: BoardFile): string[] {
  const over = budget === undefined ? 0 : bytes - budget[kind];
  return over <= 0 ? [] : [`${kind}: ${bytes} bytes, ${over} over the budget of ${bytes - over} for the ${name}`];
}

/** Leaves `<app>-<board>.*` in the folder, or gives the reasons why not. */
export function buildForBoard(app: string, boardName: string, { outDir, extraFlags = [] }: BoardBuildOptions): BoardBuild {
  const board = boardNamed(boardName);
  const bundle = build(app, outDir, `${nameOfApp(app)}-${board.board}`);
  if ("problems" in bundle) return bundle;
  const { lua, map } = bundle.report;
  const code = compileBytecode(readFileSync(lua, "utf8"), cache);
  writeFileSync(map, withLines(readFileSync(map, "utf8"), code.lines));
  const stem = resolve(outDir, `${nameOfApp(app)}-${board.board}`);
  const image = linkImage(board, code, stem, { cache, extraFlags });
  const size = board.flash === undefined ? undefined : sizeOf(image.linkMap, board);
  const files = Object.fromEntries(board.formats.flatMap((format) => {
    const file = image[format];
    return file === undefined ? [] : [[format, shown(file)]];
  }));
  // For whoever decodes a crash, or flashes.
  writeFileSync(`${stem}.json`, `${JSON.stringify({ build: code.build, board: board.board, map: basename(map) })}\n`);
  return {
    report: {
      app, board: board.board, build: code.build, files, map, bytecode: code.file.length, size, rings: ringsOf(board),
      warnings: size === undefined ? [] : overBudget("flash", size.flash, board),
    },
  };
}
