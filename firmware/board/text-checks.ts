/** What the texts that a person gives, names and settings, may consist of. */
import type { Bytes } from "../../hal/hal";
import { allocate, byteAt, isUtf8, putText, textLength } from "#native";

/** The longest name that is looked at, in bytes. */
const LONGEST_NAME = 64;
/** A name is laid out here to be looked at, since what is allocated is never given back. */
const scratch = allocate(LONGEST_NAME);

/** Whether a text is 1 to 32 of `A-Z a-z 0-9 _ -`. @boot */
export function isId(text: string): boolean {
  const length = textLength(text);
  if (length > LONGEST_NAME) return false;
  putText(scratch, 0, text);
  return isIdAt(scratch, 0, length);
}

/** Whether a range is 1 to 32 of `A-Z a-z 0-9 _ -`. */
export function isIdAt(bytes: Bytes, at: number, count: number): boolean {
  return consistsOf(bytes, at, count, 1, 32, isIdByte);
}

/** Whether a range is a host: letters, digits, `.`, `-`, and `:` of IPv6; 1 to 64 of them. */
export function isHostAt(bytes: Bytes, at: number, count: number): boolean {
  return consistsOf(bytes, at, count, 1, 64, isHostByte);
}

/**
 * Whether a range is `least` to `most` bytes of UTF-8 without control characters: CR, LF and NUL would end what it
 * stands in.
 */
export function isPlainAt(bytes: Bytes, at: number, count: number, least: number, most: number): boolean {
  return consistsOf(bytes, at, count, least, most, isPlainByte) && isUtf8(bytes, at, count);
}

function consistsOf(
  bytes: Bytes,
  at: number,
  count: number,
  least: number,
  most: number,
  allows: (this: void, byte: number) => boolean,
): boolean {
  if (!isBetween(count, least, most)) return false;
  for (let i = at; i < at + count; i++) {
    if (!allows(byteAt(bytes, i))) return false;
  }
  return true;
}

function isIdByte(byte: number): boolean {
  return isBetween(byte, 0x30, 0x39) || isLetter(byte) || byte === 0x5f || byte === 0x2d;
}

function isHostByte(byte: number): boolean {
  return isLetter(byte) || isBetween(byte, 0x2d, 0x2e) || isBetween(byte, 0x30, 0x3a);
}

function isPlainByte(byte: number): boolean {
  return byte >= 0x20 && byte !== 0x7f;
}

function isLetter(byte: number): boolean {
  return isBetween(byte, 0x41, 0x5a) || isBetween(byte, 0x61, 0x7a);
}

export function isBetween(value: number, low: number, high: number): boolean {
  return value >= low && value <= high;
}
