/** Device code with text: UTF-16 in JavaScript, bytes of UTF-8 in Lua. */
import { allocate, isText, putText, textAt, textLength } from "#native";

export function isSame(a: string, b: string): boolean {
  return a === b;
}

/** @boot */
export function joined(a: string, b: string): string {
  return a + b;
}

/** Through a buffer and back. @boot */
export function copied(text: string): string {
  const bytes = allocate(textLength(text) + 1);
  const length = putText(bytes, 1, text);
  return textAt(bytes, 1, length);
}

export function length(text: string): number {
  return textLength(text);
}

/** Byte `at` of the text. @boot */
export function byteOf(text: string, at: number): number {
  const bytes = allocate(textLength(text));
  putText(bytes, 0, text);
  return bytes[at] ?? -1;
}

/** @boot */
export function holds(text: string, other: string): boolean {
  const bytes = allocate(textLength(text));
  return isText(bytes, 0, putText(bytes, 0, text), other);
}
