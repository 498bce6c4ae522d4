/** What the texts that a person gives, names and settings, may consist of. Checked once, at boot. */
import { allocate, byteAt, putText, textLength } from "#native";

/** The longest text that any check lets through, in bytes. */
const LONGEST = 128;
/** Each text is laid out here to be looked at, since what is allocated is never given back. */
const scratch = allocate(LONGEST);

/** Whether a text has `least` to `most` (up to {@link LONGEST}) bytes and `allows` every one of them. @boot */
function consistsOf(text: string, least: number, most: number, allows: (this: void, byte: number) => boolean): boolean {
  const length = textLength(text);
  if (!isBetween(length, least, most)) return false;
  putText(scratch, 0, text);
  for (let i = 0; i < length; i++) {
    if (!allows(byteAt(scratch, i))) return false;
  }
  return true;
}

/** Whether a text is 1 to 32 of `A-Z a-z 0-9 _ -`. @boot */
export function isId(text: string): boolean {
  return consistsOf(text, 1, 32, isIdByte);
}

/** Whether a text is a host: letters, digits, `.`, `-`, and `:` of IPv6; 1 to 64 of them. @boot */
export function isHost(text: string): boolean {
  return consistsOf(text, 1, 64, isHostByte);
}

/** Whether a text of `least` to `most` bytes has no control characters: CR, LF and NUL would end what it stands in. @boot */
export function isPlainText(text: string, least: number, most: number): boolean {
  return consistsOf(text, least, most, isPlainByte);
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
