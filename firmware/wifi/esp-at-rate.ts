/** The rate of the board's own port, and how much can be lost at it before it is too high. */
import type { Millis } from "../../hal/hal";
import { elapsed, later } from "../core/time";
import { type EspAt } from "./esp-at-state";

/** Rates that adapters and modules have in common, highest first. */
export const RATES = [2000000, 1500000, 921600, 460800, 230400, 115200, 76800, 74880, 57600, 38400, 19200, 9600];

/** How long a port may take to be rid of what it still has to send at the old rate: 1024 bytes at 9600 baud. */
const PORT_PATIENCE = 1500;
/** What one fault counts, from which count on the rate is too high, and what a minute without faults takes off. */
const FAULT = 16;
const TOO_MANY_FAULTS = 48;

/** Has the board's port change to `rate`, as soon as what it has to send has left. */
export function changeRate(esp: EspAt, now: Millis, rate: number): void {
  esp.rate = rate;
  esp.rateBy = later(now, PORT_PATIENCE);
}

/** The port is not at the rate that is wanted yet. If it cannot do that rate, it stays at the one that it has. */
export function settleRate(esp: EspAt, now: Millis): void {
  if (esp.engine.serial.setBaud(esp.rate)) esp.status.baud = esp.rate;
  else if (elapsed(now, esp.rateBy) >= 0) esp.rate = esp.status.baud;
}

/** The highest rate in the list below `rate`, but not below the one that the module starts at. */
export function rateBelow(esp: EspAt, rate: number): number {
  for (let i = 0; i < RATES.length; i++) {
    const lower = RATES[i] ?? 0;
    if (lower < rate) return lower > esp.startBaud ? lower : esp.startBaud;
  }
  return esp.startBaud;
}

/**
 * Bytes were lost or damaged on the line. True when that has happened too often for a rate above the module's own: then
 * the rate is lowered in the set-up that follows.
 */
export function rateDoubted(esp: EspAt): boolean {
  if (esp.status.baud <= esp.startBaud) return false;
  esp.faults += FAULT;
  if (esp.faults < TOO_MANY_FAULTS) return false;
  esp.faults = 0;
  esp.ceiling = rateBelow(esp, esp.status.baud);
  esp.status.fallbacks++;
  return true;
}
