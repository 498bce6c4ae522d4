/**
 * Wrap-safe time. The board's clock is an int32 of milliseconds that wraps every 24.8 days, so a moment is never
 * compared with another by `<`: only the difference of two moments means something, and only up to 24.8 days.
 */
import type { Millis } from "../../hal/hal";

/** The longest wait anything here gives, one hour: a loop with nothing to do still turns that often. */
export const LONGEST_WAIT = 3600000;

/** Milliseconds from `past` to `now`; negative when `past` lies ahead. */
export function elapsed(now: Millis, past: Millis): number {
  return (now - past) | 0;
}

/** The moment `wait` milliseconds (up to 24.8 days) after `now`. */
export function later(now: Millis, wait: number): Millis {
  return (now + wait) | 0;
}

/** A moment at which something is to happen, or nothing. */
export interface Deadline {
  armed: boolean;
  at: Millis;
}

/** A deadline that is not armed. @boot */
export function createDeadline(): Deadline {
  return { armed: false, at: 0 };
}

/** Sets the deadline `wait` milliseconds from now, whatever it was before. */
export function arm(deadline: Deadline, now: Millis, wait: number): void {
  deadline.armed = true;
  deadline.at = (now + wait) | 0;
}

export function disarm(deadline: Deadline): void {
  deadline.armed = false;
}

/** Whether the deadline is armed and has come. It stays armed: whoever acts on it disarms it or sets it anew. */
export function isDue(deadline: Deadline, now: Millis): boolean {
  return deadline.armed && elapsed(now, deadline.at) >= 0;
}

/** Milliseconds until the deadline: 0 when it has come, {@link LONGEST_WAIT} when it is not armed or further away. */
export function waitFor(deadline: Deadline, now: Millis): number {
  if (!deadline.armed) return LONGEST_WAIT;
  const wait = elapsed(deadline.at, now);
  if (wait < 0) return 0;
  return wait < LONGEST_WAIT ? wait : LONGEST_WAIT;
}

/** The shorter of two waits. */
export function sooner(a: number, b: number): number {
  return a < b ? a : b;
}
