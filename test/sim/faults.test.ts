import { describe, expect, test } from "vitest";
import { drawArgument, drawFaults, faultNames, FAULTS, faultsOf, isFaultName } from "../../sim/faults";
import { isPersonalityName } from "../../sim/module/personalities";
import { Random } from "../../sim/random";

describe("the catalogue of faults", () => {
  test("says of each what is seen, what to do, and an argument within its range", () => {
    const random = new Random(1);
    expect(faultNames.length).toBeGreaterThan(50);
    for (const name of faultNames) {
      const { seen, host, argument, notIn = [] } = FAULTS[name];
      expect([name, seen.length > 5, host.length > 5]).toEqual([name, true, true]);
      expect(notIn.every(isPersonalityName)).toBe(true);
      if (argument === undefined) {
        expect(drawArgument(random, name)).toBeUndefined();
        continue;
      }
      const { least, most, usual } = argument;
      expect([name, usual >= least && usual <= most]).toEqual([name, true]);
      for (let count = 0; count < 100; count += 1) {
        const drawn = drawArgument(random, name) ?? NaN;
        expect([name, Number.isInteger(drawn) && drawn >= least && drawn <= most]).toEqual([name, true]);
      }
    }
  });

  test("has every name that the boards' driver is to survive, by generation", () => {
    expect(faultsOf("esp-at-5")).toEqual(faultNames);
    expect(faultNames.filter((name) => !faultsOf("nonos-1.7").includes(name))).toEqual([
      "prompt.space", "send.plus3", "link.closed_withheld",
    ]);
    expect(isFaultName("prompt.lost")).toBe(true);
    expect(isFaultName("constructor")).toBe(false);
  });

  test("has any of them drawn", () => {
    const faults = drawFaults(new Random(3), { from: 0, to: 86_400_000, meanInterval: 20_000, names: faultNames });
    expect(new Set(faults.map(({ name }) => name))).toEqual(new Set(faultNames));
    for (const { name, argument } of faults) {
      expect([name, argument === undefined]).toEqual([name, FAULTS[name].argument === undefined]);
    }
  });
});
