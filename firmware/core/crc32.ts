/**
 * CRC-32 as Ethernet and zip have it (polynomial 0xEDB88320, reflected), half a byte at a time: a table of 16 numbers
 * is what a chip can spare.
 */
import type { Bytes } from "../../hal/hal";
import { byteAt, div } from "#native";

/** 0xEDB88320 as an int32. */
const POLYNOMIAL = -306674912;
/** What a CRC begins with. */
export const CRC_START = -1;

const table: number[] = [];
for (let i = 0; i < 16; i++) {
  let entry = i;
  for (let bit = 0; bit < 4; bit++) {
    const low = entry & 1;
    entry = div(entry, 2) & 0x7fffffff;
    if (low === 1) entry ^= POLYNOMIAL;
  }
  table.push(entry);
}

/** `crc`, {@link CRC_START} at first, carried on over `count` more bytes. The CRC of all is its complement, `~crc`. */
export function crcUpdate(crc: number, bytes: Bytes, at: number, count: number): number {
  let sum = crc;
  for (let i = at; i < at + count; i++) {
    sum ^= byteAt(bytes, i);
    sum = halfByte(sum);
    sum = halfByte(sum);
  }
  return sum;
}

/** `div` shifts the sign in from above: the mask takes it off. */
function halfByte(sum: number): number {
  return (div(sum, 16) & 0x0fffffff) ^ (table[sum & 15] ?? 0);
}
