import { describe, expect, it } from "vitest";
import { PortError } from "../../../hal/node/port-error";
import { TYPICAL } from "../../../sim/boot-loader/faults";
import { ChipMemory } from "../../../sim/boot-loader/memory";
import { FlashFailure } from "../../../tools/flash/failure";
import type { Wiring } from "../../../tools/flash/lines";
import { Bench, complaint, flashOn, imageOf, Notes, program, UNWIRED } from "./bench";
import { flashStm32 } from "../../../tools/flash/stm32";

const KB = 1024;
/** The largest image: the settings begin behind it. */
const PROGRAM_SIZE = 768 * KB;

function flashOf(bench: Bench, size: number): Uint8Array {
  return bench.chip.loader.memory.flash.slice(0, size);
}

/** How many commands a run without trouble takes. */
async function commandsOf(bytes: Uint8Array): Promise<number> {
  const bench = new Bench();
  await flashOn(bench, bytes);
  return bench.chip.loader.commands;
}

describe("flashing an STM32F405", () => {
  it("erases, writes, verifies and starts the program", async () => {
    const bench = new Bench();
    const bytes = program(5000);
    const { result, notes } = await flashOn(bench, bytes);
    expect(flashOf(bench, 5000)).toEqual(bytes);
    expect(bench.chip).toMatchObject({ running: "firmware", enteredAt: 0x08000000 });
    expect(result).toEqual({ repeats: 0, junk: 0 });
    expect(bench.opened).toEqual([{ baud: 115200, parity: "even" }]);
    expect(notes.texts).toEqual([
      "/dev/ttyT0: STM32F405/407 (0x0413), boot loader 3.1",
      "erased sector 0, 16 KB",
      "wrote 5,000 bytes",
      "verified 5,000 bytes",
      "started",
    ]);
    expect(notes.steps).toEqual(["erase", "write", "verify"]);
    expect(bench.open).toBe(0);
  });

  it.each([
    [16 * KB, [0]],
    [16 * KB + 4, [0, 1]],
    [65 * KB, [0, 1, 2, 3, 4]],
    [200 * KB, [0, 1, 2, 3, 4, 5]],
  ])("erases of an image of %i bytes only the sectors %j", async (size, sectors) => {
    const memory = new ChipMemory();
    memory.flash.fill(0x55);
    const bench = new Bench({ memory });
    const { notes } = await flashOn(bench, program(size));
    expect(memory.erases.flatMap((count, sector) => (count > 0 ? [sector] : []))).toEqual(sectors);
    expect(memory.erases[0]).toBe(1);
    expect(notes.events).toContainEqual(expect.objectContaining({ event: "erased", sectors: sectors.length }));
  });

  it("leaves the settings alone, even under the largest image", async () => {
    const memory = new ChipMemory();
    memory.flash.fill(0x55);
    const bench = new Bench({ memory });
    await flashOn(bench, program(PROGRAM_SIZE));
    expect(memory.erases.slice(10)).toEqual([0, 0]);
    expect(memory.flash.subarray(PROGRAM_SIZE).every((byte) => byte === 0x55)).toBe(true);
  });

  it("writes the first block last, so that a run that is cut leaves nothing that would start", async () => {
    const written: number[] = [];
    class Watched extends ChipMemory {
      override write(address: number, bytes: Uint8Array): void {
        written.push(address);
        super.write(address, bytes);
      }
    }
    await flashOn(new Bench({ memory: new Watched() }), program(700));
    expect(written).toEqual([0x08000100, 0x08000200, 0x08000000]);
  });

  it("has patience with the slowest flash that the data sheet allows, and not with a slower one", async () => {
    const slowest = { ...TYPICAL, erase: [800, 2400, 4000] } as const;
    const { result } = await flashOn(new Bench({ times: slowest }), program(130 * KB));
    expect(result.repeats).toBe(0);
    const stuck = { ...TYPICAL, erase: [60_000, 60_000, 60_000] } as const;
    expect(await complaint(new Bench({ times: stuck }))).toBe(
      "/dev/ttyT0: no answer to erasing sector 0: check the wires, or try a lower --baud; " +
        "the board holds no complete firmware now: flash it again",
    );
  });

  it.each([1200, 9600, 57600])("works at %i baud", async (baud) => {
    const bench = new Bench({ times: TYPICAL });
    const bytes = program(600);
    const { result } = await flashOn(bench, bytes, UNWIRED, baud);
    expect(result.repeats).toBe(0);
    expect(flashOf(bench, 600)).toEqual(bytes);
  });
});

