import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { bootSum } from "../../../tools/emulate/rp2040/boot-rom";
import { buildProbe, ProbeBench, temporaryFolder } from "./probe";

const folder = temporaryFolder();
afterAll(() => folder.remove());

test("the boot ROM's sum is the CRC-32 of the data sheet", () => {
  // CRC-32/MPEG-2, whose check value is public.
  expect(bootSum(Buffer.from("123456789"))).toBe(0x0376e6e7);
});

test("the second stage of the boot carries its own sum", () => {
  const image = readFileSync(buildProbe("basics", folder.path).bin);

  const sum = bootSum(image.subarray(0, 252)).toString(16).padStart(8, "0");

  expect(image.readUInt32LE(252).toString(16).padStart(8, "0"), `write .word 0x${sum} at the end of boot2.S`).toBe(sum);
});

test("a second stage with a wrong sum is not started, and the emulator says so", () => {
  const files = buildProbe("basics", folder.path);
  const image = readFileSync(files.bin);
  image[20] = (image[20] ?? 0) ^ 1;
  const bin = join(folder.path, "damaged.bin");
  writeFileSync(bin, image);
  const bench = new ProbeBench({ elf: files.elf, bin });

  bench.chip.powerOn();

  expect(bench.chip.on).toBe(false);
  expect(bench.failures).toHaveLength(1);
  expect(bench.failures[0]).toContain("the second stage of the boot has the sum");
});
