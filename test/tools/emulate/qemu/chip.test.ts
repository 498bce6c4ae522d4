import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Failure } from "../../../../tools/failure";
import { buildProbe, type Probe, ProbeBoard } from "../../../hal/stm32f405/probe-board";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "moth-chip-"));
let flash: Probe;
let fault: Probe;

beforeAll(() => {
  flash = buildProbe("flash");
  fault = buildProbe("fault");
});
afterAll(() => {
  flash.remove();
  fault.remove();
  rmSync(folder, { recursive: true, force: true });
});

test("without QEMU it fails at once and says what to install", () => {
  const script = `import("./tools/emulate/qemu/qemu.ts").then(({ findQemu }) => findQemu()).catch((e) => console.log(e.message));`;
  const { stdout } = spawnSync(process.execPath, ["--import", "tsx", "-e", script], {
    cwd: root, encoding: "utf8", env: { PATH: "/nonexistent" },
  });
  expect(stdout).toContain("qemu-system-arm is not installed");
});

test("a file that is no image for the chip is refused with its name", () => {
  const text = join(folder, "note.elf");
  writeFileSync(text, "not an image");
  expect(() => new ProbeBoard({ elf: text })).toThrow(Failure);
  expect(() => new ProbeBoard({ elf: text })).toThrow(/note\.elf: cannot be emulated: it is not an ELF file for ARM/);
  expect(() => new ProbeBoard({ elf: join(folder, "none.elf") })).toThrow(/no such file/);
});

test("a flash file keeps the storage from one emulator to the next", async () => {
  const flashFile = join(folder, "flash.bin");
  for (const [order, said] of [["p8", "programmed=1"], ["r8", "1,2,3,4,5,6,7,8"]]) {
    const board = new ProbeBoard(flash, { flashFile });
    board.powerOn();
    await board.heard("ready\n");
    board.type(`${order ?? ""}\n`);
    await board.heard(`${said ?? ""}\n`);
    board.outside.run(() => void board.chip.close());
  }
});

test("a flash file of another size is refused", () => {
  const flashFile = join(folder, "short.bin");
  writeFileSync(flashFile, "x");
  expect(() => new ProbeBoard(flash, { flashFile })).toThrow(/short\.bin: cannot be used as flash/);
});

test("a processor that locks up is reported as a failure", async () => {
  const board = new ProbeBoard(fault);
  board.powerOn();
  await board.heard("ready\n");
  board.type("t\n");
  await expect(board.until(() => false)).rejects.toThrow(/QEMU has ended: .*Lockup/);
  expect(board.chip.on).toBe(false);
});

test("an image that was built for another crystal is found out", async () => {
  const board = new ProbeBoard(flash, { crystalHz: 8_000_000 });
  board.powerOn();
  // The PLL cannot lock to a third of a MHz; the internal oscillator takes over.
  await board.heard("ready\n");
  expect(board.chip.parts.clocks.coreHz).toBe(168_000_000);
  board.cutPower();
  const other = new ProbeBoard(flash, { crystalHz: 26_000_000 });
  other.powerOn();
  await expect(other.until(() => false)).rejects.toThrow("QEMU's timer knows 168 MHz only");
});

test("power can be cut at any moment of the start, and come back", async () => {
  const board = new ProbeBoard(flash);
  for (const wait of [0, 10, 40, 80, 120]) {
    board.powerOn();
    const began = board.clock.now;
    await board.until(() => board.clock.now >= began + wait);
    board.cutPower();
  }
  board.console = "";
  board.powerOn();
  await board.heard("ready\n");
  board.cutPower();
});
