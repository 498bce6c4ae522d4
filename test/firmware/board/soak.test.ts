/** Hours of a soak at every module, ten seeds, on both executors. test/soak has days, in Node. */
import { expect, test } from "vitest";
import type { ModuleName } from "../../../sim/modules";
import { expectAllDone, generationOf } from "../../soak/seeds";
import { soak } from "../../soak/soak";

/** What this runs on says how much: see test/lua/harness/plugin.ts. */
const IN_RUNTIME = process.env["MOTH_EXECUTOR"] === "lua";
const FIRST = 31;
const SEEDS = 10;
const DAYS = Number(process.env["MOTH_SOAK_DAYS"] ?? (IN_RUNTIME ? 1 / 6 : 1 / 12));

/** The last is for the other family. */
const soaks = Array.from({ length: SEEDS }, (_, index): [ModuleName, number] => {
  return [index === SEEDS - 1 ? "ism43362" : generationOf(index), FIRST + index];
});

test.each(soaks)("a board at %s survives a fault every 144 s, seed %i", (personality, seed) => {
  const { figures, failure } = soak({ days: DAYS, seed, personality });
  expect(failure).toBeUndefined();
  expectAllDone(figures, DAYS);
}, 60_000 + DAYS * 600_000);
