/** What the console knows: its record, and the board that it speaks of. */
import type { Bytes, Hal } from "../../hal/hal";
import { type Deadline } from "../core/time";
import { type WifiModule } from "../wifi/module";
import { type Digest, type Pem } from "./certificate";
import { type Line } from "./console-line";
import { type Output } from "./console-output";
import { type Parts } from "./parts";
import { type Power } from "./power";
import { type Settings } from "./settings";

/** The answer that is being given, line by line. */
export const enum Answer {
  None,
  /** Only the last line: `ok`, or `error: …`. */
  Word,
  Status,
  Settings,
  /** What a setting is now, read back from the storage. */
  OneSetting,
  /** A certificate or the key: its digest. */
  Pem,
  Log,
  Help,
  BootLoader,
}

export interface Console {
  /** The name of the application. */
  readonly name: string;
  readonly hal: Hal;
  readonly parts: Parts;
  readonly wifi: WifiModule;
  /** Of a board that sleeps. */
  readonly power: Power | undefined;
  readonly settings: Settings;
  readonly output: Output;
  readonly line: Line;
  /** What was read from the port and not looked at yet, from `inputAt` up to `inputEnd`. */
  readonly input: Bytes;
  inputAt: number;
  inputEnd: number;
  /** What the port had lost when the line began. */
  lostBefore: number;

  answer: Answer;
  /** The line of the answer that is next. */
  step: number;
  /** What the last line says: what is wrong, with (if it is not empty) what it is wrong with; empty if nothing is. */
  error: string;
  errorOf: string;
  /** The setting that was set. */
  setting: number;
  /** The first event of the log that is being shown. */
  shown: number;
  /** The certificate or key that is being read, to be shown as a digest. */
  pem: Pem;
  readonly digest: Digest;

  /** Events are shown as they happen; up to which one they have been. */
  live: boolean;
  told: number;
  /** When the board starts anew, or leaves for the boot loader: the answer is to be out by then. */
  readonly leave: Deadline;
  leaveForBootLoader: boolean;
}

/** Begins an answer. */
export function answerWith(console: Console, answer: Answer): void {
  console.answer = answer;
  console.step = 0;
  console.error = "";
  console.errorOf = "";
}

/** Answers only what is wrong, and what to do about it. `what` may be empty. */
export function answerError(console: Console, what: string, error: string): void {
  answerWith(console, Answer.Word);
  console.error = error;
  console.errorOf = what;
}
