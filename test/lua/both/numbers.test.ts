import { describe, expect, it } from "vitest";
import * as probe from "../probes/numbers";

const MOST = 2147483647;
const LEAST = -2147483648;

/** A plain reading of 32-bit arithmetic, in numbers of any size. */
function wrapped(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}

const edges = [0, 1, -1, 2, 7, -7, 255, 65535, 65536, -65536, 123456789, -123456789, MOST - 1, MOST, LEAST, LEAST + 1];

it("runs where its project says", () => {
  // The one thing that shows which executor this is: firmware must never do it.
  const wraps = probe.sumAsItComes(MOST, 1) === LEAST;
  expect(wraps).toBe(process.env["MOTH_EXECUTOR"] === "lua");
});

describe.each(edges)("%i and another number", (a) => {
  it.each([
    ["sum", probe.sum, (x: bigint, y: bigint) => x + y],
    ["difference", probe.difference, (x: bigint, y: bigint) => x - y],
    ["and", probe.both, (x: bigint, y: bigint) => x & y],
    ["or", probe.either, (x: bigint, y: bigint) => x | y],
    ["exclusive or", probe.oneOf, (x: bigint, y: bigint) => x ^ y],
  ] as const)("have the %s of 32 bits", (_what, operation, plain) => {
    for (const b of edges) expect(operation(a, b)).toBe(wrapped(plain(BigInt(a), BigInt(b))));
  });

  it("are in the order of their signs", () => {
    for (const b of edges) expect(probe.isLess(a, b)).toBe(a < b);
  });

  it("divide rounding down, and leave a remainder with the sign of the divisor", () => {
    for (const b of edges.filter((each) => each !== 0)) {
      const towardsZero = BigInt(a) / BigInt(b);
      const isBelow = towardsZero * BigInt(b) !== BigInt(a) && a < 0 !== b < 0;
      const down = isBelow ? towardsZero - 1n : towardsZero;
      expect(probe.quotient(a, b) | 0).toBe(wrapped(down));
      expect(probe.remainder(a, b) | 0).toBe(wrapped(BigInt(a) - BigInt(b) * down));
    }
  });
});

describe.each(edges)("%i", (a) => {
  it("is shifted, complemented and negated in 32 bits", () => {
    expect(probe.shiftedBy1(a)).toBe(wrapped(BigInt(a) << 1n));
    expect(probe.shiftedBy8(a)).toBe(wrapped(BigInt(a) << 8n));
    expect(probe.shiftedBy31(a)).toBe(wrapped(BigInt(a) << 31n));
    expect(probe.complement(a)).toBe(wrapped(~BigInt(a)));
    expect(probe.negative(a)).toBe(wrapped(-BigInt(a)));
    expect(probe.isLeast(a)).toBe(a === LEAST);
  });

  it("is counted on over the wrap", () => {
    expect(probe.countedUp(a, 1000)).toBe(wrapped(BigInt(a) + 1000n));
  });

  // As far as JavaScript multiplies exactly: 53 bits.
  it("wraps when it is multiplied", () => {
    for (const b of [0, 1, -1, 10, 1000, -1000, 65536, 4194303]) {
      expect(probe.product(a, b)).toBe(wrapped(BigInt(a) * BigInt(b)));
    }
  });
});

describe("a fraction in a declaration", () => {
  it.each([
    [1, 1],
    [10, 1],
    [100, 1],
  ])("becomes the same steps of 1/%i with 24 bits of precision as with 53", (scale, by) => {
    for (let count = -10_000; count <= 10_000; count += by) {
      expect(probe.steps(count / scale, 0, scale) + 0).toBe(count);
    }
  });

  it("less a hysteresis becomes the same steps", () => {
    for (let count = -1000; count <= 1000; count++) {
      expect(probe.steps(count / 10, 0.3, 10) + 0).toBe(count - 3);
      expect(probe.steps(count / 10, 1.1, 10) + 0).toBe(count - 11);
    }
  });

  it("keeps integers exact as far as 24 bits reach", () => {
    expect(probe.steps(16777215, 0, 1)).toBe(16777215);
    expect(probe.steps(-16777215, 0, 1)).toBe(-16777215);
  });
});
