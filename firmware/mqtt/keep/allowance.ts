/**
 * How much wear is allowed for: so many messages a minute in the long run, with half an hour's worth of them at once.
 */
import type { Millis } from "../../../hal/hal";
import { elapsed } from "../../core/time";

/** What a message costs: the milliseconds of a minute, so that a millisecond earns as much as messages are allowed. */
const COST = 60000;
/** How much time can be saved up, in milliseconds. */
const LONGEST_SAVING = 1800000;
/** The most messages a minute: with more, the numbers would not fit. */
const MOST = 500;

export interface Allowance {
  readonly perMinute: number;
  credit: number;
  since: Millis;
  started: boolean;
}

/**
 * For `perMinute` messages, 1 to 500. It begins with a minute's worth, so that a board that restarts again and again
 * wears no more than that each time. @boot
 */
export function createAllowance(perMinute: number): Allowance {
  const most = perMinute > MOST ? MOST : perMinute;
  return { perMinute: most, credit: most * COST, since: 0, started: false };
}

/** Time has passed. */
export function earn(allowance: Allowance, now: Millis): void {
  let time = allowance.started ? elapsed(now, allowance.since) : 0;
  // Also when nobody looked for so long that the clock has come around.
  if (time < 0 || time > LONGEST_SAVING) time = LONGEST_SAVING;
  allowance.since = now;
  allowance.started = true;
  const most = LONGEST_SAVING * allowance.perMinute;
  const credit = allowance.credit + time * allowance.perMinute;
  allowance.credit = credit < most ? credit : most;
}

/** Whether a message may be written now. */
export function isAllowed(allowance: Allowance): boolean {
  return allowance.credit >= COST;
}

/** A message was written. */
export function spend(allowance: Allowance): void {
  allowance.credit -= COST;
}
