/** What stops a flash run, for people as a sentence and for programs as a word with what belongs to it. */
import { Failure } from "../failure";

export type FlashTrouble =
  | "image"
  | "port"
  | "drive"
  | "no-answer"
  | "wrong-chip"
  | "refused"
  | "line"
  | "verify-mismatch"
  | "interrupted"
  | "other";

export class FlashFailure extends Failure {
  constructor(
    readonly reason: FlashTrouble,
    message: string,
    readonly details: Readonly<Record<string, number | string>> = {},
  ) {
    super(message);
  }
}

/** An address or an id, as data sheets write it. */
export function hex(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}

/** A number of bytes, with its thousands apart. */
export function inBytes(count: number): string {
  return `${count.toLocaleString("en")} bytes`;
}
