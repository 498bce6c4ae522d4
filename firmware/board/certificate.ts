/**
 * What a board keeps for TLS, each a text in PEM: the certificates of the authority that the broker's is checked against,
 * up to 4096 bytes; and, for a broker that asks, the board's own certificate and its key, up to 2048 bytes each.
 *
 * They come in pieces of 256 bytes, each kept at once: piece 0 begins anew, and each further one must follow the one
 * before. A slot that is not full is the last, whatever the slots behind it hold.
 */
import type { Bytes, Storage } from "../../hal/hal";
import { div, startsWith } from "#native";
import { decodeBase64, NOT_BASE64 } from "../core/base64";
import { CRC_START, crcUpdate } from "../core/crc32";
import { SIZES } from "./sizes";

/** Which of the three. */
export const enum Pem {
  Authority,
  Certificate,
  Key,
}

/** What their settings begin with: `ca.0=…` is the first piece, `ca=` none at all. */
export const PEM_NAMES: readonly string[] = ["ca", "cert", "key"];

/** Bytes of a piece, and of the base64 that it comes as. */
export const PIECE = 256;
const LONGEST_PIECE_TEXT = 344;
const PIECES_IN_SLOT = 4;

/** The piece that is expected is told with this, so it is one text. */
const OUT_OF_ORDER = "send the pieces one after the other, 256 bytes each but the last, and begin with 0";

/** How many slots there are for it. */
export function slotsOf(pem: Pem): number {
  return pem === Pem.Authority ? 4 : 2;
}

/** Storage slot `index` of it: the authority has 4 to 7; the certificate 2, the key 3, and 64 and 65 if they are longer. */
export function slotOf(pem: Pem, index: number): number {
  if (pem === Pem.Authority) return 4 + index;
  return index === 0 ? 1 + pem : 63 + pem;
}

/** Reads slot `index` of it into `record`. Gives its length, 0 when there is none. */
export function loadPart(storage: Storage, pem: Pem, index: number, record: Bytes): number {
  const length = storage.load(slotOf(pem, index), record, 0, SIZES.settings);
  return length > 0 ? length : 0;
}

/**
 * Keeps piece `piece`, given as `count` characters of base64 at `at`. `record` is used meanwhile. Gives what is wrong,
 * as a sentence that says what to do; empty when it is kept.
 */
export function keepPiece(
  storage: Storage,
  record: Bytes,
  pem: Pem,
  piece: number,
  from: Bytes,
  at: number,
  count: number,
): string {
  if (piece < 0 || piece >= slotsOf(pem) * PIECES_IN_SLOT) {
    return pem === Pem.Authority
      ? "it has at most 16 pieces, 0 to 15: leave out authorities that are not the broker's"
      : "it has at most 8 pieces, 0 to 7: take EC P-256, or RSA of 2048 bits";
  }
  if (count > LONGEST_PIECE_TEXT) return "a piece is at most 256 bytes, which are 344 characters of base64";
  const index = div(piece, PIECES_IN_SLOT);
  const offset = (piece - index * PIECES_IN_SLOT) * PIECE;
  if (piece === 0) {
    if (!dropParts(storage, record, pem, 1)) return "the storage did not take it: send piece 0 again";
  } else if (!followsOn(storage, record, pem, index, offset)) {
    return OUT_OF_ORDER;
  }
  const bytes = decodeBase64(from, at, count, record, offset);
  if (bytes === NOT_BASE64) return "this is no base64: send the piece again";
  if (piece === 0 && !beginsWell(pem, record, bytes)) {
    return pem === Pem.Key
      ? "a key in PEM begins with -----BEGIN PRIVATE KEY-----"
      : "a certificate in PEM begins with -----BEGIN CERTIFICATE-----";
  }
  if (storage.save(slotOf(pem, index), record, 0, offset + bytes)) return "";
  return "the storage did not take it: send the piece again";
}

/** A key may be called `RSA PRIVATE KEY` or `EC PRIVATE KEY` as well. */
function beginsWell(pem: Pem, record: Bytes, bytes: number): boolean {
  const isCertificate = startsWith(record, 0, bytes, "-----BEGIN CERTIFICATE");
  return startsWith(record, 0, bytes, "-----BEGIN ") && isCertificate === (pem !== Pem.Key);
}

/** Whether it ends at `offset` of slot `index`. Leaves what that slot holds in `record`. */
function followsOn(storage: Storage, record: Bytes, pem: Pem, index: number, offset: number): boolean {
  if (offset > 0) return loadPart(storage, pem, index, record) === offset;
  return loadPart(storage, pem, index - 1, record) === SIZES.settings && loadPart(storage, pem, index, record) === 0;
}

/** Forgets it from its slot `first` on. False when the storage did not take it. */
export function dropParts(storage: Storage, record: Bytes, pem: Pem, first: number): boolean {
  for (let index = first; index < slotsOf(pem); index++) {
    const slot = slotOf(pem, index);
    if (storage.load(slot, record, 0, SIZES.settings) !== 0 && !storage.save(slot, record, 0, 0)) return false;
  }
  return true;
}

/** What may be told of it: its length, and its CRC-32. */
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
export function digestMore(digest: Digest, storage: Storage, pem: Pem, record: Bytes): boolean {
  const end = slotsOf(pem);
  if (digest.index === end) return true;
  const held = loadPart(storage, pem, digest.index, record);
  const left = held - digest.at;
  const count = left < PIECE ? left : PIECE;
  digest.crc = crcUpdate(digest.crc, record, digest.at, count);
  digest.length += count;
  digest.at += count;
  if (digest.at < held) return false;
  digest.index = held === SIZES.settings ? digest.index + 1 : end;
  digest.at = 0;
  return digest.index === end;
}
