/** The block operations of {@link Native}, for Node. Every `Bytes` here is a `Uint8Array`. */
import type { Bytes } from "../hal";
import { view } from "./view";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function range(bytes: Bytes, at: number, count: number): Uint8Array {
  if (at < 0 || count < 0 || at + count > bytes.length) {
    throw new RangeError(`${count} bytes at ${at} are outside a buffer of ${bytes.length}`);
  }
  return view(bytes).subarray(at, at + count);
}

export function allocate(size: number): Bytes {
  return new Uint8Array(size);
}

export function byteAt(bytes: Bytes, at: number): number {
  const value = bytes[at];
  if (value === undefined) throw new RangeError(`byte ${at} is outside a buffer of ${bytes.length}`);
  return value;
}

export function u16At(bytes: Bytes, at: number): number {
  return byteAt(bytes, at) * 256 + byteAt(bytes, at + 1);
}

export function putU16(bytes: Bytes, at: number, value: number): void {
  const two = range(bytes, at, 2);
  two[0] = value >> 8;
  two[1] = value;
}

export function copy(from: Bytes, fromAt: number, into: Bytes, intoAt: number, count: number): void {
  range(into, intoAt, count).set(range(from, fromAt, count));
}

export function find(bytes: Bytes, at: number, count: number, value: number): number {
  const found = range(bytes, at, count).indexOf(value);
  return found < 0 ? -1 : at + found;
}

export function same(a: Bytes, aAt: number, b: Bytes, bAt: number, count: number): boolean {
  return Buffer.compare(range(a, aAt, count), range(b, bAt, count)) === 0;
}

export function putText(bytes: Bytes, at: number, text: string): number {
  const length = textLength(text);
  encoder.encodeInto(text, range(bytes, at, length));
  return length;
}

export function textLength(text: string): number {
  return Buffer.byteLength(text);
}

export function isText(bytes: Bytes, at: number, count: number, text: string): boolean {
  return Buffer.compare(range(bytes, at, count), encoder.encode(text)) === 0;
}

export function startsWith(bytes: Bytes, at: number, count: number, text: string): boolean {
  const length = textLength(text);
  return count >= length && isText(bytes, at, length, text);
}

export function putDecimal(bytes: Bytes, at: number, value: number): number {
  return putText(bytes, at, String(value));
}

export function decimalAt(bytes: Bytes, at: number, count: number): number {
  if (count < 1 || count > 10) return -1;
  let value = 0;
  for (const digit of range(bytes, at, count)) {
    if (digit < 0x30 || digit > 0x39) return -1;
    value = value * 10 + (digit - 0x30);
  }
  return value > 0x7fffffff ? -1 : value;
}

export function isUtf8(bytes: Bytes, at: number, count: number): boolean {
  const text = range(bytes, at, count);
  if (text.includes(0)) return false;
  try {
    decoder.decode(text);
    return true;
  } catch {
    return false;
  }
}

export function textAt(bytes: Bytes, at: number, count: number): string {
  return Buffer.from(range(bytes, at, count)).toString("utf8");
}

export function div(a: number, b: number): number {
  return Math.floor(a / b);
}

export function mod(a: number, b: number): number {
  return a - b * Math.floor(a / b);
}

export function round(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value));
}
