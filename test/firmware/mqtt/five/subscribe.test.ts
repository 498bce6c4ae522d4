import type { ISubscribePacket, Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { LinkLoss } from "../../../../firmware/core/link";
import { Breach } from "../../../../firmware/mqtt/breach";
import { ClientState } from "../../../../firmware/mqtt/client-state";
import { RetainHandling } from "../../../../firmware/mqtt/five";
import { subscribeWith } from "../../../../firmware/mqtt/five/subscriptions";
import { subscribeAgain, type Subscription, SubscriptionState, unsubscribe } from "../../../../firmware/mqtt/subscriptions";
import { createListener, dial, exchange, fromBroker, passTime, raw } from "../session";
import { begin, createFiveSession, type FiveSession, goodbyes, settle, subscribe } from "./rig";

const { Granted, Refused, Wanted, Off, Asked } = {
  Granted: SubscriptionState.Granted,
  Refused: SubscriptionState.Refused,
  Wanted: SubscriptionState.Wanted,
  Off: SubscriptionState.Off,
  Asked: SubscriptionState.Asked,
};

function wanting(...filters: string[]): FiveSession & { all: Subscription[] } {
  const session = createFiveSession({}, {}, true);
  const all = filters.map((filter) => subscribe(session, filter, 1, createListener()));
  return Object.assign(session, { all });
}

function subscribes(packets: readonly Packet[]): ISubscribePacket[] {
  return packets.filter((packet) => packet.cmd === "subscribe");
}

function states({ all }: { all: readonly Subscription[] }): number[] {
  return all.map(({ state }) => state);
}

describe("a SUBSCRIBE of MQTT 5.0", () => {
  it("[MQTT5-3.8.1-1] [MQTT5-3.8.3-1] [MQTT5-3.8.3-2] [MQTT5-3.8.3-5] asks for every filter at its QoS", () => {
    const session = wanting("a/+", "$share/g/b");
    begin(session);
    const [packet, ...more] = exchange(session);
    expect(more).toEqual([]);
    expect(packet).toMatchObject({
      cmd: "subscribe",
      subscriptions: [
        { topic: "a/+", qos: 1, nl: false, rap: false, rh: 0 },
        { topic: "$share/g/b", qos: 1, nl: false, rap: false, rh: 0 },
      ],
    });
    expect(packet).not.toHaveProperty("properties");
  });

  it("[MQTT5-3.8.3-3] asks for it to be served as the application wants", () => {
    const session = wanting("a", "b", "c");
    const [a, b, c] = session.all;
    if (a === undefined || b === undefined || c === undefined) throw new Error("three were wanted");
    expect(subscribeWith(a, { noLocal: true })).toBe(true);
    expect(subscribeWith(b, { retainAsPublished: true, retainHandling: RetainHandling.WhenNew })).toBe(true);
    expect(subscribeWith(c, { noLocal: true, retainAsPublished: true, retainHandling: RetainHandling.Never })).toBe(true);
    begin(session);
    expect(subscribes(exchange(session))[0]?.subscriptions).toEqual([
      { topic: "a", qos: 1, nl: true, rap: false, rh: 0 },
      { topic: "b", qos: 1, nl: false, rap: true, rh: 1 },
      { topic: "c", qos: 1, nl: true, rap: true, rh: 2 },
    ]);
  });

  it("[MQTT5-3.8.3-4] never asks a shared subscription to leave out what we publish", () => {
    const session = wanting("$share/g/a", "$shared/a");
    const [shared, other] = session.all;
    if (shared === undefined || other === undefined) throw new Error("two were wanted");
    expect(subscribeWith(shared, { noLocal: true })).toBe(false);
    expect(shared.options).toBeUndefined();
    expect(subscribeWith(other, { noLocal: true })).toBe(true);
    expect(subscribeWith(other, { identifier: 0 })).toBe(false);
    expect(subscribeWith(other, { identifier: 268435456 })).toBe(false);
    expect(subscribeWith(other, { identifier: 268435455 })).toBe(true);
  });

  it("goes out once for each subscription identifier", () => {
    const session = wanting("a", "b", "c", "d");
    const [a, b, c] = session.all;
    if (a === undefined || b === undefined || c === undefined) throw new Error("three were wanted");
    subscribeWith(a, { identifier: 7 });
    subscribeWith(b, { identifier: 300 });
    subscribeWith(c, { identifier: 7 });
    begin(session);
    const asked: string[] = [];
    for (;;) {
      const [packet] = subscribes(exchange(session));
      if (packet?.messageId === undefined) break;
      const topics = packet.subscriptions.map(({ topic }) => topic).join(" ");
      asked.push(`${packet.properties?.subscriptionIdentifier ?? 0}: ${topics}`);
      fromBroker(session, { cmd: "suback", messageId: packet.messageId, granted: packet.subscriptions.map(() => 1) });
    }
    expect(asked).toEqual(["7: a c", "300: b", "0: d"]);
    expect(states(session)).toEqual([Granted, Granted, Granted, Granted]);
  });

  it("has no subscription identifier for a broker that does not know them", () => {
    const session = wanting("a", "b");
    const [a] = session.all;
    if (a !== undefined) subscribeWith(a, { identifier: 7 });
    begin(session, { subscriptionIdentifiersAvailable: false });
    const [packet] = subscribes(exchange(session));
    expect(packet?.subscriptions).toHaveLength(2);
    expect(packet).not.toHaveProperty("properties");
  });

  it("does not ask for what the broker does not know, which the application is told", () => {
    const session = wanting("a/#", "$share/g/b", "c", "+/d");
    dial(session);
    session.link.takePackets();
    const properties = { wildcardSubscriptionAvailable: false, sharedSubscriptionAvailable: false };
    fromBroker(session, { cmd: "connack", returnCode: 0, reasonCode: 0, sessionPresent: false, properties });
    const [packet] = subscribes(exchange(session));
    expect(packet?.subscriptions.map(({ topic }) => topic)).toEqual(["c"]);
    expect(states(session)).toEqual([Refused, Refused, Asked, Refused]);
    expect(session.told).toEqual([
      "2 reason 0 id 0",
      "9 reason 162 id 0 about a/#",
      "9 reason 158 id 0 about $share/g/b",
      "9 reason 162 id 0 about +/d",
    ]);
    expect(session.client.stats.subscriptionsRefused).toBe(3);
    session.link.down(LinkLoss.Peer);
    begin(session);
    expect(subscribes(exchange(session))[0]?.subscriptions).toHaveLength(4);
    for (const subscription of session.all) subscribeAgain(subscription);
  });

  it("[MQTT5-3.2.2-15] is no larger than the broker takes: the rest goes in the next", () => {
    const session = wanting("filter/1", "filter/2", "filter/3", "x".repeat(40));
    begin(session, { maximumPacketSize: 30 });
    expect(states(session)).toEqual([Asked, Asked, Wanted, Refused]);
    const sizes: number[] = [];
    for (;;) {
      const [packet] = subscribes(exchange(session));
      if (packet?.messageId === undefined) break;
      sizes.push((packet.length ?? 0) + 2);
      fromBroker(session, { cmd: "suback", messageId: packet.messageId, granted: packet.subscriptions.map(() => 1) });
    }
    expect(sizes).toEqual([27, 16]);
    expect(states(session)).toEqual([Granted, Granted, Granted, Refused]);
    for (const subscription of session.all.slice(0, 3)) unsubscribe(subscription);
    const [packet] = exchange(session);
    expect(packet).toMatchObject({ cmd: "unsubscribe", unsubscriptions: ["filter/1", "filter/2"] });
  });
});

describe("a SUBACK of MQTT 5.0", () => {
  it("[MQTT5-3.9.3-1] [MQTT5-3.8.4-6] [MQTT5-3.8.4-7] grants and refuses by place; what is refused is told with its filter", () => {
    const session = wanting("a", "b", "c", "d");
    begin(session);
    exchange(session);
    const granted = [0, 0x87, 1, 0xa2];
    const properties = { reasonString: "two are not for you" };
    fromBroker(session, { cmd: "suback", messageId: session.client.subscribeId, granted, properties });
    expect(states(session)).toEqual([Granted, Refused, Granted, Refused]);
    expect(session.all.map((each) => each.granted)).toEqual([0, 0, 1, 0]);
    expect(session.told).toEqual([
      "9 reason 0 id 1 about a: two are not for you",
      "9 reason 135 id 1 about b: two are not for you",
      "9 reason 1 id 1 about c: two are not for you",
      "9 reason 162 id 1 about d: two are not for you",
    ]);
    expect(session.client.stats.subscriptionsRefused).toBe(2);
    passTime(session, 25000);
  });

  it("[MQTT5-3.9.3-2] that does not fit what was asked ends the link", () => {
    for (const codes of [[0], [0, 0, 0], [0, 2], [0, 3]]) {
      const session = wanting("a", "b");
      begin(session);
      exchange(session);
      raw(session, 0x90, 3 + codes.length, 0, 1, 0, ...codes);
      expect(session.client.state).toBe(ClientState.Leaving);
      expect(goodbyes(exchange(session))).toEqual([0x82]);
    }
  });

  it("[MQTT5-2.2.1-6] for another SUBSCRIBE is no answer", () => {
    const session = wanting("a");
    begin(session);
    exchange(session);
    raw(session, 0x90, 4, 0, 9, 0, 0x80);
    expect(states(session)).toEqual([Asked]);
    expect(session.client.state).toBe(ClientState.Online);
  });
});

describe("an UNSUBSCRIBE of MQTT 5.0", () => {
  it("[MQTT5-3.10.1-1] [MQTT5-3.10.3-1] [MQTT5-3.10.3-2] [MQTT5-3.11.3-1] is answered with a code for each filter", () => {
    const session = wanting("a", "b");
    settle(session);
    for (const subscription of session.all) unsubscribe(subscription);
    const [packet] = exchange(session);
    expect(packet).toMatchObject({ cmd: "unsubscribe", unsubscriptions: ["a", "b"] });
    fromBroker(session, { cmd: "unsuback", messageId: session.client.unsubscribeId, granted: [0x11, 0x83] });
    expect(states(session)).toEqual([Off, Off]);
    expect(session.told).toEqual(["11 reason 131 id 2 about b"]);
    passTime(session, 25000);
    expect(session.client.state).toBe(ClientState.Online);
  });

  it("[MQTT5-3.11.3-2] whose answer does not fit ends the link", () => {
    for (const codes of [[0], [0, 0, 0], [0, 1]]) {
      const session = wanting("a", "b");
      settle(session);
      for (const subscription of session.all) unsubscribe(subscription);
      exchange(session);
      raw(session, 0xb0, 3 + codes.length, 0, session.client.unsubscribeId, 0, ...codes);
      expect(session.client.state).toBe(ClientState.Leaving);
    }
    const session = wanting("a");
    settle(session);
    raw(session, 0xb0, 4, 0, 9, 0, 0x80);
    expect(session.client.state).toBe(ClientState.Online);
    expect(session.client.breach).toBe(Breach.None);
  });
});
