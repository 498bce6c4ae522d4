import type { IPublishPacket, Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { LinkLoss } from "../../../../firmware/core/link";
import { ClientState } from "../../../../firmware/mqtt/client-state";
import type { MessageProperties } from "../../../../firmware/mqtt/five";
import { withProperties } from "../../../../firmware/mqtt/five/send";
import type { FiveOptions } from "../../../../firmware/mqtt/five/state";
import { outboxCount, outboxUsed } from "../../../../firmware/mqtt/outbox";
import type { Qos } from "../../../../firmware/mqtt/packet";
import { createPublication, type Publication } from "../../../../firmware/mqtt/publication";
import { canPublish, publishBegin, publishBytes, publishEnd, publishText } from "../../../../firmware/mqtt/publish";
import { exchange, fromBroker, passTime, publishes } from "../session";
import { begin, createFiveSession, type FiveSession } from "./rig";

function messages(packets: readonly Packet[]): IPublishPacket[] {
  return packets.filter((packet) => packet.cmd === "publish");
}

/** A session, and something to publish in it. */
function publishing(
  qos: Qos,
  properties: MessageProperties,
  alias = false,
  own: FiveOptions = {},
): FiveSession & { publication: Publication } {
  const session = createFiveSession({ aliasesOut: 2, ...own }, {}, true);
  const publication = createPublication("a/b", qos, false, 40);
  expect(withProperties(session.five, publication, properties, alias)).toBe(true);
  return Object.assign(session, { publication });
}

const SIZED: MessageProperties = { contentType: "t" };

describe("a publish of MQTT 5.0", () => {
  it("[MQTT5-2.2.2-1] [MQTT5-2.2.1-2] [MQTT5-3.3.1-2] says that it has no properties", () => {
    const session = createFiveSession({}, { outboxSlots: 16 }, true);
    begin(session);
    for (const qos of [0, 1, 2] as const) {
      const publication = createPublication("a", qos, false, 10);
      publishText(session.client, publication, "text");
      publishBytes(session.client, publication, Buffer.from("__bytes__"), 2, 5);
      publishText(session.client, publication, "");
    }
    const packets = exchange(session);
    expect(publishes(packets)).toEqual([
      "a text 0 0",
      "a bytes 0 0",
      "a  0 0",
      "a text 1 1",
      "a bytes 1 2",
      "a  1 3",
      "a text 2 4",
      "a bytes 2 5",
      "a  2 6",
    ]);
    for (const packet of packets) expect(packet).not.toHaveProperty("properties");
  });

  it("[MQTT5-3.3.2-13] [MQTT5-3.3.2-19] [MQTT5-3.3.4-6] carries what its publication says of its messages, at every QoS", () => {
    for (const qos of [0, 1, 2] as const) {
      const session = publishing(qos, {
        text: true,
        contentType: "application/json",
        responseTopic: "answers/1",
        correlation: "c7",
        userProperties: [{ name: "unit", value: "°C" }],
      });
      begin(session);
      publishText(session.client, session.publication, "{}");
      const [packet] = messages(exchange(session));
      expect({ ...packet?.properties, userProperties: { ...packet?.properties?.userProperties } }).toEqual({
        payloadFormatIndicator: true,
        contentType: "application/json",
        responseTopic: "answers/1",
        correlationData: Buffer.from("c7"),
        userProperties: { unit: "°C" },
      });
      expect(packet?.payload.toString()).toBe("{}");
    }
  });

  it("has room for its longest payload behind its properties, and not for more", () => {
    const session = publishing(1, SIZED);
    begin(session);
    expect(publishText(session.client, session.publication, "p".repeat(40))).toBe(true);
    expect(publishText(session.client, session.publication, "p".repeat(41))).toBe(false);
    expect(publishBytes(session.client, session.publication, new Uint8Array(41), 0, 41)).toBe(false);
    expect(session.client.stats.tooLong).toBe(2);
    expect(publishText(session.client, session.publication, "next")).toBe(true);
    expect(messages(exchange(session)).map(({ payload }) => payload.length)).toEqual([40, 4]);
  });

  it("waits without a session at QoS 1, and goes out when there is one", () => {
    const session = publishing(1, SIZED);
    publishText(session.client, session.publication, "early");
    begin(session);
    expect(publishes(exchange(session))).toEqual(["a/b early 1 1"]);
    const now = publishing(0, SIZED);
    expect(publishText(now.client, now.publication, "early")).toBe(false);
    expect(now.client.stats.offline).toBe(1);
  });

  it("is refused when there is no room, and possible again when there is", () => {
    const session = publishing(1, SIZED);
    begin(session);
    let queued = 0;
    while (canPublish(session.client, session.publication)) {
      expect(publishText(session.client, session.publication, "p".repeat(40))).toBe(true);
      queued++;
    }
    expect(queued).toBe(8);
    const used = outboxUsed(session.client.outbox);
    expect(publishText(session.client, session.publication, "p")).toBe(false);
    expect(session.client.stats.refused).toBe(1);
    expect(outboxUsed(session.client.outbox)).toBe(used);
    exchange(session);
    fromBroker(session, { cmd: "puback", messageId: 1, reasonCode: 0x80 });
    expect(canPublish(session.client, session.publication)).toBe(true);
    expect(publishText(session.client, session.publication, "p")).toBe(true);
  });

  it("cannot begin while another is being written, and ends nothing that was not begun", () => {
    const session = publishing(1, SIZED);
    begin(session);
    expect(publishEnd(session.client)).toBe(false);
    expect(publishBegin(session.client, session.publication)).toBeDefined();
    expect(publishBegin(session.client, session.publication)).toBeUndefined();
    expect(canPublish(session.client, session.publication)).toBe(false);
    expect(publishEnd(session.client)).toBe(true);
    expect(publishEnd(session.client)).toBe(false);
    expect(messages(exchange(session))).toHaveLength(1);
  });
});

describe("a topic alias of ours", () => {
  it("[MQTT5-3.3.2-9] [MQTT5-3.3.2-12] stands for the topic once a message with both has gone out", () => {
    const session = publishing(0, SIZED, true);
    begin(session, { topicAliasMaximum: 5 });
    publishText(session.client, session.publication, "1");
    publishText(session.client, session.publication, "2");
    expect(publishes(exchange(session))).toEqual(["a/b 1 0 0", "a/b 2 0 0"]);
    publishText(session.client, session.publication, "3");
    publishBytes(session.client, session.publication, Buffer.from("4"), 0, 1);
    const packets = messages(exchange(session));
    expect(publishes(packets)).toEqual([" 3 0 0", " 4 0 0"]);
    for (const { properties } of packets) expect(properties).toEqual({ contentType: "t", topicAlias: 1 });
  });

  it("[MQTT5-3.2.2-17] [MQTT5-3.2.2-18] [MQTT5-3.3.2-8] is not used when the broker takes none, or not so many", () => {
    const session = publishing(0, SIZED, true);
    const second = createPublication("c/d", 0, false, 40);
    withProperties(session.five, second, {}, true);
    for (const topicAliasMaximum of [undefined, 0, 1]) {
      begin(session, topicAliasMaximum === undefined ? {} : { topicAliasMaximum });
      for (let round = 0; round < 2; round++) {
        publishText(session.client, session.publication, "1");
        publishText(session.client, second, "2");
        const [first, other] = messages(exchange(session));
        expect(first?.properties?.topicAlias).toBe(topicAliasMaximum === 1 ? 1 : undefined);
        expect(first?.topic).toBe(topicAliasMaximum === 1 && round === 1 ? "" : "a/b");
        expect(other).toMatchObject({ topic: "c/d" });
        expect(other).not.toHaveProperty("properties");
      }
      session.link.down(LinkLoss.Peer);
    }
  });

  it("[MQTT5-3.3.2-7] is told anew on every link", () => {
    const session = publishing(0, {}, true);
    for (let link = 0; link < 2; link++) {
      begin(session, { topicAliasMaximum: 1 });
      for (let i = 0; i < 2; i++) {
        publishText(session.client, session.publication, "x");
        expect(messages(exchange(session))[0]?.topic).toBe(i === 0 ? "a/b" : "");
      }
      session.link.down(LinkLoss.Peer);
    }
  });

  it("is told again while the message that told it has not gone out", () => {
    const session = publishing(0, {}, true);
    begin(session, { topicAliasMaximum: 1 });
    publishText(session.client, session.publication, "1");
    session.link.flush({ stopAfter: 5 });
    publishText(session.client, session.publication, "2");
    session.link.flush();
    publishText(session.client, session.publication, "3");
    expect(publishes(exchange(session))).toEqual(["a/b 1 0 0", "a/b 2 0 0", " 3 0 0"]);
  });

  it("is not told by a message that was too long", () => {
    const session = publishing(0, {}, true);
    begin(session, { topicAliasMaximum: 1 });
    publishText(session.client, session.publication, "p".repeat(41));
    publishText(session.client, session.publication, "1");
    expect(publishes(exchange(session))).toEqual(["a/b 1 0 0"]);
  });

  it("is for QoS 0 alone, and only for as many topics as were allowed for", () => {
    const { five } = createFiveSession({ aliasesOut: 1 });
    expect(withProperties(five, createPublication("a", 1, false, 1), {}, true)).toBe(false);
    expect(withProperties(five, createPublication("a", 0, false, 1), {}, true)).toBe(true);
    expect(withProperties(five, createPublication("b", 0, false, 1), {}, true)).toBe(false);
    expect(withProperties(five, createPublication("b", 0, false, 1), {}, false)).toBe(true);
  });
});

describe("what the broker does not take", () => {
  it("[MQTT5-3.2.2-15] a packet that is too large is refused, by name, and the next that fits is not", () => {
    const session = createFiveSession();
    begin(session, { maximumPacketSize: 20 });
    const publication = createPublication("a", 0, false, 100);
    // A byte, a length, a topic of 3, no properties, and 14 of payload.
    expect(publishText(session.client, publication, "p".repeat(15))).toBe(false);
    expect(publishText(session.client, publication, "p".repeat(14))).toBe(true);
    expect(publishBytes(session.client, publication, new Uint8Array(15).fill(97), 0, 15)).toBe(false);
    expect(session.five.stats.tooLarge).toBe(2);
    expect(messages(exchange(session)).map(({ payload }) => payload.length)).toEqual([14]);
    expect(publishBegin(session.client, createPublication("t".repeat(20), 0, false, 1))).toBeUndefined();
    expect(session.five.stats.tooLarge).toBe(3);
  });

  it("[MQTT5-3.2.2-15] a packet that waited is dropped when the session begins, told, and never sent", () => {
    const session = createFiveSession({}, {}, true);
    const small = createPublication("small", 1, false, 5);
    const large = createPublication("large", 1, false, 40);
    const exact = createPublication("exact", 2, false, 40);
    publishText(session.client, small, "1");
    publishText(session.client, large, "p".repeat(40));
    publishText(session.client, small, "2");
    publishText(session.client, exact, "p".repeat(40));
    begin(session, { maximumPacketSize: 30 });
    expect(publishes(exchange(session))).toEqual(["small 1 1 1", "small 2 1 3"]);
    expect(session.five.stats.tooLarge).toBe(2);
    expect(outboxCount(session.client.outbox)).toBe(2);
    for (const messageId of [1, 3]) fromBroker(session, { cmd: "puback", messageId });
    expect(outboxUsed(session.client.outbox)).toBe(0);
  });

  it("is told with its topic", () => {
    const session = createFiveSession();
    publishText(session.client, createPublication("large", 1, false, 40), "p".repeat(40));
    publishText(session.client, createPublication("kept", 1, true, 40), "p");
    begin(session, { maximumPacketSize: 30 });
    session.link.down(LinkLoss.Peer);
    begin(session, { retainAvailable: false, maximumQoS: 1 });
    // `begin` forgets what was told on the way: it is told once, before anything is sent.
    expect(session.five.stats).toMatchObject({ tooLarge: 1, retainRefused: 1, qosTooHigh: 0 });
    expect(exchange(session)).toEqual([]);
  });

  it("a packet that was sent before and is too large for another session is not sent again for ever", () => {
    const session = createFiveSession();
    begin(session);
    publishText(session.client, createPublication("large", 1, false, 40), "p".repeat(40));
    publishText(session.client, createPublication("small", 1, false, 40), "p");
    exchange(session);
    session.link.down(LinkLoss.Peer);
    begin(session, { maximumPacketSize: 30 }, true);
    expect(publishes(exchange(session))).toEqual(["small p 1 2 dup"]);
    expect(session.client.stats.retried).toBe(1);
    fromBroker(session, { cmd: "puback", messageId: 2 });
    publishText(session.client, createPublication("small", 1, false, 40), "q");
    expect(publishes(exchange(session))).toEqual(["small q 1 3"]);
    expect(session.client.stats.retried).toBe(1);
  });

  it("[MQTT5-3.2.2-11] a quality of service above the broker's is refused, or dropped when it waited", () => {
    const session = createFiveSession({}, {}, true);
    const once = createPublication("once", 2, false, 5);
    const least = createPublication("least", 1, false, 5);
    publishText(session.client, once, "1");
    publishText(session.client, least, "1");
    begin(session, { maximumQoS: 1 });
    expect(publishText(session.client, once, "2")).toBe(false);
    expect(publishText(session.client, least, "2")).toBe(true);
    expect(publishes(exchange(session))).toEqual(["least 1 1 2", "least 2 1 3"]);
    expect(session.five.stats.qosTooHigh).toBe(2);
    session.link.down(LinkLoss.Peer);
    begin(session, { maximumQoS: 0 });
    expect(publishes(exchange(session))).toEqual([]);
    expect(session.five.stats.qosTooHigh).toBe(4);
  });

  it("[MQTT5-3.2.2-14] a message to be retained is refused by a broker that retains nothing", () => {
    const session = createFiveSession();
    begin(session, { retainAvailable: false });
    const kept = createPublication("kept", 0, true, 5);
    expect(publishText(session.client, kept, "1")).toBe(false);
    expect(session.five.stats.retainRefused).toBe(1);
    session.link.down(LinkLoss.Peer);
    begin(session);
    expect(publishText(session.client, kept, "1")).toBe(true);
    expect(publishes(exchange(session))).toEqual(["kept 1 0 0 retain"]);
  });
});

describe("a message that grows old", () => {
  function expiryOf(packet: Packet | undefined): number | undefined {
    return packet?.cmd === "publish" ? packet.properties?.messageExpiryInterval : undefined;
  }

  it("has the interval that is left when it goes out", () => {
    const session = publishing(1, { expiry: 100, contentType: "t" });
    passTime(session, 1000);
    publishText(session.client, session.publication, "1");
    passTime(session, 30500);
    publishText(session.client, session.publication, "2");
    session.client.state = ClientState.Idle;
    begin(session);
    const packets = messages(exchange(session));
    expect(packets.map(expiryOf)).toEqual([70, 100]);
    expect(publishes(packets)).toEqual(["a/b 1 1 1", "a/b 2 1 2"]);
    expect(packets[0]?.properties?.contentType).toBe("t");
  });

  it("is dropped, told and counted when nobody wants it any more, also while there is no session", () => {
    const session = publishing(1, { expiry: 10 });
    publishText(session.client, session.publication, "1");
    publishText(session.client, createPublication("lasting", 1, false, 5), "2");
    passTime(session, 9999);
    expect(outboxCount(session.client.outbox)).toBe(2);
    passTime(session, 1001);
    begin(session);
    expect(publishes(exchange(session))).toEqual(["lasting 2 1 2"]);
    expect(session.five.stats.expired).toBe(1);
    fromBroker(session, { cmd: "puback", messageId: 2 });
    expect(outboxUsed(session.client.outbox)).toBe(0);
  });

  it("is dropped while it waits for its turn in a session", () => {
    const session = publishing(1, { expiry: 5 });
    begin(session, { receiveMaximum: 1 });
    publishText(session.client, session.publication, "1");
    publishText(session.client, session.publication, "2");
    publishText(session.client, createPublication("lasting", 1, false, 5), "3");
    expect(publishes(exchange(session))).toEqual(["a/b 1 1 1"]);
    passTime(session, 6000);
    expect(session.told).toEqual(["unsent 3 a/b"]);
    fromBroker(session, { cmd: "puback", messageId: 1 });
    expect(publishes(exchange(session))).toEqual(["lasting 3 1 3"]);
  });

  it("[MQTT5-4.3.3-7] is left alone once it was sent, also when it is sent again", () => {
    for (const qos of [1, 2] as const) {
      const session = publishing(qos, { expiry: 5 });
      begin(session);
      publishText(session.client, session.publication, "1");
      expect(expiryOf(exchange(session)[0])).toBe(5);
      passTime(session, 10000);
      session.link.down(LinkLoss.Peer);
      begin(session, {}, true);
      const [packet] = exchange(session);
      expect(expiryOf(packet)).toBe(5);
      expect(packet).toMatchObject({ dup: true });
      expect(session.five.stats.expired).toBe(0);
    }
  });

  it("makes room for another when it is too old and the outbox is full", () => {
    const session = publishing(1, { expiry: 3 });
    while (publishText(session.client, session.publication, "old")) expect(session.told).toEqual([]);
    session.link.now = 4000;
    expect(publishText(session.client, session.publication, "new")).toBe(false);
    passTime(session, 0);
    expect(publishText(session.client, session.publication, "new")).toBe(true);
    expect(session.five.stats.expired).toBe(8);
    expect(outboxCount(session.client.outbox)).toBe(1);
  });

  it("keeps its interval at QoS 0, and beyond the number that can be borne in mind", () => {
    const quick = publishing(0, { expiry: 9 });
    begin(quick);
    publishText(quick.client, quick.publication, "1");
    expect(expiryOf(exchange(quick)[0])).toBe(9);
    const session = publishing(1, { expiry: 9 }, false, { expiries: 1 });
    publishText(session.client, session.publication, "1");
    publishText(session.client, session.publication, "2");
    passTime(session, 4000);
    begin(session);
    expect(messages(exchange(session)).map(expiryOf)).toEqual([5, 9]);
  });

  it("is not taken for another that has its identifier later", () => {
    const session = publishing(1, { expiry: 5 });
    begin(session, { receiveMaximum: 1 });
    publishText(session.client, session.publication, "1");
    exchange(session);
    fromBroker(session, { cmd: "puback", messageId: 1 });
    session.client.lastId = 65535;
    session.client.freeTo = 65535;
    publishText(session.client, createPublication("lasting", 1, false, 5), "2");
    passTime(session, 6000);
    expect(publishes(exchange(session))).toEqual(["lasting 2 1 1"]);
    expect(session.five.stats.expired).toBe(0);
  });

  it("grows old over a month of waiting, though the clock wraps", () => {
    const session = publishing(1, { expiry: 2700000 });
    session.link.now = 2147483000;
    passTime(session, 0);
    publishText(session.client, session.publication, "1");
    for (let day = 0; day < 30; day++) {
      session.link.now = (session.link.now + 86400000) | 0;
      passTime(session, 0);
    }
    begin(session);
    expect(expiryOf(exchange(session)[0])).toBe(2700000 - 30 * 86400);
  });

  it("is not changed while its packet is going out", () => {
    const session = publishing(1, { expiry: 50 });
    begin(session);
    publishText(session.client, session.publication, "0123456789");
    const first = session.link.flush({ stopAfter: 9 });
    passTime(session, 3000);
    const rest = session.link.flush();
    expect(first.length + rest.length).toBeGreaterThan(20);
    expect(expiryOf(session.link.takePackets()[0])).toBe(50);
  });
});
