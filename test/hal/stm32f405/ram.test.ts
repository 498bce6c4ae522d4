import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readElf } from "../../../tools/emulate/qemu/elf";
import { requireTool } from "../../system";
import { buildProbe } from "./probe-board";

const RAM = 0x20000000;

/** All code in RAM, disassembled. */
function ramCode(elf: string): string[] {
  const tool = requireTool("arm-none-eabi-gcc").replace(/gcc$/, "objdump");
  return spawnSync(tool, ["-d", "-j", ".data", elf], { encoding: "utf8" }).stdout.split("\n");
}

test("what runs while the flash is erased is in RAM, calls nothing in flash and reads no constant from it", () => {
  const probe = buildProbe("flash");
  try {
    const { symbols } = readElf(readFileSync(probe.elf));
    for (const name of ["erase", "uart_service", "part_read"]) expect(symbols.get(name)).toBeGreaterThan(RAM);
    const code = ramCode(probe.elf);
    const calls = code.flatMap((line) => /\tb[lx.a-z]*\s+([0-9a-f]+) </.exec(line)?.[1] ?? []);
    expect(calls.length).toBeGreaterThan(5);
    expect(calls.filter((target) => parseInt(target, 16) < RAM)).toEqual([]);
    const constants = code.flatMap((line) => /\.word\s+0x([0-9a-f]+)/.exec(line)?.[1] ?? []);
    expect(constants.length).toBeGreaterThan(2);
    expect(constants.filter((word) => parseInt(word, 16) >>> 20 === 0x080)).toEqual([]);
  } finally {
    probe.remove();
  }
});
