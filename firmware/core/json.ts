/**
 * JSON objects, written straight into a ring. Keys are texts made once at boot, comma, quotes and colon included, so
 * that a field costs one native call.
 */
import { textLength } from "#native";
import { writeFixed, writeText, type Writer } from "./writer";

/** A key as it stands in the object: `{"seq":` when it is the first, `,"seq":` else. `name` needs no escaping. @boot */
export function createJsonKey(name: string, first: boolean): string {
  // Grouped to the right, as Lua joins texts: otherwise one more text would be made, and never given back.
  return (first ? '{"' : ',"') + (name + '":');
}

/** The longest a number of `writeFixed` can be: sign, 10 digits, point. */
export const LONGEST_NUMBER = 12;

/** How many bytes a key and a number take at most. @boot */
export function jsonFieldRoom(key: string): number {
  return textLength(key) + LONGEST_NUMBER;
}

export function writeJsonFixed(writer: Writer, key: string, steps: number, decimals: number): void {
  writeText(writer, key);
  writeFixed(writer, steps, decimals);
}

export function writeJsonBoolean(writer: Writer, key: string, value: boolean): void {
  writeText(writer, key);
  writeText(writer, value ? "true" : "false");
}

export function writeJsonNull(writer: Writer, key: string): void {
  writeText(writer, key);
  writeText(writer, "null");
}

/** Closes the object. */
export function writeJsonEnd(writer: Writer): void {
  writeText(writer, "}");
}
