/**
 * Everything that a client can be made to say, over a whole session, in each version of the protocol: read by mqtt-packet,
 * and held against what was asked for. What CONNECT may carry in MQTT 5.0 besides is in `five/codec.test.ts`.
 */
import fc from "fast-check";
import { type Packet, type QoS } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { addSubscription, clientLeave } from "../../../../firmware/mqtt/client";
import { type ClientOptions } from "../../../../firmware/mqtt/client-state";
import { type Notice, type Protocol } from "../../../../firmware/mqtt/connect";
import { createExactlyOnce } from "../../../../firmware/mqtt/exactly-once/create";
import { type MessageProperties, type SubscriptionOptions } from "../../../../firmware/mqtt/five";
import { createFive } from "../../../../firmware/mqtt/five/create";
import { answerWith, withProperties } from "../../../../firmware/mqtt/five/send";
import { leaveWith } from "../../../../firmware/mqtt/five/session";
import { type FiveState } from "../../../../firmware/mqtt/five/state";
import { subscribeWith } from "../../../../firmware/mqtt/five/subscriptions";
import { createPublication } from "../../../../firmware/mqtt/publication";
import { publishBytes } from "../../../../firmware/mqtt/publish";
import { type Subscription, unsubscribe } from "../../../../firmware/mqtt/subscriptions";
import { createSession, dial, exchange, fromBroker, poll, type Session } from "../session";

/** With sanitizers, and everything that is read of a record comes from Lua. */
const numRuns = process.env["MOTH_EXECUTOR"] === "lua" ? 15 : 200;

const none: { requiredKeys: [] } = { requiredKeys: [] };
const words = fc.string({ unit: "grapheme", maxLength: 12 }).map((each) => each.replaceAll("\0", ""));
const names = fc.stringMatching(/^[a-z/°$]{1,12}$/u);
const filters = fc.oneof(names, fc.constantFrom("#", "+", "a/+/b", "a/#", "+/+", "/", "$share/g/a/#", "$share/h/+"));
const qos = fc.constantFrom<QoS>(0, 1, 2);
const data = fc.uint8Array({ maxLength: 30 });
const notice: fc.Arbitrary<Notice> = fc.record({ topic: names, payload: words, qos: fc.constant(0), retain: fc.boolean() });

const properties: fc.Arbitrary<MessageProperties> = fc.record(
  {
    expiry: fc.integer({ min: 0, max: 2147483646 }),
    text: fc.constant(true),
    contentType: words,
    responseTopic: names,
    correlation: words,
    userProperties: fc.uniqueArray(fc.record({ name: fc.stringMatching(/^[a-z]{1,8}$/), value: words }), {
      minLength: 1,
      maxLength: 3,
      selector: ({ name }) => name,
    }),
  },
  none,
);

const subscribed: fc.Arbitrary<SubscriptionOptions> = fc.record(
  {
    noLocal: fc.boolean(),
    retainAsPublished: fc.boolean(),
    retainHandling: fc.constantFrom<0 | 1 | 2>(0, 1, 2),
    identifier: fc.constantFrom(1, 127, 128, 268435455),
  },
  none,
);

const wishes = fc.record({
  clientId: fc.stringMatching(/^[a-z0-9]{1,23}$/),
  cleanSession: fc.boolean(),
  keepAlive: fc.integer({ min: 0, max: 65535 }),
  login: fc.option(fc.record({ userName: words, password: fc.option(words, { nil: undefined }) }), { nil: undefined }),
  will: fc.option(fc.record({ topic: names, payload: words, qos, retain: fc.boolean() }), { nil: undefined }),
  birth: fc.option(notice, { nil: undefined }),
  farewell: fc.option(notice, { nil: undefined }),
  subscriptions: fc.uniqueArray(fc.record({ filter: filters, qos, options: subscribed, leave: fc.boolean() }), {
    maxLength: 4,
    selector: ({ filter }) => filter,
  }),
  messages: fc.array(
    fc.record({
      topic: names,
      qos,
      retain: fc.boolean(),
      payload: data,
      properties,
      alias: fc.boolean(),
      reply: fc.option(fc.record({ topic: names, correlation: data }), { nil: undefined }),
    }),
    { maxLength: 5 },
  ),
  leave: fc.record({ keepWill: fc.boolean(), expiry: fc.constantFrom(-1, 0, 3600) }),
});

