import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ImageFiles } from "../../../tools/emulate/image";
import { buildProbe, ProbeBench, temporaryFolder, told } from "./probe";

const AREA = 0x1f0000;
const AREA_SIZE = 32768;

const folder = temporaryFolder();
let image: ImageFiles;

beforeAll(() => {
  image = buildProbe("storage", folder.path);
});
afterAll(() => folder.remove());

function started(flashFile?: string): ProbeBench {
  const bench = new ProbeBench(image, flashFile === undefined ? {} : { flashFile });
  bench.chip.powerOn();
  bench.hear("up");
  return bench;
}

function area(bench: ProbeBench): Uint8Array {
  return bench.chip.flash.bytes.subarray(AREA, AREA + AREA_SIZE);
}

test("the storage lies in the last 64 KB of the flash", () => {
  const heard = started().ask("g");

  expect(told(heard, "size")).toBe(AREA_SIZE);
  expect(heard).toContain("101f0000\n101f8000\n");
});

test("what is programmed across pages reads back, and an erasure clears its own area only", () => {
  const bench = started();
  bench.chip.flash.bytes.fill(0x5a, AREA, AREA + 2 * AREA_SIZE);

  expect(told(bench.ask("e"), "erased")).toBe(1);
  expect(area(bench).every((byte) => byte === 0xff)).toBe(true);
  expect(bench.chip.flash.bytes[AREA + AREA_SIZE]).toBe(0x5a);
  expect(bench.chip.flash.bytes[AREA - 1]).toBe(0xff);

  expect(told(bench.ask("p"), "programmed")).toBe(1);
  expect(told(bench.ask("v"), "same")).toBe(1);
  expect(told(bench.ask("a"), "programmed")).toBe(1);
  expect(told(bench.ask("v"), "same")).toBe(1);
});

test("programming over what is there is reported: ones do not come back", () => {
  const bench = started();
  bench.ask("e");
  bench.ask("p");

  expect(told(bench.ask("o"), "programmed")).toBe(0);
});

test("the program runs on from flash after each of it, and the serial console still speaks", () => {
  const bench = started();
  for (let turn = 0; turn < 5; turn += 1) {
    expect(told(bench.ask("E"), "erased")).toBe(1);
  }
  expect(bench.failures).toEqual([]);
});

test("an erasure longer than the watchdog's patience does not wake it, and afterwards it is as strict as before", () => {
  const bench = started();

  const heard = bench.ask("w");
  expect(told(heard, "erased")).toBe(1);
  expect(told(heard, "programmed")).toBe(1);
  expect(bench.resets).toEqual([]);

  const hungAt = bench.clock.now;
  expect(told(bench.hear("cause=2"), "cause")).toBe(2);
  expect(bench.clock.now - hungAt).toBeLessThan(110);
});

test("a power cut in the middle of an erasure leaves the area neither old nor new, and the board starts again", () => {
  const bench = started();
  bench.ask("e");
  bench.ask("p");
  bench.type("e");
  bench.clock.runFor(60);
  bench.chip.cutPower();

  const left = area(bench).slice(120, 720);
  expect(left.every((byte) => byte === 0xff)).toBe(false);
  expect(left.some((byte, at) => byte !== ((at * 7 + 3) & 0xff))).toBe(true);

  bench.chip.powerOn();
  bench.hear("up");
  expect(told(bench.ask("e"), "erased")).toBe(1);
  expect(area(bench).every((byte) => byte === 0xff)).toBe(true);
});

test("a power cut in the middle of programming leaves only bits that were to fall", () => {
  const bench = started();
  bench.ask("e");
  bench.type("p");
  bench.clock.runFor(0.9);
  bench.chip.cutPower();

  const left = area(bench).slice(120, 720);
  const wanted = Uint8Array.from({ length: 600 }, (_byte, at) => at * 7 + 3);
  expect(left).not.toEqual(wanted);
  expect(left.some((byte) => byte !== 0xff)).toBe(true);
  expect(left.every((byte, at) => (byte & (wanted[at] ?? 0)) === wanted[at])).toBe(true);
});

test("a file keeps the flash from one run to the next", () => {
  const file = join(folder.path, "flash.img");
  const first = started(file);
  first.ask("e");
  first.ask("p");
  first.chip.cutPower();

  expect(told(started(file).ask("v"), "same")).toBe(1);
});
