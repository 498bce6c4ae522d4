/** The statements about packets in general that no other suite carries. */
import { generate } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { LinkState } from "../../../../firmware/core/link";
import { createWriter } from "../../../../firmware/core/writer";
import { addPublication } from "../../../../firmware/mqtt/add-publication";
import { Breach } from "../../../../firmware/mqtt/breach";
import { addSubscription, clientLeave } from "../../../../firmware/mqtt/client";
import { Mistake } from "../../../../firmware/mqtt/client-state";
import { PacketType, writeFixedHeader } from "../../../../firmware/mqtt/packet";
import { createPublication } from "../../../../firmware/mqtt/publication";
import { publishText } from "../../../../firmware/mqtt/publish";
import { createReader, readerAttach, readerFeed } from "../../../../firmware/mqtt/reader";
import { SubscriptionState, unsubscribe } from "../../../../firmware/mqtt/subscriptions";
import { allocate } from "../../../../hal/node/native";
import { hex } from "../scripted-link";
import {
  commands,
  connect,
  createListener,
  createSession,
  dial,
  exchange,
  fromBroker,
  message,
  passTime,
  poll,
  publishes,
  raw,
  reconnect,
  type Session,
} from "../session";

const telemetry = createPublication("t", 1, false, 20);

function online(options = {}): Session {
  const session = createSession(options);
  connect(session);
  exchange(session);
  return session;
}

/** What the client says, in bytes, until it has nothing more to say. */
function said(session: Session): string {
  poll(session);
  return hex(session.link.flush());
}

/** Remaining lengths at the edges of what one to four bytes can say. [MQTT 3.1.1 §2.2.3] */
const edges: readonly (readonly [remaining: number, bytes: string])[] = [
  [0, "00"],
  [127, "7f"],
  [128, "8001"],
  [16383, "ff7f"],
  [16384, "808001"],
  [2097151, "ffff7f"],
  [2097152, "80808001"],
  [268435455, "ffffff7f"],
];

describe("a remaining length", () => {
  it.each(edges)("[P1] of %i is written as %s, no longer than it must be", (remaining, bytes) => {
    const writer = createWriter(allocate(1 + bytes.length / 2));
    writeFixedHeader(writer, PacketType.Publish, 0, remaining);
    expect(hex(Uint8Array.from(writer.bytes))).toBe(`30${bytes}`);
    expect(writer.overflow).toBe(false);
  });

  it.each(edges)("[P1] of %i is read out of %s", (remaining, bytes) => {
    const reader = createReader(16);
    readerAttach(reader, { packet: () => undefined, oversize: () => undefined, malformed: () => undefined });
    readerFeed(reader, 0, Uint8Array.from(Buffer.from(`30${bytes}`, "hex")), 0, 1 + bytes.length / 2);
    expect(reader.remaining).toBe(remaining);
  });

  it("[P1] [MQTT-4.8.0-1] of five bytes ends the link, whatever they say", () => {
    for (const fifth of [0x00, 0x01, 0x7f, 0x80]) {
      const session = online();
      raw(session, 0x30, 0x80, 0x80, 0x80, 0x80, fifth);
      expect(session.link.state).toBe(LinkState.Closing);
      expect(session.client.breach).toBe(Breach.RemainingLength);
    }
  });
});

