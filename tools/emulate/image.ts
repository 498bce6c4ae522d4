/** The image of a firmware, as `moth build` leaves it and a person flashes it. */
import { readFileSync } from "node:fs";
import { BLOCK, MAGIC_END, MAGIC_START, NOT_FOR_FLASH } from "../build/uf2";
import { Failure, reasonOf } from "../failure";

/** Paths of what was built for a board. A board has the formats that its `board.json` lists. */
export interface BuiltFiles {
  readonly elf: string;
  /** A program of this computer has none. */
  readonly bin?: string | undefined;
  readonly uf2?: string | undefined;
}

/** What was built for a chip. */
export interface ImageFiles extends BuiltFiles {
  readonly bin: string;
}

/** Bytes that belong at an address. */
export interface Piece {
  readonly address: number;
  readonly bytes: Uint8Array;
}

const HEADER = 32;
const MOST_PAYLOAD = 476;

/** The blocks of a UF2 file that are for flash. Fails when it is none. `name`: of the file, for messages. */
export function readUf2(file: Uint8Array, name: string): Piece[] {
  if (file.length === 0 || file.length % BLOCK !== 0) throw new Failure(`${name}: is no UF2 file: its length is odd`);
  const pieces: Piece[] = [];
  for (let at = 0; at < file.length; at += BLOCK) {
    const block = new DataView(file.buffer, file.byteOffset + at, BLOCK);
    const [first, second, flags, address, size] = [0, 4, 8, 12, 16].map((offset) => block.getUint32(offset, true));
    const isBlock = first === MAGIC_START[0] && second === MAGIC_START[1] && block.getUint32(BLOCK - 4, true) === MAGIC_END;
    if (!isBlock || address === undefined || size === undefined || flags === undefined || size > MOST_PAYLOAD) {
      throw new Failure(`${name}: is no UF2 file: block ${at / BLOCK} is malformed: build it anew`);
    }
    if ((flags & NOT_FOR_FLASH) !== 0) continue;
    pieces.push({ address, bytes: Uint8Array.from(file.subarray(at + HEADER, at + HEADER + size)) });
  }
  return pieces;
}

/** What is to be in flash: the UF2's blocks, or the whole of the .bin at `origin`. */
export function readImage(files: ImageFiles, origin: number): Piece[] {
  const path = files.uf2 ?? files.bin;
  try {
    const file = readFileSync(path);
    return files.uf2 === undefined ? [{ address: origin, bytes: file }] : readUf2(file, path);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`${path}: cannot be read: ${reasonOf(error)}`);
  }
}
