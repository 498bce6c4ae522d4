/** The names that an application gives to its parts: each is a key of its declaration and a level of a topic. */
import { allocate, byteAt, putText, textLength } from "#native";

/** What the board itself says on topics and in telemetry. */
const RESERVED = ["availability", "telemetry", "error", "seq", "uptime"];

/**
 * The keys of a declaration in alphabetical order. Lua keeps no order of its own, and a board should subscribe and
 * publish in the same order wherever it runs. @boot
 */
export function createSortedNames(declaration: object): string[] {
  const names: string[] = [];
  for (const name in declaration) {
    names.push(name);
    for (let i = names.length - 1; i > 0; i--) {
      const before = names[i - 1];
      if (before === undefined || before < name) break;
      names[i] = before;
      names[i - 1] = name;
    }
  }
  return names;
}

/** What is wrong with a name that shall be taken besides those of `taken`, as a sentence; empty if nothing. @boot */
export function nameProblem(name: string, taken: readonly string[]): string {
  if (!isId(name)) return "give 1 to 32 letters, digits, _ or - as a name, not: " + name;
  for (let i = 0; i < RESERVED.length; i++) {
    if (RESERVED[i] === name) return "the board itself uses the name " + name;
  }
  for (let i = 0; i < taken.length; i++) {
    if (taken[i] === name) return "two parts have the name " + name;
  }
  return "";
}

/** Whether a text is 1 to 32 of `A-Z a-z 0-9 _ -`. @boot */
export function isId(text: string): boolean {
  const length = textLength(text);
  if (length < 1 || length > 32) return false;
  const bytes = allocate(length);
  putText(bytes, 0, text);
  for (let i = 0; i < length; i++) {
    if (!isIdByte(byteAt(bytes, i))) return false;
  }
  return true;
}

function isIdByte(byte: number): boolean {
  return isBetween(byte, 0x30, 0x39) || isLetter(byte) || byte === 0x5f || byte === 0x2d;
}

function isLetter(byte: number): boolean {
  return isBetween(byte, 0x41, 0x5a) || isBetween(byte, 0x61, 0x7a);
}

/** Whether a text is a host: letters, digits, `.`, `-`, and `:` of IPv6; 1 to 64 of them. @boot */
export function isHost(text: string): boolean {
  const length = textLength(text);
  if (length < 1 || length > 64) return false;
  const bytes = allocate(length);
  putText(bytes, 0, text);
  for (let i = 0; i < length; i++) {
    const byte = byteAt(bytes, i);
    if (!isLetter(byte) && !isBetween(byte, 0x2d, 0x2e) && !isBetween(byte, 0x30, 0x3a)) return false;
  }
  return true;
}

/** Whether a text of at most `most` bytes has no control characters: CR, LF and NUL would end what it stands in. @boot */
export function isPlainText(text: string, least: number, most: number): boolean {
  const length = textLength(text);
  if (length < least || length > most) return false;
  if (length === 0) return true;
  const bytes = allocate(length);
  putText(bytes, 0, text);
  for (let i = 0; i < length; i++) {
    const byte = byteAt(bytes, i);
    if (byte < 0x20 || byte === 0x7f) return false;
  }
  return true;
}

export function isBetween(value: number, low: number, high: number): boolean {
  return value >= low && value <= high;
}
