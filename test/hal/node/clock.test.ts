import { describe, expect, it } from "vitest";
import { NodeClock } from "../../../hal/node/clock";
import { nodeEntropy } from "../../../hal/node/entropy";

describe("the clock of a computer", () => {
  it("starts at 0, counts whole milliseconds, and does not care when its own clock began", () => {
    let real = 123_456_789.75;
    const clock = new NodeClock(() => real);
    expect(clock.now()).toBe(0);
    real += 0.9;
    expect(clock.now()).toBe(0);
    real += 0.2;
    expect(clock.now()).toBe(1);
  });

  it("wraps from 2147483647 to -2147483648, and again around through 0", () => {
    let real = 5;
    const clock = new NodeClock(() => real);
    real += 2 ** 31 - 1;
    expect(clock.now()).toBe(2147483647);
    real += 1;
    expect(clock.now()).toBe(-2147483648);
    real += 2 ** 31;
    expect(clock.now()).toBe(0);
  });

  it("can begin just before its wrap", () => {
    let real = 0;
    const clock = new NodeClock(() => real, 2147483647);
    expect(clock.now()).toBe(2147483647);
    real += 3;
    expect(clock.now()).toBe(-2147483646);
    const negative = new NodeClock(() => real, -5);
    real += 0.9;
    expect(negative.now()).toBe(-5);
  });

  it("runs on by itself", async () => {
    const clock = new NodeClock();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(clock.now()).toBeGreaterThanOrEqual(29);
    expect(clock.now()).toBeLessThan(5000);
  });
});

describe("the entropy of a computer", () => {
  it("gives integers from 0 to 2147483647, in both halves of the range", () => {
    const drawn = Array.from({ length: 1000 }, () => nodeEntropy.next());
    expect(drawn.every((value) => Number.isInteger(value) && value >= 0 && value <= 2147483647)).toBe(true);
    expect(drawn.some((value) => value < 2 ** 30)).toBe(true);
    expect(drawn.some((value) => value >= 2 ** 30)).toBe(true);
  });
});
