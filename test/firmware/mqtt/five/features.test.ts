/** MQTT 5.0 together with the other features: payloads in parts and from a source, "not now", a session that is kept. */
import { describe, expect, it } from "vitest";
import { LinkLoss } from "../../../../firmware/core/link";
import { Breach } from "../../../../firmware/mqtt/breach";
import { Fault, PublishError } from "../../../../firmware/mqtt/client-state";
import type { MessageProperties } from "../../../../firmware/mqtt/five";
import { refuseMessage } from "../../../../firmware/mqtt/five/create";
import { withProperties } from "../../../../firmware/mqtt/five/send";
import { outboxCount } from "../../../../firmware/mqtt/outbox";
import { createPublication, type Publication } from "../../../../firmware/mqtt/publication";
import { type PayloadSource, publishFrom, SourceEnd } from "../../../../firmware/mqtt/publish-source";
import { createKeeper } from "../../../../firmware/mqtt/keep/keep";
import { publishBytes, publishText } from "../../../../firmware/mqtt/publish";
import { createHold, notNow } from "../../../../firmware/mqtt/receive/hold";
import { createParts } from "../../../../firmware/mqtt/receive/parts";
import { createSources } from "../../../../firmware/mqtt/source/create";
import { putText, textAt } from "../../../../hal/node/native";
import { createMortalStorage } from "../keep/mortal-storage";
import { commands, describeMessage, exchange, fromBroker, passTime, publishes } from "../session";
import { begin, createFiveSession, type FiveSession, goodbyes, publish, settle, subscribe } from "./rig";
import { tellProperties } from "./wire";

const ALIASES = { aliasesIn: 2, aliasTopicSize: 32 };

/** Everything below `a/`, whole or in parts that are joined. */
function joining(): FiveSession & { heard: string[] } {
  const session = createFiveSession(ALIASES, { parts: createParts(), receiveSize: 64 }, true);
  const heard: string[] = [];
  let text = "";
  subscribe(session, "a/#", 2, {
    message: (_now, message) => heard.push(`whole ${describeMessage(message)}`),
    parts: {
      begin(_now, message, total) {
        text = "";
        heard.push(`begin ${describeMessage(message)} ${total}: ${tellProperties(session.five.properties).join(", ")}`);
      },
      part(_now, _message, bytes, at, count) {
        text += textAt(bytes, at, count);
      },
      end: () => heard.push(`end ${text.length}`),
      aborted: () => heard.push("aborted"),
    },
  });
  settle(session);
  return Object.assign(session, { heard });
}

describe("a payload in parts, in MQTT 5.0", () => {
  it("asks for packets of any size, and comes with its properties, whole or cut anywhere", () => {
    for (const chunk of [1, 7, 63, 1000]) {
      const session = joining();
      expect(session.five.parts.propertiesSize).toBeGreaterThan(0);
      publish(session, "a/b", "p".repeat(300), { contentType: "t" }, { qos: 1, messageId: 5 }, chunk);
      publish(session, "a/b", "q", { contentType: "u" }, {}, chunk);
      expect(session.heard).toEqual(["begin a/b  1 300: 3 t", "end 300", "whole a/b q 0"]);
      expect(commands(exchange(session))).toEqual(["puback"]);
    }
  });

  it("comes for an alias, too, and at QoS 2 once", () => {
    const session = joining();
    publish(session, "a/long/topic", "1", { topicAlias: 2 });
    publish(session, "", "p".repeat(300), { topicAlias: 2 }, { qos: 2, messageId: 5 }, 10);
    publish(session, "", "p".repeat(300), { topicAlias: 2 }, { qos: 2, messageId: 5, dup: true }, 10);
    expect(session.heard).toEqual(["whole a/long/topic 1 0", "begin a/long/topic  2 300: 35 2", "end 300"]);
    expect(commands(exchange(session))).toEqual(["pubrec", "pubrec"]);
  });

  it("is read over and acknowledged when its properties alone fill the buffer", () => {
    const session = joining();
    publish(session, "a/b", "p".repeat(300), { contentType: "t".repeat(80) }, { qos: 1, messageId: 5 }, 10);
    publish(session, "a/b", "next");
    expect(session.heard).toEqual(["whole a/b next 0"]);
    expect(session.client.stats.oversize).toBe(1);
    expect(commands(exchange(session))).toEqual(["puback"]);
  });

  it("that is refused by its handler is not the next message's refusal", () => {
    const session = createFiveSession({}, { parts: createParts(), receiveSize: 64 });
    const refuse = (): void => refuseMessage(session.five, 0x99);
    const nothing = (): undefined => undefined;
    subscribe(session, "a", 1, {
      message: nothing,
      parts: { begin: nothing, part: nothing, end: refuse, aborted: nothing },
    });
    settle(session);
    publish(session, "a", "p".repeat(300));
    publish(session, "a", "1", {}, { qos: 1, messageId: 1 });
    publish(session, "a", "p".repeat(300), {}, { qos: 1, messageId: 2 });
    publish(session, "a", "p".repeat(300));
    publish(session, "b", "p".repeat(300), {}, { qos: 1, messageId: 3 });
    expect(exchange(session)).toMatchObject([
      { cmd: "puback", messageId: 1, reasonCode: 0 },
      { cmd: "puback", messageId: 2, reasonCode: 0x99 },
      { cmd: "puback", messageId: 3, reasonCode: 0 },
    ]);
  });

  it("ends the link when its head is wrong", () => {
    const session = joining();
    publish(session, "a/b", "p".repeat(300), { topicAlias: 3 }, {}, 10);
    expect(session.heard).toEqual([]);
    expect(session.client.breach).toBe(Breach.TopicAlias);
    expect(goodbyes(exchange(session))).toEqual([0x94]);
    const other = joining();
    publish(other, "", "p".repeat(300), { topicAlias: 1 }, {}, 10);
    expect(goodbyes(exchange(other))).toEqual([0x82]);
  });
});

