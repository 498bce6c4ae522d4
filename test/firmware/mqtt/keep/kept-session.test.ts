/** The power fails at every step, and in every write: nothing that was accepted is lost, and QoS 2 comes once. */
import { describe, expect, it } from "vitest";
import { outboxCount } from "../../../../firmware/mqtt/outbox";
import { createMortalStorage, type MortalStorage } from "./mortal-storage";
import { command, createWorld, hear, publish, restart, send, settle, sleep, turn, type World } from "./world";

const SESSION_SLOT = 8;

/** What the power is cut in: after so many steps of the board, or in so many saves, before or after the record is there. */
interface Cut {
  readonly step: number;
  readonly save: number;
  readonly after: boolean;
}

/**
 * What happens, in steps: messages at each QoS while there is no session and while there is one, commands at both, bytes
 * that come and go a few at a time. `Infinity` steps are all of them. Gives whether it came to its end.
 */
function play(world: World, storage: MortalStorage, cut: Cut, from: number): number {
  storage.saves = 0;
  storage.cutIn = cut.save;
  storage.cutAfter = cut.after;
  let step = from;
  for (let i = 0; step < STEPS && storage.powered && i !== cut.step; i++, step++) {
    const what = step % 9;
    if (what === 0) publish(world, 1, `1a${step}`);
    else if (what === 1) publish(world, high, `${high}b${step}`);
    else if (what === 4 && step > 20) command(world, commandOf(step), qosOf(step));
    else if (what === 5) publish(world, high, `${high}d${step}`);
    else if (step > 12) {
      turn(world);
      send(world, 23);
      hear(world, 17);
      sleep(world);
    }
  }
  return step;
}

const STEPS = 90;
const high: 1 | 2 = 1;

function qosOf(step: number): 1 | 2 {
  return step % 2 === 0 ? 1 : high;
}

function commandOf(step: number): string {
  return `${qosOf(step)}c${step}`;
}

/** Whether a command may be missing: the power went when it was written down, and before it was carried out. */
function mayMiss(cut: Cut, storage: MortalStorage): boolean {
  return storage.cutSlot === SESSION_SLOT && cut.after;
}

function check(world: World, what: unknown, missing: number): void {
  const { broker, accepted, doubtful, obeyed } = world;
  const promised = new Set(accepted);
  const maybe = new Set(doubtful);
  const problems: string[] = [...broker.faults];
  for (const text of accepted) if (!broker.arrived.has(text)) problems.push(`${text} is lost`);
  for (const [text, times] of broker.arrived) {
    if (times > 1 && text.startsWith("2")) problems.push(`${text} came ${times} times`);
    if (!promised.has(text) && !maybe.has(text)) problems.push(`${text} was never accepted`);
  }
  const order = [...broker.arrived.keys()].filter((text) => promised.has(text));
  if (order.join() !== accepted.join()) problems.push(`${accepted.join()} came as ${order.join()}`);
  let missed = 0;
  for (let step = 22; step < STEPS; step++) {
    if (step % 9 !== 4) continue;
    const times = obeyed.get(commandOf(step)) ?? 0;
    if (times === 0) missed++;
    if (times > 1 && qosOf(step) === 2) problems.push(`${commandOf(step)} was obeyed ${times} times`);
  }
  if (missed > missing) problems.push(`${missed} commands were not obeyed`);
  if (broker.held() > 0) problems.push(`the broker still waits for ${broker.held()}`);
  if (outboxCount(world.run.client.outbox) > 0) problems.push("the board still waits");
  if (world.run.keeper.stats.held > 0) problems.push("something is kept that is over");
  expect({ what, problems }).toEqual({ what, problems: [] });
}

describe("a kept session", () => {
  it("goes through the scenario when nothing fails, and leaves the storage empty", () => {
    const storage = createMortalStorage();
    const world = createWorld(storage);
    play(world, storage, { step: -1, save: 0, after: false }, 0);
    settle(world);
    check(world, "no cut", 0);
    expect(world.accepted.length).toBeGreaterThan(20);
    expect([...storage.records.keys()].filter((slot) => slot > SESSION_SLOT)).toEqual([]);
  });

  it("[MQTT-4.1.0-1] [MQTT-4.3.2-1] [MQTT-4.3.3-1] [MQTT-4.3.3-2] survives a power cut after every step", () => {
    for (let step = 0; step < STEPS; step++) {
      const storage = createMortalStorage();
      const world = createWorld(storage);
      const reached = play(world, storage, { step, save: 0, after: false }, 0);
      storage.powerOn();
      restart(world);
      play(world, storage, { step: -1, save: 0, after: false }, reached);
      settle(world);
      check(world, { step }, 0);
    }
  });

  it.each([
    ["before", false],
    ["after", true],
  ])("survives a power cut in every save, %s the record is there", (_name, after) => {
    for (let save = 1; ; save++) {
      const storage = createMortalStorage();
      const world = createWorld(storage);
      const cut: Cut = { step: -1, save, after };
      const reached = play(world, storage, cut, 0);
      if (storage.powered) break;
      const missing = mayMiss(cut, storage) ? 1 : 0;
      storage.powerOn();
      restart(world);
      play(world, storage, { step: -1, save: 0, after: false }, reached);
      settle(world);
      check(world, { save, after }, missing);
    }
  });
});
