import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffNext, backoffReset, createBackoff } from "../../../firmware/core/backoff";

const MOST = 2147483647;

describe("a backoff", () => {
  it("draws each wait from 0 to a ceiling that doubles up to the cap, whatever the entropy", () => {
    const draws = fc.array(fc.integer({ min: 0, max: MOST }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60000 }), draws, (first, entropies) => {
        const cap = 60000;
        const backoff = createBackoff(first, cap);
        entropies.forEach((drawn, failures) => {
          const ceiling = Math.min(cap, first * 2 ** failures);
          const wait = backoffNext(backoff, { next: () => drawn });
          expect(wait).toBe(drawn % (ceiling + 1));
          expect(wait).toBeGreaterThanOrEqual(0);
          expect(wait).toBeLessThanOrEqual(ceiling);
          expect(backoff.failures).toBe(failures + 1);
        });
      }),
    );
  });

  it("has full jitter: both no wait at all and the whole ceiling can come", () => {
    expect(backoffNext(createBackoff(1000, 60000), { next: () => 0 })).toBe(0);
    expect(backoffNext(createBackoff(1000, 60000), { next: () => 1000 })).toBe(1000);
    expect(backoffNext(createBackoff(1000, 60000), { next: () => 1001 })).toBe(0);
  });

  it("never overflows, however often it fails", () => {
    const backoff = createBackoff(1, 600000);
    for (let i = 0; i < 10000; i++) backoffNext(backoff, { next: () => MOST });
    expect(backoff.ceiling).toBe(600000);
  });

  it("is short again after a reset", () => {
    const backoff = createBackoff(1000, 60000);
    for (let i = 0; i < 5; i++) backoffNext(backoff, { next: () => 0 });
    expect(backoff.ceiling).toBe(32000);
    backoffReset(backoff);
    expect(backoff.failures).toBe(0);
    expect(backoffNext(backoff, { next: () => 1000 })).toBe(1000);
    expect(backoffNext(backoff, { next: () => 2000 })).toBe(2000);
  });
});
