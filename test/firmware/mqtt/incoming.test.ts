import fc from "fast-check";
import { generate, type Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { LinkState } from "../../../firmware/core/link";
import { addSubscription, clientAnnounce, clientLeave } from "../../../firmware/mqtt/client";
import { Breach } from "../../../firmware/mqtt/breach";
import { type ClientOptions, ClientState, Fault } from "../../../firmware/mqtt/client-state";
import { createPublication } from "../../../firmware/mqtt/publication";
import { publishText } from "../../../firmware/mqtt/publish";
import { controlUsed } from "../../../firmware/mqtt/sender";
import {
  type MessageHandler,
  subscribeAgain,
  type Subscription,
  SubscriptionState,
  unsubscribe,
} from "../../../firmware/mqtt/subscriptions";
import {
  commands,
  connect,
  createListener,
  createSession,
  describeMessage,
  exchange,
  finishClosing,
  fromBroker,
  message,
  passTime,
  poll,
  publishes,
  raw,
  type Session,
} from "./session";

function subscribe(session: Session, filter: string, handler: MessageHandler): Subscription {
  const subscription = addSubscription(session.client, filter, 1, handler);
  if (subscription === undefined) throw new Error(`the client refuses ${filter}`);
  return subscription;
}

/** Online, with every subscription asked for and granted. */
function settle(session: Session): void {
  connect(session);
  exchange(session);
  const { subscriptions, subscribeId } = session.client;
  const granted = subscriptions.map(() => 1);
  if (subscribeId !== 0) fromBroker(session, { cmd: "suback", messageId: subscribeId, granted });
}

/** Online, and all that comes below `a/` is written down. */
function listening(options: Partial<ClientOptions> = {}): { session: Session; heard: string[] } {
  const session = createSession(options);
  const listener = createListener();
  subscribe(session, "a/#", listener);
  settle(session);
  return { session, heard: listener.heard };
}

function pubacks(packets: readonly Packet[]): number[] {
  const ids: number[] = [];
  for (const packet of packets) {
    if (packet.cmd === "puback" && packet.messageId !== undefined) ids.push(packet.messageId);
  }
  return ids;
}

describe("a message that comes in", () => {
  it("is handed to every subscription that it matches, and to no other", () => {
    const session = createSession();
    const heard: string[] = [];
    for (const filter of ["a/+", "a/b", "#", "a/b/#", "b", "+/b", "/a/b"]) {
      subscribe(session, filter, { message: (_now, given) => heard.push(`${filter}: ${describeMessage(given)}`) });
    }
    settle(session);
    fromBroker(session, message("a/b", "hello"));
    expect(heard).toEqual(["a/+", "a/b", "#", "a/b/#", "+/b"].map((filter) => `${filter}: a/b hello 0`));
    expect(session.client.stats).toMatchObject({ received: 1, unmatched: 0 });
  });

  it("[MQTT-3.3.1-8] [MQTT-3.3.1-9] is handed over with its flags and its payload, byte by byte or whole", () => {
    for (const chunk of [1, 3, 1000]) {
      const { session, heard } = listening();
      fromBroker(session, message("a/b", "21.5"), chunk);
      fromBroker(session, message("a/b", "stored", { retain: true }), chunk);
      fromBroker(session, message("a/b", "again", { qos: 1, messageId: 7, dup: true }), chunk);
      fromBroker(session, message("a/b", "", { qos: 1, messageId: 8, retain: true }), chunk);
      fromBroker(session, message("a/°", "\ufeff°", { qos: 1, messageId: 65535 }), chunk);
      expect(heard).toEqual([
        "a/b 21.5 0",
        "a/b stored 0 retain",
        "a/b again 1 dup",
        "a/b  1 retain",
        "a/° \ufeff° 1",
      ]);
      expect(pubacks(exchange(session))).toEqual([7, 8, 65535]);
    }
  });

  it("[MQTT-4.3.2-2] is acknowledged after its handler, even when nobody wants it", () => {
    const session = createSession();
    const queued: number[] = [];
    subscribe(session, "a", { message: () => queued.push(controlUsed(session.client)) });
    settle(session);
    fromBroker(session, message("a", "x", { qos: 1, messageId: 3 }));
    expect(queued).toEqual([0]);
    fromBroker(session, message("nobody/wants", "x", { qos: 1, messageId: 4 }));
    expect(pubacks(exchange(session))).toEqual([3, 4]);
    expect(session.client.stats).toMatchObject({ received: 2, unmatched: 1 });
  });

  it("[MQTT-4.3.2-2] is a new message when its identifier comes again after the acknowledgement, DUP or not", () => {
    const { session, heard } = listening();
    fromBroker(session, message("a", "1", { qos: 1, messageId: 3 }));
    fromBroker(session, message("a", "2", { qos: 1, messageId: 3, dup: true }));
    expect(heard).toEqual(["a 1 1", "a 2 1 dup"]);
    expect(pubacks(exchange(session))).toEqual([3, 3]);
  });

  it("[MQTT-4.6.0-2] is acknowledged in the order of arrival", () => {
    const { session } = listening();
    for (const messageId of [9, 2, 700, 1]) fromBroker(session, message("a", "x", { qos: 1, messageId }));
    expect(pubacks(exchange(session))).toEqual([9, 2, 700, 1]);
  });

  it("[MQTT-4.7.2-1] of the broker's own `$SYS` does not reach a wildcard in the first place", () => {
    const session = createSession();
    const listener = createListener();
    subscribe(session, "#", listener);
    settle(session);
    fromBroker(session, message("$SYS/uptime", "1"));
    expect(listener.heard).toEqual([]);
    expect(session.client.stats.unmatched).toBe(1);
  });
});

describe("what MQTT does not allow", () => {
  const topic = [0, 1, 0x61];
  const filler = new Array<number>(124).fill(0x78);
  const bad: readonly (readonly [what: string, breach: Breach, bytes: readonly number[]])[] = [
    ["[MQTT-3.3.1-4] a PUBLISH at QoS 3", Breach.Qos3, [0x36, 6, ...topic, 0, 1, 0x78]],
    ["a PUBLISH at QoS 2, which nobody asked for", Breach.Qos2NotAsked, [0x34, 6, ...topic, 0, 1, 0x78]],
    ["[MQTT-3.3.1-2] a PUBLISH at QoS 0 with DUP", Breach.DupWithoutQos, [0x38, 4, ...topic, 0x78]],
    ["[MQTT-3.3.2-2] a PUBLISH to a topic with +", Breach.TopicWildcard, [0x30, 5, 0, 3, 0x61, 0x2f, 0x2b]],
    ["[MQTT-3.3.2-2] a PUBLISH to a topic with #", Breach.TopicWildcard, [0x30, 5, 0, 3, 0x61, 0x2f, 0x23]],
    ["[MQTT-4.7.3-1] a PUBLISH to an empty topic", Breach.TopicEmpty, [0x30, 2, 0, 0]],
    ["[MQTT-1.5.3-2] a PUBLISH to a topic with U+0000", Breach.TopicText, [0x30, 5, 0, 3, 0x61, 0, 0x62]],
    ["[MQTT-1.5.3-1] a PUBLISH to a topic with a surrogate", Breach.TopicText, [0x30, 5, 0, 3, 0xed, 0xa0, 0x80]],
    ["[MQTT-1.5.3-1] a PUBLISH to a topic with half a character", Breach.TopicText, [0x30, 4, 0, 2, 0x61, 0xc3]],
    ["[MQTT-2.3.1-1] a PUBLISH at QoS 1 with identifier 0", Breach.ZeroIdentifier, [0x32, 5, ...topic, 0, 0]],
    ["a PUBLISH whose topic is longer than the packet", Breach.Length, [0x30, 3, 0, 2, 0x61]],
    ["a PUBLISH at QoS 1 without an identifier", Breach.Length, [0x32, 3, ...topic]],
    ["a PUBLISH at QoS 1 with half an identifier", Breach.Length, [0x32, 4, ...topic, 1]],
    ["a PUBLISH of one byte", Breach.Length, [0x30, 1, 0]],
    ["a PUBLISH of no byte", Breach.Length, [0x32, 0]],
    ["a CONNECT", Breach.ClientPacket, [0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 30, 0, 0]],
    ["a SUBSCRIBE", Breach.ClientPacket, [0x82, 6, 0, 1, ...topic, 0]],
    ["an UNSUBSCRIBE", Breach.ClientPacket, [0xa2, 5, 0, 1, ...topic]],
    ["a PINGREQ", Breach.ClientPacket, [0xc0, 0]],
    ["a DISCONNECT", Breach.ClientPacket, [0xe0, 0]],
    ["a PUBREC of a flow that was never begun", Breach.Qos2NotAsked, [0x50, 2, 0, 1]],
    ["a PUBREL of a flow that was never begun", Breach.Qos2NotAsked, [0x62, 2, 0, 1]],
    ["a PUBCOMP of a flow that was never begun", Breach.Qos2NotAsked, [0x70, 2, 0, 1]],
    ["packet type 0", Breach.UnknownType, [0x00, 0]],
    ["packet type 15", Breach.UnknownType, [0xf0, 0]],
    ["[MQTT-2.2.2-2] a PINGRESP with flags", Breach.Flags, [0xd1, 0]],
    ["a PINGRESP with a body", Breach.Length, [0xd0, 1, 0]],
    ["[MQTT-2.2.2-2] a SUBACK with flags", Breach.Flags, [0x92, 3, 0, 1, 0]],
    ["a SUBACK without a code", Breach.Length, [0x90, 2, 0, 1]],
    ["[MQTT-2.2.2-2] an UNSUBACK with flags", Breach.Flags, [0xb2, 2, 0, 1]],
    ["an UNSUBACK of three bytes", Breach.Length, [0xb0, 3, 0, 1, 0]],
    ["a remaining length of five bytes", Breach.RemainingLength, [0x30, 0x80, 0x80, 0x80, 0x80, 0x01]],
    ["an oversize PUBLISH at QoS 2", Breach.Qos2NotAsked, [0x34, 0x81, 1, ...topic, 0, 1, ...filler]],
    ["an oversize PUBLISH at QoS 3", Breach.Qos3, [0x36, 0x81, 1, ...topic, 0, 1, ...filler]],
    ["an oversize PUBLISH at QoS 0 with DUP", Breach.DupWithoutQos, [0x38, 0x81, 1, ...topic, 0, 1, ...filler]],
    ["an oversize PUBLISH with identifier 0", Breach.ZeroIdentifier, [0x32, 0x81, 1, ...topic, 0, 0, ...filler]],
    ["an oversize PUBLISH to an empty topic", Breach.TopicEmpty, [0x32, 0x81, 1, 0, 0, 0, 1, 0x78, ...filler]],
    ["[MQTT-2.3.1-1] a PUBACK of identifier 0", Breach.ZeroIdentifier, [0x40, 2, 0, 0]],
    ["[MQTT-2.3.1-1] a SUBACK of identifier 0", Breach.ZeroIdentifier, [0x90, 3, 0, 0, 0]],
    ["[MQTT-2.3.1-1] an UNSUBACK of identifier 0", Breach.ZeroIdentifier, [0xb0, 2, 0, 0]],
    ["[MQTT-3.9.3-2] a SUBACK that nobody waits for, with a code that does not exist", Breach.SubackCodes, [0x90, 3, 0, 9, 3]],
    ["a second CONNACK", Breach.SecondConnack, [0x20, 2, 0, 0]],
    ["[MQTT-2.2.2-2] a PUBACK with flags", Breach.Flags, [0x42, 2, 0, 1]],
    ["a PUBACK of one byte", Breach.Length, [0x40, 1, 0]],
    ["a PUBACK of three bytes, which only MQTT 5.0 has", Breach.Length, [0x40, 3, 0, 1, 0]],
    ["a SUBACK that is longer than the reader's buffer", Breach.TooLarge, [0x90, 0x81, 1, ...topic, 1, 1, ...filler]],
  ];

  it.each(bad)("[MQTT-4.8.0-1] closes the link, once, and nothing behind it is acted on: %s", (_what, breach, bytes) => {
    for (const chunk of [1, 1000]) {
      const { session, heard } = listening();
      const follows = generate(message("a", "ghost", { qos: 1, messageId: 1 }));
      session.link.receive(Uint8Array.from([...bytes, ...follows]), chunk);
      expect(session.client.fault).toBe(Fault.Violation);
      expect(session.client.breach).toBe(breach);
      expect(session.client.state).toBe(ClientState.Closing);
      expect(session.link.closes).toBe(1);
      expect(session.client.stats.violations).toBe(1);
      expect(heard).toEqual([]);
      expect(session.link.flush()).toHaveLength(0);

      session.entropy = 1000;
      finishClosing(session);
      passTime(session, 999);
      expect(session.link.opened).toHaveLength(1);
      passTime(session, 1);
      expect(session.link.opened).toHaveLength(2);
      session.link.up();
      session.link.flush();
      raw(session, 0x20, 2, 1, 0);
      fromBroker(session, message("a", "fine"));
      expect(heard).toEqual(["a fine 0"]);
    }
  });

  it("lets the run that is under way go out whole before the link is closed", () => {
    const { session } = listening();
    publishText(session.client, createPublication("t", 1, false, 9), "123456789");
    session.link.flush({ stopAfter: 6 });
    raw(session, 0xf0, 0);
    session.link.flush();
    expect(publishes(session.link.takePackets())).toEqual(["t 123456789 1 2"]);
    expect(session.link.torn()).toBe(0);
  });

  it("never makes the client throw, and the next session works: any bytes after CONNACK", () => {
    const byte = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 4 }));
    const noise = fc.array(byte, { maxLength: 60 });
    const lead = fc.constantFrom(0x30, 0x32, 0x40, 0x90, 0xb0, 0xd0, 0x3b, 0x20, 0xff);
    fc.assert(
      fc.property(fc.array(fc.tuple(lead, noise)), fc.integer({ min: 1, max: 50 }), (packets, chunk) => {
        const { session, heard } = listening();
        const bytes = packets.flatMap(([first, body]) => [first, body.length, ...body]);
        session.link.receive(Uint8Array.from(bytes), chunk);
        exchange(session);
        if (session.link.state === LinkState.Up) session.client.link.close();
        finishClosing(session);
        connect(session, true);
        heard.length = 0;
        fromBroker(session, message("a", "fine", { qos: 1, messageId: 5 }));
        expect(heard).toEqual(["a fine 1"]);
        expect(pubacks(exchange(session))).toContain(5);
      }),
      { numRuns: 500 },
    );
  });
});

