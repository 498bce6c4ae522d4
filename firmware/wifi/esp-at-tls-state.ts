/** What the part of the ESP-AT driver that makes streams TLS knows: `esp-at-tls` asks, `esp-at-tls-files` has the files. */
import type { Bytes, Millis } from "../../hal/hal";
import { type Deadline } from "../core/time";
import { type EspAt } from "./esp-at-state";
import { type PemSource, type Security } from "./module";

/** The way to a connect. A step that its command has been answered for is followed by the next. */
export const enum Step {
  Begin,
  /** `AT+SYSLOG=1`: from now on a connect that fails says why, where the firmware knows how. */
  Errors,
  /** The module asks the time server. */
  Clock,
  /** The authority, and the board's certificate and key, are in the module. */
  Files,
  /** The module knows the time. */
  Time,
  /** The broker's certificate is checked. */
  Mode,
  /** It must be for the host that was asked for. Some firmware looks at the one name, some at the other. */
  Name,
  ServerName,
  /**
   * A byte that is damaged on its way makes other orders of these, that no certificate is checked, or none of this link,
   * and their answer is `OK` all the same: what the module has understood is asked for.
   */
  ModeTold,
  NameTold,
  Open,
}

/** Where the module keeps files. */
export const enum Place {
  Unknown,
  Manufacturing,
  Partition,
}

/** What is done about a file. */
export const enum Task {
  /** Which kind of place the module has for all of them. */
  Ask,
  /** What is there. */
  Read,
  /** Something else is there. */
  Replace,
  Erase,
  Write,
  /** Whether it has come to stay. */
  Verify,
}

/**
 * A driver without it links nothing of it, and calls what is in here where its own ways end: with an empty slot before a
 * connect, and for what answers a {@link Command.Secure}.
 */
export interface EspTls {
  /** Whatever the module was told is gone. */
  forget(this: void, esp: EspAt, tls: EspTls): void;
  /** Whether the stream that was asked for may be opened now. If not, what has to be done before has begun, or is waited for. */
  ready(this: void, esp: EspAt, tls: EspTls, now: Millis): boolean;
  /** The final result of a command, or an OK that goes before a prompt. */
  answered(this: void, esp: EspAt, tls: EspTls, now: Millis, ok: boolean): void;
  /** Puts more of what the module waits for into the serial port. */
  feed(this: void, esp: EspAt, tls: EspTls, now: Millis): void;
  /** As those of {@link AtEvents}. */
  header(this: void, esp: EspAt, tls: EspTls, bytes: Bytes, at: number, count: number): number;
  payload(this: void, tls: EspTls, bytes: Bytes, at: number, count: number): void;
  /** A line that is none of the driver's own. */
  line(this: void, esp: EspAt, tls: EspTls, now: Millis, bytes: Bytes, at: number, count: number): void;
  /** A connect has succeeded or failed. Gives whether one that failed leaves a doubt about the module. */
  opened(this: void, esp: EspAt, tls: EspTls, ok: boolean): boolean;

  readonly security: Security;
  step: Step;
  /** When the time is asked for next, and how often it was not known. What it knows has come with the last answer. */
  readonly ask: Deadline;
  asks: number;
  /** The year in the last answer to a question for the time. */
  year: number;
  /** The number in the `+ERRNO` of the connect under way; 0 when there was none. */
  errno: number;

  /** The files: authority, certificate, key. Which it is about; 3 when all are there. */
  readonly sources: readonly PemSource[];
  which: number;
  place: Place;
  task: Task;
  /** Bytes of the file; of what goes before it in a partition; and of all that the module has of it. */
  text: number;
  readonly head: Bytes;
  headLength: number;
  length: number;
  /** The next byte to be compared or sent, and a piece of it. */
  at: number;
  readonly piece: Bytes;
  /** The answer to a read is coming; what has come of it so far, or of that to another question, is what should be there. */
  reading: boolean;
  same: boolean;
  /** Something else was read once, or an order not taken: it may have been the line's doing. */
  doubted: boolean;
  /** No file is written before this, unless one was written, and read back, since the module last was to have them all. */
  readonly hold: Deadline;
  wrote: boolean;
}