describe("a line or a boot loader that is not perfect", () => {
  it("skips junk before an answer", async () => {
    const bench = new Bench({ faults: { junkBeforeAck: [0x00, 0xff] } });
    const bytes = program(600);
    const { result } = await flashOn(bench, bytes);
    expect(flashOf(bench, 600)).toEqual(bytes);
    expect(result.junk).toBeGreaterThan(10);
  });

  it("repeats a command that is refused once, whichever it is", async () => {
    const bytes = program(600);
    const last = await commandsOf(bytes);
    for (let nackCommand = 1; nackCommand <= last; nackCommand += 1) {
      const bench = new Bench({ faults: { nackCommand } });
      const { result } = await flashOn(bench, bytes);
      expect(result.repeats, `command ${nackCommand}`).toBe(1);
      expect(flashOf(bench, 600)).toEqual(bytes);
      expect(bench.chip.running).toBe("firmware");
    }
  });

  it("survives the loss of any one byte on its way to the board, or says that it did not", async () => {
    const bytes = program(300);
    const clean = new Bench();
    await flashOn(clean, bytes);
    for (let loseReceived = 1; loseReceived <= clean.sent.length; loseReceived += 1) {
      const bench = new Bench({ faults: { loseReceived }, times: { ...TYPICAL, startup: 0 } });
      const message = await complaint(bench, bytes);
      // A lost 0xFF is the one that the filler stands in for: the block is there, shifted, and is found out.
      if (clean.sent[loseReceived - 1] === 0xff && message.includes("were lost while 0x08000")) continue;
      expect(message, `byte ${loseReceived}`).toBe("flashed without a complaint");
      expect(flashOf(bench, 300)).toEqual(bytes);
      expect(bench.chip.running).toBe("firmware");
    }
  });

  it("survives the loss of any one byte on its way back", async () => {
    const bytes = program(300);
    const clean = new Bench();
    await flashOn(clean, bytes);
    for (let loseSent = 1; loseSent <= clean.received; loseSent += 1) {
      const bench = new Bench({ faults: { loseSent } });
      expect(await complaint(bench, bytes), `byte ${loseSent}`).toBe("flashed without a complaint");
      expect(flashOf(bench, 300)).toEqual(bytes);
      expect(bench.chip.running).toBe("firmware");
    }
  });

  it("says that the start was not confirmed when the last answer is lost", async () => {
    const clean = new Bench();
    await flashOn(clean, program(600));
    const { notes } = await flashOn(new Bench({ faults: { loseSent: clean.received } }), program(600));
    expect(notes.events).toContainEqual({ event: "started", by: "go", confirmed: false });
    expect(notes.texts.at(-1)).toContain("did not confirm: if it does not run, set BOOT0 low and reset the board");
  });

  it("says where bytes were lost for good", async () => {
    const bytes = program(300);
    bytes.fill(0x11, 0x40, 0x80);
    bytes[0x20] = 0xff;
    const clean = new Bench();
    await flashOn(clean, bytes);
    // Block 0 goes out last; its byte 0x20 is the last 0xFF that is sent before the verification begins.
    const block = clean.sent.findLastIndex((byte, at) => byte === 0xff && clean.sent[at + 0x20] === 0x11);
    const bench = new Bench({ faults: { loseReceived: block + 1 } });
    expect(await complaint(bench, bytes)).toBe(
      "/dev/ttyT0: bytes were lost while 0x08000000 was written: try a lower --baud; " +
        "the board holds no complete firmware now: flash it again",
    );
  });

  it("finds a boot loader that was left in the middle of a command", async () => {
    const bench = new Bench();
    const wire = await bench.openWire({ baud: 115200, parity: "even" });
    await wire.send(Uint8Array.of(0x7f, 0x31, 0xce, 0x08, 0, 0, 0, 0x08, 0xff, 1, 2, 3));
    const { result } = await flashOn(bench, program(600));
    expect(flashOf(bench, 600)).toEqual(program(600));
    expect(result.repeats).toBe(0);
  });
});

const NOTHING_CHANGED = "; nothing in the board was changed";
const INCOMPLETE = "; the board holds no complete firmware now: flash it again";

