/** What a port says of itself: `hal/<port>/board.json`. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "../failure";

/** All ports lie here, a folder each. */
const ports = fileURLToPath(new URL("../../hal", import.meta.url));

export type Format = "elf" | "bin" | "uf2";

export interface FlashLayout {
  /** Where the chip's flash begins, and how many bytes it has. */
  readonly origin: number;
  readonly size: number;
  /** Address and size of the areas for settings. No part of an image. */
  readonly storage: readonly (readonly [number, number])[];
}

export interface BoardFile {
  /** What `--board` takes. */
  readonly board: string;
  /** For people. */
  readonly name: string;
  readonly folder: string;
  readonly compiler: string;
  readonly flags: readonly string[];
  /** C and assembler files of the folder. */
  readonly sources: readonly string[];
  readonly linkerScript: string | undefined;
  readonly formats: readonly Format[];
  readonly uf2Family: number | undefined;
  /** Undefined for a computer. */
  readonly flash: FlashLayout | undefined;
  readonly ram: number | undefined;
  /** Becomes `-DBOARD_<KEY>=<value>` for every C file. */
  readonly config: Readonly<Record<string, string | number>>;
  /** Bytes that an image should not pass. */
  readonly budget: { readonly flash: number; readonly ram: number } | undefined;
}

interface RawBoard {
  readonly board: string;
  readonly name: string;
  readonly compiler: string;
  readonly flags: readonly string[];
  readonly sources: readonly string[];
  readonly linkerScript?: string;
  readonly formats: readonly Format[];
  readonly uf2Family?: string;
  readonly flash?: { readonly origin: string; readonly size: number; readonly storage: readonly (readonly [string, number])[] };
  readonly ram?: number;
  readonly config: Readonly<Record<string, string | number>>;
  readonly budget?: { readonly flash: number; readonly ram: number };
  readonly variants?: Readonly<Record<string, Pick<RawBoard, "name" | "config">>>;
}

/** What no board.json can be without. */
const needed = ["board", "name", "compiler", "flags", "sources", "formats", "config"];

function isBoard(value: unknown): value is RawBoard {
  return typeof value === "object" && value !== null && needed.every((key) => key in value);
}

function boardsOf(folder: string): BoardFile[] {
  const file = join(folder, "board.json");
  const raw: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (!isBoard(raw)) throw new Failure(`${file}: a board needs ${needed.join(", ")}`);
  const board: BoardFile = {
    board: raw.board,
    name: raw.name,
    folder,
    compiler: raw.compiler,
    flags: raw.flags,
    sources: raw.sources,
    linkerScript: raw.linkerScript,
    formats: raw.formats,
    uf2Family: raw.uf2Family === undefined ? undefined : Number(raw.uf2Family),
    flash: raw.flash === undefined ? undefined : {
      origin: Number(raw.flash.origin),
      size: raw.flash.size,
      storage: raw.flash.storage.map(([origin, size]) => [Number(origin), size] as const),
    },
    ram: raw.ram,
    config: raw.config,
    budget: raw.budget,
  };
  const variants = Object.entries(raw.variants ?? {}).map(([name, variant]) => ({
    ...board, board: name, name: variant.name, config: { ...board.config, ...variant.config },
  }));
  return [board, ...variants];
}

/** Every board that an application can be built for. */
export function allBoards(): BoardFile[] {
  return readdirSync(ports)
    .map((port) => join(ports, port))
    .filter((folder) => existsSync(join(folder, "board.json")))
    .flatMap(boardsOf);
}

export function boardNamed(name: string): BoardFile {
  const boards = allBoards();
  const found = boards.find(({ board }) => board === name);
  if (found !== undefined) return found;
  throw new Failure(`there is no board ${name}: choose one of ${boards.map(({ board }) => board).join(", ")}`);
}

/** The folder of the runtime that every port shares. */
export const runtimeFolder = join(dirname(fileURLToPath(import.meta.url)), "../../hal/lua");
