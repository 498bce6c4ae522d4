import { describe, expect, it } from "vitest";
import {
  arm,
  createDeadline,
  disarm,
  elapsed,
  isDue,
  later,
  LONGEST_WAIT,
  sooner,
  waitFor,
} from "../../../firmware/core/time";

const LAST = 2147483647;
const FIRST = -2147483648;

/** Moments around which a comparison by `<` would go wrong. */
const moments = [0, 1, -1, LAST, LAST - 1, LAST - 500, FIRST, FIRST + 1, FIRST + 500, 123456789];

describe.each(moments)("time that passes from %i", (from) => {
  it("is measured across the wrap of the clock", () => {
    for (const span of [0, 1, 999, 60000, 3600000, LAST]) {
      const now = later(from, span);
      expect(now).toBe(now | 0);
      expect(elapsed(now, from)).toBe(span);
    }
  });

  it("is negative towards a moment that lies ahead", () => {
    expect(elapsed(from, later(from, 1))).toBe(-1);
    expect(elapsed(from, later(from, 86400000))).toBe(-86400000);
  });

  it("makes a deadline due at its moment, not one millisecond before, and for ever after", () => {
    const deadline = createDeadline();
    arm(deadline, from, 1000);
    expect(isDue(deadline, from)).toBe(false);
    expect(isDue(deadline, later(from, 999))).toBe(false);
    expect(isDue(deadline, later(from, 1000))).toBe(true);
    expect(isDue(deadline, later(from, 1000 + 86400000))).toBe(true);
  });

  it("shortens the wait for a deadline to 0 and no further", () => {
    const deadline = createDeadline();
    arm(deadline, from, 1000);
    expect(waitFor(deadline, from)).toBe(1000);
    expect(waitFor(deadline, later(from, 999))).toBe(1);
    expect(waitFor(deadline, later(from, 1000))).toBe(0);
    expect(waitFor(deadline, later(from, 5000))).toBe(0);
  });

  it("sets a deadline of 0 ms to now", () => {
    const deadline = createDeadline();
    arm(deadline, from, 0);
    expect(isDue(deadline, from)).toBe(true);
    expect(waitFor(deadline, from)).toBe(0);
  });

  it("is no more than an hour of sleep at a time", () => {
    const deadline = createDeadline();
    arm(deadline, from, LAST);
    expect(waitFor(deadline, from)).toBe(LONGEST_WAIT);
    arm(deadline, from, LONGEST_WAIT);
    expect(waitFor(deadline, from)).toBe(LONGEST_WAIT);
    arm(deadline, from, LONGEST_WAIT - 1);
    expect(waitFor(deadline, from)).toBe(LONGEST_WAIT - 1);
  });

  it("does nothing to a deadline that is not armed", () => {
    const deadline = createDeadline();
    expect(isDue(deadline, from)).toBe(false);
    expect(waitFor(deadline, from)).toBe(LONGEST_WAIT);
    arm(deadline, from, 10);
    disarm(deadline);
    expect(isDue(deadline, later(from, 10))).toBe(false);
    expect(waitFor(deadline, later(from, 10))).toBe(LONGEST_WAIT);
  });

  it("replaces a deadline when it is set again", () => {
    const deadline = createDeadline();
    arm(deadline, from, 10);
    arm(deadline, from, 20);
    expect(isDue(deadline, later(from, 10))).toBe(false);
    expect(isDue(deadline, later(from, 20))).toBe(true);
  });
});

describe("the sooner of two waits", () => {
  it("is the shorter", () => {
    expect(sooner(3, 5)).toBe(3);
    expect(sooner(5, 3)).toBe(3);
    expect(sooner(4, 4)).toBe(4);
  });
});
