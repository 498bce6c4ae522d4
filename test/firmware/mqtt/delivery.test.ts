/** The promise that everything else serves, on links that die at any byte: at least once, in order, never torn. */
import fc from "fast-check";
import { generate, type Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { LinkLoss, LinkState } from "../../../firmware/core/link";
import { addSubscription, clientPoll, clientStart, clientWait } from "../../../firmware/mqtt/client";
import { createPublication } from "../../../firmware/mqtt/publication";
import { publishText } from "../../../firmware/mqtt/publish";
import { SubscriptionState } from "../../../firmware/mqtt/subscriptions";
import { createListener, createSession, message, type Session, underWay } from "./session";
import { outboxCount, outboxUsed } from "../../../firmware/mqtt/outbox";
import { QueueNumber } from "../../../hal/hal";
import { queueNumber } from "../../../hal/node/native";

/** A broker with one client, which it may forget when the link is lost. */
interface Broker {
  knows: boolean;
  connected: boolean;
  /** What it has to say, in bytes, and has not got through yet. */
  replies: number[];
  /** The payloads in order of first arrival, and how often each came. */
  arrived: string[];
  times: Map<string, number>;
  subscribed: boolean;
  /** Commands for the client: the one that is in flight is sent again with DUP until it is acknowledged. */
  commands: string[];
  inFlight: boolean;
}

function createBroker(): Broker {
  return {
    knows: false,
    connected: false,
    replies: [],
    arrived: [],
    times: new Map(),
    subscribed: false,
    commands: [],
    inFlight: false,
  };
}

function reply(broker: Broker, packet: Packet): void {
  broker.replies.push(...generate(packet));
}

function sendCommand(broker: Broker, dup: boolean): void {
  const next = broker.commands[0];
  if (next === undefined || !broker.subscribed || !broker.connected) return;
  broker.inFlight = true;
  reply(broker, message("command", next, { qos: 1, messageId: 1, dup }));
}

function take(broker: Broker, packet: Packet): void {
  switch (packet.cmd) {
    case "connect":
      reply(broker, { cmd: "connack", returnCode: 0, sessionPresent: broker.knows });
      broker.subscribed = broker.subscribed && broker.knows;
      broker.knows = true;
      broker.connected = true;
      sendCommand(broker, broker.inFlight);
      return;
    case "publish": {
      const payload = packet.payload.toString();
      if (!broker.times.has(payload)) broker.arrived.push(payload);
      broker.times.set(payload, (broker.times.get(payload) ?? 0) + 1);
      if (packet.messageId !== undefined) reply(broker, { cmd: "puback", messageId: packet.messageId });
      return;
    }
    case "subscribe":
      broker.subscribed = true;
      reply(broker, { cmd: "suback", messageId: packet.messageId ?? 0, granted: [1] });
      if (!broker.inFlight) sendCommand(broker, false);
      return;
    case "puback":
      broker.commands.shift();
      broker.inFlight = false;
      sendCommand(broker, false);
      return;
    case "pingreq":
      reply(broker, { cmd: "pingresp" });
      return;
    default:
      throw new Error(`the client sent ${packet.cmd}`);
  }
}

type Step =
  | { readonly do: "publish"; readonly qos: 0 | 1; readonly length: number }
  | { readonly do: "command" }
  | { readonly do: "send"; readonly bytes: number; readonly limit: number; readonly take: number }
  | { readonly do: "hear"; readonly bytes: number; readonly chunk: number }
  | { readonly do: "lose"; readonly forget: boolean }
  | { readonly do: "time"; readonly ms: number };

const steps = fc.oneof<fc.WeightedArbitrary<Step>[]>(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("publish"), qos: fc.constantFrom(0, 1), length: fc.nat(60) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("command") }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("send"),
      bytes: fc.integer({ min: 1, max: 120 }),
      limit: fc.constantFrom(1, 7, 40, 2048),
      take: fc.constantFrom(1, 5, 2048),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("hear"),
      bytes: fc.integer({ min: 1, max: 60 }),
      chunk: fc.constantFrom(1, 3, 99),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("lose"), forget: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("time"), ms: fc.integer({ min: 1, max: 30000 }) }) },
);

const once = createPublication("t", 1, false, 80);
const gone = createPublication("live", 0, false, 80);