describe("a message that has to wait, in MQTT 5.0", () => {
  it("comes again with its properties, whatever came behind it", () => {
    const session = createFiveSession(ALIASES, { hold: createHold(256) }, true);
    const heard: string[] = [];
    let busy = true;
    subscribe(session, "a/#", 2, {
      message(_now, message) {
        if (busy && notNow(session.client)) return;
        heard.push([describeMessage(message), ...tellProperties(session.five.properties)].join(", "));
      },
    });
    settle(session);
    publish(session, "a/long", "1", { topicAlias: 1, contentType: "x" }, { qos: 1, messageId: 3 });
    expect(heard).toEqual([]);
    expect(exchange(session)).toEqual([]);
    passTime(session, 200);
    busy = false;
    passTime(session, 100);
    publish(session, "", "2", { topicAlias: 1 });
    expect(heard.map((line) => line.split(", ").sort().join(", "))).toEqual(["3 x, 35 1, a/long 1 1", "35 1, a/long 2 0"]);
    expect(commands(exchange(session))).toEqual(["puback"]);
  });
});

describe("a payload from a source, in MQTT 5.0", () => {
  function createSource(): PayloadSource & { ends: SourceEnd[] } {
    const ends: SourceEnd[] = [];
    return {
      ends,
      read(_offset, into, at, room) {
        return putText(into, at, "s".repeat(room));
      },
      ended: (end) => ends.push(end),
    };
  }

  it("[MQTT5-2.2.2-1] goes out behind its properties", () => {
    const session = createFiveSession({ aliasesOut: 1 }, { sources: createSources(128) });
    begin(session, { topicAliasMaximum: 1 });
    const bare = createPublication("a", 0, false, 0);
    const told = createPublication("b", 1, false, 0);
    withProperties(session.five, bare, {}, true);
    withProperties(session.five, told, { contentType: "t" }, false);
    const source = createSource();
    for (const publication of [bare, told, bare]) {
      expect(publishFrom(session.client, publication, source, 500)).toBe(true);
      const [packet] = exchange(session);
      if (packet?.cmd === "publish" && packet.messageId !== undefined && packet.qos === 1) {
        session.link.receive(Uint8Array.of(0x40, 2, 0, packet.messageId));
      }
      expect(packet).toMatchObject({ cmd: "publish", payload: Buffer.alloc(500, "s") });
      if (publication === told) expect(packet).toMatchObject({ topic: "b", properties: { contentType: "t" } });
    }
    expect(source.ends).toEqual([SourceEnd.Done, SourceEnd.Done, SourceEnd.Done]);
  });

  it("[MQTT5-3.2.2-15] is refused when the broker does not take so much, and dropped when it waited", () => {
    const session = createFiveSession({}, { sources: createSources(128) });
    const publication = createPublication("a", 1, false, 0);
    const source = createSource();
    expect(publishFrom(session.client, publication, source, 500)).toBe(true);
    begin(session, { maximumPacketSize: 200 });
    expect(publishes(exchange(session))).toEqual([]);
    expect(source.ends).toEqual([SourceEnd.TooLarge]);
    expect(outboxCount(session.client.outbox)).toBe(0);
    expect(publishFrom(session.client, publication, source, 500)).toBe(false);
    expect(session.client.publishError).toBe(PublishError.PacketTooLarge);
    expect(publishFrom(session.client, publication, source, 100)).toBe(true);
    expect(publishes(exchange(session))).toEqual([`a ${"s".repeat(100)} 1 2`]);
    session.link.down(LinkLoss.Peer);
    begin(session, { maximumPacketSize: 50 }, true);
    expect(publishes(exchange(session))).toEqual([]);
  });
});

