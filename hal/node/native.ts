/** The block operations of {@link Native}, for Node. Every `Bytes` here is a `Uint8Array`. */
import { isUtf8 as isWellFormed } from "node:buffer";
import type { Bytes } from "../hal";
import { view } from "./view";

export * from "./queue";

const PLUS = 0x2b;
const HASH = 0x23;
const SLASH = 0x2f;
const DOLLAR = 0x24;

const encoder = new TextEncoder();

/** The memory of a buffer that has `count` bytes at `at`. What runs with every message reads it in place: a view costs more. */
function checked(bytes: Bytes, at: number, count: number): Uint8Array {
  if (at < 0 || count < 0 || at + count > bytes.length) {
    throw new RangeError(`${count} bytes at ${at} are outside a buffer of ${bytes.length}`);
  }
  return view(bytes);
}

function range(bytes: Bytes, at: number, count: number): Uint8Array {
  return checked(bytes, at, count).subarray(at, at + count);
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

export function findU16(bytes: Bytes, at: number, count: number, value: number): number {
  const list = checked(bytes, at, 2 * count);
  const high = value >> 8;
  const low = value & 255;
  for (let place = 0, next = at; place < count; place++, next += 2) {
    if (list[next] === high && list[next + 1] === low) return place;
  }
  return -1;
}

export function putU16(bytes: Bytes, at: number, value: number): void {
  const two = checked(bytes, at, 2);
  two[at] = value >> 8;
  two[at + 1] = value;
}

export function copy(from: Bytes, fromAt: number, into: Bytes, intoAt: number, count: number): void {
  range(into, intoAt, count).set(range(from, fromAt, count));
}

export function find(bytes: Bytes, at: number, count: number, value: number): number {
  const all = checked(bytes, at, count);
  const end = at + count;
  for (let next = at; next < end; next++) {
    if (all[next] === value) return next;
  }
  return -1;
}

export function same(a: Bytes, aAt: number, b: Bytes, bAt: number, count: number): boolean {
  return Buffer.compare(range(a, aAt, count), range(b, bAt, count)) === 0;
}

export function putText(bytes: Bytes, at: number, text: string): number {
  if (isAscii(text)) {
    const all = checked(bytes, at, text.length);
    for (let i = 0; i < text.length; i++) all[at + i] = text.charCodeAt(i);
    return text.length;
  }
  const length = textLength(text);
  encoder.encodeInto(text, range(bytes, at, length));
  return length;
}

export function textLength(text: string): number {
  return isAscii(text) ? text.length : Buffer.byteLength(text);
}

export function isText(bytes: Bytes, at: number, count: number, text: string): boolean {
  const all = checked(bytes, at, count);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 128) return Buffer.compare(range(bytes, at, count), encoder.encode(text)) === 0;
    if (i >= count || all[at + i] !== unit) return false;
  }
  return count === text.length;
}

export function startsWith(bytes: Bytes, at: number, count: number, text: string): boolean {
  const all = checked(bytes, at, count);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 128) return count >= textLength(text) && isText(bytes, at, textLength(text), text);
    if (i >= count || all[at + i] !== unit) return false;
  }
  return true;
}

/** Whether each character is a byte: most texts are so short that a look at them costs less than a call of the encoder. */
function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) >= 128) return false;
  }
  return true;
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
  return isUtf8Without(bytes, at, count, 0, 0);
}

export function isUtf8Without(bytes: Bytes, at: number, count: number, a: number, b: number): boolean {
  const text = checked(bytes, at, count);
  const end = at + count;
  for (let next = at; next < end; next++) {
    const byte = text[next] ?? 0;
    if (byte >= 128) return isMixedUtf8Without(text.subarray(at, end), a, b);
    if (byte === 0 || byte === a || byte === b) return false;
  }
  return true;
}

/** The same for a text that is not all of ASCII. */
function isMixedUtf8Without(text: Uint8Array, a: number, b: number): boolean {
  return !text.includes(0) && !text.includes(a) && !text.includes(b) && isWellFormed(text);
}

export function matchFilter(filters: Bytes, from: number, topic: Bytes, at: number, count: number): number {
  const list = view(filters);
  const name = checked(topic, at, count);
  let place = 0;
  let next = 0;
  for (;;) {
    const length = u16At(list, next);
    if (length === 0) return -1;
    const begin = next + 2;
    next = begin + length;
    if (place >= from && filterMatches(checked(list, begin, length), begin, next, name, at, at + count)) return place;
    place++;
  }
}

/** Whether the well-formed filter in one range matches the topic in the other: level by level, in one pass. */
function filterMatches(
  filter: Uint8Array,
  filterAt: number,
  filterEnd: number,
  topic: Uint8Array,
  topicAt: number,
  topicEnd: number,
): boolean {
  let at = filterAt;
  let next = topicAt;
  // What begins with a `$` is for filters that say so. [MQTT-4.7.2-1]
  if (topic[topicAt] === DOLLAR && (filter[filterAt] === PLUS || filter[filterAt] === HASH)) return false;
  for (;;) {
    if (at === filterEnd) return next === topicEnd;
    const wanted = filter[at];
    if (wanted === HASH) return true;
    if (wanted === PLUS) {
      while (next < topicEnd && topic[next] !== SLASH) next++;
      at++;
    } else if (next < topicEnd && topic[next] === wanted) {
      at++;
      next++;
    } else {
      // `a/#` is for `a`, too.
      return next === topicEnd && wanted === SLASH && filter[at + 1] === HASH;
    }
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
