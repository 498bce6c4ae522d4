/** What is fuzzed: a client, brought to where a prelude ends, that is given bytes; and whether it did as the oracle says. */
import { LinkState } from "../../firmware/core/link";
import { addSubscription, clientPoll, clientStart, createClient } from "../../firmware/mqtt/client";
import { type Client, type ClientOptions, ClientState, Fault } from "../../firmware/mqtt/client-state";
import { createPublication } from "../../firmware/mqtt/publication";
import { publishText } from "../../firmware/mqtt/publish";
import { type Message, type Subscription, unsubscribe } from "../../firmware/mqtt/subscriptions";
import { QueueNumber } from "../../hal/hal";
import { queueNumber } from "../../hal/node/native";
import { createWire, type Wire } from "../firmware/mqtt/model/wire";
import { type Input } from "./input";
import { judge, type Verdict } from "./oracle";
import { filters, type Prelude, preludes, RECEIVE_SIZE, SUBSCRIBE_ID } from "./preludes";
import { createRandom } from "./random";

const EVERYTHING = 1_000_000;

const options: ClientOptions = {
  host: "broker",
  port: 1883,
  clientId: "f",
  cleanSession: false,
  keepAlive: 0,
  outboxSize: 128,
  outboxSlots: 4,
  receiveSize: RECEIVE_SIZE,
  subscribeRoom: 64,
  coalesce: 32767,
};

/** A client under test, with all that it may be changed by: the planted faults of the tests replace its parts. */
export interface Target {
  readonly client: Client;
  readonly wire: Wire;
  readonly messages: string[];
  readonly subscriptions: readonly Subscription[];
}

export type MakeClient = typeof createClient;

function hexAt(bytes: ArrayLike<number>, at: number, count: number): string {
  let text = "";
  for (let i = at; i < at + count; i++) text += (bytes[i] ?? 0).toString(16).padStart(2, "0");
  return text;
}

function createTarget(prelude: Prelude, make: MakeClient): Target {
  const wire = createWire(0);
  const client = make({ ...options, cleanSession: prelude.clean }, wire, { next: () => 0 }, {
    online: () => undefined,
    offline: () => undefined,
  });
  const messages: string[] = [];
  const subscriptions = filters.map(({ filter, qos }) => {
    const made = addSubscription(client, filter, qos, {
      message(_now, { bytes, topicAt, topicLength, payloadAt, payloadLength, flags }: Message) {
        messages.push(`${filter} ${flags} ${hexAt(bytes, topicAt, topicLength)} ${hexAt(bytes, payloadAt, payloadLength)}`);
      },
    });
    if (made === undefined) throw new Error(`no subscription to ${filter}`);
    return made;
  });
  return { client, wire, messages, subscriptions };
}

const telemetry = createPublication("t", 1, false, 8);

function say({ client, wire }: Target): void {
  clientPoll(client, 0);
  wire.take(EVERYTHING, EVERYTHING, 2048);
}

/** Brings the client to the end of a prelude. */
function arrange(prelude: Prelude, make: MakeClient): Target {
  const target = createTarget(prelude, make);
  const { client, wire, subscriptions } = target;
  clientStart(client, 0);
  clientPoll(client, 0);
  wire.up();
  say(target);
  if (!prelude.online) return target;
  wire.give([0x20, 2, 0, 0], EVERYTHING);
  say(target);
  if (prelude.granted !== undefined) {
    wire.give([0x90, 2 + prelude.granted.length, 0, SUBSCRIBE_ID, ...prelude.granted], EVERYTHING);
  }
  for (let i = 0; i < prelude.published; i++) publishText(client, telemetry, "x");
  say(target);
  const [, second] = subscriptions;
  if (prelude.leaving === true && second !== undefined) unsubscribe(second);
  say(target);
  return target;
}