describe("a payload from a source that waits, or that the broker does not take, in MQTT 5.0", () => {
  interface Sourcing {
    readonly session: FiveSession;
    readonly publication: Publication;
    readonly ends: SourceEnd[];
    readonly send: (length: number) => boolean;
  }

  function sourcing(qos: 0 | 1 | 2, properties: MessageProperties = {}, retain = false): Sourcing {
    const session = createFiveSession({}, { sources: createSources(128) }, true);
    const publication = createPublication("a", qos, retain, 0);
    withProperties(session.five, publication, properties, false);
    const ends: SourceEnd[] = [];
    const source: PayloadSource = {
      read: (_offset, into, at, room) => putText(into, at, "s".repeat(room)),
      ended: (end) => ends.push(end),
    };
    return { session, publication, ends, send: (length) => publishFrom(session.client, publication, source, length) };
  }

  it("[MQTT5-4.3.3-4] [MQTT5-4.4.0-2] is over when the acknowledgement tells of a failure, and its source is told that", () => {
    for (const qos of [1, 2] as const) {
      const { session, ends, send } = sourcing(qos);
      begin(session);
      expect(send(500)).toBe(true);
      exchange(session);
      fromBroker(session, { cmd: qos === 1 ? "puback" : "pubrec", messageId: 1, reasonCode: 0x97 });
      expect(ends).toEqual([SourceEnd.Rejected]);
      expect(session.told).toEqual([`${qos === 1 ? 4 : 5} reason 151 id 1 about a`]);
      expect(session.five.stats.rejected).toBe(1);
      expect(commands(exchange(session))).toEqual([]);
      session.link.down(LinkLoss.Peer);
      begin(session, {}, true);
      expect(commands(exchange(session))).toEqual([]);
      expect(send(10)).toBe(true);
      expect(commands(exchange(session))).toEqual(["publish"]);
      fromBroker(session, { cmd: qos === 1 ? "puback" : "pubrec", messageId: 2, reasonCode: 0x10 });
      expect(ends).toEqual([SourceEnd.Rejected, SourceEnd.Done]);
    }
  });

  it("has the interval that is left when it goes out, and is dropped when that is over", () => {
    for (const qos of [1, 2] as const) {
      const { session, ends, send } = sourcing(qos, { expiry: 10, contentType: "t" });
      send(300);
      passTime(session, 3500);
      begin(session);
      expect(exchange(session)).toMatchObject([{ cmd: "publish", properties: { messageExpiryInterval: 7, contentType: "t" } }]);
      const late = sourcing(qos, { expiry: 10 });
      late.send(300);
      passTime(late.session, 11000);
      begin(late.session);
      expect(commands(exchange(late.session))).toEqual([]);
      expect([ends, late.ends, late.session.five.stats.expired]).toEqual([[], [SourceEnd.Discarded], 1]);
    }
  });

  it("is not dropped for its age while it is going out", () => {
    const { session, ends, send } = sourcing(1, { expiry: 2 });
    begin(session);
    send(500);
    session.link.flush({ stopAfter: 200 });
    passTime(session, 5000);
    publishText(session.client, createPublication("b", 1, false, 5), "next");
    expect(publishes(exchange(session))).toEqual([`a ${"s".repeat(500)} 1 1`, "b next 1 2"]);
    expect([ends, session.five.stats.expired, session.client.fault]).toEqual([[], 0, Fault.None]);
    fromBroker(session, { cmd: "puback", messageId: 1 });
    expect(ends).toEqual([SourceEnd.Done]);
  });

  it("[MQTT5-3.2.2-15] is refused at once for its size with its properties, and for those alone when they fill the stage", () => {
    const { session, send } = sourcing(1, { contentType: "t".repeat(20) });
    begin(session, { maximumPacketSize: 200 });
    // First byte, two of length, topic, identifier, properties with their length.
    const head = 1 + 2 + 3 + 2 + 1 + 23;
    expect(send(201 - head)).toBe(false);
    expect(session.client.publishError).toBe(PublishError.PacketTooLarge);
    expect(send(200 - head)).toBe(true);
    expect(publishes(exchange(session))).toHaveLength(1);
    const full = sourcing(2, { contentType: "t".repeat(130) });
    begin(full.session);
    expect(full.send(10)).toBe(false);
    expect(full.session.client.publishError).toBe(PublishError.LargerThanStage);
    expect(publishText(full.session.client, createPublication("b", 1, false, 5), "next")).toBe(true);
    expect(commands(exchange(full.session))).toEqual(["publish"]);
  });

  it("[MQTT5-3.2.2-11] [MQTT5-3.2.2-14] is refused by name where the broker takes no such thing, and dropped when it waited", () => {
    for (const [qos, retain, grants, error] of [
      [2, false, { maximumQoS: 1 }, PublishError.QosTooHigh],
      [1, true, { retainAvailable: false }, PublishError.RetainRefused],
    ] as const) {
      const { session, ends, send } = sourcing(qos, {}, retain);
      expect(send(300)).toBe(true);
      begin(session, grants);
      expect(commands(exchange(session))).toEqual([]);
      expect(ends).toEqual([SourceEnd.Discarded]);
      expect(send(300)).toBe(false);
      expect(session.client.publishError).toBe(error);
    }
  });
});

