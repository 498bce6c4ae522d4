/** Device code that takes from its caller whatever can be taken, and gives back whatever can be given. */
import type { Bytes } from "../../../hal/hal";
import { byteAt } from "#native";

export interface Listener {
  readonly name: string;
  heard: number;
  hear(value: number): number;
}

/** Calls back, as a method, with and on what it was given. */
export function tell(listener: Listener, value: number): number {
  listener.heard = listener.heard + 1;
  return listener.hear(value);
}

export interface Counter {
  count: number;
  readonly list: number[];
  next(): number;
}

/** @boot */
export function createCounter(): Counter {
  return {
    count: 0,
    list: [],
    /** @boot */
    next() {
      this.count = this.count + 1;
      this.list.push(this.count);
      return this.count;
    },
  };
}

export function same(listener: Listener): Listener {
  return listener;
}

export function sumOf(list: readonly number[]): number {
  let sum = 0;
  let at = 0;
  while (at < list.length) {
    sum += list[at] ?? 0;
    at++;
  }
  return sum;
}

export function fill(bytes: Bytes, value: number): void {
  for (let i = 0; i < bytes.length; i++) bytes[i] = value;
}

/** A buffer that is kept beyond the call. */
export interface Kept {
  bytes: Bytes | undefined;
}

export function keep(kept: Kept, bytes: Bytes): void {
  kept.bytes = bytes;
}

export function fillKept(kept: Kept, value: number): void {
  if (kept.bytes !== undefined) fill(kept.bytes, value);
}

export function readAt(bytes: Bytes, at: number): number {
  return byteAt(bytes, at);
}