type Wish = typeof wishes extends fc.Arbitrary<infer T> ? T : never;

/** The aliases that the client may give out, all of which the broker takes. */
const ALIASES = 2;

/** A record of mqtt-packet without what varies in its form: prototypes, and what holds the bytes of data. */
function hexed(value: unknown): unknown {
  if (value instanceof Uint8Array) return `hex ${Buffer.from(value).toString("hex")}`;
  if (Array.isArray(value)) return value.map(hexed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, hexed(each)]));
}

/** The properties of a message, as mqtt-packet has them; undefined when there are none. */
function messageProperties(given: MessageProperties, more: object): object | undefined {
  const { expiry, text, contentType, responseTopic, correlation, userProperties } = given;
  const all = {
    ...(expiry !== undefined && { messageExpiryInterval: expiry }),
    ...(text === true && { payloadFormatIndicator: true }),
    ...(contentType !== undefined && { contentType }),
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlation !== undefined && { correlationData: Buffer.from(correlation) }),
    ...(userProperties !== undefined && { userProperties: Object.fromEntries(userProperties.map((one) => [one.name, one.value])) }),
    ...more,
  };
  return Object.keys(all).length === 0 ? undefined : all;
}

/** A client that wants all that is wished, and what was agreed with it. */
function arrange(level: Protocol, wish: Wish): { session: Session; five: FiveState | undefined; subscriptions: Subscription[] } {
  const { clientId, cleanSession, keepAlive, login, will, birth, farewell } = wish;
  const five = level === 5 ? createFive({ aliasesOut: ALIASES, expiries: 8 }) : undefined;
  const options: Partial<ClientOptions> = { clientId, cleanSession, keepAlive, ...login, will, birth, farewell, five };
  const exactlyOnce = createExactlyOnce({ sending: 8, receiving: 8 });
  const session = createSession({ ...options, protocol: level, exactlyOnce, subscribeRoom: 256 });
  const subscriptions = wish.subscriptions.map(({ filter, qos: wanted, options: how }) => {
    const made = addSubscription(session.client, filter, wanted, { message: () => undefined });
    if (made === undefined) throw new Error(`no subscription to ${filter}`);
    if (five !== undefined) expect(subscribeWith(made, legal(filter, how))).toBe(true);
    return made;
  });
  return { session, five, subscriptions };
}

/** What is shared is not kept from whoever has published it. [MQTT5-3.8.3-4] */
function legal(filter: string, options: SubscriptionOptions): SubscriptionOptions {
  return filter.startsWith("$share/") ? { ...options, noLocal: false } : options;
}

function expectConnect(level: Protocol, wish: Wish, packet: Packet | undefined): void {
  const { clientId, cleanSession, keepAlive, login, will } = wish;
  expect(packet).toMatchObject({
    cmd: "connect",
    protocolId: level === 3 ? "MQIsdp" : "MQTT",
    protocolVersion: level,
    clean: cleanSession,
    keepalive: keepAlive,
    clientId,
  });
  const read: unknown = hexed(packet);
  const said = typeof read === "object" && read !== null ? read : {};
  expect("username" in said ? said.username : undefined).toBe(login?.userName);
  const password = login?.password === undefined ? undefined : hexed(Buffer.from(login.password));
  expect("password" in said ? said.password : undefined).toBe(password);
  expect("will" in said).toBe(will !== undefined);
  if (will !== undefined) expect(read).toMatchObject({ will: { ...will, payload: hexed(Buffer.from(will.payload)) } });
}

