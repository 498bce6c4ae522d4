/** Every scenario, on links that split and lose the stream at every byte of it, in both directions. */
import { describe, expect, it } from "vitest";
import { receiving } from "./receiving";
import { outcome, perform, type Scenario } from "./scenario";
import { scenarios } from "./scenarios";
import { type Cut, whole } from "./world";

/** Lua takes its time: what is cut after every byte in Node is cut there after every second, the long scenarios after every sixth. */
function strideOf(scenario: Scenario): number {
  if (process.env["MOTH_EXECUTOR"] !== "lua") return 1;
  return receiving.includes(scenario) ? 6 : 2;
}

/** Runs it with one cut after each byte of one direction, and gives what went wrong, by the byte. */
function atEveryByte(scenario: Scenario, direction: "out" | "in", how: Cut["how"]): string[] {
  const smooth = perform(scenario, () => undefined);
  const bytes = direction === "out" ? smooth.sent : smooth.received;
  const failures: string[] = [];
  for (let at = 0; at <= bytes; at += strideOf(scenario)) {
    const cut = { ...whole, how, [direction]: at };
    failures.push(...outcome(scenario, (world) => (world.cut = cut)).map((what) => `byte ${at}: ${what}`));
  }
  return failures;
}

describe.each([...scenarios, ...receiving])("$name", (scenario) => {
  it("[MQTT-7.0.0-2] goes well on a good link, with a broker that only does what it must", () => {
    expect(outcome(scenario, () => undefined)).toEqual([]);
  });

  it.each([
    [1, 2048],
    [3, 7],
    [4096, 1],
  ])("[MQTT-7.1.2-1] [P58] goes well when bytes come %i at a time, and leave in runs of %i", (piece, limit) => {
    expect(outcome(scenario, (world) => Object.assign(world, { piece, limit }))).toEqual([]);
  });

  it.each(["out", "in"] as const)("[MQTT-7.1.2-1] [P58] goes well when the stream is split at any byte: %s", (direction) => {
    expect(atEveryByte(scenario, direction, "pause")).toEqual([]);
  });

  it.each(["out", "in"] as const)("[MQTT-4.4.0-1] [MQTT-4.1.0-1] goes well when the link is lost after any byte: %s", (direction) => {
    expect(atEveryByte(scenario, direction, "drop")).toEqual([]);
  });

  it("[MQTT-4.4.0-1] [MQTT-4.6.0-1] goes well when the link takes everything, and loses it after any byte", () => {
    expect(atEveryByte(scenario, "out", "swallow")).toEqual([]);
  });

  it.each(["out", "in"] as const)("[MQTT-3.1.2-6] goes on when the session is lost with the link: %s", (direction) => {
    expect(atEveryByte(scenario, direction, "forget")).toEqual([]);
  });
});
