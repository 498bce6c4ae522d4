/**
 * What the console says, line by line, on its way to the port: a ring that the port drains as fast as it takes it. An
 * answer waits until its next line has room; what comes unasked (echo, events) is dropped and counted by the ring when
 * there is none. Nobody ever waits for a terminal.
 */
import type { SerialPort } from "../../hal/hal";
import { putText, textLength } from "#native";
import { createRing, NO_ROOM, type Ring, ringCommit, ringRelease, ringReserve, ringRoom, ringRun } from "../core/ring";
import { createWriter, type Writer, writerOpen, written } from "../core/writer";

/** The longest line in bytes, its end not counted: a crash report of 256 bytes behind a short text. */
export const LONGEST_LINE = 288;
const LINE_END = "\r\n";
const LINE_END_SIZE = 2;

export interface Output {
  readonly port: SerialPort;
  readonly ring: Ring;
  /** The line that is being written. */
  readonly line: Writer;
}

/** @boot */
export function createOutput(port: SerialPort, size: number): Output {
  const ring = createRing(size);
  return { port, ring, line: createWriter(ring.bytes) };
}

/** Whether there is room for a line of any length. */
export function outputHasRoom(output: Output): boolean {
  return ringRoom(output.ring, LONGEST_LINE + LINE_END_SIZE) !== NO_ROOM;
}

/** The writer for a line; `undefined`, and counted, when there is no room. {@link outputEnd} must follow. */
export function outputBegin(output: Output): Writer | undefined {
  const at = ringReserve(output.ring, LONGEST_LINE + LINE_END_SIZE);
  if (at === NO_ROOM) return undefined;
  writerOpen(output.line, output.ring.bytes, at, LONGEST_LINE);
  return output.line;
}

/** Queues the line that was begun, and ends it. A line in which nothing was written is none. */
export function outputEnd(output: Output): void {
  const line = output.line;
  if (written(line) === 0) return;
  line.at += putText(line.bytes, line.at, LINE_END);
  ringCommit(output.ring, line.start, written(line));
}

/** Queues a short text as it is. Dropped and counted when there is no room. */
export function outputText(output: Output, text: string): void {
  const count = textLength(text);
  const at = ringReserve(output.ring, count);
  if (at === NO_ROOM) return;
  putText(output.ring.bytes, at, text);
  ringCommit(output.ring, at, count);
}

/** Queues one byte. Dropped and counted when there is no room. */
export function outputByte(output: Output, value: number): void {
  const at = ringReserve(output.ring, 1);
  if (at === NO_ROOM) return;
  output.ring.bytes[at] = value;
  ringCommit(output.ring, at, 1);
}

/** Hands the port what it takes. */
export function outputFlush(output: Output): void {
  while (output.ring.used > 0) {
    const taken = output.port.write(output.ring.bytes, output.ring.head, ringRun(output.ring));
    if (taken === 0) return;
    ringRelease(output.ring, taken);
  }
}
