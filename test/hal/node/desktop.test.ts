import { describe, expect, it, onTestFinished } from "vitest";
import { NodeClock } from "../../../hal/node/clock";
import { Desktop } from "../../../hal/node/desktop";
import { ModemResetLine } from "../../../hal/node/reset-line";
import { FileStorage } from "../../../hal/node/storage";
import { openPort, PtyPair } from "./pty-pair";
import { UnreliableDisc } from "./unreliable-disc";

interface Place {
  readonly desktop: Desktop;
  readonly pair: PtyPair;
  /** For how long the watchdog found nobody feeding it. */
  readonly hangs: number[];
}

async function place(clock = new NodeClock()): Promise<Place> {
  const pair = await PtyPair.create();
  const serial = await openPort({ path: pair.near, baud: 115200 });
  const hangs: number[] = [];
  const desktop = new Desktop({
    serial,
    reset: await ModemResetLine.on(serial, "none"),
    storage: new FileStorage(new UnreliableDisc()),
    pins: { configure: () => false, write: () => undefined, read: () => false },
    analog: { read: () => -1 },
    onHang: (ms) => hangs.push(ms),
    clock,
  });
  onTestFinished(() => desktop.stop());
  return { desktop, pair, hangs };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Keeps the thread busy, as a program that does not return from its turn. */
function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end) continue;
}

describe("the main loop on a computer", () => {
  it("turns at once, and then never before the moment that idle names, also across the clock's wrap", async () => {
    const { desktop } = await place(new NodeClock(undefined, 2147483647 - 100));
    const { hal } = desktop;
    const { clock } = hal;
    const early: number[] = [];
    let until = clock.now();
    let turns = 0;
    desktop.start(() => {
      turns += 1;
      const late = (clock.now() - until) | 0;
      if (late < 0) early.push(late);
      until = (clock.now() + 3) | 0;
      hal.idle(until);
    });
    expect(turns).toBe(1);
    await pause(400);
    expect(clock.now()).toBeLessThan(0);
    expect(early).toEqual([]);
    expect(turns).toBeGreaterThan(20);
  });

  it("turns again at once when the moment has passed, and lets the event loop run in between", async () => {
    const { desktop } = await place();
    let turns = 0;
    desktop.start(() => {
      turns += 1;
      desktop.hal.idle((desktop.hal.clock.now() - 10) | 0);
    });
    await pause(20);
    expect(turns).toBeGreaterThan(20);
  });

  it("is woken by a byte long before the moment", async () => {
    const { desktop, pair } = await place();
    const far = await openPort({ path: pair.far, baud: 115200 });
    const into = new Uint8Array(1);
    let turns = 0;
    const woken = new Promise<void>((resolve) => {
      desktop.start(() => {
        turns += 1;
        if (desktop.hal.serial.read(into, 0, 1) === 1) resolve();
        desktop.hal.idle((desktop.hal.clock.now() + 3_600_000) | 0);
      });
    });
    await pause(50);
    expect(turns).toBe(1);
    far.write(Uint8Array.of(42), 0, 1);
    await woken;
    expect(into).toEqual(Uint8Array.of(42));
  });

  it("takes no turn after its stop", async () => {
    const { desktop } = await place();
    let turns = 0;
    desktop.start(() => {
      turns += 1;
      desktop.hal.idle((desktop.hal.clock.now() + 1) | 0);
    });
    desktop.stop();
    await pause(30);
    expect(turns).toBe(1);
  });
});

describe("the watchdog on a computer", () => {
  it("is silent while it is fed", async () => {
    const { desktop, hangs } = await place();
    desktop.hal.watchdog.start(100);
    for (let i = 0; i < 10; i++) {
      await pause(30);
      desktop.hal.watchdog.feed();
    }
    expect(hangs).toEqual([]);
  });

  it("reports a loop that stopped turning, and each further time-out", async () => {
    const { desktop, hangs } = await place();
    desktop.hal.watchdog.start(100);
    await pause(250);
    expect(hangs).toHaveLength(2);
    expect(hangs[0]).toBeGreaterThanOrEqual(100);
  });

  it("reports a turn that took too long, once it has ended", async () => {
    const { desktop, hangs } = await place();
    desktop.hal.watchdog.start(100);
    block(150);
    desktop.hal.watchdog.feed();
    expect(hangs).toEqual([expect.any(Number)]);
    await pause(50);
    expect(hangs).toHaveLength(1);
  });
});