describe("a session of MQTT 5.0 that is kept", () => {
  it("[MQTT5-3.1.2-23] goes on after a restart with the properties of its messages", () => {
    const storage = createMortalStorage();
    const start = (): FiveSession => {
      const keeper = createKeeper(storage, new Uint8Array(1024), { perMinute: 500 });
      return createFiveSession({}, { keeper, outboxSlots: 60, outboxSize: 4096 }, true);
    };
    const before = start();
    const letter = createPublication("l", 1, false, 20);
    withProperties(before.five, letter, { contentType: "t" }, false);
    publishText(before.client, letter, "one");
    publishBytes(before.client, letter, Buffer.from("two"), 0, 3);
    expect(storage.records.size).toBe(2);
    const board = start();
    expect(outboxCount(board.client.outbox)).toBe(2);
    begin(board, {}, true);
    const packets = exchange(board);
    expect(publishes(packets)).toEqual(["l one 1 1 dup", "l two 1 2 dup"]);
    for (const packet of packets) expect(packet).toMatchObject({ properties: { contentType: "t" } });
    for (const messageId of [1, 2]) fromBroker(board, { cmd: "puback", messageId, reasonCode: 0x80 });
    passTime(board, 0);
    expect(storage.records.size).toBe(0);
  });

  it("forgets on the medium, too, what the broker does not take and what has grown old", () => {
    const storage = createMortalStorage();
    const keeper = createKeeper(storage, new Uint8Array(1024), { perMinute: 500 });
    const session = createFiveSession({}, { keeper, outboxSlots: 60, outboxSize: 4096 }, true);
    const letter = createPublication("l", 1, false, 60);
    const quick = createPublication("q", 1, false, 60);
    withProperties(session.five, quick, { expiry: 2 }, false);
    publishText(session.client, letter, "p".repeat(60));
    publishText(session.client, quick, "old");
    expect(storage.records.size).toBe(2);
    passTime(session, 3000);
    begin(session, { maximumPacketSize: 40 });
    passTime(session, 1000);
    expect(session.five.stats).toMatchObject({ tooLarge: 1, expired: 1 });
    expect(storage.records.size).toBe(0);
  });
});
