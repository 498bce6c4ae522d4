import { describe, expect, it } from "vitest";
import * as probe from "../probes/truth";

describe("what JavaScript takes for false", () => {
  it.each([0, -0, NaN, "", false])("is there: %j", (value) => {
    expect(probe.isThere(value)).toBe(true);
  });

  it("is not there only when it is undefined", () => {
    expect(probe.isThere(undefined)).toBe(false);
  });

  it("is not replaced by what stands in for nothing", () => {
    expect(probe.numberOr(0, 7)).toBe(0);
    expect(probe.numberOr(undefined, 7)).toBe(7);
    expect(probe.textOr("", "other")).toBe("");
    expect(probe.textOr(undefined, "other")).toBe("other");
    expect(probe.flagOr(false, true)).toBe(false);
    expect(probe.flagOr(undefined, true)).toBe(true);
  });

  it("is chosen when the condition says so", () => {
    expect(probe.choose(true, 0, 1)).toBe(0);
    expect(probe.choose(false, 1, 0)).toBe(0);
    expect(probe.chooseFlag(true, false, true)).toBe(false);
    expect(probe.chooseFlag(false, true, false)).toBe(false);
    expect(probe.chooseMaybe(true, undefined, 1)).toBeUndefined();
    expect(probe.chooseMaybe(true, 0, 1)).toBe(0);
  });

  it("is read out of a record as it is", () => {
    expect(probe.flagOf({ flag: false })).toBe(false);
    expect(probe.flagOf({})).toBe(true);
    expect(probe.flagOf(undefined)).toBe(true);
    expect(probe.countOf({ count: 0 })).toBe(0);
    expect(probe.countOf({})).toBe(7);
    expect(probe.countOf(undefined)).toBe(7);
    expect(probe.isSwitchedOn({ flag: false })).toBe(false);
    expect(probe.isSwitchedOn({})).toBe(false);
  });
});

describe("booleans", () => {
  it.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])("are what they are: %s and %s", (a, b) => {
    expect(probe.not(a)).toBe(!a);
    expect(probe.bothTrue(a, b)).toBe(a && b);
  });
});

it("NaN is not itself", () => {
  expect(probe.isNumberItself(NaN)).toBe(false);
  expect(probe.isNumberItself(0)).toBe(true);
});