describe("the first byte", () => {
  it("[MQTT-2.2.2-1] of everything that a client says has the flags that the table has", () => {
    const session = createSession({ keepAlive: 30 });
    const subscription = addSubscription(session.client, "a", 1, createListener());
    dial(session);
    fromBroker(session, { cmd: "connack", returnCode: 0, sessionPresent: false });
    const firsts = new Map<string, string>();
    function note(text: string): void {
      for (const packet of session.link.takePackets()) firsts.set(packet.cmd, hex(generate(packet)).slice(0, 2));
      expect(text).not.toBe("");
    }
    note("connect");
    note(said(session));
    fromBroker(session, { cmd: "suback", messageId: 1, granted: [1] });
    fromBroker(session, message("a", "x", { qos: 1, messageId: 9 }));
    note(said(session));
    if (subscription === undefined) throw new Error("no subscription");
    unsubscribe(subscription);
    note(said(session));
    fromBroker(session, { cmd: "unsuback", messageId: 2, granted: [] });
    passTime(session, 30_000);
    note(said(session));
    fromBroker(session, { cmd: "pingresp" });
    clientLeave(session.client, session.link.now, 1000);
    note(said(session));
    expect(Object.fromEntries(firsts)).toEqual({
      connect: "10",
      subscribe: "82",
      puback: "40",
      unsubscribe: "a2",
      pingreq: "c0",
      disconnect: "e0",
    });
  });
});

describe("a packet identifier", () => {
  it("[MQTT-2.3.1-3] stays with its message over every resend, and is not given again before PUBACK", () => {
    const session = online();
    publishText(session.client, telemetry, "stuck");
    expect(publishes(exchange(session))).toEqual(["t stuck 1 1"]);
    for (let link = 0; link < 3; link++) {
      reconnect(session, true);
      expect(publishes(exchange(session))).toEqual(["t stuck 1 1 dup"]);
    }
    session.client.lastId = 65535;
    publishText(session.client, telemetry, "next");
    expect(publishes(exchange(session))).toEqual(["t next 1 2"]);
    fromBroker(session, { cmd: "puback", messageId: 1 });
    session.client.lastId = 65535;
    publishText(session.client, telemetry, "free again");
    expect(publishes(exchange(session))).toEqual(["t free again 1 1"]);
  });

  it("[MQTT-2.3.1-6] [MQTT-2.3.1-7] is acknowledged by the packet that fits it, and by no other", () => {
    const session = createSession();
    const subscription = addSubscription(session.client, "a", 1, createListener());
    connect(session);
    publishText(session.client, telemetry, "x");
    expect(commands(exchange(session))).toEqual(["subscribe", "publish"]);
    expect([session.client.subscribeId, session.client.lastId]).toEqual([1, 2]);
    fromBroker(session, { cmd: "suback", messageId: 2, granted: [1] });
    fromBroker(session, { cmd: "unsuback", messageId: 1, granted: [] });
    fromBroker(session, { cmd: "puback", messageId: 1 });
    expect(subscription?.state).toBe(SubscriptionState.Asked);
    expect(session.client.stats.acknowledged).toBe(0);
    fromBroker(session, { cmd: "puback", messageId: 2 });
    fromBroker(session, { cmd: "suback", messageId: 1, granted: [1] });
    expect(subscription?.state).toBe(SubscriptionState.Granted);
    expect(session.client.stats.acknowledged).toBe(1);
  });
});

describe("a topic", () => {
  it.each(["a/b", "°C/Grüße", "日本/🦋", "\ufeffbom", " "])(
    "[MQTT-3.3.2-1] [MQTT-1.5.3-3] such as %j comes first in PUBLISH, in UTF-8",
    (topic) => {
      const session = online();
      publishText(session.client, createPublication(topic, 0, false, 10), "x");
      const bytes = Buffer.from(topic);
      expect(said(session)).toBe(
        hex(Uint8Array.from([0x30, 3 + bytes.length, 0, bytes.length, ...bytes, "x".charCodeAt(0)])),
      );
    },
  );

  it.each(["+", "#", "a/+", "a/#", "a+"])("[MQTT-4.7.1-1] [MQTT-3.3.2-2] such as %j cannot be published to", (topic) => {
    const { client } = online();
    expect(addPublication(client, topic, 0, false, 10)).toBeUndefined();
    expect(client.mistake).toBe(Mistake.TopicName);
  });

  it("[MQTT-4.7.3-2] [MQTT-1.5.3-2] [MQTT-4.7.3-1] [MQTT-4.7.3-3] is neither empty, nor too long, nor has U+0000", () => {
    const { client } = online({ outboxSize: 65_535 });
    for (const topic of ["", "a\0b", "x".repeat(65536)]) {
      client.mistake = Mistake.None;
      expect(addPublication(client, topic, 0, false, 10)).toBeUndefined();
      expect(client.mistake).toBe(Mistake.TopicName);
    }
    expect(addPublication(client, "x".repeat(65500), 0, false, 10)).toBeDefined();
  });
});

