/** The real `moth flash`, as a program of its own, over real serial ports (pseudo terminals) and real folders. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { NodeSerial } from "../../../hal/node/serial";
import { TYPICAL } from "../../../sim/boot-loader/faults";
import { ChipMemory } from "../../../sim/boot-loader/memory";
import { fieldsOf, Program } from "../../e2e/processes";
import { PtyPair } from "../../hal/node/pty-pair";
import { program } from "./bench";
import { attachChip } from "./chip-on-port";
import { uf2 } from "./uf2-file";

const KB = 1024;

function file(name: string, bytes: Uint8Array | string): string {
  const folder = mkdtempSync(join(tmpdir(), "moth-flash-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

function start(args: readonly string[], env: Record<string, string> = {}): Program {
  return new Program(process.execPath, ["tools/moth.mjs", "flash", ...args], env);
}

async function moth(args: readonly string[], env: Record<string, string> = {}): Promise<{ code: unknown; lines: readonly string[] }> {
  const running = start(args, env);
  const code = await running.ended;
  return { code, lines: running.lines };
}

describe("moth flash on an STM32F405", () => {
  it("writes, verifies and starts an image over a serial port", async () => {
    const pair = await PtyPair.create();
    const chip = await attachChip(pair.far, { faults: { junkBeforeAck: [0] } });
    const image = program(20 * KB);
    const path = file("app.bin", image);
    const { code, lines } = await moth([path, "--port", pair.near]);
    expect(lines).toEqual([
      `${path}: 20,480 bytes for the stm32f405`,
      `${pair.near}: STM32F405/407 (0x0413), boot loader 3.1`,
      "erased sectors 0 to 1, 32 KB",
      "wrote 20,480 bytes",
      "verified 20,480 bytes",
      "started",
      expect.stringMatching(/^done in \d+(\.\d)? s$/),
    ]);
    expect(code).toBe(0);
    expect(chip.loader.memory.flash.subarray(0, image.length)).toEqual(image);
    expect(chip.running).toBe("firmware");
  });

  it("tells programs about it, and takes the port that MOTH_PORT names", async () => {
    const pair = await PtyPair.create();
    await attachChip(pair.far);
    const { code, lines } = await moth([file("app.bin", program(KB)), "--json"], { MOTH_PORT: pair.near });
    const events = lines.map(fieldsOf);
    expect(events.filter(({ event }) => event !== "progress").map(({ event }) => event)).toEqual(
      ["image", "chip", "erased", "written", "verified", "started", "done"],
    );
    expect(events).toContainEqual({ event: "progress", step: "verify", done: 1024, total: 1024 });
    expect(events.at(-1)).toMatchObject({ repeats: 0, junk: 0 });
    expect(code).toBe(0);
  });

  it("asks a board that runs Moth to leave for the boot loader", async () => {
    const pair = await PtyPair.create();
    const chip = await attachChip(pair.far, {
      boot0: false,
      onConsoleLine: (line, board) => {
        if (line === "bootloader") board.enterBootLoader();
      },
    });
    const { code } = await moth([file("app.bin", program(KB)), "--port", pair.near]);
    expect(code).toBe(0);
    expect(chip.loader.memory.flash.subarray(0, KB)).toEqual(program(KB));
  });

  it("shows a bar on a terminal, in colour unless NO_COLOR is set, and none elsewhere", async () => {
    const pair = await PtyPair.create();
    const chip = await attachChip(pair.far);
    const path = file("app.bin", program(KB));
    // script gives the program that it runs a terminal.
    const onTerminal = async (env: Record<string, string>): Promise<string> => {
      const command = `${process.execPath} tools/moth.mjs flash ${path} --port ${pair.near}`;
      const running = new Program("script", ["-qec", command, "/dev/null"], { TERM: "xterm", ...env });
      expect(await running.ended).toBe(0);
      return running.lines.join("\n");
    };
    const colorful = await onTerminal({});
    expect(colorful).toMatch(/write {2}\u001b\[36m[#-]+\u001b\[39m \d+%/);
    expect(colorful).toContain("verified 1,024 bytes");
    chip.enterBootLoader();
    const plain = await onTerminal({ NO_COLOR: "1" });
    expect(plain).toMatch(/write {2}[#-]+ \d+%/);
    expect(plain).not.toContain("\u001b[36m");
  });

  it("says in one line what is wrong with the port", async () => {
    const path = file("app.bin", program(KB));
    expect(await moth([path, "--port", "/dev/ttyNoSuch"])).toEqual({
      code: 1,
      lines: [expect.any(String), 'moth: /dev/ttyNoSuch: no such port: "moth ports" lists those that there are'],
    });
    const pair = await PtyPair.create();
    const holder = await NodeSerial.open({ path: pair.near, baud: 115200 });
    onTestFinished(() => holder.close());
    const busy = await moth([path, "--port", pair.near]);
    expect(busy.lines[1]).toBe(`moth: ${pair.near}: busy: another program has it open`);
    expect(busy.code).toBe(1);
  });

  it("tells of a failure in a line for people and an event for programs", async () => {
    const pair = await PtyPair.create();
    await attachChip(pair.far, { chipId: 0x431 });
    const { code, lines } = await moth([file("app.bin", program(KB)), "--port", pair.near, "--json"]);
    const message = `${pair.near}: wrong chip: found 0x0431 (STM32F411), this image is for 0x0413 (STM32F405/407); ` +
      "nothing in the board was changed";
    expect(code).toBe(1);
    expect(lines).toContain(`moth: ${message}`);
    expect(lines.filter((line) => line.startsWith("{")).map(fieldsOf)).toContainEqual(
      { event: "failed", reason: "wrong-chip", message, found: "0x0431", expected: "0x0413" },
    );
  });

  it("says where the flash is not what was written", async () => {
    const pair = await PtyPair.create();
    const memory = new ChipMemory();
    memory.breakBits(0x08000200, 0x80);
    await attachChip(pair.far, { memory });
    const { code, lines } = await moth([file("app.bin", program(KB)), "--port", pair.near]);
    expect(code).toBe(1);
    expect(lines.at(-1)).toMatch(/^moth: .*: verify mismatch at 0x08000200: expected 0x02, found 0x82; the board was written/);
  });

  it("says what is in the board when the adapter is unplugged", async () => {
    const pair = await PtyPair.create();
    await attachChip(pair.far, { times: { ...TYPICAL, erase: [300, 300, 300] } });
    const running = start([file("app.bin", program(100 * KB)), "--port", pair.near, "--json"]);
    await running.until("the write", (line) => (line.includes('"step":"write"') ? true : undefined));
    await pair.cut();
    expect(await running.ended).toBe(1);
    expect(running.lines.at(-1)).toMatch(
      /^moth: .*: the port is gone: was the adapter unplugged\? \(during the write\); the board holds no complete firmware now: flash it again$/,
    );
  });

  it("says what is in the board when a person stops it, and gives the port back", async () => {
    const pair = await PtyPair.create();
    const chip = await attachChip(pair.far, { times: { ...TYPICAL, startup: 0 } });
    const path = file("app.bin", program(20 * KB));
    const running = start([path, "--port", pair.near, "--json"]);
    await running.until("the erasure", (line) => (line.includes('"step":"erase"') ? true : undefined));
    running.kill("SIGINT");
    expect(await running.ended).toBe(1);
    expect(running.lines.at(-1)).toBe(
      "moth: interrupted during the erasure; the board holds no complete firmware now: flash it again",
    );
    // A second run finds the boot loader as the first one left it.
    expect((await moth([path, "--port", pair.near])).code).toBe(0);
    expect(chip.loader.memory.flash.subarray(0, 20 * KB)).toEqual(program(20 * KB));
  });

  it("has no use for the lines of a port that has none", async () => {
    const pair = await PtyPair.create();
    await attachChip(pair.far);
    const { code, lines } = await moth([file("app.bin", program(KB)), "--port", pair.near, "--reset-line", "dtr"]);
    expect(code).toBe(1);
    expect(lines.at(-1)).toMatch(/it has no DTR and RTS lines \(.*\): use --reset-line none --boot-line none; nothing/);
  });
});

describe("moth flash of an application", () => {
  it("builds it first", async () => {
    const pair = await PtyPair.create();
    const chip = await attachChip(pair.far);
    const args = ["test/tools/flash/fixtures/flashed.ts", "--board", "stm32f405", "--port", pair.near];
    const { code, lines } = await moth(args);
    expect(lines[0]).toMatch(/^built build\/flashed-stm32f405\.bin, build [0-9a-f]{8}$/);
    expect(lines).toContain("started");
    expect(code).toBe(0);
    const image = readFileSync("build/flashed-stm32f405.bin");
    expect(chip.loader.memory.flash.subarray(0, image.length)).toEqual(new Uint8Array(image));
  }, 120_000);
});

describe("moth flash on a Pico", () => {
  it("copies the file to the drive that is named", async () => {
    const info = file("INFO_UF2.TXT", "UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n");
    const drive = join(info, "..");
    const running = start([file("app.uf2", uf2(600)), "--drive", drive]);
    await running.until("the copy", (line) => (line === "copied 307,200 bytes" ? true : undefined));
    rmSync(drive, { recursive: true });
    expect(await running.ended).toBe(0);
    expect(running.lines.at(-2)).toBe(
      "the Pico took all 600 blocks and restarted; its drive cannot be read back, so the flash was not compared",
    );
  });
});

describe("moth flash", () => {
  it.each([
    [["--board", "esp32"], /^moth: there is no board esp32: choose one of /],
    [["--reset-line", "dtr", "--boot-line", "dtr"], /^moth: --reset-line dtr --boot-line dtr: one line cannot do both$/],
    [["--baud", "230400"], /^moth: --baud 230400: give a whole number from 1200 to 115200$/],
    [["--board", "pico"], /^moth: app\.bin: the pico takes a UF2 file: give the \.uf2 beside it$/],
    [["--drive", "/mnt"], /^moth: --drive is for a Pico: the stm32f405 is flashed over --port$/],
  ])("refuses %j in one line", async (args, message) => {
    const { code, lines } = await moth([file("app.bin", program(KB)), ...args]);
    expect(code).toBe(1);
    expect(lines.at(-1)).toMatch(message);
  });

  it("says in one line that an application needs a board", async () => {
    expect(await moth(["firmware/apps/sensor-board.ts"])).toEqual({
      code: 1, lines: ["moth: firmware/apps/sensor-board.ts: say which board to build it for with --board"],
    });
  });

  it("says what keeps an application from being built, line by line", async () => {
    const { code, lines } = await moth(["test/tools/fixtures/leaky.ts", "--board", "pico"]);
    expect(code).toBe(1);
    expect(lines).toEqual([
      expect.stringMatching(/^test\/tools\/fixtures\/leaky\.ts:5:12: .* \[loop-allocation\]$/),
      expect.stringMatching(/^test\/tools\/fixtures\/leaky\.ts:5:18: .* \[int32\]$/),
    ]);
  });

  it("says in one line that there is no image", async () => {
    expect(await moth(["nowhere.bin"])).toEqual({
      code: 1, lines: ["moth: cannot read nowhere.bin: no such file or directory"],
    });
  });
});
