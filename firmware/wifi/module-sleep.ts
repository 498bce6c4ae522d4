/**
 * Puts a module to deep sleep that has no reset line: it is ordered to sleep for so many milliseconds, and wakes itself
 * with a reset. The driver is not turned meanwhile. What the module was doing last is not known for sure: it may be busy,
 * and is asked again; or wait for the payload of a send, and is called back with `+++` on its own. Its consent is the number
 * on a line of its own, and then `OK`: an `OK` without the number is the late answer to what it was busy with, and a board
 * that took it for the consent would leave the radio on. An ESP8266 wakes only when its pin 16 is wired to its own reset
 * pin, and sleeps for 3 hours at the most (Espressif, ESP-AT `AT+GSLP`).
 */
import type { Bytes, Millis, SerialPort } from "../../hal/hal";
import { allocate, byteAt, div, isText, startsWith } from "#native";
import { arm, createDeadline, type Deadline, disarm, elapsed, isDue, sooner, waitFor } from "../core/time";
import { createWriter, writeDecimal, type Writer, writerOpen, writeText, written } from "../core/writer";

export const enum SleepStep {
  /** It has been told, or is about to be. */
  Ordering,
  /** It sleeps; or it would not, which {@link ModuleSleep.refused} counts, and is told again in a minute. */
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
  /** The next thing to do: the order once more; or when asleep, to believe that it is not, or not any more. */
  readonly timer: Deadline;
  /** When to leave a module alone that will not sleep; and when it sleeps, from when on what is heard is a boot. */
  readonly giveUp: Deadline;
  /** The order was not answered, and the next thing is `+++`. */
  called: boolean;
  /** The number has come that the module repeats before the `OK` to the order. */
  repeated: boolean;
  /** Rate that the module had when it was told first, and that of the serial port while it sleeps: 0 until that is known. */
  rate: number;
  home: number;
  /** Which of the two a module is told again at that would not sleep: it may have booted unheard. */
  away: boolean;
  /** Times that it would not, and was left alone for a minute. */
  refused: number;
  readonly line: Bytes;
  length: number;
  readonly command: Writer;
}

const LF = 10;
const ZERO = 48;
/** Bytes of a line that matter: the longest is `ready`. */
const LINE_SIZE = 8;
/** Milliseconds: for an answer; for `+++` on its own; between two orders to a busy module; and for all of it. */
const PATIENCE = 1000;
const CALL_QUIET = 1050;
const BUSY_PAUSE = 500;
/** A connect with TLS that was under way ends 45 s after it began, a join after 20 s. */
const GIVE_UP = 50000;
/** A module that would not is on, and takes what it takes: it is told again after this, in milliseconds. */
const REFUSED_PAUSE = 60000;
const GIVE_UP_AGAIN = 6000;
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
    repeated: false,
    rate: 0,
    home: 0,
    away: false,
    refused: 0,
    line: allocate(LINE_SIZE),
    length: 0,
    command: createWriter(allocate(LINE_SIZE * 4)),
  };
}

/**
 * Has the module, which has the rate `rate`, sleep until `until`. One that may wait for the rest of a payload (`sending`)
 * would take the order for it, and the peer would get that as part of a message: it is called back first. That is not done
 * always, since to an idle module the `+++` is the beginning of a line that it refuses, order and all, which costs it 1.5 s
 * awake, and the silence before.
 */
export function beginSleep(sleep: ModuleSleep, now: Millis, until: Millis, rate: number, sending: boolean): void {
  sleep.until = until;
  sleep.rate = rate;
  sleep.home = 0;
  sleep.away = false;
  sleep.late = LATE + div(elapsed(until, now), LATE_PART);
  beginOrders(sleep, now, GIVE_UP, sending);
}

/** The driver has been stopped, and has given the serial port the rate that the module boots with. */
export function sleepAt(sleep: ModuleSleep, home: number): void {
  sleep.home = home;
}

/** Whatever has come of it, the driver is wanted. */
export function endSleep(sleep: ModuleSleep): void {
  sleep.step = SleepStep.Up;
  disarm(sleep.timer);
  goHome(sleep);
}

function goHome(sleep: ModuleSleep): void {
  if (sleep.home > 0) sleep.serial.setBaud(sleep.home);
}

function beginOrders(sleep: ModuleSleep, now: Millis, patience: number, sending: boolean): void {
  sleep.step = SleepStep.Ordering;
  sleep.called = !sending;
  sleep.repeated = false;
  arm(sleep.giveUp, now, patience);
  // What the serial port still has of a payload must have left before: `+++` right behind it would be payload too.
  arm(sleep.timer, now, sending ? CALL_QUIET : 0);
}

/** Its turn, while the driver has none. */
export function pollSleep(sleep: ModuleSleep, now: Millis): void {
  hear(sleep, now);
  if (sleep.step === SleepStep.Ordering) {
    if (isDue(sleep.giveUp, now)) {
      const away = !sleep.away;
      sleep.refused++;
      fallAsleep(sleep, now);
      sleep.away = away;
      arm(sleep.timer, now, REFUSED_PAUSE);
    } else if (isDue(sleep.timer, now)) {
      orderAgain(sleep, now);
    }
  } else if (sleep.step === SleepStep.Asleep && isDue(sleep.timer, now)) {
    wokeUp(sleep, now, false);
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
    wokeUp(sleep, now, true);
  } else if (sleep.step !== SleepStep.Ordering) {
    return;
  } else if (isNumber(line, count)) {
    sleep.repeated = true;
  } else if (isText(line, 0, count, "OK\r")) {
    if (sleep.repeated) fallAsleep(sleep, now);
    // That of a send that was begun, perhaps: from now on the module waits for its payload.
    else orderSoon(sleep, now, false);
  } else if (startsWith(line, 0, count, "busy") || startsWith(line, 0, count, "ERROR")) {
    // An error is about the rest of something that was sent before.
    orderSoon(sleep, now, true);
  }
}

/** Alone on its line, unlike that of `0,CLOSED`. Of a long line the last byte that is kept is none of the number. */
function isNumber(line: Bytes, count: number): boolean {
  for (let i = 0; i < count - 1; i++) {
    const digit = byteAt(line, i) - ZERO;
    if (digit < 0 || digit > 9) return false;
  }
  return count > 1;
}

function orderSoon(sleep: ModuleSleep, now: Millis, called: boolean): void {
  sleep.repeated = false;
  sleep.called = called;
  arm(sleep.timer, now, BUSY_PAUSE);
}

function fallAsleep(sleep: ModuleSleep, now: Millis): void {
  sleep.step = SleepStep.Asleep;
  sleep.away = false;
  goHome(sleep);
  disarm(sleep.timer);
  arm(sleep.giveUp, now, FALLS_ASLEEP);
}

/**
 * A clock of its own has woken it, which is some percent fast or slow; or something else has; or it never slept. Unless it
 * has just booted nobody knows what it is at.
 */
function wokeUp(sleep: ModuleSleep, now: Millis, booted: boolean): void {
  if (elapsed(sleep.until, now) <= SHORTEST) {
    endSleep(sleep);
  } else if (booted) {
    goHome(sleep);
    beginOrders(sleep, now, GIVE_UP, false);
  } else {
    if (sleep.away) sleep.serial.setBaud(sleep.rate);
    beginOrders(sleep, now, GIVE_UP_AGAIN, true);
  }
}
