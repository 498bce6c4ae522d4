/**
 * Writes text and numbers into a range of a buffer, usually a block of a ring. What does not fit is not written and
 * latches `overflow`, so a writer is checked once, at the end, and nothing half-written ever leaves.
 */
import type { Bytes } from "../../hal/hal";
import { copy, div, putDecimal, putText, putU16, textLength } from "#native";

export interface Writer {
  bytes: Bytes;
  /** Where the range begins, where the next byte goes, and where the range ends. */
  start: number;
  at: number;
  end: number;
  /** Something did not fit. Nothing is written any more until the writer is opened anew. */
  overflow: boolean;
}

/** A writer over the whole of `bytes`. @boot */
export function createWriter(bytes: Bytes): Writer {
  return { bytes, start: 0, at: 0, end: bytes.length, overflow: false };
}

/** Points the writer at `room` bytes of `bytes` from `at`. */
export function writerOpen(writer: Writer, bytes: Bytes, at: number, room: number): void {
  writer.bytes = bytes;
  writer.start = at;
  writer.at = at;
  writer.end = at + room;
  writer.overflow = false;
}

/** How many bytes have been written. */
export function written(writer: Writer): number {
  return writer.at - writer.start;
}

function fits(writer: Writer, count: number): boolean {
  if (writer.at + count > writer.end) writer.overflow = true;
  return !writer.overflow;
}

export function writeByte(writer: Writer, value: number): void {
  if (!fits(writer, 1)) return;
  writer.bytes[writer.at] = value;
  writer.at++;
}

/** Two bytes, most significant first. */
export function writeU16(writer: Writer, value: number): void {
  if (!fits(writer, 2)) return;
  putU16(writer.bytes, writer.at, value);
  writer.at += 2;
}

export function writeBytes(writer: Writer, from: Bytes, at: number, count: number): void {
  const to = writer.at;
  const after = to + count;
  if (writer.overflow || after > writer.end) {
    writer.overflow = true;
    return;
  }
  copy(from, at, writer.bytes, to, count);
  writer.at = after;
}

export function writeText(writer: Writer, text: string): void {
  if (!fits(writer, textLength(text))) return;
  writer.at += putText(writer.bytes, writer.at, text);
}

/** A decimal integer. Near the end of the range it asks for 11 bytes, the longest it may be. */
export function writeDecimal(writer: Writer, value: number): void {
  if (!fits(writer, 11)) return;
  writer.at += putDecimal(writer.bytes, writer.at, value);
}

/**
 * A fixed-point number: `steps` of 10^-`decimals`, so 215 with 1 decimal is `21.5` and -5 is `-0.5`. `steps` is above
 * -2147483648, which has no positive counterpart; `decimals` is 0 to 9.
 */
export function writeFixed(writer: Writer, steps: number, decimals: number): void {
  let unit = 1;
  for (let i = 0; i < decimals; i++) unit *= 10;
  let left = steps;
  if (steps < 0) {
    writeByte(writer, 0x2d);
    left = -steps;
  }
  const whole = div(left, unit);
  writeDecimal(writer, whole);
  if (decimals === 0) return;
  writeByte(writer, 0x2e);
  left -= whole * unit;
  for (let i = 0; i < decimals; i++) {
    unit = div(unit, 10);
    const digit = div(left, unit);
    writeByte(writer, 0x30 + digit);
    left -= digit * unit;
  }
}

/** Eight hexadecimal digits, lower case. */
export function writeHex(writer: Writer, value: number): void {
  if (!fits(writer, 8)) return;
  let unit = 0x10000000;
  for (let i = 0; i < 8; i++) {
    const digit = div(value, unit) & 15;
    writer.bytes[writer.at] = (digit < 10 ? 0x30 : 0x57) + digit;
    writer.at++;
    unit = div(unit, 16);
  }
}
