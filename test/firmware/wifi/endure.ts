/** A session in which faults of the catalogue strike, each with the occasion that it needs, and how it stands afterwards. */
import { expect } from "vitest";
import type { WifiStatus } from "../../../firmware/wifi/module";
import { FAULTS, type FaultName } from "../../../sim/faults";
import type { ModuleName } from "../../../sim/modules";
import { SessionBench } from "./session-bench";

export const MODULES: readonly ModuleName[] = ["nonos-1.7", "esp-at-2.2", "esp-at-5", "ism43362"];

export interface Strike {
  readonly name: FaultName;
  /** In ms, from the beginning of the session. */
  readonly at: number;
  /** As the catalogue says; undefined: the usual one. */
  readonly argument?: number | undefined;
}

export interface Endured {
  readonly bench: SessionBench;
  /** The faults that struck, in their order. */
  readonly struck: readonly string[];
  /** The status when the session began. */
  readonly before: Readonly<WifiStatus>;
  /** From the last strike until everything was settled, in ms; Infinity if it was not within {@link BACK_WITHIN}. */
  readonly back: number;
}

/**
 * Board time, from the last strike, in which the board must be connected again and have made good whatever it owes, in
 * ms. What takes longest: a network that is away for a minute, and behind it the longest pause before a join; and, without
 * a reset pin, a module that has to be looked for at every rate.
 */
export const BACK_WITHIN = 120_000;

/** From one message at every QoS, both ways, to the next. */
const TALK_EVERY = 1500;
/** So long the talk goes on behind the last strike. What has not struck so long after that has had no occasion. */
const TALK_ON = 20_000;
const OCCASION_WITHIN = 40_000;
/** Until then the occasion of a fault comes by itself, if it does. */
const OCCASION_AFTER = 50;
const LOOK_EVERY = 100;

/** What only the reset pin ends, in which modules; without the pin nobody could do anything about it. */
const NEEDS_PIN: Partial<Record<FaultName, readonly ModuleName[]>> = {
  "module.hang": MODULES,
  "send.ok_never": MODULES,
  "cmd.busy_forever": ["nonos-1.7"],
};

export function needsPin(name: FaultName, personality: ModuleName): boolean {
  return NEEDS_PIN[name]?.includes(personality) === true;
}

/**
 * Whether a fault may put other bytes in the place of those of a message, so that nobody can tell: neither AT nor MQTT
 * has a checksum. NonOS waits for the rest of a payload that it has missed bytes of, and has no command to call it off:
 * without the reset pin it can only be given something for them.
 */
export function alters(name: FaultName, personality: ModuleName, resetLine: boolean): boolean {
  return name === "rx.corrupt" || (name === "tx.drop" && personality === "nonos-1.7" && !resetLine);
}

/** Without TLS it has nothing to strike at. */
export function hasOccasion(name: FaultName): boolean {
  return name !== "module.tls_oom";
}

/** Brings about what a fault waits for and a quiet session does not have. */
function bringAbout(name: FaultName, { clock, network, module }: SessionBench): void {
  switch (FAULTS[name].occasion) {
    case "the next boot":
    case "the next echo":
    case "the next join":
      clock.after(OCCASION_AFTER, () => module.crash());
      return;
    case "the next connect":
    case "the next look-up":
      clock.after(OCCASION_AFTER, () => network.killAll());
      return;
    default:
      // The only command of a session that is as long as that opens the link.
      if (name === "cmd.long") clock.after(OCCASION_AFTER, () => network.killAll());
  }
}

/** Lives through the strikes, and up to {@link BACK_WITHIN} more until everything is settled. */
export function endure(personality: ModuleName, resetLine: boolean, seed: number, strikes: readonly Strike[]): Endured {
  const struck: string[] = [];
  let last = 0;
  const maxBaud = personality === "ism43362" ? 115200 : 921600;
  const bench = new SessionBench({
    seed,
    personality,
    resetLine,
    driver: { maxBaud },
    observer: {
      fault: (name) => {
        struck.push(name);
        last = bench.clock.now;
      },
    },
  });
  const { clock, module } = bench;
  bench.start();
  const before = { ...bench.wifi.status };
  const from = clock.now;
  last = from;
  for (const { name, at, argument } of strikes) {
    clock.at(from + at, () => {
      module.faults.strike(name, argument);
      bringAbout(name, bench);
    });
  }
  const end = from + Math.max(...strikes.map(({ at }) => at)) + TALK_ON;
  bench.talk(TALK_EVERY, end);
  clock.runUntil(end);
  const waits = (): boolean => strikes.some(({ name }) => hasOccasion(name) && !struck.includes(name));
  while (waits() && clock.now < end + OCCASION_WITHIN) clock.runFor(LOOK_EVERY);
  module.faults.clear();
  while (!bench.settled && clock.now < last + BACK_WITHIN) clock.runFor(LOOK_EVERY);
  return { bench, struck, before, back: bench.settled ? clock.now - last : Infinity };
}

/** What a message may come to that other bytes were put in: it, and the one whose identifier they hit. */
const MOST_ALTERED = 4;

/**
 * Connected again within the bound, and every QoS has kept its promise. Where a fault may have altered messages that were
 * under way, those that are given afterwards arrive.
 */
export function expectHolds({ bench, back, before }: Endured, altered: boolean): void {
  const { client, wifi, wrong } = bench;
  if (altered) {
    expect(bench.works(BACK_WITHIN), bench.story).toBe(true);
    expect(wrong.length, wrong.join("; ")).toBeLessThanOrEqual(MOST_ALTERED);
  } else {
    expect(back, bench.story).toBeLessThan(BACK_WITHIN);
    expect(wrong).toEqual([]);
    expect(client.stats.violations).toBe(0);
  }
  expect(fallen(before, wifi.status)).toEqual([]);
  // Whoever loses a link gets another.
  if (client.stats.losses > 0) expect(grown(before, wifi.status)).toContain("opens");
}

/** Fields of a status that count nothing. */
const NO_COUNTERS: readonly string[] = ["way", "ssid", "signal", "joinFailure", "baud", "trust", "timeKnown"];

/** The counters that have grown; and `loss`, if there is another reason for one. */
export function grown(before: Readonly<WifiStatus>, after: Readonly<WifiStatus>): string[] {
  return changes(before, after).filter(([name, by]) => by > 0 || name === "loss").map(([name]) => name);
}

function fallen(before: Readonly<WifiStatus>, after: Readonly<WifiStatus>): string[] {
  return changes(before, after).filter(([name, by]) => by < 0 && name !== "loss").map(([name]) => name);
}

function changes(before: Readonly<WifiStatus>, after: Readonly<WifiStatus>): [string, number][] {
  const now = new Map<string, unknown>(Object.entries(after));
  return Object.entries(before).flatMap(([name, was]): [string, number][] => {
    const is = now.get(name);
    return typeof was !== "number" || typeof is !== "number" || is === was || NO_COUNTERS.includes(name) ? [] : [[name, is - was]];
  });
}
