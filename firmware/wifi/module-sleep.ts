/**
 * Puts a module to deep sleep that has no reset line: it is ordered to sleep for so many milliseconds, and wakes itself
 * with a reset. The driver is not turned meanwhile. What the module was doing last is not known for sure: it may be busy,
 * and is asked again; or wait for the payload of a send, and is called back with `+++` on its own. An ESP8266 wakes only
 * when its pin 16 is wired to its own reset pin, and sleeps for 3 hours at the most (Espressif, ESP-AT `AT+GSLP`).
 */
import type { Bytes, Millis, SerialPort } from "../../hal/hal";
import { allocate, byteAt, div, isText, startsWith } from "#native";
import { arm, createDeadline, type Deadline, disarm, elapsed, isDue, sooner, waitFor } from "../core/time";
import { createWriter, writeDecimal, type Writer, writerOpen, writeText, written } from "../core/writer";

export const enum SleepStep {
  /** It has been told, or is about to be. */
  Ordering,
  /** It sleeps; or it cannot be made to, which {@link ModuleSleep.refused} counts. */
  Asleep,
  /** It is awake. */
  Up,
}

export interface ModuleSleep {
  readonly serial: SerialPort;
  /** The order, up to the number. */
  readonly order: string;
  step: SleepStep;
  /** Until when it is to sleep; and how much later than that it may be, by its own clock, in milliseconds. */
  until: Millis;
  late: number;
  /** The next thing to do: the order once more; or when asleep, to believe that what was heard was a boot. */
  readonly timer: Deadline;
  /** When to leave a module alone that will not sleep; and when it sleeps, from when on what is heard is a boot. */
  readonly giveUp: Deadline;
  /** The order was not answered, and the next thing is `+++`. */
  called: boolean;
  /** Times that it would not. */
  refused: number;
  readonly line: Bytes;
  length: number;
  readonly command: Writer;
}

const LF = 10;
/** Bytes of a line that matter: the longest is `ready`. */
const LINE_SIZE = 8;
/** Milliseconds: for an answer; for `+++` on its own; between two orders to a busy module; and for all of it. */
const PATIENCE = 1000;
const CALL_QUIET = 1050;
const BUSY_PAUSE = 500;
const GIVE_UP = 22000;
/** What is heard right behind the OK is not a boot. */
const FALLS_ASLEEP = 300;
/** A boot has ended when the line has been quiet for so long. */
const BOOTED = 1000;
/** Longer than an ESP8266 can sleep would be as good as not at all: it is told again when it wakes. */
const LONGEST = 10000000;
/** How late it may be: a part of the time that it sleeps, and on top of that milliseconds for its boot. */
const LATE_PART = 16;
const LATE = 10000;
/** What is not worth another sleep. */
const SHORTEST = 5000;

/** @boot */
export function createModuleSleep(serial: SerialPort, order: string): ModuleSleep {
  return {
    serial,
    order,
    step: SleepStep.Up,
    until: 0,
    late: 0,
    timer: createDeadline(),
    giveUp: createDeadline(),
    called: false,
    refused: 0,
    line: allocate(LINE_SIZE),
    length: 0,
    command: createWriter(allocate(LINE_SIZE * 4)),
  };
}

/** Has the module sleep until `until`. */
export function beginSleep(sleep: ModuleSleep, now: Millis, until: Millis): void {
  sleep.until = until;
  sleep.late = LATE + div(elapsed(until, now), LATE_PART);
  sleep.step = SleepStep.Ordering;
  sleep.called = true;
  arm(sleep.giveUp, now, GIVE_UP);
  arm(sleep.timer, now, 0);
}

/** Its turn, while the driver has none. */
export function pollSleep(sleep: ModuleSleep, now: Millis): void {
  hear(sleep, now);
  if (sleep.step === SleepStep.Ordering) {
    if (isDue(sleep.giveUp, now)) {
      sleep.refused++;
      fallAsleep(sleep, now);
    } else if (isDue(sleep.timer, now)) {
      orderAgain(sleep, now);
    }
  } else if (sleep.step === SleepStep.Asleep && isDue(sleep.timer, now)) {
    wokeUp(sleep, now);
  }
}

export function sleepWait(sleep: ModuleSleep, now: Millis): number {
  const wait = waitFor(sleep.timer, now);
  return sleep.step === SleepStep.Ordering ? sooner(wait, waitFor(sleep.giveUp, now)) : wait;
}

function orderAgain(sleep: ModuleSleep, now: Millis): void {
  const command = sleep.command;
  writerOpen(command, command.bytes, 0, command.bytes.length);
  if (sleep.called) {
    const left = elapsed(sleep.until, now);
    writeText(command, sleep.order);
    writeDecimal(command, left < 1 ? 1 : left < LONGEST ? left : LONGEST);
    writeText(command, "\r\n");
    arm(sleep.timer, now, PATIENCE);
  } else {
    writeText(command, "+++");
    arm(sleep.timer, now, CALL_QUIET);
  }
  sleep.called = !sleep.called;
  // The port has room: nothing else was sent for some time.
  sleep.serial.write(command.bytes, 0, written(command));
}

/** The lines that the module says. Of a long one the beginning is kept. */
function hear(sleep: ModuleSleep, now: Millis): void {
  const { line, serial } = sleep;
  while (sleep.step !== SleepStep.Up) {
    const at = sleep.length < LINE_SIZE ? sleep.length : LINE_SIZE - 1;
    if (serial.read(line, at, 1) === 0) return;
    if (sleep.step === SleepStep.Asleep && isDue(sleep.giveUp, now)) arm(sleep.timer, now, BOOTED);
    if (byteAt(line, at) === LF) {
      lineCame(sleep, now, sleep.length);
      sleep.length = 0;
    } else if (sleep.length < LINE_SIZE) {
      sleep.length++;
    }
  }
}

function lineCame(sleep: ModuleSleep, now: Millis, count: number): void {
  const line = sleep.line;
  if (isText(line, 0, count, "ready\r")) {
    wokeUp(sleep, now);
  } else if (sleep.step !== SleepStep.Ordering) {
    return;
  } else if (isText(line, 0, count, "OK\r")) {
    fallAsleep(sleep, now);
  } else if (startsWith(line, 0, count, "busy") || startsWith(line, 0, count, "ERROR")) {
    // An error is about the rest of something that was sent before.
    sleep.called = true;
    arm(sleep.timer, now, BUSY_PAUSE);
  }
}

function fallAsleep(sleep: ModuleSleep, now: Millis): void {
  sleep.step = SleepStep.Asleep;
  disarm(sleep.timer);
  arm(sleep.giveUp, now, FALLS_ASLEEP);
}

/** A clock of its own has woken it, which is some percent fast or slow; or something else has. */
function wokeUp(sleep: ModuleSleep, now: Millis): void {
  if (elapsed(sleep.until, now) > SHORTEST) {
    beginSleep(sleep, now, sleep.until);
  } else {
    sleep.step = SleepStep.Up;
    disarm(sleep.timer);
  }
}
