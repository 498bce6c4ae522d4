/** Seconds since power-on, counted on while the millisecond clock wraps. Good for 68 years. */
import type { Millis } from "../../hal/hal";
import { div } from "#native";
import { elapsed, later } from "../core/time";

export interface Uptime {
  seconds: number;
  /** Up to where on the clock `seconds` has counted. */
  counted: Millis;
}

/** @boot */
export function createUptime(now: Millis): Uptime {
  return { seconds: 0, counted: now };
}

/** Counts on. Must be called more often than every 24.8 days, which every turn of the main loop does. */
export function countUptime(uptime: Uptime, now: Millis): void {
  const seconds = div(elapsed(now, uptime.counted), 1000);
  uptime.seconds += seconds;
  uptime.counted = later(uptime.counted, seconds * 1000);
}
