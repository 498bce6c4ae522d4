/**
 * A number that is set by a command and kept over power loss. Flash wears with every write, so a change is saved when
 * it has stood for a while, not when it comes.
 */
import type { Bytes, Millis, Storage } from "../../hal/hal";
import { decimalAt } from "#native";
import { arm, createDeadline, type Deadline, disarm, isDue } from "../core/time";
import { createWriter, writeDecimal, type Writer, writerOpen, writeText, written } from "../core/writer";
import { numberSetting } from "./settings";

/** Milliseconds that a change must stand before it is saved. */
const SETTLE = 5000;

/** A number as an application declares it. */
export interface NumberSpec {
  readonly unit: "s";
  /** The range, 0 to 2147483647, and the value of a board that was never told another. */
  readonly min: number;
  readonly max: number;
  readonly initial: number;
}

export interface NumberSetting {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** What is answered to a command that is not a number in the range. */
  readonly reason: string;
  value: number;
}

/** All numbers of a board, and the storage slot that keeps them as lines of `name=value`. */
export interface Numbers {
  readonly storage: Storage;
  readonly list: NumberSetting[];
  /** Writes the record that is saved, into a buffer that others use in between. */
  readonly record: Writer;
  /** While the numbers are made: how much of `record` is what storage held at boot. */
  readonly kept: number;
  readonly save: Deadline;
}

const NUMBERS_SLOT = 1;

/** `record` is lent, until the last of the numbers is made and then for the length of `pollNumbers`. @boot */
export function createNumbers(storage: Storage, record: Bytes): Numbers {
  const length = storage.load(NUMBERS_SLOT, record, 0, record.length);
  return { storage, list: [], record: createWriter(record), kept: length < 0 ? 0 : length, save: createDeadline() };
}

/** Adds a number, with the value that was kept if there is one. @boot */
export function createNumber(numbers: Numbers, name: string, spec: NumberSpec): NumberSetting {
  const kept = numberSetting(numbers.record.bytes, numbers.kept, name);
  const inRange = kept >= spec.min && kept <= spec.max;
  const number: NumberSetting = {
    name,
    min: spec.min,
    max: spec.max,
    reason: `send a whole number of seconds from ${spec.min} to ${spec.max}`,
    value: inRange ? kept : spec.initial,
  };
  numbers.list.push(number);
  return number;
}

/** Obeys a decimal number in the range. Gives what is wrong with anything else; empty when obeyed. */
export function commandNumber(
  numbers: Numbers,
  number: NumberSetting,
  now: Millis,
  bytes: Bytes,
  at: number,
  count: number,
): string {
  const value = decimalAt(bytes, at, count);
  if (value < number.min || value > number.max) return number.reason;
  if (value !== number.value) {
    number.value = value;
    arm(numbers.save, now, SETTLE);
  }
  return "";
}

/** Saves what has changed and settled. A save that fails is tried again. */
export function pollNumbers(numbers: Numbers, now: Millis): void {
  if (!isDue(numbers.save, now)) return;
  const record = numbers.record;
  writerOpen(record, record.bytes, 0, record.bytes.length);
  for (let i = 0; i < numbers.list.length; i++) {
    const number = numbers.list[i];
    if (number === undefined) continue;
    writeText(record, number.name);
    writeText(record, "=");
    writeDecimal(record, number.value);
    writeText(record, "\n");
  }
  if (numbers.storage.save(NUMBERS_SLOT, record.bytes, 0, written(record))) disarm(numbers.save);
  else arm(numbers.save, now, SETTLE);
}
