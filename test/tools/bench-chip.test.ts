/**
 * What a message costs on a chip must not creep up. The figures are exact and alike in every run, so a change that is
 * meant to cost more changes the kept figures in the same commit: `npm run bench -- chip --keep`.
 */
import { describe, expect, it } from "vitest";
import { type Figure, measureFigures, readKept, worseThan } from "../../tools/bench/chip";

const MINUTES = 60_000;

function figure(value: number): Figure {
  return { name: "a publish", unit: "cycles", value };
}

describe("the figures of a chip", () => {
  it("may get 3 % worse by chance and no more", () => {
    expect(worseThan([figure(1000)], [figure(1030)])).toEqual([]);
    expect(worseThan([figure(1000)], [figure(1031)])).toEqual([
      "a publish: 1031 cycles, 3.1 % more than the 1000 that are kept",
    ]);
  });

  it("are all kept", () => {
    expect(worseThan([], [figure(1)])).toEqual(["a publish: 1 cycles, and no figure is kept for it"]);
  });

  it("are not worse than when they were last kept", async () => {
    expect(worseThan(readKept(), await measureFigures())).toEqual([]);
  }, 5 * MINUTES);
});