/** What a SUBSCRIBE says of each filter, its identifier behind it. */
function subscribesIn(packets: readonly Packet[]): unknown[] {
  return packets.flatMap((packet) => {
    if (packet.cmd !== "subscribe") return [];
    const identifier = packet.properties?.subscriptionIdentifier ?? 0;
    return packet.subscriptions.map((each) => ({ ...each, identifier }));
  });
}

function wantedSubscribes(level: Protocol, { subscriptions }: Wish): unknown[] {
  return subscriptions.map(({ filter, qos: wanted, options }) => {
    if (level !== 5) return { topic: filter, qos: wanted, identifier: 0 };
    const { noLocal = false, retainAsPublished = false, retainHandling = 0, identifier = 0 } = legal(filter, options);
    return { topic: filter, qos: wanted, nl: noLocal, rap: retainAsPublished, rh: retainHandling, identifier };
  });
}

/** What the client says, and is answered as a broker does that takes everything; until it has no more to say. */
function talk(session: Session): Packet[] {
  const all: Packet[] = [];
  for (let packets = exchange(session); packets.length > 0; packets = exchange(session)) {
    all.push(...packets);
    for (const packet of packets) answer(session, packet);
  }
  return all;
}

function answer(session: Session, packet: Packet): void {
  const messageId = packet.messageId ?? 0;
  if (packet.cmd === "subscribe") {
    fromBroker(session, { cmd: "suback", messageId, granted: packet.subscriptions.map((each) => each.qos) });
  } else if (packet.cmd === "unsubscribe") {
    fromBroker(session, { cmd: "unsuback", messageId, granted: packet.unsubscriptions.map(() => 0) });
  } else if (packet.cmd === "publish" && packet.qos > 0) {
    fromBroker(session, { cmd: packet.qos === 1 ? "puback" : "pubrec", messageId });
  } else if (packet.cmd === "pubrel") {
    fromBroker(session, { cmd: "pubcomp", messageId });
  }
}

interface Said {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties?: object | undefined;
}

/** A PUBLISH, in a form in which two of them can be compared. None of these is sent a second time. */
function publishOf({ topic, payload, qos: level, retain, properties: all }: Said): unknown {
  const some = all !== undefined && Object.keys(all).length > 0;
  return hexed({ cmd: "publish", topic, payload: Buffer.from(payload), qos: level, retain, dup: false, ...(some && { properties: all }) });
}

/** Each PUBLISH as above, of the others their names. */
function told(packets: readonly Packet[]): unknown[] {
  return packets.map((packet) => (packet.cmd === "publish" ? hexed({ ...asSaid(packet), dup: packet.dup }) : packet.cmd));
}

function asSaid({ topic, payload, qos: level, retain, properties: all }: Said): object {
  const own = publishOf({ topic, payload, qos: level, retain, properties: all });
  return typeof own === "object" && own !== null ? own : {};
}

/** What comes behind a message whose PUBLISH is answered. */
const behind: Readonly<Record<QoS, readonly string[]>> = { 0: [], 1: [], 2: ["pubrel"] };

/**
 * Publishes every message twice, since an alias stands for its topic from the second time on; the second one is no answer
 * to anything. Gives what is to be said.
 */
function publishAll({ messages }: Wish, session: Session, five: FiveState | undefined): { said: unknown[]; due: unknown[] } {
  const said: unknown[] = [];
  const due: unknown[] = [];
  let aliases = 0;
  for (const { topic, qos: level, retain, payload, properties: given, alias, reply } of messages) {
    const publication = createPublication(topic, level, retain, 32);
    const number = five !== undefined && alias && level === 0 && aliases < ALIASES ? ++aliases : 0;
    // What an answer repeats is not said by its publication, too.
    const own = reply === undefined ? given : { ...given, correlation: undefined };
    if (five !== undefined) expect(withProperties(five, publication, own, number > 0)).toBe(true);
    for (const answers of [five !== undefined && reply !== undefined, false]) {
      if (five !== undefined && reply !== undefined && answers) answerNext(five, reply);
      const known = !answers && number > 0 && due.length > 0 && aliasIsKnown(said, number);
      const more = {
        ...(number > 0 && !answers && { topicAlias: number }),
        ...(answers && reply !== undefined && reply.correlation.length > 0 && { correlationData: Buffer.from(reply.correlation) }),
      };
      due.push(
        publishOf({
          topic: answers && reply !== undefined ? reply.topic : known ? "" : topic,
          payload: Buffer.from(payload),
          qos: level,
          retain,
          properties: five === undefined ? {} : messageProperties(own, more),
        }),
        ...behind[level],
      );
      expect(publishBytes(session.client, publication, payload.length === 0 ? Uint8Array.of(0) : payload, 0, payload.length)).toBe(true);
      said.push(...told(talk(session)));
    }
  }
  return { said, due };
}

