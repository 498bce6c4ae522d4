/**
 * Every fault of the catalogue, in every generation in which it makes sense: the board is connected again within a bound,
 * and no byte is out of place on a link that is up.
 */
import { describe, expect, it } from "vitest";
import { FAULTS, type FaultName } from "../../../sim/faults";
import type { PersonalityName } from "../../../sim/module/personalities";
import { SimulatedBench } from "./simulated-bench";

const GENERATIONS: readonly PersonalityName[] = ["nonos-1.7", "esp-at-2.2", "esp-at-5"];
/** Board time in ms. A password that is refused twice in a row is the longest. */
const BACK_WITHIN = 150_000;
/** What only the reset pin ends, in which generations; without the pin nobody could do anything about it. */
const NEEDS_PIN: Partial<Record<FaultName, readonly PersonalityName[]>> = {
  "module.hang": GENERATIONS,
  "send.ok_never": GENERATIONS,
  "cmd.busy_forever": ["nonos-1.7"],
};

const names = Object.keys(FAULTS).filter((name): name is FaultName => name in FAULTS);

function strike(personality: PersonalityName, name: FaultName, resetLine: boolean): SimulatedBench {
  const on = new SimulatedBench({ seed: 11, personality, resetLine, driver: { maxBaud: 921600 } });
  on.user.reopenAfter = 500;
  on.user.open("broker", 1883);
  expect(on.until(() => on.user.state === "up", 30_000), "comes up").toBe(true);
  on.module.faults.strike(name);
  const from = on.clock.now;
  const talk = (): void => {
    on.userSends(200);
    on.peerSends(300);
    if (on.clock.now < from + 60_000) on.clock.after(1500, talk);
  };
  on.clock.after(100, talk);
  on.clock.runFor(60_000);
  on.module.faults.clear();
  const works = (): boolean => {
    const [sent, received] = [on.peer?.received.length ?? 0, on.user.inbox.length];
    on.userSends(100);
    on.peerSends(100);
    on.clock.runFor(2_000);
    return on.user.state === "up" && (on.peer?.received.length ?? 0) > sent && on.user.inbox.length > received;
  };
  const end = on.clock.now + BACK_WITHIN;
  while (!works() && on.clock.now < end) on.clock.runFor(500);
  expect(on.clock.now, JSON.stringify({ ...on.wifi.status, commands: on.commands.slice(-8), losses: on.user.losses })).toBeLessThan(end);
  return on;
}

describe.each(GENERATIONS)("with %s", (personality) => {
  it.each(names.filter((name) => FAULTS[name].notIn?.includes(personality) !== true))("%s is survived", (name) => {
    strike(personality, name, true);
    if (NEEDS_PIN[name]?.includes(personality) !== true) strike(personality, name, false);
  });
});
