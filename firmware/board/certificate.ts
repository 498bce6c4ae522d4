/**
 * The certificate of the authority that the broker's is checked against: PEM, up to 4096 bytes, in storage slots 4 to
 * 7. It is kept from here on; nothing uses it before the firmware speaks TLS.
 *
 * It comes in pieces of 256 bytes, each kept at once: piece 0 begins anew, and each further one must follow the one
 * before. A slot that is not full is the last, whatever the slots behind it hold.
 */
import type { Bytes, Storage } from "../../hal/hal";
import { div, startsWith } from "#native";
import { decodeBase64, NOT_BASE64 } from "../core/base64";
import { CRC_START, crcUpdate } from "../core/crc32";
import { SIZES } from "./sizes";

const FIRST_SLOT = 4;
const SLOTS = 4;
/** Bytes of a piece, and of the base64 that it comes as. */
export const PIECE = 256;
const LONGEST_PIECE_TEXT = 344;
const PIECES_IN_SLOT = 4;
const MOST_PIECES = 16;

/** The piece that is expected is told with this, so it is one text. */
const OUT_OF_ORDER = "send the pieces one after the other, 256 bytes each but the last, and begin with ca.0";

/** Reads slot `index` of the certificate, 0 to 3, into `record`. Gives its length, 0 when there is none. */
function loadPart(storage: Storage, index: number, record: Bytes): number {
  const length = storage.load(FIRST_SLOT + index, record, 0, SIZES.settings);
  return length > 0 ? length : 0;
}

/**
 * Keeps piece `piece`, given as `count` characters of base64 at `at`. `record` is used meanwhile. Gives what is wrong,
 * as a sentence that says what to do; empty when it is kept.
 */
export function keepPiece(
  storage: Storage,
  record: Bytes,
  piece: number,
  from: Bytes,
  at: number,
  count: number,
): string {
  if (piece < 0 || piece >= MOST_PIECES) return "a certificate has at most 16 pieces: ca.0 to ca.15";
  if (count > LONGEST_PIECE_TEXT) return "a piece is at most 256 bytes, which are 344 characters of base64";
  const index = div(piece, PIECES_IN_SLOT);
  const offset = (piece - index * PIECES_IN_SLOT) * PIECE;
  if (piece === 0) {
    if (!dropParts(storage, record, 1)) return "the storage did not take it: send ca.0 again";
  } else if (!followsOn(storage, record, index, offset)) {
    return OUT_OF_ORDER;
  }
  const bytes = decodeBase64(from, at, count, record, offset);
  if (bytes === NOT_BASE64) return "this is no base64: send the piece again";
  if (piece === 0 && !startsWith(record, 0, bytes, "-----BEGIN ")) {
    return "a certificate in PEM begins with -----BEGIN CERTIFICATE-----";
  }
  if (storage.save(FIRST_SLOT + index, record, 0, offset + bytes)) return "";
  return "the storage did not take it: send the piece again";
}

/** Whether the certificate ends at `offset` of slot `index`. Leaves what that slot holds in `record`. */
function followsOn(storage: Storage, record: Bytes, index: number, offset: number): boolean {
  if (offset > 0) return loadPart(storage, index, record) === offset;
  return loadPart(storage, index - 1, record) === SIZES.settings && loadPart(storage, index, record) === 0;
}

/** Forgets the certificate from slot `first` on. False when the storage did not take it. */
export function dropParts(storage: Storage, record: Bytes, first: number): boolean {
  for (let index = first; index < SLOTS; index++) {
    const held = storage.load(FIRST_SLOT + index, record, 0, SIZES.settings);
    if (held !== 0 && !storage.save(FIRST_SLOT + index, record, 0, 0)) return false;
  }
  return true;
}

/** What is known of the certificate: its length, and the CRC-32 of it. */
export interface Digest {
  length: number;
  crc: number;
  /** Where the reading stands: the slot, and how far in it. */
  index: number;
  at: number;
}

/** @boot */
export function createDigest(): Digest {
  return { length: 0, crc: CRC_START, index: 0, at: 0 };
}

export function digestBegin(digest: Digest): void {
  digest.length = 0;
  digest.crc = CRC_START;
  digest.index = 0;
  digest.at = 0;
}

/** Reads on, a piece at a time, since a chip takes a millisecond or more for one. True when all is read. */
export function digestMore(digest: Digest, storage: Storage, record: Bytes): boolean {
  if (digest.index === SLOTS) return true;
  const held = loadPart(storage, digest.index, record);
  const left = held - digest.at;
  const count = left < PIECE ? left : PIECE;
  digest.crc = crcUpdate(digest.crc, record, digest.at, count);
  digest.length += count;
  digest.at += count;
  if (digest.at < held) return false;
  digest.index = held === SIZES.settings ? digest.index + 1 : SLOTS;
  digest.at = 0;
  return digest.index === SLOTS;
}
