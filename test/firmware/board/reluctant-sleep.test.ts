/** A module without a reset line that is in the middle of something when it is ordered to sleep. */
import { describe, expect, it } from "vitest";
import { board } from "../../../firmware/board/board";
import { deepSleep } from "../../../firmware/board/deep-sleep";
import type { FaultName } from "../../../sim/faults";
import type { PersonalityName } from "../../../sim/module/personalities";
import { INTERVAL, SleepingBoard } from "./sleeping-board";
import { Terminal } from "./terminal";

const GENERATIONS: readonly PersonalityName[] = ["nonos-1.7", "esp-at-2.2", "esp-at-5"];

/** Awake for so few seconds that what takes long is still under way when the board leaves. */
function hasty(awakeAtMost: number): ReturnType<typeof board> {
  return board({
    name: "hasty",
    power: deepSleep({ awakeAtMost }),
    readings: {},
    relays: {},
    numbers: { interval: { unit: "s", min: 10, max: 86400, initial: INTERVAL } },
    telemetry: { every: "interval", fields: ["seq", "awake"] },
    rules: {},
  });
}

function started(personality: PersonalityName, options: ConstructorParameters<typeof SleepingBoard>[0] = {}): SleepingBoard {
  const rig = new SleepingBoard({ personality, machine: { resetLine: false }, ...options });
  rig.bench.machine.powerOn();
  return rig;
}

/** Lets time pass until the module gets a command that begins so. */
function until(rig: SleepingBoard, command: string): void {
  const from = rig.commands.length;
  for (let ms = 0; ms < 60_000; ms++) {
    rig.clock.runFor(1);
    if (rig.commands.slice(from).some((line) => line.startsWith(command))) return;
  }
  throw new Error(`no ${command} in a minute`);
}

function strike(rig: SleepingBoard, name: FaultName, argument: number): void {
  rig.bench.module.faults.strike(name, argument);
}

/** Seconds from now on until the module sleeps, a whole number. */
function secondsAwake(rig: SleepingBoard): number {
  let seconds = 0;
  while (!rig.asleep && seconds < INTERVAL) {
    rig.seconds(1);
    seconds++;
  }
  return seconds;
}

function refused(rig: SleepingBoard): string | undefined {
  return new Terminal(rig).look().askMap("status").get("power.refused");
}

/** The broker says nothing to a connect, and when its time is over the board closes the stream, which takes so long. */
function closingSlowly(personality: PersonalityName, delay: number): SleepingBoard {
  const rig = started(personality, { application: hasty(10) });
  rig.broker.mute("connack");
  until(rig, "AT+CIPCLOSE=0");
  strike(rig, "cmd.late_ok", delay);
  return rig;
}

function expectAllTold(rig: SleepingBoard): void {
  rig.broker.mute("connack", false);
  rig.seconds(4 * INTERVAL);
  const seqs = [...new Set(rig.told.map(({ seq }) => seq))];
  expect(seqs.length).toBeGreaterThanOrEqual(4);
  expect(seqs).toEqual(seqs.map((_, i) => i + 1));
}

describe.each(GENERATIONS)("%s, ordered to sleep while it closes its stream,", (personality) => {
  it.each([250, 400, 900, 1_700, 3_000])("is ordered again when that has ended after %i ms, whose OK is no consent", (delay) => {
    const rig = closingSlowly(personality, delay);
    // The board waits for three seconds for a stream to close; and an order after a call takes three and a half.
    expect(secondsAwake(rig)).toBeLessThanOrEqual(8);
    expect(refused(rig)).toBe("0");
    expectAllTold(rig);
  });

  it("is ordered for as long as the slowest connect takes", () => {
    const rig = closingSlowly(personality, 46_000);
    expect(secondsAwake(rig)).toBeLessThanOrEqual(51);
    expect(refused(rig)).toBe("0");
    expectAllTold(rig);
  });

  it("is ordered again when it was given up, at the rate that it has", () => {
    const rig = closingSlowly(personality, 100_000);
    rig.seconds(60);
    expect([rig.asleep, refused(rig)]).toEqual([false, "1"]);
    expect(secondsAwake(rig)).toBeLessThanOrEqual(60);
    expect(refused(rig)).toBe("1");
    expectAllTold(rig);
  });
});

describe.each(["esp-at-2.2", "esp-at-5"] as const)("%s, waiting for the rest of a reading when it is ordered to sleep,", (personality) => {
  it.each([1, 5, 10, 18])("hands no order to the broker as part of it (%i bytes were lost)", (lost) => {
    const rig = started(personality, { application: hasty(5) });
    rig.seconds(INTERVAL - 30);
    until(rig, "ATE0");
    const woken = rig.clock.now;
    until(rig, "AT+CIPSEND=0,1");
    // The prompt comes while the board is leaving, which it does 5 s after it woke, and not for longer than 3 s.
    strike(rig, "prompt.late", woken + 6_800 - rig.clock.now);
    strike(rig, "tx.drop", lost);
    const sent = rig.commands.length;
    const told = rig.told.length;
    rig.seconds(30);
    expect(rig.asleep).toBe(true);
    // The driver was stopped before it could find out.
    expect(rig.commands.slice(sent)).toEqual([expect.stringContaining("AT+GSLP")]);
    expect(rig.told.length).toBe(told);
    expect(rig.broker.faults).toEqual([]);
    rig.seconds(3 * INTERVAL);
    for (const { packet } of rig.broker.received) {
      if (packet.cmd === "publish") expect(packet.payload.toString()).not.toContain("GSLP");
    }
    expect([...new Set(rig.told.map(({ seq }) => seq))]).toEqual([1, 2, 3, 4, 5]);
  });
});