describe("what flashing an STM32F405 says when it cannot", () => {
  it("nobody answers", async () => {
    const bench = new Bench({ faults: { silentFromCommand: 0 } });
    expect(await complaint(bench)).toBe(
      "/dev/ttyT0: no answer from an STM32 boot loader: connect BOOT0 to 3.3 V, press reset and try again; " +
        `if that does not help, are TX and RX crossed (the chip's PA9 and PA10, or PB10 and PB11)?${NOTHING_CHANGED}`,
    );
    expect(bench.clock.now).toBeLessThan(10_000);
  });

  it("nobody answers, though reset and BOOT0 are wired", async () => {
    const wired: Wiring = { ...UNWIRED, reset: "dtr", boot: "rts" };
    const bench = new Bench({ faults: { silentFromCommand: 0 }, wired });
    expect(await complaint(bench, program(600), wired)).toBe(
      "/dev/ttyT0: no answer from an STM32 boot loader: are TX and RX crossed (the chip's PA9 and PA10, or PB10 and PB11), and are " +
        `--reset-line, --boot-line and their inversions as the board is wired?${NOTHING_CHANGED}`,
    );
    // A board whose reset is wired is not typed at.
    expect(bench.opened).toHaveLength(1);
  });

  it("it is another chip", async () => {
    const bench = new Bench({ chipId: 0x410 });
    await expect(flashOn(bench, program(600))).rejects.toMatchObject({
      reason: "wrong-chip",
      details: { found: "0x0410", expected: "0x0413" },
      message: "/dev/ttyT0: wrong chip: found 0x0410 (STM32F103), this image is for 0x0413 (STM32F405/407)" + NOTHING_CHANGED,
    });
    expect(await complaint(new Bench({ chipId: 0x999 }))).toContain("found 0x0999 (a chip that Moth does not know)");
  });

  it.each([undefined, true] as const)("the chip is protected (two NACKs: %j)", async (doubleNack) => {
    const bench = new Bench({ readProtected: true, faults: doubleNack === undefined ? {} : { doubleNack } });
    expect(await complaint(bench)).toBe(
      "/dev/ttyT0: the boot loader refused erasing sector 0: the chip is protected " +
        `(stm32flash -k unprotects and empties it)${INCOMPLETE}`,
    );
  });

  it("the boot loader falls silent, at any command", async () => {
    const last = await commandsOf(program(600));
    for (let silentFromCommand = 1; silentFromCommand <= last; silentFromCommand += 1) {
      const bench = new Bench({ faults: { silentFromCommand } });
      expect(await complaint(bench)).toMatch(/^\/dev\/ttyT0: no answer to (Get|erasing|writing|reading|the jump).*: check the wires/);
      expect(bench.clock.now).toBeLessThan(60_000);
    }
  });

  it("the boot loader refuses everything, from any command on", async () => {
    const last = await commandsOf(program(600));
    for (let nackFromCommand = 1; nackFromCommand <= last; nackFromCommand += 1) {
      const bench = new Bench({ faults: { nackFromCommand } });
      expect(await complaint(bench)).toMatch(/^\/dev\/ttyT0: the boot loader refused (Get|erasing|writing|reading|the jump)/);
      // Bounded: asked four times, not for ever.
      expect(bench.chip.loader.commands).toBe(nackFromCommand + 3);
    }
  });

  it("a bit of the flash does not hold", async () => {
    const memory = new ChipMemory();
    memory.breakBits(0x08000102, 0x10);
    const found = (program(600)[0x102] ?? 0) ^ 0x10;
    const hex = (value: number): string => `0x${value.toString(16).padStart(2, "0")}`;
    await expect(flashOn(new Bench({ memory }), program(600))).rejects.toMatchObject({
      reason: "verify-mismatch",
      details: { address: "0x08000102", expected: "0x0f", found: hex(found) },
      message: "/dev/ttyT0: verify mismatch at 0x08000102: expected 0x0f, found 0x1f; " +
        "the board was written but not verified: flash it again",
    });
  });

  it("a sector is write protected, which the boot loader does not say", async () => {
    const memory = new ChipMemory();
    memory.protectedSectors.add(1);
    const message = await complaint(new Bench({ memory }), program(20 * KB));
    expect(message).toMatch(/^\/dev\/ttyT0: verify mismatch at 0x08004000: expected 0x\w\w, found 0xff; /);
  });

  it("the port has no DTR and RTS", async () => {
    expect(await complaint(new Bench(), program(600), { ...UNWIRED, reset: "dtr" })).toBe(
      "/dev/ttyT0: it has no DTR and RTS lines (Inappropriate ioctl for device, cannot set): " +
        `use --reset-line none --boot-line none${NOTHING_CHANGED}`,
    );
  });

  it.each([
    ["missing", '/dev/ttyT0: no such port: "moth ports" lists those that there are'],
    ["busy", "/dev/ttyT0: busy: another program has it open"],
    ["forbidden", "/dev/ttyT0: no permission: this user may not open it"],
    ["unfit", "/dev/ttyT0: cannot be used as the port of a board: because"],
  ] as const)("the port is %s", async (trouble, message) => {
    const open = (): Promise<never> => Promise.reject(new PortError("/dev/ttyT0", trouble, "because"));
    const options = { path: "/dev/ttyT0", baud: 115200, wiring: UNWIRED };
    await expect(flashStm32(imageOf(program(600)), open, options, new Notes())).rejects.toThrow(new FlashFailure("port", message, { trouble }));
  });
});

