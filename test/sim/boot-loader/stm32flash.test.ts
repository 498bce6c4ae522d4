/** Debian's stm32flash, which knows nothing of us, on the simulated boot loader: it must find what it finds in a real chip. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Stm32Chip } from "../../../sim/boot-loader/chip";
import { Program } from "../../e2e/processes";
import { PtyPair } from "../../hal/node/pty-pair";
import { requireTool } from "../../system";
import { program } from "../../tools/flash/bench";
import { attachChip } from "../../tools/flash/chip-on-port";

const KB = 1024;
let links = 0;

/** stm32flash takes no port whose name does not begin with /dev/tty. Only root may make one. */
function deviceName(target: string): string {
  links += 1;
  const link = `/dev/ttyMoth${process.pid}-${links}`;
  try {
    symlinkSync(target, link);
    onTestFinished(() => unlinkSync(link));
  } catch {
    execFileSync("sudo", ["-n", "ln", "-s", target, link]);
    onTestFinished(() => {
      execFileSync("sudo", ["-n", "rm", link]);
    });
  }
  return link;
}

interface Bench {
  readonly chip: Stm32Chip;
  readonly folder: string;
  /** Runs stm32flash to its end. */
  readonly run: (...args: readonly string[]) => Promise<{ code: unknown; text: string }>;
}

async function bench(options: Parameters<typeof attachChip>[1] = {}): Promise<Bench> {
  const pair = await PtyPair.create();
  const chip = await attachChip(pair.far, options);
  const device = deviceName(pair.near);
  const folder = mkdtempSync(join(tmpdir(), "moth-stm32flash-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return {
    chip,
    folder,
    run: async (...args) => {
      // A pseudo terminal has no parity, and stm32flash insists on what it asked for.
      const running = new Program(requireTool("stm32flash"), ["-m", "8n1", "-b", "115200", ...args, device]);
      return { code: await running.ended, text: running.lines.join("\n") };
    },
  };
}

describe("stm32flash on the simulated boot loader", () => {
  it("sees an STM32F405", async () => {
    const { run } = await bench();
    const { code, text } = await run();
    expect(text).toContain("Version      : 0x31");
    expect(text).toContain("Device ID    : 0x0413 (STM32F40xxx/41xxx)");
    expect(text).toContain("- Flash      : Up to 1024KiB");
    expect(code).toBe(0);
  });

  it("writes and verifies an image, reads the same back, and starts it", async () => {
    const { chip, folder, run } = await bench();
    const file = join(folder, "image.bin");
    const image = program(20 * KB);
    writeFileSync(file, image);
    chip.loader.memory.flash.fill(0);

    const write = await run("-w", file, "-v");
    expect(write.text).toContain("Wrote and verified address 0x08005000 (100.00%) Done.");
    expect(write.code).toBe(0);
    expect(chip.loader.memory.flash.subarray(0, image.length)).toEqual(image);
    expect(chip.loader.memory.erases).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

    const copy = join(folder, "copy.bin");
    // The rate is measured already.
    const read = await run("-c", "-r", copy, "-S", `0x08000000:${image.length}`, "-g", "0x08000000");
    expect(read.code).toBe(0);
    expect(new Uint8Array(readFileSync(copy))).toEqual(image);
    expect(chip).toMatchObject({ running: "firmware", enteredAt: 0x08000000 });
  });

  it("erases the whole chip", async () => {
    const { chip, run } = await bench();
    chip.loader.memory.flash.fill(0);
    expect((await run("-o")).code).toBe(0);
    expect(chip.loader.memory.flash.every((byte) => byte === 0xff)).toBe(true);
  });

  it("finds a bit that does not hold", async () => {
    const { chip, folder, run } = await bench();
    chip.loader.memory.breakBits(0x08000101, 0x01);
    writeFileSync(join(folder, "image.bin"), program(KB));
    const { code, text } = await run("-w", join(folder, "image.bin"), "-v", "-n", "1");
    expect(text).toContain("Failed to verify at address 0x08000101");
    expect(code).not.toBe(0);
  });

  it("protects the chip from reading, cannot read it then, and lifts that again", async () => {
    const { chip, folder, run } = await bench();
    chip.loader.memory.flash.fill(7);
    expect((await run("-j")).code).toBe(0);
    expect(chip.loader.readProtected).toBe(true);
    const denied = await run("-r", join(folder, "copy.bin"));
    expect(denied.code).not.toBe(0);
    expect(denied.text).toContain("Got NACK from device on command 0x11");
    expect((await run("-c", "-k")).code).toBe(0);
    expect(chip.loader.readProtected).toBe(false);
    expect(chip.loader.memory.flash.every((byte) => byte === 0xff)).toBe(true);
  });
});
