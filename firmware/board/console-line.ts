/**
 * The line that is being typed: echo, backspace, Ctrl-U and Ctrl-C, and whichever line end a terminal sends. What a
 * person types behind the `=` of anything that is not known to be public is echoed as asterisks.
 */
import type { Bytes } from "../../hal/hal";
import { allocate, byteAt, find, startsWith } from "#native";
import { type Output, outputByte, outputText } from "./console-output";
import { isSecret, keyLength, NO_SETTING, settingAt } from "./setting-fields";

const CTRL_C = 0x03;
const BELL = 0x07;
const BACKSPACE = 0x08;
const LF = 0x0a;
const CR = 0x0d;
const CTRL_U = 0x15;
const ESCAPE = 0x1b;
const SPACE = 0x20;
const ASTERISK = 0x2a;
const EQUALS = 0x3d;
const DELETE = 0x7f;

/** Where in an escape sequence, an arrow key say, the input stands. */
const enum Sequence {
  None,
  /** Behind ESC. */
  Escape,
  /** Behind ESC and `[`: parameters, then one last byte. */
  Control,
  /** Behind ESC and `O`: one last byte. */
  Single,
}

/** What a byte did to the line. */
export const enum LineEvent {
  None,
  /** The line is there. */
  Entered,
  /** The line was thrown away by Ctrl-C. */
  Dropped,
}

export interface Line {
  readonly bytes: Bytes;
  count: number;
  /** More was typed than fits: the line is no command. */
  tooLong: boolean;
  /** From here on nothing is echoed as it is; -1 while everything is. */
  hiddenFrom: number;
  sequence: Sequence;
  /** The last byte was a CR: an LF right behind it belongs to it. */
  afterCr: boolean;
}

/** What {@link Line.hiddenFrom} says while everything may be seen. */
export const ALL_SEEN = -1;

/** @boot */
export function createLine(size: number): Line {
  return {
    bytes: allocate(size),
    count: 0,
    tooLong: false,
    hiddenFrom: ALL_SEEN,
    sequence: Sequence.None,
    afterCr: false,
  };
}

/** Begins a new line. */
export function lineClear(line: Line): void {
  line.count = 0;
  line.tooLong = false;
  line.hiddenFrom = ALL_SEEN;
}

/** Takes in a byte that was typed. */
export function lineByte(line: Line, output: Output, byte: number): LineEvent {
  const behindCr = line.afterCr;
  line.afterCr = byte === CR;
  if (byte >= SPACE && byte !== DELETE) {
    typed(line, output, byte);
    return LineEvent.None;
  }
  const behindEscape = line.sequence === Sequence.Escape;
  line.sequence = Sequence.None;
  switch (byte) {
    case CR:
      outputText(output, "\r\n");
      return LineEvent.Entered;
    case LF:
      if (behindCr) return LineEvent.None;
      outputText(output, "\r\n");
      return LineEvent.Entered;
    case CTRL_C:
      outputText(output, "^C\r\n");
      return LineEvent.Dropped;
    case BACKSPACE:
    case DELETE:
      if (!behindEscape) eraseCharacter(line, output);
      return LineEvent.None;
    case CTRL_U:
      while (line.count > 0) eraseCharacter(line, output);
      lineClear(line);
      return LineEvent.None;
    case ESCAPE:
      line.sequence = Sequence.Escape;
      return LineEvent.None;
    default:
      return LineEvent.None;
  }
}

/** A byte that can be seen, or is part of an escape sequence. */
function typed(line: Line, output: Output, byte: number): void {
  switch (line.sequence) {
    case Sequence.None:
      append(line, output, byte);
      return;
    case Sequence.Escape:
      line.sequence = byte === 0x5b ? Sequence.Control : byte === 0x4f ? Sequence.Single : Sequence.None;
      return;
    case Sequence.Control:
      if (byte >= 0x40 && byte <= 0x7e) line.sequence = Sequence.None;
      return;
    case Sequence.Single:
      line.sequence = Sequence.None;
      return;
  }
}

function append(line: Line, output: Output, byte: number): void {
  if (line.count === line.bytes.length) {
    line.tooLong = true;
    outputByte(output, BELL);
    return;
  }
  line.bytes[line.count] = byte;
  echo(line, output, line.count);
  line.count++;
  const behindKey = byte === EQUALS && find(line.bytes, 0, line.count, EQUALS) === line.count - 1;
  if (behindKey && !isPublic(line)) line.hiddenFrom = line.count;
}

/** Shows the byte at `at`: of what is hidden one asterisk a character, whatever the number of its bytes. */
function echo(line: Line, output: Output, at: number): void {
  const byte = byteAt(line.bytes, at);
  const hidden = line.hiddenFrom !== ALL_SEEN && at >= line.hiddenFrom;
  if (!hidden) outputByte(output, byte);
  else if (!continues(byte)) outputByte(output, ASTERISK);
}

/** Shows the line again, behind something that came between. */
export function lineShow(line: Line, output: Output): void {
  for (let i = 0; i < line.count; i++) echo(line, output, i);
}

/** Takes back the last character, all bytes of it. */
function eraseCharacter(line: Line, output: Output): void {
  if (line.count === 0) return;
  line.count--;
  while (line.count > 0 && continues(byteAt(line.bytes, line.count))) line.count--;
  if (line.count < line.hiddenFrom) line.hiddenFrom = ALL_SEEN;
  outputText(output, "\b \b");
}

/** Whether a byte is within a character of UTF-8, not its first. */
function continues(byte: number): boolean {
  return byte >= 0x80 && byte < 0xc0;
}

/**
 * Whether what follows the `=` that was just typed may be seen: the value of a known setting that is none of the
 * secrets, or a piece of a certificate. A key that was misspelt may have been meant for a password.
 */
function isPublic(line: Line): boolean {
  const at = argumentAt(line);
  const left = line.count - at;
  if (startsWith(line.bytes, at, left, "ca.") || startsWith(line.bytes, at, left, "cert.")) return true;
  const setting = settingAt(line.bytes, at, left);
  return setting !== NO_SETTING && keyLength(setting) === left && !isSecret(setting);
}

/** Where the first word begins. */
export function wordAt(line: Line): number {
  return skipSpaces(line, 0);
}

/** How long the first word is. */
export function wordLength(line: Line): number {
  const at = wordAt(line);
  let end = at;
  while (end < line.count && byteAt(line.bytes, end) !== SPACE) end++;
  return end - at;
}

/** Where what follows the first word begins. */
export function argumentAt(line: Line): number {
  return skipSpaces(line, wordAt(line) + wordLength(line));
}

function skipSpaces(line: Line, from: number): number {
  let at = from;
  while (at < line.count && byteAt(line.bytes, at) === SPACE) at++;
  return at;
}