describe("filters", () => {
  it("[MQTT-3.8.3-1] [MQTT-3.10.3-1] are UTF-8, one behind the other, in SUBSCRIBE and in UNSUBSCRIBE", () => {
    const session = createSession();
    const filters = ["Grüße/+", "日本/🦋/#"];
    const made = filters.map((filter) => addSubscription(session.client, filter, 1, createListener()));
    connect(session);
    const texts = filters.map((filter) => {
      const bytes = Buffer.from(filter);
      return hex(Uint8Array.from([0, bytes.length, ...bytes]));
    });
    const asked = said(session);
    expect(asked.slice(4)).toBe(`0001${texts.map((text) => `${text}01`).join("")}`);
    expect(asked.startsWith("82")).toBe(true);
    fromBroker(session, { cmd: "suback", messageId: 1, granted: [1, 1] });
    for (const each of made) if (each !== undefined) unsubscribe(each);
    const ended = said(session);
    expect(ended.slice(4)).toBe(`0002${texts.join("")}`);
    expect(ended.startsWith("a2")).toBe(true);
  });

  it("[MQTT-3.9.3-1] [MQTT-3.8.4-5] are granted in the order in which they were asked for", () => {
    const session = createSession();
    const made = ["a", "b", "c", "d"].map((filter) => addSubscription(session.client, filter, 1, createListener()));
    connect(session);
    exchange(session);
    fromBroker(session, { cmd: "suback", messageId: 1, granted: [0, 128, 1, 0] });
    expect(made.map((each) => [each?.state, each?.granted])).toEqual([
      [SubscriptionState.Granted, 0],
      [SubscriptionState.Refused, 0],
      [SubscriptionState.Granted, 1],
      [SubscriptionState.Granted, 0],
    ]);
  });

  it("[P36] [MQTT-3.8.4-3] have their handler before the SUBACK is there, and while they are asked for again", () => {
    const session = createSession();
    const listener = createListener();
    addSubscription(session.client, "a", 1, listener);
    connect(session);
    exchange(session);
    fromBroker(session, message("a", "stored", { retain: true }));
    fromBroker(session, { cmd: "suback", messageId: 1, granted: [1] });
    reconnect(session, false);
    exchange(session);
    fromBroker(session, message("a", "stored", { retain: true }));
    expect(listener.heard).toEqual(["a stored 0 retain", "a stored 0 retain"]);
  });
});

describe("a message that comes in", () => {
  it("[MQTT-3.3.4-1] is answered as its QoS asks: nothing at 0, PUBACK at 1", () => {
    const session = online();
    fromBroker(session, message("a", "x"));
    expect(said(session)).toBe("");
    fromBroker(session, message("a", "x", { qos: 1, messageId: 0x1234 }));
    expect(said(session)).toBe("40021234");
  });

  it("[MQTT-4.5.0-2] is acknowledged though nobody wants it, it is too large, or it is the tenth of its kind", () => {
    const session = online({ receiveSize: 32 });
    for (let messageId = 1; messageId <= 10; messageId++) {
      fromBroker(session, message("a", "x".repeat(messageId * 6), { qos: 1, messageId }));
    }
    expect(session.link.takePackets()).toEqual([]);
    const acks = exchange(session).map(({ cmd, messageId }) => `${cmd} ${messageId ?? 0}`);
    expect(acks).toEqual(Array.from({ length: 10 }, (_, i) => `puback ${i + 1}`));
    expect(session.client.stats).toMatchObject({ unmatched: 4, oversize: 6 });
  });
});