interface World {
  readonly session: Session;
  readonly broker: Broker;
  /** The QoS 1 messages that the outbox accepted, in order. */
  readonly accepted: string[];
  published: number;
  commanded: number;
}

/** The link comes up whenever it is asked for; what leaves reaches the broker, what the broker says is on its way. */
function turn({ session, broker }: World): void {
  clientPoll(session.client, session.link.now);
  if (session.link.state === LinkState.Opening) session.link.up();
  for (const packet of session.link.takePackets()) take(broker, packet);
}

function lose({ session, broker }: World, forget: boolean): void {
  if (session.link.state === LinkState.Down || session.link.state === LinkState.Opening) return;
  session.link.down(session.link.state === LinkState.Closing ? LinkLoss.Closed : LinkLoss.Network);
  session.link.takePackets();
  broker.replies = [];
  broker.connected = false;
  if (!forget) return;
  broker.knows = false;
  broker.subscribed = false;
  // A broker that forgets a session forgets what was in flight to it, too.
  if (broker.inFlight) broker.commands.shift();
  broker.inFlight = false;
}

function hear({ session, broker }: World, bytes: number, chunk: number): void {
  if (session.link.state !== LinkState.Up) return;
  const said = Uint8Array.from(broker.replies.slice(0, bytes));
  const left = session.link.receive(said, chunk);
  broker.replies.splice(0, said.length - left.length);
}

function act(world: World, step: Step): void {
  const { session, broker } = world;
  switch (step.do) {
    case "publish": {
      const text = `${world.published++} ${"x".repeat(step.length)}`;
      if (publishText(session.client, step.qos === 1 ? once : gone, text) && step.qos === 1) world.accepted.push(text);
      return;
    }
    case "command":
      broker.commands.push(`do ${world.commanded++}`);
      if (!broker.inFlight) sendCommand(broker, false);
      return;
    case "send":
      session.link.flush({ limit: step.limit, take: step.take, stopAfter: step.bytes });
      return;
    case "hear":
      hear(world, step.bytes, step.chunk);
      return;
    case "lose":
      for (const packet of session.link.takePackets()) take(broker, packet);
      lose(world, step.forget);
      return;
    case "time":
      session.link.now = (session.link.now + step.ms) | 0;
  }
}

describe("[MQTT-4.3.2-1] every QoS 1 message", () => {
  it("arrives at least once and in order, both ways, through any losses at any byte, the session kept or lost", () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 120, size: "max" }), fc.integer(), (sequence, clock) => {
        const session = createSession({ outboxSize: 500, outboxSlots: 6 }, clock);
        const listener = createListener();
        const subscription = addSubscription(session.client, "command", 1, listener);
        const world: World = { session, broker: createBroker(), accepted: [], published: 0, commanded: 0 };
        clientStart(session.client, clock);
        for (const step of sequence) {
          turn(world);
          act(world, step);
          if (session.link.state === LinkState.Closing) lose(world, false);
        }
        // From here on the link is good.
        for (let i = 0; i < 100; i++) {
          turn(world);
          if (session.link.state === LinkState.Closing) lose(world, false);
          session.link.flush();
          hear(world, 4096, 4096);
          if (session.link.state === LinkState.Down) {
            session.link.now = (session.link.now + clientWait(session.client, session.link.now)) | 0;
          }
        }
        const { client } = session;
        const promised = new Set(world.accepted);
        expect(world.broker.arrived.filter((text) => promised.has(text))).toEqual(world.accepted);
        for (const text of world.broker.arrived) if (!promised.has(text)) expect(world.broker.times.get(text)).toBe(1);
        expect(client.stats.violations).toBe(0);
        expect(outboxCount(client.outbox)).toBe(0);
        expect(queueNumber(client.outbox.queue, QueueNumber.Partial)).toBe(0);
        expect(underWay(session)).toBe(0);
        expect(outboxUsed(client.outbox)).toBe(0);
        expect(subscription?.state).toBe(SubscriptionState.Granted);
        expect(world.broker.commands).toEqual([]);
        const repeats = [...world.broker.times.values()].reduce((sum, times) => sum + times - 1, 0);
        expect(client.stats.retried).toBeGreaterThanOrEqual(repeats);
      }),
      { numRuns: 600 },
    );
  });
});