/** Once a message has gone out with it and its topic. */
function aliasIsKnown(said: readonly unknown[], alias: number): boolean {
  return said.some((each) => JSON.stringify(each).includes(`"topicAlias":${alias}`));
}

interface Reply {
  readonly topic: string;
  readonly correlation: Uint8Array;
}

/** The next message goes to where a request wants its answer, and repeats what it is known by. */
function answerNext(five: FiveState, { topic, correlation }: Reply): void {
  const size = Buffer.byteLength(topic);
  answerWith(five, Uint8Array.from([...Buffer.from(topic), ...correlation]), 0, size, size, correlation.length);
}

function noticeOf(given: Notice | undefined): unknown[] {
  return given === undefined ? [] : [publishOf(given)];
}

function disconnectOf(level: Protocol, { cleanSession, leave }: Wish): object {
  if (level !== 5) return { cmd: "disconnect" };
  // A session that ends with its link cannot be given more.
  const expires = leave.expiry >= 0 && !cleanSession;
  const properties = expires ? { properties: { sessionExpiryInterval: leave.expiry } } : {};
  return { cmd: "disconnect", reasonCode: leave.keepWill ? 4 : 0, ...properties };
}

describe("what a client says is what it was asked for", () => {
  it.each([3, 4, 5] as const)("at protocol level %i", (level) => {
    fc.assert(
      fc.property(wishes, (wish) => {
        const { session, five, subscriptions } = arrange(level, wish);
        const { client, link } = session;
        dial(session);
        const [connect, ...rest] = link.takePackets();
        expectConnect(level, wish, connect);
        expect(rest).toEqual([]);

        const grants = level === 5 ? { reasonCode: 0, properties: { topicAliasMaximum: ALIASES } } : { returnCode: 0 };
        fromBroker(session, { cmd: "connack", sessionPresent: false, ...grants });
        poll(session);
        const first = talk(session);
        expect(told(first.filter(({ cmd }) => cmd !== "subscribe"))).toEqual(noticeOf(wish.birth));
        expect(new Set(subscribesIn(first))).toEqual(new Set(wantedSubscribes(level, wish)));

        const { said, due } = publishAll(wish, session, five);
        expect(said).toEqual(due);

        const ended = wish.subscriptions.filter((each) => each.leave).map(({ filter }) => filter);
        for (const [i, each] of wish.subscriptions.entries()) {
          const subscription = subscriptions[i];
          if (each.leave && subscription !== undefined) unsubscribe(subscription);
        }
        expect(talk(session).flatMap((packet) => (packet.cmd === "unsubscribe" ? packet.unsubscriptions : [packet.cmd]))).toEqual(ended);

        if (five !== undefined) leaveWith(five, wish.leave.keepWill, wish.leave.expiry);
        clientLeave(client, link.now, 1000);
        const last = exchange(session);
        expect(told(last.slice(0, -1))).toEqual(noticeOf(wish.farewell));
        expect(last.at(-1)).toMatchObject(disconnectOf(level, wish));
        if (level === 5 && wish.leave.expiry < 0) expect(last.at(-1)).not.toHaveProperty("properties.sessionExpiryInterval");
      }),
      { numRuns },
    );
  });
});
