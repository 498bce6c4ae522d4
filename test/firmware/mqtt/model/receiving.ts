/** What comes in to an application that takes its time, or takes large messages: the features of the receiving side. */
import { createPublication } from "../../../../firmware/mqtt/publication";
import { type Application, attend } from "./attend";
import { brokerPublishes } from "./broker";
import { inFive, type Scenario } from "./scenario";
import { publish, settle, start, type World, type WorldOptions } from "./world";

const LARGE = "0123456789".repeat(5);

const applications = new WeakMap<World, Application>();

function tell(world: World, ...payloads: readonly string[]): void {
  for (const payload of payloads) {
    brokerPublishes(world.broker, "in/1", payload, 1);
    brokerPublishes(world.broker, "in/2", payload, 2);
  }
}

/** At QoS 1 and 2, with something of the client's own among it. */
function scenario(name: string, options: WorldOptions): Scenario {
  const large = options.parts === true ? LARGE : "large";
  return {
    name,
    options: { ...options, exactlyOnce: { sending: 2, receiving: 20 } },
    run(world) {
      applications.set(world, attend(world));
      start(world);
      settle(world);
      tell(world, "one", large);
      publish(world, createPublication("out/2", 2, false, 20), "out/2", "own");
      settle(world);
      tell(world, `${large}!`);
      settle(world);
    },
    holds(world) {
      const app = applications.get(world);
      if (app === undefined || app.begun !== app.ended + app.aborted) return false;
      return (options.parts === true) === (app.ended > 0) && (world.held === undefined || world.held.refusals > 0);
    },
  };
}

const client = { receiveSize: 40 };

const all: readonly Scenario[] = [
  scenario("messages that are acknowledged by hand", { byHand: 3 }),
  scenario('messages to which the handler says "not now"', { hold: 60 }),
  scenario("messages in parts", { client, parts: true }),
  scenario('messages in parts, acknowledged by hand, after "not now"', { client, parts: true, byHand: 2, hold: 30 }),
];

export const receiving: readonly Scenario[] = [...all, ...all.map(inFive)];
