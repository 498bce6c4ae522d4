/** MQTT 5.0 together with the other features: payloads in parts and from a source, "not now", acknowledgement by hand. */
import { describe, expect, it } from "vitest";
import { LinkLoss } from "../../../../firmware/core/link";
import { Breach } from "../../../../firmware/mqtt/breach";
import { PublishError } from "../../../../firmware/mqtt/client-state";
import { withProperties } from "../../../../firmware/mqtt/five/send";
import { outboxCount } from "../../../../firmware/mqtt/outbox";
import { createPublication } from "../../../../firmware/mqtt/publication";
import { type PayloadSource, publishFrom, SourceEnd } from "../../../../firmware/mqtt/publish-source";
import { createHold, notNow } from "../../../../firmware/mqtt/receive/hold";
import { createParts } from "../../../../firmware/mqtt/receive/parts";
import { createSources } from "../../../../firmware/mqtt/source/create";
import { putText, textAt } from "../../../../hal/node/native";
import { commands, describeMessage, exchange, passTime, publishes } from "../session";
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
