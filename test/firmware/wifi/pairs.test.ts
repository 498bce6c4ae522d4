/**
 * Pairs of faults, drawn at random from the catalogue: the second strikes while the board deals with the first. It is
 * connected again within a bound, and QoS 1 and 2 hold both ways. That it allocates nothing meanwhile is shown where an
 * allocation can be seen: `test/lua/device/sealed-faults.test.ts`.
 *
 *     MOTH_PAIRS=5000                     so many for each module; `all`: every ordered pair once
 *     MOTH_SEED=1 MOTH_PATH=12:0          what a failure says, to have the same pair again
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawArgument, type FaultName, faultsOf } from "../../../sim/faults";
import type { ModuleName } from "../../../sim/modules";
import { Random } from "../../../sim/random";
import { alters, endure, expectHolds, MODULES, needsPin } from "./endure";

/** The second strikes so long after the first, at most. */
const LATEST = 30_000;

const { MOTH_PAIRS, MOTH_SEED, MOTH_PATH, MOTH_EXECUTOR } = process.env;
const ALL = MOTH_PAIRS === "all";
/** Compiled Lua with sanitizers is slower. */
const USUAL = MOTH_EXECUTOR === "lua" ? 40 : 250;
const TIME = 3_600_000;

interface Pair {
  readonly first: FaultName;
  readonly second: FaultName;
  /** From the first strike to the second, in ms. */
  readonly apart: number;
  readonly resetLine: boolean;
  /** For everything else that is left to chance. */
  readonly seed: number;
}

function pairsOf(personality: ModuleName): fc.Arbitrary<Pair> {
  const name = fc.constantFrom(...faultsOf(personality));
  return fc.record({
    first: name,
    second: name,
    apart: fc.integer({ min: 0, max: LATEST }),
    resetLine: fc.boolean(),
    seed: fc.integer({ min: 1, max: 1_000_000 }),
  });
}

function live(personality: ModuleName, { first, second, apart, seed, ...pair }: Pair): void {
  const random = new Random(seed).fork("arguments");
  const resetLine = pair.resetLine || needsPin(first, personality) || needsPin(second, personality);
  const endured = endure(personality, resetLine, seed, [
    { name: first, at: 0, argument: drawArgument(random, first) },
    { name: second, at: apart, argument: drawArgument(random, second) },
  ]);
  expectHolds(endured, alters(first, personality, resetLine) || alters(second, personality, resetLine));
}

describe.runIf(!ALL).each(MODULES)("with %s any two faults", (personality) => {
  it("are survived, and every message at QoS 1 and 2 arrives as it should, both ways", { timeout: TIME }, () => {
    // The other family knows three faults.
    const numRuns = Math.ceil(Number(MOTH_PAIRS ?? USUAL) / (personality === "ism43362" ? 5 : 1));
    const again = { ...(MOTH_SEED !== undefined && { seed: Number(MOTH_SEED) }), ...(MOTH_PATH !== undefined && { path: MOTH_PATH }) };
    fc.assert(fc.property(pairsOf(personality), (pair) => live(personality, pair)), { numRuns, ...again });
  });
});

describe.runIf(ALL).each(MODULES)("with %s every two faults", (personality) => {
  it("are survived in either order, and every message at QoS 1 and 2 arrives as it should, both ways", { timeout: TIME }, () => {
    const random = new Random(Number(MOTH_SEED ?? 1)).fork(`all ${personality}`);
    const names = faultsOf(personality);
    const failures: string[] = [];
    for (const first of names) {
      for (const second of names) {
        const pair = { first, second, apart: random.int(LATEST), resetLine: random.int(2) === 0, seed: 1 + random.int(1_000_000) };
        try {
          live(personality, pair);
        } catch (error) {
          failures.push(`${JSON.stringify(pair)}: ${String(error)}`);
        }
      }
    }
    expect(failures).toEqual([]);
  });
});

describe("pairs that have once been too much", () => {
  it.each<readonly [string, ModuleName, Pair]>([
    ["bytes of a payload are lost, and of the cancel behind it", "esp-at-5", { first: "tx.drop", second: "tx.drop", apart: 98, resetLine: true, seed: 891_095 }],
  ])("%s", (_, personality, pair) => {
    for (let seed = 1; seed <= 20; seed++) live(personality, { ...pair, seed });
  });
});
