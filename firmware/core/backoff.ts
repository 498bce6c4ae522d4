/**
 * How long to wait before the next try: exponential backoff with full jitter. The wait is drawn evenly from 0 to a
 * ceiling that doubles with each failure, so that a thousand boards that lost their broker at the same moment come
 * back spread over the whole interval. (Amazon Builders' Library, "Timeouts, retries and backoff with jitter".)
 */
import type { Entropy } from "../../hal/hal";
import { mod } from "#native";

export interface Backoff {
  /** The ceiling of the first wait, and the highest it may become; milliseconds, at most 600000. */
  readonly first: number;
  readonly cap: number;
  /** The ceiling of the next wait. */
  ceiling: number;
  /** How many waits were given since the last reset. */
  failures: number;
}

/** @boot */
export function createBackoff(first: number, cap: number): Backoff {
  return { first, cap, ceiling: first, failures: 0 };
}

/** The next wait in milliseconds, 0 to the ceiling; the ceiling doubles up to the cap. */
export function backoffNext(backoff: Backoff, entropy: Entropy): number {
  const wait = mod(entropy.next(), backoff.ceiling + 1);
  backoff.failures++;
  backoff.ceiling = backoff.ceiling * 2;
  if (backoff.ceiling > backoff.cap) backoff.ceiling = backoff.cap;
  return wait;
}

/** After a success that has lasted: the next wait is short again. */
export function backoffReset(backoff: Backoff): void {
  backoff.ceiling = backoff.first;
  backoff.failures = 0;
}
