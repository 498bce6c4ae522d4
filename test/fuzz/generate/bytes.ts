/** What packets are made of. */
import { type Random } from "../random";

export type Choices<T> = readonly [T, ...T[]];

export function u16(value: number): number[] {
  return [value >> 8, value & 255];
}

export function u32(value: number): number[] {
  return [...u16(Math.floor(value / 65536)), ...u16(value % 65536)];
}

export function bytes(random: Random, count: number): number[] {
  return Array.from({ length: count }, () => random.below(256));
}

/** A number of 7 bits a byte, in as few bytes as it fits. */
export function varying(value: number): number[] {
  const all: number[] = [];
  let left = value;
  do {
    const rest = Math.floor(left / 128);
    all.push((left % 128) + (rest > 0 ? 128 : 0));
    left = rest;
  } while (left > 0);
  return all;
}

export function framed(first: number, body: readonly number[]): number[] {
  return [first, ...varying(body.length), ...body];
}

/** With two bytes of length before it. */
export function span(content: readonly number[]): number[] {
  return [...u16(content.length), ...content];
}

/** Of a message, or of what asks for an answer: most of them are known. */
export function identifier(random: Random): number {
  return random.percent(88) ? 1 + random.below(6) : random.pick([0, 255, 256, 0x3000, 65535]);
}
