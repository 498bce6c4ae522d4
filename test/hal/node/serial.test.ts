import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { openingTrouble, PortError } from "../../../hal/node/port-error";
import { ModemResetLine } from "../../../hal/node/reset-line";
import { type ControlLines, NodeSerial } from "../../../hal/node/serial";
import { openPort, PtyPair } from "./pty-pair";

const BAUD = 115200;

interface Line {
  readonly pair: PtyPair;
  readonly near: NodeSerial;
  readonly far: NodeSerial;
}

async function line(rings: { receiveRing?: number; sendRing?: number } = {}): Promise<Line> {
  const pair = await PtyPair.create();
  const near = await openPort({ path: pair.near, baud: BAUD, ...rings });
  const far = await openPort({ path: pair.far, baud: BAUD, receiveRing: 65535, sendRing: 65535 });
  return { pair, near, far };
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function until(what: string, done: () => boolean, ms = 5000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!done()) {
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Reads until `count` bytes have come. */
async function readAll(serial: NodeSerial, count: number): Promise<Uint8Array> {
  const into = new Uint8Array(count);
  let have = 0;
  await until(`${count} bytes`, () => {
    have += serial.read(into, have, count - have);
    return have === count;
  });
  return into;
}

/** Bytes of which no two neighbours could be swapped unseen. */
function pattern(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, at) => (at * 7 + (at >> 8)) & 0xff);
}

describe("a serial port", () => {
  it("carries bytes both ways, all 256 of them", async () => {
    const { near, far } = await line();
    const all = Uint8Array.from({ length: 256 }, (_, value) => value);
    expect(near.write(all, 0, 256)).toBe(256);
    expect(far.write(all, 128, 128)).toBe(128);
    expect(await readAll(far, 256)).toEqual(all);
    expect(await readAll(near, 128)).toEqual(all.subarray(128));
    expect(near.lost()).toBe(0);
  });

  it("never waits: a read of nothing gives 0, a read of less room gives what fits", async () => {
    const { near, far } = await line();
    const into = new Uint8Array(10);
    expect(near.read(into, 0, 10)).toBe(0);
    far.write(bytes("abcdef"), 0, 6);
    await until("the bytes", () => near.highWater === 6);
    expect(near.read(into, 2, 4)).toBe(4);
    expect(near.read(into, 6, 4)).toBe(2);
    expect(into).toEqual(bytes("\0\0abcdef\0\0"));
  });

  it("takes what its send ring has room for, and the rest later, in order", async () => {
    const { near, far } = await line({ sendRing: 64 });
    const sent = pattern(5000);
    let at = near.write(sent, 0, sent.length);
    // One piece has gone on to the system at once; the ring itself holds no more than its size.
    at += near.write(sent, at, sent.length - at);
    expect(at).toBe(128);
    expect(near.write(sent, at, sent.length - at)).toBe(0);
    // What was taken leaves without another word.
    expect(await readAll(far, 128)).toEqual(sent.subarray(0, 128));
    const arrived = readAll(far, sent.length - 128);
    await until("room for all", () => {
      at += near.write(sent, at, sent.length - at);
      return at === sent.length;
    });
    expect(await arrived).toEqual(sent.subarray(128));
  });

  it("counts what finds its receive ring full, keeps what came before, and goes on", async () => {
    const { near, far } = await line({ receiveRing: 100 });
    const sent = pattern(250);
    far.write(sent, 0, sent.length);
    await until("the loss", () => near.lost() === 150);
    expect(near.highWater).toBe(100);
    expect(await readAll(near, 100)).toEqual(sent.subarray(0, 100));
    far.write(bytes("on"), 0, 2);
    expect(await readAll(near, 2)).toEqual(bytes("on"));
    expect(near.lost()).toBe(150);
  });

  it("wakes its owner when bytes have come", async () => {
    const { near, far } = await line();
    const into = new Uint8Array(5);
    const woken = new Promise<number>((resolve) => {
      near.onReceive = () => resolve(near.read(into, 0, 5));
    });
    far.write(bytes("hello"), 0, 5);
    expect(await woken).toBeGreaterThan(0);
  });

  it("changes its rate, but not while bytes are leaving, and not to one that no adapter makes", async () => {
    const { near, far } = await line();
    near.write(bytes("before"), 0, 6);
    expect(near.setBaud(921600)).toBe(false);
    await readAll(far, 6);
    await until("the change", () => near.setBaud(921600));
    // Written while the change is still under way.
    near.write(bytes("after"), 0, 5);
    expect(await readAll(far, 5)).toEqual(bytes("after"));
    expect(near.setBaud(0)).toBe(false);
    expect(near.setBaud(50_000_000)).toBe(false);
  });

  it("stops a program that reads or writes outside its buffer", async () => {
    const { near } = await line();
    expect(() => near.read(new Uint8Array(4), 2, 3)).toThrow(RangeError);
    expect(() => near.write(new Uint8Array(4), -1, 2)).toThrow(RangeError);
  });

  it("reports once that it has gone, and is quiet afterwards", async () => {
    const { pair, near } = await line();
    const failures: PortError[] = [];
    near.onFailure = (error) => failures.push(error);
    await pair.cut();
    // At once, not when somebody next looks whether its file is there.
    await until("the report", () => failures.length > 0, 300);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(failures).toMatchObject([{ trouble: "gone", path: pair.near }]);
    expect(near.write(bytes("x"), 0, 1)).toBe(0);
    expect(near.read(new Uint8Array(1), 0, 1)).toBe(0);
    expect(near.setBaud(9600)).toBe(false);
    await near.close();
  });

  it("reports that it has gone in the middle of a flood, too", async () => {
    const { pair, near, far } = await line();
    const failures: PortError[] = [];
    near.onFailure = (error) => failures.push(error);
    far.onFailure = () => undefined;
    const flood = setInterval(() => far.write(pattern(4096), 0, 4096), 1);
    onTestFinished(() => clearInterval(flood));
    await until("the flood", () => near.lost() > 100_000);
    await pair.cut();
    await until("the report", () => failures.length > 0);
  });

  it("says nothing of a failure when its owner closes it", async () => {
    const { near } = await line();
    const failures: PortError[] = [];
    near.onFailure = (error) => failures.push(error);
    await near.close();
    await near.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(failures).toEqual([]);
  });
});

