/** The block operations of {@link Native}, for Node. Every `Bytes` here is a `Uint8Array`. */
import type { Bytes } from "../hal";
import { view } from "./view";

export * from "./queue";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function range(bytes: Bytes, at: number, count: number): Uint8Array {
  if (at < 0 || count < 0 || at + count > bytes.length) {
    throw new RangeError(`${count} bytes at ${at} are outside a buffer of ${bytes.length}`);
  }
  return view(bytes).subarray(at, at + count);
}

export function allocate(size: number): Bytes {
  if (size < 1 || size > 65535) throw new RangeError(`a buffer has 1 to 65535 bytes, not ${size}`);
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
  const all = range(bytes, at, count);
  return count >= length && isText(all, 0, length, text);
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

export function isUtf8Without(bytes: Bytes, at: number, count: number, a: number, b: number): boolean {
  const text = range(bytes, at, count);
  return !text.includes(a) && !text.includes(b) && isUtf8(text, 0, count);
}

export function matchFilter(filters: Bytes, from: number, topic: Bytes, at: number, count: number): number {
  const levels = Buffer.from(range(topic, at, count)).toString("latin1").split("/");
  let place = 0;
  let next = 0;
  for (;;) {
    const length = u16At(filters, next);
    if (length === 0) return -1;
    const filter = Buffer.from(range(filters, next + 2, length)).toString("latin1").split("/");
    if (place >= from && levelsMatch(filter, levels)) return place;
    place++;
    next += 2 + length;
  }
}

function levelsMatch(filter: readonly string[], topic: readonly string[]): boolean {
  const wild = filter[0] === "+" || filter[0] === "#";
  if (wild && topic[0]?.startsWith("$") === true) return false;
  const rest = filter.indexOf("#");
  // `a/#` is for `a`, too.
  if (rest < 0 ? topic.length !== filter.length : topic.length < rest) return false;
  const fixed = rest < 0 ? filter : filter.slice(0, rest);
  return fixed.every((level, i) => level === "+" || level === topic[i]);
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