describe("a flash run that is cut", () => {
  async function operations(): Promise<number> {
    const bench = new Bench();
    await flashOn(bench, program(600));
    return bench.operations;
  }

  it("by a plug that is pulled, at any moment, says what is in the board", async () => {
    const all = await operations();
    for (let operation = 1; operation <= all; operation += 1) {
      const bench = new Bench();
      bench.failAt = { operation, error: new PortError("/dev/ttyT0", "gone", "closed") };
      const message = await complaint(bench);
      expect(message).toMatch(/^\/dev\/ttyT0: the port is gone: was the adapter unplugged\? \(during the .*\); \S.*[^;]$/);
      expectTruth(bench, message);
    }
  });

  it("by Ctrl-C, at any moment, says what is in the board", async () => {
    const clean = new Bench();
    await flashOn(clean, program(600));
    const seen = new Set<string>();
    for (let stopAt = 1; stopAt <= clean.checkpoints; stopAt += 1) {
      const bench = new Bench();
      bench.stopAt = stopAt;
      const message = await complaint(bench);
      expectTruth(bench, message);
      seen.add(message);
      // The boot loader waits for a command: whoever comes next finds it so.
      const { result } = await flashOn(bench, program(600));
      expect(result.repeats).toBe(0);
    }
    expect([...seen]).toEqual([
      "interrupted during the search for the boot loader; nothing in the board was changed",
      "interrupted during the look at the chip; nothing in the board was changed",
      "interrupted during the erasure; the board holds no complete firmware now: flash it again",
      "interrupted during the write; the board holds no complete firmware now: flash it again",
      "interrupted during the verification; the board was written but not verified: flash it again",
      "interrupted during the start; the firmware is in the board and verified: set BOOT0 low and reset the board",
    ]);
  });

  /** What a message says of the board must be so, and the port must be closed. */
  function expectTruth(bench: Bench, message: string): void {
    const { memory } = bench.chip.loader;
    const written = Buffer.compare(memory.flash.subarray(0, 600), program(600)) === 0;
    if (message.includes("nothing in the board was changed")) expect(memory.erases[0]).toBe(0);
    if (message.includes("in the board and verified")) expect(written).toBe(true);
    if (message.includes("written but not verified")) expect(written).toBe(true);
    expect(bench.open).toBe(0);
  }

  it("leaves no bar behind", async () => {
    const bench = new Bench();
    bench.stopAt = 6;
    const notes = new Notes();
    const options = { path: "/dev/ttyT0", baud: 115200, wiring: UNWIRED };
    await expect(flashStm32(imageOf(program(600)), bench.openWire, options, notes)).rejects.toThrow("interrupted");
    expect(notes.steps.length).toBeGreaterThan(0);
    expect(notes.underWay).toBe(false);
  });
});

describe("the way into the boot loader", () => {
  const wirings: Wiring[] = (["dtr", "rts"] as const).flatMap((reset) =>
    [false, true].flatMap((invertReset) =>
      [false, true].map((invertBoot) => ({ reset, boot: reset === "dtr" ? "rts" : "dtr", invertReset, invertBoot } as const))));

  it.each(wirings)("is by the lines %j, which start the firmware too", async (wired) => {
    const bench = new Bench({ boot0: false, wired, times: TYPICAL });
    const { notes } = await flashOn(bench, program(600), wired);
    expect(flashOf(bench, 600)).toEqual(program(600));
    expect(bench.chip.running).toBe("firmware");
    expect(notes.events).toContainEqual({ event: "started", by: "reset", confirmed: true });
    // A byte that the chip meets while it starts may be taken for a wrong rate.
    expect(bench.chip.loader.overruns).toBe(0);
  });

  it("is not found through lines that are wired the other way round", async () => {
    const wired: Wiring = { reset: "dtr", boot: "rts", invertReset: false, invertBoot: true };
    const bench = new Bench({ boot0: false, wired, times: TYPICAL });
    expect(await complaint(bench, program(600), { ...wired, invertBoot: false })).toContain("no answer");
  });

  it("is by reset alone where a person holds BOOT0; then the program is started by a jump", async () => {
    const wired: Wiring = { ...UNWIRED, reset: "rts" };
    const bench = new Bench({ boot0: true, wired });
    const { notes } = await flashOn(bench, program(600), wired);
    expect(notes.events).toContainEqual({ event: "started", by: "go", confirmed: true });
    expect(bench.chip.enteredAt).toBe(0x08000000);
  });

  it("is by the console of firmware that runs", async () => {
    const heard: string[] = [];
    const bench = new Bench({
      boot0: false,
      times: TYPICAL,
      onConsoleLine: (line, chip) => {
        heard.push(line);
        if (line === "bootloader") chip.enterBootLoader();
      },
    });
    await flashOn(bench, program(600));
    expect(flashOf(bench, 600)).toEqual(program(600));
    expect(heard).toEqual(["", "bootloader"]);
    expect(bench.opened.map(({ parity }) => parity)).toEqual(["even", "none", "even"]);
  });
});