describe("opening a port", () => {
  async function troubleOf(path: string): Promise<string> {
    const error: unknown = await NodeSerial.open({ path, baud: BAUD }).catch((reason: unknown) => reason);
    return error instanceof PortError ? error.trouble : `not a PortError: ${String(error)}`;
  }

  it("fails for one that is not there", async () => {
    expect(await troubleOf("/dev/no-such-port")).toBe("missing");
  });

  it("fails for one that another program has", async () => {
    const { pair } = await line();
    expect(await troubleOf(pair.near)).toBe("busy");
  });

  it("fails for a file", async () => {
    const folder = mkdtempSync(join(tmpdir(), "moth-port-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "file"), "text");
    expect(await troubleOf(join(folder, "file"))).toBe("unfit");
  });

  it.each([
    ["Error: Permission denied, cannot open /dev/ttyUSB0", "forbidden"],
    ["Error: Device or resource busy, cannot open /dev/ttyUSB0", "busy"],
    ["Error Resource temporarily unavailable Cannot lock port", "busy"],
    ["Opening COM3: Access denied", "busy"],
    ["Opening COM3: File not found", "missing"],
    ["Error: Inappropriate ioctl for device", "unfit"],
  ])("knows what %j means", (message, trouble) => {
    expect(openingTrouble(message)).toBe(trouble);
  });
});

describe("a reset line", () => {
  it.each([
    ["rts", { rts: true, dtr: false }],
    ["dtr", { rts: false, dtr: true }],
  ] as const)("on %s is asserted for a reset, and the other line never", async (wiring, held) => {
    const asked: ControlLines[] = [];
    const setLines = (lines: ControlLines): Promise<void> => {
      asked.push(lines);
      return Promise.resolve();
    };
    const reset = await ModemResetLine.on({ setLines }, wiring);
    expect(reset.present).toBe(true);
    reset.hold(true);
    reset.hold(false);
    const released = { rts: false, dtr: false };
    expect(asked).toEqual([released, held, released]);
  });

  it.each(["rts", "dtr"] as const)("on %s is refused by a port that has none", async (wiring) => {
    const { near } = await line();
    await expect(ModemResetLine.on(near, wiring)).rejects.toMatchObject({ trouble: "unfit" });
  });

  it("that is not wired leaves the lines alone", async () => {
    const setLines = vi.fn(() => Promise.resolve());
    const reset = await ModemResetLine.on({ setLines }, "none");
    expect(reset.present).toBe(false);
    reset.hold(true);
    expect(setLines).not.toHaveBeenCalled();
  });
});