/** Gives the stream in its pieces, and takes what the client answers. */
function feed({ wire, client }: Target, { bytes, split }: Input): number[] {
  const said: number[] = [];
  const random = createRandom(split);
  let at = 0;
  while (at < bytes.length && wire.state === LinkState.Up) {
    const piece = split === 0 ? bytes.length : split === 1 ? 1 : 1 + random.below(1 + random.below(40));
    const taken = wire.give([...bytes.subarray(at, at + piece)], EVERYTHING);
    at += taken;
    if (taken === 0) {
      const drained = wire.take(EVERYTHING, EVERYTHING, 2048);
      if (drained.length === 0) throw new Error(`the client takes no bytes, and has nothing to say: ${at} of ${bytes.length}`);
      said.push(...drained);
    }
  }
  clientPoll(client, 0);
  said.push(...wire.take(EVERYTHING, EVERYTHING, 2048));
  return said;
}

/** The identifiers of the PUBACKs among what was said; -1 for anything that a client has no business to say there. */
function pubacksIn(said: readonly number[], asks: boolean): number[] {
  const found: number[] = [];
  let at = 0;
  while (at < said.length) {
    const length = said[at + 1] ?? 0;
    // After CONNACK, the client asks for its subscriptions.
    if (!(asks && said[at] === 0x82)) {
      found.push(said[at] === 0x40 && length === 2 ? (said[at + 2] ?? 0) * 256 + (said[at + 3] ?? 0) : -1);
    }
    at += 2 + length;
  }
  return found;
}

function endOf(client: Client): string {
  switch (client.state) {
    case ClientState.Online:
    case ClientState.Connecting:
      return "open";
    case ClientState.Closing:
      return client.fault === Fault.Refused ? "refused" : client.fault === Fault.Violation ? "violation" : `fault ${client.fault}`;
    default:
      return `state ${client.state}`;
  }
}

/** A queue that says impossible things of itself was written to where it must not be. */
function tornQueue(name: string, queue: ArrayLike<number>, client: Client): string | undefined {
  const number = (key: QueueNumber): number => queueNumber(name === "outbox" ? client.outboxQueue : client.control, key);
  const used = number(QueueNumber.Used);
  const count = number(QueueNumber.Count);
  const due = number(QueueNumber.Due);
  const sound = used >= 0 && used <= queue.length && count >= 0 && due >= 0 && due <= count && (count > 0 || used === 0);
  return sound ? undefined : `the ${name} is torn: ${used} bytes, ${count} packets, ${due} due`;
}

function compare(target: Target, verdict: Verdict, said: readonly number[], asks: boolean): string | undefined {
  const { client, messages } = target;
  const { stats } = client;
  const end = endOf(client);
  if (end !== verdict.end) {
    if (end === "open") return `accepts a malformed packet: ${verdict.because}`;
    if (verdict.end === "open") return `takes good packets for a ${end}, breach ${client.breach}`;
    return `ends as ${end} what is ${verdict.end}: ${verdict.because}`;
  }
  if (messages.join("\n") !== verdict.messages.join("\n")) {
    return `delivers [${messages.join(", ")}] instead of [${verdict.messages.join(", ")}]`;
  }
  const pubacks = pubacksIn(said, asks);
  const due = verdict.end === "open" ? verdict.pubacks : verdict.pubacks.slice(0, pubacks.length);
  if (pubacks.join() !== due.join()) return `acknowledges [${pubacks.join()}] instead of [${due.join()}]`;
  const { received, oversize, unmatched, acknowledged, refusedFilters } = verdict;
  const counted = [stats.received, stats.oversize, stats.unmatched, stats.acknowledged, stats.subscriptionsRefused];
  const expected = [received, oversize, unmatched, acknowledged, refusedFilters];
  if (counted.join() !== expected.join()) return `counts ${counted.join()} instead of ${expected.join()}`;
  if (stats.violations !== (end === "violation" ? 1 : 0)) return `counts ${stats.violations} violations, and ends as ${end}`;
  return tornQueue("outbox", client.outboxQueue, client) ?? tornQueue("control ring", client.control, client);
}

/** What is wrong with what the client makes of an input; nothing when all is well. */
export function attempt(input: Input, make: MakeClient = createClient): string | undefined {
  const prelude = preludes[input.prelude];
  try {
    const target = arrange(prelude, make);
    const refusedBefore = target.client.stats.subscriptionsRefused;
    const said = feed(target, input);
    target.client.stats.subscriptionsRefused -= refusedBefore;
    return compare(target, judge(prelude, input.bytes), said, !prelude.online);
  } catch (error) {
    return `throws ${String(error)}`;
  }
}
