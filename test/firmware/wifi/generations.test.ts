/** The driver finds out by itself which generation of firmware a module has, what state it is in, and how fast the line can be. */
import { describe, expect, it } from "vitest";
import type { PersonalityName } from "../../../sim/module/personalities";
import { SimulatedBench, type SimulatedOptions } from "./simulated-bench";

const GENERATIONS: readonly PersonalityName[] = ["nonos-1.7", "esp-at-2.2", "esp-at-5"];
const BAUD = 115200;
const FAST = 921600;

/** A board that may raise the rate, with a link that it has asked for. */
function bench(personality: PersonalityName, options: Partial<SimulatedOptions> = {}): SimulatedBench {
  const made = new SimulatedBench({ seed: 7, personality, ...options, driver: { maxBaud: FAST, ...options.driver } });
  made.user.reopenAfter = 500;
  made.user.open("broker", 1883);
  return made;
}

/** Bytes go both ways, at the same time, and arrive in order on a link that is not lost. */
function exchange(on: SimulatedBench): void {
  const [sent, received] = [on.peer?.received.length ?? 0, on.user.inbox.length];
  for (let i = 0; i < 5; i++) {
    on.userSends(1500);
    on.peerSends(2500);
    on.clock.runFor(1000);
  }
  const all = (): boolean => on.peer?.received.length === sent + 7500 && on.user.inbox.length === received + 12_500;
  expect(on.until(all, 20_000)).toBe(true);
  on.check();
}

function up(on: SimulatedBench): boolean {
  return on.user.state === "up";
}

describe.each(GENERATIONS)("a module with %s", (personality) => {
  it("is set up, joined and connected at the highest rate, without an error on the way", () => {
    const on = bench(personality);
    expect(on.until(() => up(on), 10_000)).toBe(true);
    exchange(on);
    expect(on.wifi.status).toMatchObject({
      baud: FAST, raises: 1, fallbacks: 0, resets: 1, timeouts: 0, resyncs: 0, busy: 0, damaged: 0, hunts: 0,
    });
    expect(on.user.losses).toEqual([]);
    on.clock.runFor(70_000);
    expect(on.wifi.status.signal).toBeLessThan(-20);
  });

  it("takes what a second run finds it at: every reboot is noticed, and the line raised again", () => {
    const on = bench(personality);
    for (let life = 1; life <= 3; life++) {
      expect(on.until(() => up(on), 40_000)).toBe(true);
      exchange(on);
      on.module.crash();
      expect(on.until(() => !up(on), 20_000)).toBe(true);
    }
    expect(on.until(() => up(on), 60_000)).toBe(true);
    expect(on.wifi.status.baud).toBe(FAST);
    on.check(20);
  });

  it("that refuses a send without a reason keeps its stream, and not a byte is lost or sent twice", () => {
    const on = bench(personality);
    expect(on.until(() => up(on), 10_000)).toBe(true);
    for (let refusals = 1; refusals <= 5; refusals++) {
      on.clock.runFor(100);
      on.module.faults.strike("cmd.error_spurious");
      on.userSends(300);
      on.clock.runFor(1000);
      expect(on.commands.filter((command) => command.startsWith("AT+CIPSTAT") && !command.includes("START"))).toHaveLength(refusals);
    }
    expect(on.peer?.received).toHaveLength(1500);
    expect(on.user.losses).toEqual([]);
    exchange(on);
  });

  it("is found without a reset by a board whose reset line leads nowhere", () => {
    const on = bench(personality, { resetConnected: false, startAfter: 2000 });
    expect(on.until(() => up(on), 40_000)).toBe(true);
    exchange(on);
  });

  it("is found at a rate that nobody has told the board", () => {
    for (const resetLine of [true, false]) {
      const on = bench(personality, { baud: 57600, resetLine, driver: { baud: BAUD } });
      on.line.host.setBaud(BAUD);
      expect(on.until(() => up(on), 60_000)).toBe(true);
      exchange(on);
      expect(on.wifi.status.baud).toBe(FAST);
    }
  });
});
