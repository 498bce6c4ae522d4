/** The rate of the board's own port, and how much can be lost at it before it is too high. */
import type { Millis } from "../../hal/hal";
import { elapsed, later } from "../core/time";
import { type EspAt, MOST_TRIAL } from "./esp-at-state";

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
  esp.rates.by = later(now, PORT_PATIENCE);
}

/** The port is not at the rate that is wanted yet. If it cannot do that rate, it stays at the one that it has. */
export function settleRate(esp: EspAt, now: Millis): void {
  if (esp.engine.serial.setBaud(esp.rate)) esp.status.baud = esp.rate;
  else if (elapsed(now, esp.rates.by) >= 0) esp.rate = esp.status.baud;
}

/** The highest rate in the list below `rate`, but not below the one that the module starts at. */
export function rateBelow(esp: EspAt, rate: number): number {
  for (let i = 0; i < RATES.length; i++) {
    const lower = RATES[i] ?? 0;
    if (lower < rate) return lower > esp.rates.start ? lower : esp.rates.start;
  }
  return esp.rates.start;
}

/** The lowest rate in the list above `rate`, but not above the highest that is wanted. */
function rateAbove(esp: EspAt, rate: number): number {
  const most = esp.options.maxBaud;
  for (let i = RATES.length - 1; i >= 0; i--) {
    const higher = RATES[i] ?? 0;
    if (higher > rate) return higher < most ? higher : most;
  }
  return most;
}

/**
 * A minute has passed in which nothing was lost. True when that has been so for long at a rate that was lowered: the next
 * one up is to be tried. What was in the way may be gone, a lamp or a pump; each trial that it is not costs a link.
 */
export function rateServedWell(esp: EspAt): boolean {
  const rates = esp.rates;
  if (rates.faults > 0) rates.faults--;
  // Where data comes unasked the rate is low on purpose.
  if (rates.ceiling >= esp.options.maxBaud || esp.active) return false;
  rates.good++;
  if (rates.good < rates.trialAfter) return false;
  rates.good = 0;
  if (rates.trialAfter < MOST_TRIAL) rates.trialAfter *= 2;
  rates.ceiling = rateAbove(esp, rates.ceiling);
  return true;
}

/**
 * Bytes were lost or damaged on the line. True when that has happened too often for a rate above the module's own: then
 * the rate is lowered in the set-up that follows.
 */
export function rateDoubted(esp: EspAt): boolean {
  esp.rates.good = 0;
  if (esp.status.baud <= esp.rates.start) return false;
  esp.rates.faults += FAULT;
  if (esp.rates.faults < TOO_MANY_FAULTS) return false;
  esp.rates.faults = 0;
  esp.rates.ceiling = rateBelow(esp, esp.status.baud);
  esp.status.fallbacks++;
  return true;
}
