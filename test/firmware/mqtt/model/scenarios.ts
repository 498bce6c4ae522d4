/** What a client does in its life, one thing at a time: each is run in every way in which a link can hurt it. */
import { clientLeave } from "../../../../firmware/mqtt/client";
import { ClientState } from "../../../../firmware/mqtt/client-state";
import { createPublication } from "../../../../firmware/mqtt/publication";
import { subscribeAgain, SubscriptionState, unsubscribe } from "../../../../firmware/mqtt/subscriptions";
import { type QoS } from "mqtt-packet";
import { brokerPublishes } from "./broker";
import { inFive, type Scenario } from "./scenario";
import { publish, settle, start, subscribe, type World } from "./world";

const topics = ["out/0", "out/1", "out/2"] as const;
const filters = ["in/0", "in/1", "in/2"] as const;

function online(world: World): void {
  start(world);
  settle(world);
}

function say(world: World, qos: 0 | 1 | 2, ...payloads: readonly string[]): void {
  const publication = createPublication(topics[qos], qos, false, 40);
  for (const payload of payloads) publish(world, publication, topics[qos], payload);
}

function tell(world: World, qos: QoS, ...payloads: readonly string[]): void {
  for (const payload of payloads) brokerPublishes(world.broker, filters[qos], payload, qos);
}

const will = { topic: "state", payload: "offline", qos: 1, retain: true } as const;

const connects: readonly Scenario[] = [
  {
    name: "connect",
    options: { client: { will, userName: "u", password: "p" } },
    run: online,
    holds: ({ client }) => client.state === ClientState.Online,
  },
  {
    name: "subscribe, unsubscribe, subscribe",
    run(world) {
      const first = subscribe(world, "in/1", 1);
      const second = subscribe(world, "in/0", 0);
      online(world);
      unsubscribe(first);
      settle(world);
      subscribeAgain(first);
      unsubscribe(second);
      settle(world);
    },
    holds: ({ subscriptions: [first, second], broker }) =>
      first?.state === SubscriptionState.Granted &&
      second?.state === SubscriptionState.Off &&
      [...(broker.session?.filters.keys() ?? [])].join() === "in/1",
  },
  {
    name: "disconnect",
    run(world) {
      subscribe(world, "in/1", 1);
      online(world);
      say(world, 1, "last");
      tell(world, 1, "also last");
      clientLeave(world.client, world.wire.now, 30_000);
      settle(world);
      // What did not get through on the way out is there for the next time.
      online(world);
      clientLeave(world.client, world.wire.now, 30_000);
      settle(world);
      online(world);
    },
    holds: ({ broker }) => broker.goodbyes > 0,
  },
];

/** At each QoS, and once with all of them mixed. */
function messages(qos: 0 | 1 | 2): Scenario[] {
  const options = qos === 2 ? { exactlyOnce: { sending: 4, receiving: 20 } } : {};
  return [
    {
      name: `publish at QoS ${qos}`,
      options,
      run(world) {
        say(world, qos, "before");
        online(world);
        say(world, qos, "one", "two", "");
        settle(world);
        say(world, qos, "three");
        settle(world);
      },
    },
    {
      name: `receive at QoS ${qos}`,
      options,
      run(world) {
        subscribe(world, filters[qos], qos);
        online(world);
        tell(world, qos, "one", "two", "");
        settle(world);
        tell(world, qos, "three");
        settle(world);
      },
    },
  ];
}

export function mixed(highest: 1 | 2): Scenario {
  return {
    name: `publish and receive at every QoS up to ${highest}`,
    options: {
      habits: { window: 2, grant: highest, slow: true },
      client: { maxInFlight: 3 },
      ...(highest === 2 ? { exactlyOnce: { sending: 3, receiving: 2 } } : {}),
    },
    run(world) {
      for (let qos: 0 | 1 | 2 = 0; qos <= highest; qos++) subscribe(world, filters[asQos(qos)], asQos(qos));
      say(world, 1, "early");
      online(world);
      for (const word of ["one", "two"]) {
        for (let qos = highest; qos >= 0; qos--) {
          say(world, asQos(qos), word);
          tell(world, asQos(qos), word);
        }
      }
      settle(world);
    },
  };
}

function asQos(qos: number): 0 | 1 | 2 {
  return qos === 2 ? 2 : qos === 1 ? 1 : 0;
}

const all: readonly Scenario[] = [
  ...connects,
  ...messages(0),
  ...messages(1),
  mixed(1),
  ...messages(2),
  mixed(2),
];

export const scenarios: readonly Scenario[] = [...all, ...all.map(inFive)];
