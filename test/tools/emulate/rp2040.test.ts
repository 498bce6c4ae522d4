import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ImageFiles } from "../../../tools/emulate/image";
import { buildProbe, ProbeBench, temporaryFolder } from "../../hal/rp2040/probe";

const folder = temporaryFolder();
let image: ImageFiles;

beforeAll(() => {
  image = buildProbe("misuse", folder.path);
});
afterAll(() => folder.remove());

/** Lets the probe do something that it must not, and gives what the emulator says. */
function failureOf(command: string): string {
  const bench = new ProbeBench(image);
  bench.chip.powerOn();
  bench.hear("up");
  bench.type(command);
  bench.clock.runFor(50);
  expect(bench.chip.on).toBe(false);
  expect(bench.failures).toHaveLength(1);
  return bench.failures[0] ?? "";
}

describe("the emulated Pico says what a real one would only suffer from", () => {
  test("a read of the flash while it takes commands", () => {
    expect(failureOf("x")).toMatch(/flash were read at 0x1000[0-9a-f]{4} while the flash was away/);
  });

  test("an erasure while the flash expects reads", () => {
    expect(failureOf("e")).toMatch(/the flash was to be written while it expects quad reads/);
  });

  test("a register of a block that is held in reset", () => {
    expect(failureOf("h")).toMatch(/0x40038000 was used while its block is held in reset/);
  });

  test("a timer that nothing makes tick", () => {
    expect(failureOf("t")).toMatch(/the timer was used with a tick of 0 clocks/);
  });

  test("a change of the flash's interface while it is on", () => {
    expect(failureOf("q")).toMatch(/was set up while it is on/);
  });
});

describe("the emulated Pico faults as a real one does", () => {
  test.each([
    ["a jump to where nothing is", "r"],
    ["a write to the flash as if it were RAM", "w"],
  ])("at %s", (_what, command) => {
    const bench = new ProbeBench(image);
    bench.chip.powerOn();
    bench.hear("up");
    bench.type(command);

    bench.hear("fault");
    expect(bench.failures).toEqual([]);
  });
});
