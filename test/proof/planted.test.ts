/** A planted fault shows that each harness can fail: what finds nothing in a broken client proves nothing of a good one. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { live, settings, steps } from "../firmware/mqtt/model/promises";
import { receiving } from "../firmware/mqtt/model/receiving";
import { outcome, type Scenario } from "../firmware/mqtt/model/scenario";
import { scenarios } from "../firmware/mqtt/model/scenarios";
import { type Cut, whole, type World, wrongs } from "../firmware/mqtt/model/world";
import { faults } from "./faults";
import { receivingFaults } from "./receiving-faults";

/** What a run says, if it only ends because something throws. */
function complaints(run: () => string[]): string[] {
  try {
    return run();
  } catch (error) {
    return [`throws ${String(error)}`];
  }
}

/** A few complaints are enough to see that the right one is not among them. */
const ENOUGH = 300;

/** What the scenarios find wrong, with the stream cut now and then, until it is what was looked for. */
function found(those: readonly Scenario[], plant: (world: World) => void, lookedFor: RegExp): string[] {
  const all: string[] = [];
  for (const scenario of those) {
    for (let at = 0; at < 200; at += 7) {
      for (const cut of [{ ...whole, how: "swallow", out: at }, { ...whole, how: "drop", in: at }] satisfies Cut[]) {
        const arrange = (world: World): void => {
          world.cut = cut;
          plant(world);
        };
        all.push(...complaints(() => outcome(scenario, arrange)));
        if (all.length > ENOUGH || all.some((what) => lookedFor.test(what))) return all;
      }
    }
  }
  return all;
}

describe("a planted fault", () => {
  it.each([
    ["scenarios", scenarios],
    ["scenarios of the receiving side", receiving],
  ])("is what the %s find, and nothing else is", (_name, those) => {
    expect(found(those, () => undefined, /./)).toEqual([]);
  });

  it.each(faults)("is found by the scenarios: $name", ({ plant, complaint }) => {
    expect(found(scenarios, plant, complaint).join("\n")).toMatch(complaint);
  });

  it.each(receivingFaults)("is found by the scenarios of the receiving side: $name", ({ plant, complaint }) => {
    expect(found(receiving, plant, complaint).join("\n")).toMatch(complaint);
  });

  it.each(faults)("is found by the promises: $name", ({ plant }) => {
    const result = fc.check(
      fc.property(settings, steps(2), (setting, sequence) => {
        return complaints(() => wrongs(live(setting, sequence, 2, {}, plant))).length === 0;
      }),
      { numRuns: 400, seed: 5, endOnFailure: true },
    );
    expect(result.failed).toBe(true);
  });
});