describe("a session", () => {
  it("[MQTT-4.1.0-2] lasts as long as its link: nothing is asked or sent again on it, clean or not", () => {
    for (const cleanSession of [false, true]) {
      const session = createSession({ cleanSession, keepAlive: 0 });
      addSubscription(session.client, "a", 1, createListener());
      connect(session);
      exchange(session);
      fromBroker(session, { cmd: "suback", messageId: 1, granted: [1] });
      publishText(session.client, telemetry, "x");
      expect(publishes(exchange(session))).toEqual(["t x 1 2"]);
      for (let second = 0; second < 19; second++) passTime(session, 1000);
      expect(exchange(session)).toEqual([]);
      fromBroker(session, { cmd: "puback", messageId: 2 });
      passTime(session, 3_600_000);
      expect(exchange(session)).toEqual([]);
      expect(session.client.stats).toMatchObject({ sessions: 1, losses: 0, acknowledged: 1, retried: 0 });
    }
  });

  it("[P14] [MQTT-3.2.2-2] [MQTT-3.2.2-3] that is present goes on; one that is not begins anew, and the application is told", () => {
    for (const present of [true, false]) {
      const session = createSession();
      const subscription = addSubscription(session.client, "a", 1, createListener());
      connect(session);
      exchange(session);
      fromBroker(session, { cmd: "suback", messageId: 1, granted: [1] });
      publishText(session.client, telemetry, "owed");
      exchange(session);
      session.events.length = 0;
      reconnect(session, present);
      const said = exchange(session);
      expect(session.events.at(-1)).toBe(present ? "online, session present" : "online");
      expect(session.events.includes("session lost, 0 discarded")).toBe(!present);
      expect(commands(said)).toEqual(present ? ["publish"] : ["subscribe", "publish"]);
      expect(publishes(said)).toEqual([present ? "t owed 1 2 dup" : "t owed 1 2"]);
      expect(subscription?.state).toBe(present ? SubscriptionState.Granted : SubscriptionState.Asked);
    }
  });

  it("[MQTT-3.14.4-3] that ends in order says DISCONNECT, which cancels the will; one that fails does not", () => {
    const will = { topic: "w", payload: "gone", qos: 0, retain: false } as const;
    const leaving = online({ will });
    clientLeave(leaving.client, leaving.link.now, 1000);
    expect(said(leaving)).toBe("e000");
    expect(leaving.link.state).toBe(LinkState.Closing);
    const failing = online({ will });
    raw(failing, 0xf0, 0);
    expect(said(failing)).toBe("");
    expect(failing.link.state).toBe(LinkState.Closing);
  });
});

describe("an empty message", () => {
  it("[MQTT-3.3.1-10] [MQTT-3.3.1-11] is published and delivered as any other, retained or not", () => {
    const session = createSession();
    const listener = createListener();
    addSubscription(session.client, "a", 1, listener);
    connect(session);
    exchange(session);
    for (const retain of [false, true]) {
      publishText(session.client, createPublication("t", 0, retain, 10), "");
      fromBroker(session, message("a", "", { retain }));
    }
    expect(publishes(exchange(session))).toEqual(["t  0 0", "t  0 0 retain"]);
    expect(listener.heard).toEqual(["a  0", "a  0 retain"]);
  });
});

describe("UNSUBACK", () => {
  it("[MQTT-3.10.4-5] ends a subscription that the broker never knew", () => {
    const session = createSession();
    const subscription = addSubscription(session.client, "a", 1, createListener());
    if (subscription === undefined) throw new Error("no subscription");
    unsubscribe(subscription);
    connect(session, true);
    expect(commands(exchange(session))).toEqual(["unsubscribe"]);
    fromBroker(session, { cmd: "unsuback", messageId: 1, granted: [] });
    expect(subscription.state).toBe(SubscriptionState.Off);
    expect(commands(exchange(session))).toEqual([]);
  });
});
