/** An image file, and the board that it is for. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { type BoardFile, boardNamed } from "../build/board-file";
import { reasonOf } from "../failure";
import { FlashFailure, inBytes } from "./failure";
import { FLASH_BASE, isProgram } from "./stm32f405";
import { looksLikeUf2, PICO_FLASH, readUf2, type Uf2 } from "./uf2";

interface File {
  readonly path: string;
  readonly name: string;
  readonly bytes: Uint8Array;
  /** As `--board` has it. */
  readonly board: string;
}

/** For the drive of an RP2040. */
export interface PicoImage extends File {
  readonly chip: "rp2040";
  readonly uf2: Uf2;
}

/** For the start of an STM32F405's flash: a multiple of 4 bytes. */
export interface Stm32Image extends File {
  readonly chip: "stm32f405";
}

export type Image = PicoImage | Stm32Image;
type Chip = Image["chip"];

/** Whether the argument of `moth flash` is an application and not an image. */
export function isApplication(path: string): boolean {
  return /\.[cm]?tsx?$/.test(path);
}

/** Reads and checks an image for `board`, or for the board that the file is made for. Throws a {@link FlashFailure}. */
export function readImage(path: string, board?: string): Image {
  const wanted = board === undefined ? undefined : checkedBoard(board);
  const name = basename(path);
  const bytes = readBytes(path);
  const wrong = (text: string): FlashFailure => new FlashFailure("image", `${name}: ${text}`);
  if (bytes.length === 0) throw wrong("the file is empty: build it again");
  if (isElf(bytes)) throw wrong("an ELF file is for debuggers: give the .uf2 (Pico) or the .bin (STM32F405) beside it");
  const builtFor = boardBeside(path);
  if (builtFor !== undefined && wanted !== undefined && builtFor !== wanted.board) {
    throw new FlashFailure("image", `${name}: built for another board, ${builtFor}: build it with --board ${wanted.board}`, {
      found: builtFor, expected: wanted.board,
    });
  }
  const known = wanted ?? (builtFor === undefined ? undefined : checkedBoard(builtFor));
  return looksLikeUf2(bytes) ? picoImage(path, bytes, known) : stm32Image(path, bytes, known);
}

/** The board of this name, if it can be flashed. */
export function checkedBoard(name: string): BoardFile {
  const board = boardNamed(name);
  if (chipOf(board) === undefined) throw new FlashFailure("image", `--board ${name}: it runs on this computer: nothing to flash`);
  return board;
}

function chipOf({ flash }: BoardFile): Chip | undefined {
  switch (flash?.origin) {
    case PICO_FLASH:
      return "rp2040";
    case FLASH_BASE:
      return "stm32f405";
    default:
      return undefined;
  }
}

/** How many bytes of its flash a board leaves to firmware: those before its settings. */
function roomOf({ flash }: BoardFile): number {
  if (flash === undefined) return 0;
  return Math.min(flash.size, ...flash.storage.map(([from]) => from - flash.origin));
}

function picoImage(path: string, bytes: Uint8Array, known: BoardFile | undefined): PicoImage {
  const name = basename(path);
  const board = known ?? boardNamed("pico");
  if (chipOf(board) !== "rp2040") {
    throw new FlashFailure("image", `${name}: a UF2 file is for the Pico: the ${board.board} takes the .bin`);
  }
  return { path, name, bytes, board: board.board, chip: "rp2040", uf2: readUf2(bytes, name, roomOf(board)) };
}

function stm32Image(path: string, bytes: Uint8Array, known: BoardFile | undefined): Stm32Image {
  const name = basename(path);
  const board = known ?? boardNamed("stm32f405");
  const wrong = (text: string): FlashFailure => new FlashFailure("image", `${name}: ${text}`);
  if (path.endsWith(".uf2")) throw wrong("no UF2 file: its magic numbers are wrong");
  if (chipOf(board) !== "stm32f405") throw wrong(`the ${board.board} takes a UF2 file: give the .uf2 beside it`);
  if (!isProgram(bytes)) throw wrong("no image for the STM32F405: it does not begin with a vector table of that chip");
  const most = roomOf(board);
  if (bytes.length > most) {
    const text = `too big: ${inBytes(bytes.length)}, at most ${inBytes(most)} fit below the board's settings`;
    throw new FlashFailure("image", `${name}: ${text}`, { size: bytes.length, most });
  }
  return { path, name, bytes: wholeWords(bytes), board: board.board, chip: "stm32f405" };
}

function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new FlashFailure("image", `cannot read ${path}: ${reasonOf(error)}`);
  }
}

/** The board that `moth build` noted beside the image; undefined when it made no such note. */
function boardBeside(path: string): string | undefined {
  try {
    const note: unknown = JSON.parse(readFileSync(path.replace(/\.(bin|uf2)$/, ".json"), "utf8"));
    if (typeof note !== "object" || note === null || !("board" in note)) return undefined;
    return typeof note.board === "string" ? note.board : undefined;
  } catch {
    return undefined;
  }
}

function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/** The boot loader writes words only; 0xFF leaves flash as it is. */
function wholeWords(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.ceil(bytes.length / 4) * 4).fill(0xff);
  whole.set(bytes);
  return whole;
}
