/** What is fuzzed: a client, brought to where a prelude ends, that is given bytes; and whether it did as the oracle says. */
import { LinkLoss, LinkState } from "../../firmware/core/link";
import { addSubscription, clientPoll, clientStart, createClient } from "../../firmware/mqtt/client";
import { type Client } from "../../firmware/mqtt/client-state";
import { type ExactlyOnce } from "../../firmware/mqtt/exactly-once";
import { createExactlyOnce } from "../../firmware/mqtt/exactly-once/create";
import { authenticateAgain } from "../../firmware/mqtt/five/authenticate";
import { createFive } from "../../firmware/mqtt/five/create";
import { nextProperty, propertiesRewind } from "../../firmware/mqtt/five/properties";
import { type FiveState, type Report } from "../../firmware/mqtt/five/state";
import { createPublication } from "../../firmware/mqtt/publication";
import { publishText } from "../../firmware/mqtt/publish";
import { type Message, type Subscription, unsubscribe } from "../../firmware/mqtt/subscriptions";
import type { Bytes } from "../../hal/hal";
import { createWire, type Wire } from "../firmware/mqtt/model/wire";
import { hexOf, hexOfSpan, textOfProperty } from "./as-text";
import { compare, type Counted, countsOf } from "./compare";
import { type Input } from "./input";
import { judge, type Verdict } from "./oracle";
import {
  ALIAS_TOPIC_SIZE,
  ALIASES,
  filtersOf,
  NOT_BELIEVED,
  OWN_PAYLOAD,
  OWN_TOPIC,
  type Prelude,
  type PreludeName,
  preludes,
  PROOF,
  RECEIVE_SIZE,
  RECEIVING,
  SENDING,
  SUBSCRIBE_ID,
} from "./preludes";
import { createRandom } from "./random";

const EVERYTHING = 1_000_000;

/** A client under test, with all that it may be changed by: the planted faults of the tests replace its parts. */
export interface Target {
  readonly client: Client;
  readonly exactlyOnce: ExactlyOnce | undefined;
  readonly five: FiveState | undefined;
  readonly wire: Wire;
  readonly messages: string[];
  readonly told: string[];
  readonly subscriptions: readonly Subscription[];
}

export type MakeClient = typeof createClient;

function createSpeaker(prelude: Prelude, told: string[]): FiveState {
  const { method, largest } = prelude;
  const notBelieved = hexOf(NOT_BELIEVED, 0, NOT_BELIEVED.length);
  const authentication = method === undefined ? undefined : {
    method,
    room: PROOF.length,
    begin: () => 0,
    challenge(bytes: Bytes, at: number, count: number, into: Bytes) {
      for (const [i, byte] of PROOF.entries()) into[i] = byte;
      return hexOf(bytes, at, count) === notBelieved ? -1 : PROOF.length;
    },
    accepted: (bytes: Bytes, at: number, count: number) => hexOf(bytes, at, count) !== notBelieved,
  };
  return createFive({
    aliasesIn: ALIASES,
    aliasTopicSize: ALIAS_TOPIC_SIZE,
    maximumPacketSize: largest,
    authentication,
    expiries: 1,
    events: {
      told(_now, { packet, reason, id, topic, text, reference }: Report) {
        told.push(`${packet} ${reason} ${id} [${hexOfSpan(topic)}] [${hexOfSpan(text)}] [${hexOfSpan(reference)}]`);
      },
      unsent(_now, why, topic) {
        told.push(`unsent ${why} ${hexOfSpan(topic)}`);
      },
    },
  });
}

function createTarget(prelude: Prelude, make: MakeClient, receiveSize: number): Target {
  const { protocol, clean, nameless, resumed } = prelude;
  const wire = createWire(0);
  const messages: string[] = [];
  const told: string[] = [];
  const five = protocol === 5 ? createSpeaker(prelude, told) : undefined;
  const exactlyOnce =
    prelude.exactlyOnce === undefined ? undefined : createExactlyOnce({ sending: SENDING, receiving: RECEIVING });
  const options = {
    host: "broker",
    port: 1883,
    protocol,
    clientId: nameless === true ? "" : "f",
    cleanSession: clean,
    keepAlive: 0,
    outboxSize: 128,
    outboxSlots: 8,
    receiveSize,
    // After a resumption, what is said between the answers would change what the next packets mean.
    subscribeRoom: resumed === true ? 600 : 64,
    coalesce: 32767,
    five,
    exactlyOnce,
  };
  const client = make(options, wire, { next: () => 0 }, {
    online: (_now, sessionPresent) => void told.push(`online ${sessionPresent}`),
    offline: () => undefined,
    sessionLost: (_now, discarded) => void told.push(`lost ${discarded}`),
  });
  const subscriptions = filtersOf(prelude).map(({ filter, qos }) => {
    const made = addSubscription(client, filter, qos, {
      message(_now, { bytes, topicAt, topicLength, payloadAt, payloadLength, flags }: Message) {
        const properties = five === undefined ? "" : allProperties(five);
        const said = `${flags} ${hexOf(bytes, topicAt, topicLength)} ${hexOf(bytes, payloadAt, payloadLength)}`;
        messages.push(`${filter} ${said}${properties}`);
      },
    });
    if (made === undefined) throw new Error(`no subscription to ${filter}`);
    return made;
  });
  return { client, exactlyOnce, five, wire, messages, told, subscriptions };
}