describe("a message that is too large", () => {
  const packets = [
    message("a/large", "x".repeat(200), { qos: 1, messageId: 0x0102 }),
    message("a/small", "y"),
    message("a/large", "x".repeat(126)),
    message(`a/${"long".repeat(60)}`, "z", { qos: 1, messageId: 0x0304 }),
    message("a/small", "w", { qos: 1, messageId: 5 }),
  ];
  const stream = Uint8Array.from(Buffer.concat(packets.map((packet) => generate(packet))));

  it("[MQTT-4.3.2-2] is read over, counted and acknowledged, and what follows is understood, split at any byte", () => {
    for (let split = 0; split < stream.length; split++) {
      const { session, heard } = listening();
      session.link.receive(stream.subarray(0, split));
      session.link.flush();
      session.link.receive(stream.subarray(split));
      expect(heard).toEqual(["a/small y 0", "a/small w 1"]);
      expect(session.client.stats).toMatchObject({ oversize: 3, received: 2, violations: 0 });
      expect(pubacks(exchange(session))).toEqual([0x0102, 0x0304, 5]);
    }
  });

  it.each([1, 2, 5, 64])("is read over in pieces of %i bytes", (chunk) => {
    const { session, heard } = listening();
    session.link.receive(stream, chunk);
    expect(heard).toEqual(["a/small y 0", "a/small w 1"]);
    expect(pubacks(exchange(session))).toEqual([0x0102, 0x0304, 5]);
  });

  it("and cut by the end of the link does not disturb the next session", () => {
    for (let length = 1; length < 150; length++) {
      const { session, heard } = listening();
      session.link.receive(stream.subarray(0, length));
      session.client.link.close();
      finishClosing(session);
      connect(session, true);
      fromBroker(session, message("a", "fine"));
      expect(heard).toEqual(["a fine 0"]);
      expect(session.client.stats).toMatchObject({ oversize: 0, violations: 0 });
    }
  });

  it("that comes on the way out does not spoil the farewell", () => {
    const { session } = listening({ farewell: { topic: "f", payload: "offline", qos: 0, retain: true } });
    clientLeave(session.client, session.link.now, 1000);
    poll(session);
    expect(session.client.state).toBe(ClientState.Leaving);
    fromBroker(session, message("a", "x".repeat(200)));
    expect(commands(exchange(session))).toEqual(["publish", "disconnect"]);
    expect(session.client.stats).toMatchObject({ oversize: 1, violations: 0 });
  });
});

