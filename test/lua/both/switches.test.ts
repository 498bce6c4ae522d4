import { expect, it } from "vitest";
import * as probe from "../probes/switches";

const NUMBERS = [0, 1, 2, 3, 4, 5];

it.each([
  ["returns", probe.returning, ["none", "few", "few", "three", "many", "many"]],
  ["breaks", probe.breaking, [0, 1, 10, 100, 0, 0]],
  ["leaves in one way", (n: number) => probe.leavingBothWays(n, true), [0, -1, 2, 0, 0, 0]],
  ["and in the other", (n: number) => probe.leavingBothWays(n, false), [0, 1, 2, 0, 0, 0]],
  ["has its default in the middle", probe.defaultInTheMiddle, [10, 1, 100, 1000, 10, 10]],
  ["begins with its default", probe.defaultFirst, [10, 1, 10, 10, 10, 10]],
  ["ends with nothing", probe.emptyAtTheEnd, [0, 1, 0, 0, 0, 0]],
  ["stands in a loop", probe.looping, [0, 0, -10001, -10011, -21111, 21111]],
  ["asks for what it compares", (n: number) => probe.asking({ count: 0 }, n), [300, 2, 30, 300, 300, 300]],
] as const)("a switch that %s does as in TypeScript", (_what, run, results) => {
  expect(NUMBERS.map((n) => run(n))).toEqual(results);
});