function allProperties({ properties }: FiveState): string {
  let text = "";
  propertiesRewind(properties);
  while (nextProperty(properties)) text += textOfProperty(properties);
  return text;
}

const once = createPublication(OWN_TOPIC, 1, false, 8);
const twice = createPublication(OWN_TOPIC, 2, false, 8);

/** The client's turn, and all that it has to say. */
function say({ client, wire }: Target): number[] {
  clientPoll(client, 0);
  return wire.take(EVERYTHING, EVERYTHING, 2048);
}

function give({ wire }: Target, first: number, ...body: number[]): void {
  wire.give([first, body.length, ...body], EVERYTHING);
}

function dial(target: Target): void {
  clientPoll(target.client, 0);
  target.wire.up();
  target.wire.take(EVERYTHING, EVERYTHING, 2048);
}

/** Brings the client to the end of a prelude. */
function arrange(prelude: Prelude, make: MakeClient, receiveSize: number): Target {
  const target = createTarget(prelude, make, receiveSize);
  const { client, wire, messages, told } = target;
  clientStart(client, 0);
  dial(target);
  if (!prelude.online && prelude.resumed !== true) return target;
  live(target, prelude);
  if (prelude.resumed === true) {
    wire.down(LinkLoss.Peer);
    dial(target);
  }
  messages.length = 0;
  told.length = 0;
  return target;
}

/** A session up to where a prelude ends. */
function live(target: Target, prelude: Prelude): void {
  const { client, five, subscriptions } = target;
  const { method = "", granted, exactlyOnce, published } = prelude;
  const ofFive = five === undefined ? [] : [0];
  const named = method === "" ? ofFive : [3 + method.length, 21, 0, method.length, ...Buffer.from(method)];
  give(target, 0x20, 0, 0, ...named);
  say(target);
  if (granted !== undefined) give(target, 0x90, 0, SUBSCRIBE_ID, ...ofFive, ...granted);
  if (exactlyOnce !== undefined) {
    const { released, sent, received } = exactlyOnce;
    for (let i = 0; i < released + sent; i++) publishText(client, twice, OWN_PAYLOAD);
    say(target);
    for (let i = 0; i < released; i++) give(target, 0x50, 0, SUBSCRIBE_ID + 1 + i);
    for (const id of received) give(target, 0x34, 0, 1, 0x6e, 0, id, ...ofFive);
  }
  for (let i = 0; i < published; i++) publishText(client, once, OWN_PAYLOAD);
  for (const [alias, topic] of prelude.aliases ?? []) {
    give(target, 0x30, 0, topic.length, ...Buffer.from(topic), 3, 35, 0, alias);
  }
  const [, second] = subscriptions;
  if (prelude.leaving === true && second !== undefined) unsubscribe(second);
  if (prelude.again === true && five !== undefined && !authenticateAgain(five, client)) throw new Error("no authentication");
  say(target);
}

/** Gives the stream in its pieces, and takes what the client answers. */
function feed({ wire }: Target, { bytes, split }: Input): number[] {
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
  said.push(...wire.take(EVERYTHING, EVERYTHING, 2048));
  return said;
}

/** What a client has counted at the end of each prelude. */
const counts = new Map<PreludeName, Counted>();

function countsBefore(name: PreludeName): Counted {
  const known = counts.get(name) ?? countsOf(arrange(preludes[name], createClient, RECEIVE_SIZE));
  counts.set(name, known);
  return known;
}

/** What is wrong with what the client makes of an input; nothing when all is well. */
export function attempt(input: Input, make: MakeClient = createClient): string | undefined {
  return attemptWith(input, judge(preludes[input.prelude], input.bytes), RECEIVE_SIZE, make);
}

/** The same of a client that takes in packets of `receiveSize`, and is to be as `verdict` says. */
export function attemptWith(
  input: Input,
  verdict: Verdict,
  receiveSize: number,
  make: MakeClient = createClient,
): string | undefined {
  try {
    const before = countsBefore(input.prelude);
    const target = arrange(preludes[input.prelude], make, receiveSize);
    const said = feed(target, input);
    const told = [...target.told];
    const counted = countsOf(target);
    return compare(target, verdict, { said, told, before, counted, after: say(target) });
  } catch (error) {
    return `throws ${String(error)}`;
  }
}