describe("a handler", () => {
  const answers = createPublication("answer", 1, false, 20);

  it("may publish from within, and its answer follows the acknowledgement", () => {
    const session = createSession();
    subscribe(session, "a", { message: () => publishText(session.client, answers, "done") });
    settle(session);
    fromBroker(session, message("a", "do", { qos: 1, messageId: 9 }));
    expect(commands(exchange(session))).toEqual(["puback", "publish"]);
  });

  it("may end its own subscription from within, and take it up again", () => {
    const session = createSession();
    const heard: string[] = [];
    const subscription = subscribe(session, "a", {
      message(_now, given) {
        heard.push(describeMessage(given));
        unsubscribe(subscription);
      },
    });
    settle(session);
    fromBroker(session, message("a", "1", { qos: 1, messageId: 9 }));
    expect(commands(exchange(session))).toEqual(["puback", "unsubscribe"]);
    fromBroker(session, { cmd: "unsuback", messageId: session.client.unsubscribeId, granted: [] });
    expect(subscription.state).toBe(SubscriptionState.Off);
    fromBroker(session, message("a", "2"));
    expect(heard).toEqual(["a 1 1"]);
    subscribeAgain(subscription);
    expect(commands(exchange(session))).toEqual(["subscribe"]);
  });

  it("may take up another subscription from within", () => {
    const session = createSession();
    const listener = createListener();
    const other = subscribe(session, "b", listener);
    subscribe(session, "a", { message: () => subscribeAgain(other) });
    settle(session);
    unsubscribe(other);
    exchange(session);
    fromBroker(session, { cmd: "unsuback", messageId: session.client.unsubscribeId, granted: [] });
    fromBroker(session, message("a", "go"));
    expect(commands(exchange(session))).toEqual(["subscribe"]);
    fromBroker(session, message("b", "early"));
    expect(listener.heard).toEqual(["b early 0"]);
  });

  it("may leave from within: its message is acknowledged before the farewell", () => {
    const session = createSession({ farewell: { topic: "f", payload: "offline", qos: 0, retain: true } });
    subscribe(session, "a", { message: () => clientLeave(session.client, session.link.now, 1000) });
    settle(session);
    fromBroker(session, message("a", "stop", { qos: 1, messageId: 9 }));
    expect(commands(exchange(session))).toEqual(["puback", "publish", "disconnect"]);
  });

  it("may announce from within for every message of a flood, and each is acknowledged", () => {
    const session = createSession({ birth: { topic: "birth", payload: "x".repeat(60), qos: 0, retain: true } });
    subscribe(session, "a", { message: () => clientAnnounce(session.client) });
    settle(session);
    exchange(session);
    const flood = Uint8Array.from(
      Buffer.concat(Array.from({ length: 200 }, (_, id) => generate(message("a", "", { qos: 1, messageId: id + 1 })))),
    );
    const sent: Packet[] = [];
    let left: Uint8Array = flood;
    for (let turn = 0; turn < 100; turn++) {
      left = session.link.receive(left);
      poll(session);
      session.link.flush();
      sent.push(...session.link.takePackets());
    }
    sent.push(...exchange(session));
    expect(session.client.fault).toBe(Fault.None);
    expect(pubacks(sent)).toEqual(Array.from({ length: 200 }, (_, id) => id + 1));
    expect(publishes(sent).length).toBeGreaterThan(0);
    expect(publishes(sent).length).toBeLessThan(10);
  });
});
