/** Base64 as RFC 4648 has it, with padding, for what is sent in text and is not text. */
import type { Bytes } from "../../hal/hal";
import { byteAt, div } from "#native";

const PAD = 0x3d;
/** What {@link decodeBase64} gives for anything that is not base64. */
export const NOT_BASE64 = -1;

/**
 * Decodes `count` characters at `at` into `into` at `intoAt`, where the bytes that they stand for must have room.
 * Gives the number of bytes, or {@link NOT_BASE64}; then `into` may hold part of it.
 */
export function decodeBase64(from: Bytes, at: number, count: number, into: Bytes, intoAt: number): number {
  if (count === 0 || (count & 3) !== 0) return NOT_BASE64;
  let padding = 0;
  if (byteAt(from, at + count - 1) === PAD) padding = byteAt(from, at + count - 2) === PAD ? 2 : 1;
  const digits = count - padding;
  let bits = 0;
  let write = intoAt;
  for (let i = 0; i < count; i++) {
    const digit = i < digits ? digitOf(byteAt(from, at + i)) : 0;
    if (digit < 0) return NOT_BASE64;
    bits = (bits << 6) | digit;
    if ((i & 3) !== 3) continue;
    const missing = i < digits ? 0 : padding;
    into[write] = div(bits, 65536);
    if (missing < 2) into[write + 1] = div(bits, 256) & 0xff;
    if (missing < 1) into[write + 2] = bits & 0xff;
    write += 3 - missing;
    bits = 0;
  }
  return write - intoAt;
}

/** The six bits of a character; negative for one that is no digit of base64. */
function digitOf(character: number): number {
  if (character >= 0x61) return character <= 0x7a ? character - 0x61 + 26 : -1;
  if (character >= 0x41) return character <= 0x5a ? character - 0x41 : -1;
  if (character >= 0x30) return character <= 0x39 ? character - 0x30 + 52 : -1;
  if (character === 0x2b) return 62;
  return character === 0x2f ? 63 : -1;
}
