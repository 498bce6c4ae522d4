/** Device code of the smallest kind: an operation each, where JavaScript and Lua could part. */
import { div, mod, round } from "#native";

const LEAST = -2147483647 - 1;

/** Without `| 0`: what wraps on a chip and in Node does not. No firmware may rely on either. */
export function sumAsItComes(a: number, b: number): number {
  return a + b;
}

export function sum(a: number, b: number): number {
  return (a + b) | 0;
}

export function difference(a: number, b: number): number {
  return (a - b) | 0;
}

export function product(a: number, b: number): number {
  return (a * b) | 0;
}

export function negative(a: number): number {
  return -a | 0;
}

export function complement(a: number): number {
  return ~a;
}

export function both(a: number, b: number): number {
  return a & b;
}

export function either(a: number, b: number): number {
  return a | b;
}

export function oneOf(a: number, b: number): number {
  return a ^ b;
}

export function shiftedBy1(a: number): number {
  return a << 1;
}

export function shiftedBy8(a: number): number {
  return a << 8;
}

export function shiftedBy31(a: number): number {
  return a << 31;
}

export function quotient(a: number, b: number): number {
  return div(a, b);
}

export function remainder(a: number, b: number): number {
  return mod(a, b);
}

export function isLess(a: number, b: number): boolean {
  return a < b;
}

export function isLeast(a: number): boolean {
  return a === LEAST;
}

/** As a declaration is turned into steps at boot, see firmware/board/rule.ts. @boot */
export function steps(value: number, less: number, scale: number): number {
  return round((value - less) * scale);
}

/** Counts in a loop over the wrap, as a sequence number does. */
export function countedUp(from: number, times: number): number {
  let count = from;
  for (let i = 0; i < times; i++) count = (count + 1) | 0;
  return count;
}
