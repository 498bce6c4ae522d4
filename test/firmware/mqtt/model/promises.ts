/**
 * Anything that an application, a broker and a link may do, one step after the other, in any order: steps as data, so that
 * fast-check can make them up, and make what goes wrong shorter.
 */
import fc from "fast-check";
import { clientPoll, clientWait } from "../../../../firmware/mqtt/client";
import { LinkLoss, LinkState } from "../../../../firmware/core/link";
import { createPublication } from "../../../../firmware/mqtt/publication";
import { type ClientOptions } from "../../../../firmware/mqtt/client-state";
import { type Level as Protocol } from "./packets";
import { brokerAnswers, brokerHurries, brokerPublishes, type Habits } from "./broker";
import { carryIn, carryOut, createWorld, cutLink, forget, publish, settle, start, subscribe, turn, type World } from "./world";

export type Level = 0 | 1 | 2;

export type Step =
  | { readonly do: "publish" | "tell"; readonly qos: Level; readonly length: number }
  | { readonly do: "send" | "hear"; readonly bytes: number; readonly piece: number; readonly limit: number }
  | { readonly do: "answer"; readonly count: number; readonly hurry: boolean }
  | { readonly do: "lose"; readonly forget: boolean }
  | { readonly do: "time"; readonly ms: number };

/** How the world is that the steps are taken in. */
export interface Setting {
  /** MQTT 3.1.1 or 5.0. */
  readonly level: Protocol;
  readonly clock: number;
  readonly lastId: number;
  readonly maxInFlight: number;
  readonly outboxSize: number;
  readonly coalesce: number;
  /** Room for identifiers at QoS 2, of ours; of the broker's there is as much as it has messages under way. */
  readonly sending: number;
  readonly habits: Habits;
}

export const settings: fc.Arbitrary<Setting> = fc.record({
  level: fc.constantFrom(4, 5),
  clock: fc.integer(),
  lastId: fc.constantFrom(0, 3, 65530, 65535),
  maxInFlight: fc.constantFrom(1, 2, 3, 8),
  outboxSize: fc.constantFrom(120, 300, 600),
  coalesce: fc.constantFrom(1, 3, 32767),
  sending: fc.constantFrom(1, 2, 8),
  habits: fc.record({ window: fc.constantFrom(1, 3, 20), grant: fc.constant(2), slow: fc.boolean() }),
});

function messages(what: "publish" | "tell", highest: Level): fc.Arbitrary<Step> {
  const qos = fc.constantFrom<Level[]>(...([0, 1, 2] as const).filter((each) => each <= highest));
  return fc.record({ do: fc.constant(what), qos, length: fc.nat(50) });
}

function bytes(what: "send" | "hear"): fc.Arbitrary<Step> {
  return fc.record({
    do: fc.constant(what),
    bytes: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 200 })),
    piece: fc.constantFrom(1, 3, 2048),
    limit: fc.constantFrom(1, 7, 40, 2048),
  });
}

export function steps(highest: Level): fc.Arbitrary<Step[]> {
  const one = fc.oneof<fc.WeightedArbitrary<Step>[]>(
    { weight: 6, arbitrary: messages("publish", highest) },
    { weight: 4, arbitrary: messages("tell", highest) },
    { weight: 9, arbitrary: bytes("send") },
    { weight: 9, arbitrary: bytes("hear") },
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant("answer"), count: fc.integer({ min: 1, max: 6 }), hurry: fc.boolean() }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("lose"), forget: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("time"), ms: fc.integer({ min: 1, max: 30_000 }) }) },
  );
  return fc.array(one, { maxLength: 100, size: "max" });
}

const publications = [
  createPublication("out/0", 0, false, 60),
  createPublication("out/1", 1, false, 60),
  createPublication("out/2", 2, false, 60),
] as const;
const topicsIn = ["in/0", "in/1", "in/2"] as const;
const topicsOut = ["out/0", "out/1", "out/2"] as const;

function act(world: World, step: Step, number: number): void {
  const { broker, wire } = world;
  switch (step.do) {
    case "publish":
      publish(world, publications[step.qos], topicsOut[step.qos], `${number}${"x".repeat(step.length)}`);
      return;
    case "tell":
      brokerPublishes(broker, topicsIn[step.qos], `${number}${"y".repeat(step.length)}`, step.qos);
      return;
    case "send":
      world.piece = step.piece;
      world.limit = step.limit;
      carryOut(world, step.bytes);
      return;
    case "hear":
      world.piece = step.piece;
      carryIn(world, step.bytes);
      return;
    case "answer":
      if (step.hurry) brokerHurries(broker);
      brokerAnswers(broker, step.count);
      return;
    case "lose":
      cutLink(world, LinkLoss.Network);
      if (step.forget && !broker.connected) forget(world);
      return;
    case "time":
      wire.now = (wire.now + step.ms) | 0;
  }
}

/** Takes the steps, and then lets everything come to rest on a good link. */
export function live(
  setting: Setting,
  sequence: readonly Step[],
  highest: Level,
  options: Partial<ClientOptions> = {},
  plant: (world: World) => void = () => undefined,
): World {
  const { level, clock, lastId, maxInFlight, outboxSize, coalesce, sending, habits } = setting;
  const client = { maxInFlight, outboxSize, outboxSlots: 8, coalesce, receiveSize: 100, ...options };
  const exactlyOnce = { sending, receiving: habits.window };
  const world = createWorld({ client, level, habits, now: clock, ...(highest === 2 ? { exactlyOnce } : {}) });
  world.client.lastId = lastId;
  plant(world);
  for (let qos = 0; qos <= highest; qos++) {
    const at = qos === 2 ? 2 : qos === 1 ? 1 : 0;
    subscribe(world, topicsIn[at], at);
  }
  start(world);
  sequence.forEach((step, number) => {
    turn(world);
    act(world, step, number);
    clientPoll(world.client, world.wire.now);
  });
  // What was held up for too long may have ended the link meanwhile.
  if (world.wire.state === LinkState.Closing) turn(world);
  world.piece = 4096;
  world.limit = 2048;
  settle(world);
  // The client may find only now that an answer is overdue.
  world.wire.now = (world.wire.now + Math.min(1000, clientWait(world.client, world.wire.now))) | 0;
  settle(world);
  return world;
}
