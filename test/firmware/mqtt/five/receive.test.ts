import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LinkLoss } from "../../../../firmware/core/link";
import { Breach } from "../../../../firmware/mqtt/breach";
import { type ClientOptions, Fault } from "../../../../firmware/mqtt/client-state";
import { refuseMessage } from "../../../../firmware/mqtt/five/create";
import { findProperty, Property } from "../../../../firmware/mqtt/five/properties";
import { answerWith, withProperties } from "../../../../firmware/mqtt/five/send";
import type { FiveOptions } from "../../../../firmware/mqtt/five/state";
import { createPublication } from "../../../../firmware/mqtt/publication";
import { publishBytes, publishText } from "../../../../firmware/mqtt/publish";
import { createParts } from "../../../../firmware/mqtt/receive/parts";
import { SubscriptionState } from "../../../../firmware/mqtt/subscriptions";
import { commands, describeMessage, dial, exchange, fromBroker, publishes, raw } from "../session";
import { begin, createFiveSession, type FiveSession, goodbyes, publish, settle, subscribe } from "./rig";
import { section, tellProperties, text } from "./wire";

const numRuns = process.env["MOTH_EXECUTOR"] === "lua" ? 15 : 200;

/** Everything that comes below `a/`, with its properties behind it. */
function reading(own: FiveOptions = {}, options: Partial<ClientOptions> = {}): FiveSession & { heard: string[] } {
  const session = createFiveSession(own, options, true);
  const heard: string[] = [];
  subscribe(session, "a/#", 2, {
    message(_now, message) {
      heard.push([describeMessage(message), ...tellProperties(session.five.properties)].join(", "));
    },
  });
  settle(session);
  return Object.assign(session, { heard });
}

describe("a message from a broker that speaks MQTT 5.0", () => {
  const properties = {
    payloadFormatIndicator: true,
    messageExpiryInterval: 60,
    contentType: "text/plain",
    responseTopic: "answers",
    correlationData: Buffer.from("id7"),
    userProperties: { unit: "°C" },
    subscriptionIdentifier: [300, 2],
  };

  it("[MQTT5-3.3.1-12] [MQTT5-3.3.1-13] [MQTT5-3.3.2-4] comes with its properties, whole or byte by byte, at every QoS", () => {
    for (const chunk of [1, 7, 1000]) {
      const session = reading();
      publish(session, "a/b", "21.5", properties, { retain: true }, chunk);
      publish(session, "a/b", "", properties, { qos: 1, messageId: 8 }, chunk);
      publish(session, "a/b", "x", {}, { qos: 2, messageId: 9 }, chunk);
      const told = "1 1, 2 60, 3 text/plain, 8 answers, 9 id7, 38 unit=°C, 11 300, 11 2";
      const all = session.heard.map((line) => line.split(", ").sort().join(", "));
      const sorted = told.split(", ");
      expect(all).toEqual([
        ["a/b 21.5 0 retain", ...sorted].sort().join(", "),
        ["a/b  1", ...sorted].sort().join(", "),
        "a/b x 2",
      ]);
      expect(commands(exchange(session))).toEqual(["puback", "pubrec"]);
    }
  });

  it("is the same as that of MQTT 3.1.1, whatever its properties are", () => {
    const session = reading();
    const payloads = fc.stringMatching(/^[a-z]{0,20}$/);
    const types = fc.option(fc.stringMatching(/^[a-z]{0,20}$/), { nil: undefined });
    fc.assert(
      fc.property(payloads, types, fc.integer({ min: 1, max: 60 }), (payload, contentType, chunk) => {
        session.heard.length = 0;
        publish(session, "a/b", payload, contentType === undefined ? {} : { contentType }, {}, chunk);
        expect(session.heard).toEqual([`a/b ${payload} 0${contentType === undefined ? "" : `, 3 ${contentType}`}`]);
      }),
      { numRuns },
    );
  });

  it("keeps the properties of the one before to itself", () => {
    const session = reading();
    publish(session, "a", "1", { contentType: "t" });
    publish(session, "a", "2");
    expect(session.heard).toEqual(["a 1 0, 3 t", "a 2 0"]);
  });

  it("[MQTT5-4.3.3-10] [MQTT5-4.3.3-11] [MQTT5-4.3.3-12] is delivered once at QoS 2 until it is released", () => {
    const session = reading();
    publish(session, "a", "1", {}, { qos: 2, messageId: 5 });
    publish(session, "a", "1", {}, { qos: 2, messageId: 5, dup: true });
    expect(session.heard).toEqual(["a 1 2"]);
    fromBroker(session, { cmd: "pubrel", messageId: 5 });
    fromBroker(session, { cmd: "pubrel", messageId: 5 });
    expect(exchange(session)).toMatchObject([
      { cmd: "pubrec", messageId: 5, reasonCode: 0 },
      { cmd: "pubrec", messageId: 5, reasonCode: 0 },
      { cmd: "pubcomp", messageId: 5, reasonCode: 0 },
      { cmd: "pubcomp", messageId: 5, reasonCode: 0x92 },
    ]);
    publish(session, "a", "2", {}, { qos: 2, messageId: 5 });
    expect(session.heard).toEqual(["a 1 2", "a 2 2"]);
  });

  it("[MQTT5-3.3.4-9] ends the link when there are more of them than were asked for", () => {
    const session = reading({ receiveMaximum: 2 });
    for (const messageId of [1, 2, 3]) publish(session, "a", "x", {}, { qos: 2, messageId });
    expect(session.heard).toHaveLength(2);
    expect(session.client.fault).toBe(Fault.Violation);
    expect(goodbyes(exchange(session))).toEqual([0x93]);
  });

  it("[MQTT5-3.3.4-9] is none too many for identifiers that may be those of a session that the broker has forgotten", () => {
    const session = reading({ receiveMaximum: 1 });
    publish(session, "a", "1", {}, { qos: 2, messageId: 1 });
    session.link.down(LinkLoss.Network);
    // The CONNACK that tells of the new session is lost, so the next one knows that session.
    dial(session);
    session.link.down(LinkLoss.Network);
    begin(session, {}, true);
    publish(session, "a", "2", {}, { qos: 2, messageId: 1 });
    publish(session, "a", "2", {}, { qos: 2, messageId: 1, dup: true });
    fromBroker(session, { cmd: "pubrel", messageId: 1 });
    publish(session, "a", "3", {}, { qos: 2, messageId: 2 });
    expect(session.heard).toEqual(["a 1 2", "a 2 2", "a 3 2"]);
    expect(session.client.fault).toBe(Fault.None);
  });

  it("[MQTT5-3.1.2-24] ends the link when it is larger than was asked for", () => {
    const session = reading();
    publish(session, "a", "x".repeat(130));
    expect(session.client.breach).toBe(Breach.TooLarge);
    expect(goodbyes(exchange(session))).toEqual([0x95]);
  });

  it("is read over and counted when the application has asked for larger ones than it takes in", () => {
    const session = reading({ maximumPacketSize: 4096 });
    publish(session, "a", "x".repeat(130), {}, { qos: 1, messageId: 4 });
    publish(session, "a", "y");
    expect(session.heard).toEqual(["a y 0"]);
    expect(session.client.stats.oversize).toBe(1);
    expect(commands(exchange(session))).toEqual(["puback"]);
  });

  it("[MQTT5-3.1.2-24] that is read over ends the link when it is larger than the application has asked for", () => {
    // First byte, two of length, topic and the length of no properties.
    const head = 1 + 2 + 3 + 1;
    const session = reading({ maximumPacketSize: 200 });
    publish(session, "a", "x".repeat(200 - head));
    expect(session.client.stats.oversize).toBe(1);
    publish(session, "a", "x".repeat(201 - head));
    expect([session.client.breach, session.client.stats.oversize]).toEqual([Breach.TooLarge, 1]);
    expect(goodbyes(exchange(session))).toEqual([0x95]);
  });

  it("[MQTT5-3.1.2-24] ends the link when it is larger than was asked for, though it could be taken in", () => {
    // The client takes in 128 bytes behind the fixed header.
    const head = 2 + 3 + 1;
    for (const chunk of [1000, 1]) {
      for (const qos of [0, 1, 2] as const) {
        const more = qos === 0 ? {} : { qos, messageId: 3 };
        const most = 50 - head - (qos === 0 ? 0 : 2);
        const session = reading({ maximumPacketSize: 50 });
        publish(session, "a", "x".repeat(most), {}, more, chunk);
        expect([session.heard.length, session.client.fault]).toEqual([1, Fault.None]);
        exchange(session);
        publish(session, "a", "x".repeat(most + 1), {}, { ...more, messageId: 4 }, chunk);
        expect([session.heard.length, session.client.stats.violations]).toEqual([1, 1]);
        expect(session.client.breach).toBe(Breach.TooLarge);
        const packets = exchange(session);
        expect(goodbyes(packets)).toEqual([0x95]);
        expect(commands(packets)).toEqual(["disconnect"]);
      }
    }
  });

  it("[MQTT5-3.1.2-24] is no other packet, either: an acknowledgement with a long text ends the link", () => {
    const session = reading({ maximumPacketSize: 50 });
    fromBroker(session, { cmd: "puback", messageId: 7, reasonCode: 0x80, properties: { reasonString: "n".repeat(60) } });
    expect([session.told, session.client.stats.violations]).toEqual([[], 1]);
    expect(goodbyes(exchange(session))).toEqual([0x95]);
  });

  it("[MQTT5-3.1.2-24] that is taken in parts ends the link when it is larger than the application has asked for", () => {
    const session = createFiveSession({ maximumPacketSize: 200 }, { parts: createParts() });
    const heard: string[] = [];
    subscribe(session, "a/#", 1, {
      message: () => heard.push("whole"),
      parts: {
        begin: (_now, _message, total) => heard.push(`begin ${total}`),
        part: () => undefined,
        end: () => heard.push("end"),
        aborted: () => heard.push("aborted"),
      },
    });
    settle(session);
    publish(session, "a", "x".repeat(193));
    publish(session, "a", "x".repeat(194));
    expect(heard).toEqual(["begin 193", "end"]);
    expect(goodbyes(exchange(session))).toEqual([0x95]);
  });

  it("that is read over is looked at all the same, as far as it fits", () => {
    const property = [1, 1];
    const twice = section(property, property);
    const beyond = [0, 1, 0x61, 0xc8, 0x02];
    for (const [head, reason] of [[[0, 1, 0x61, ...twice], 0x82], [beyond, 0x81], [[0, 1, 0x61, 0x80, 0x80, 0x80, 0x80], 0x81]] as const) {
      const session = reading({ maximumPacketSize: 4096 });
      raw(session, 0x30, 0xac, 0x02, ...head, ...new Uint8Array(300 - head.length));
      expect(goodbyes(exchange(session))).toEqual([reason]);
    }
  });

  it("[MQTT5-3.3.4-9] that is read over counts among those that were asked for", () => {
    const session = reading({ maximumPacketSize: 4096, receiveMaximum: 1 });
    for (const messageId of [1, 1, 2]) publish(session, "a", "x".repeat(130), {}, { qos: 2, messageId });
    expect(session.client.exactlyOnce?.stats).toMatchObject({ duplicates: 1, overruns: 1 });
    expect(goodbyes(exchange(session))).toEqual([0x93]);
  });

  it("[MQTT5-1.5.5-1] ends the link when its length takes more bytes than it needs", () => {
    for (const length of [[0x84, 0x00], [0x84, 0x80, 0x00], [0x84, 0x80, 0x80, 0x00], [0x80, 0x00]]) {
      const session = reading();
      raw(session, 0x30, ...length, 0, 1, 0x61, 0);
      expect([session.heard, session.client.breach]).toEqual([[], Breach.RemainingLength]);
      expect(goodbyes(exchange(session))).toEqual([0x81]);
    }
  });

  it("[MQTT5-4.7.2-1] is for no filter that begins with a wildcard when its topic begins with $", () => {
    const session = createFiveSession({}, {}, true);
    const heard: string[] = [];
    subscribe(session, "#", 0, { message: (_now, message) => heard.push(describeMessage(message)) });
    settle(session);
    publish(session, "$SYS/x", "1");
    publish(session, "x", "2");
    expect(heard).toEqual(["x 2 0"]);
  });
});

describe("a topic alias of the broker", () => {
  const own = { aliasesIn: 3, aliasTopicSize: 16 };

  it("is announced", () => {
    const session = createFiveSession(own);
    expect(begin(session)).toMatchObject({ properties: { topicAliasMaximum: 3 } });
  });

  it("[MQTT5-3.3.2-10] stands for its topic from then on, until it stands for another", () => {
    for (const chunk of [1, 1000]) {
      const session = reading(own);
      publish(session, "a/long", "1", { topicAlias: 1 }, {}, chunk);
      publish(session, "a/3", "2", { topicAlias: 3 }, {}, chunk);
      publish(session, "", "3", { topicAlias: 1, contentType: "t" }, { qos: 1, messageId: 6 }, chunk);
      publish(session, "", "4", { topicAlias: 3 }, { qos: 2, messageId: 7 }, chunk);
      publish(session, "a/new", "5", { topicAlias: 1 }, {}, chunk);
      publish(session, "", "6", { topicAlias: 1 }, {}, chunk);
      const topics = session.heard.map((line) => line.split(",")[0]);
      expect(topics).toEqual(["a/long 1 0", "a/3 2 0", "a/long 3 1", "a/3 4 2", "a/new 5 0", "a/new 6 0"]);
      expect(commands(exchange(session))).toEqual(["puback", "pubrec"]);
    }
  });

  it("may stand for a topic that fills its place, in front of a payload that fills the buffer", () => {
    const session = reading(own);
    const topic = `a/${"t".repeat(14)}`;
    publish(session, topic, "", { topicAlias: 2 });
    const payload = "p".repeat(128 - 2 - 4);
    publish(session, "", payload, { topicAlias: 2 });
    expect(session.heard[1]).toBe(`${topic} ${payload} 0, 35 2`);
  });

  it("[MQTT5-3.3.2-8] [MQTT5-3.3.2-11] [MQTT5-3.1.2-26] is never 0 and never above what was announced", () => {
    for (const alias of [4, 65535]) {
      const session = reading(own);
      publish(session, "a", "1", { topicAlias: alias });
      expect(session.heard).toEqual([]);
      expect(session.client.breach).toBe(Breach.TopicAlias);
      expect(goodbyes(exchange(session))).toEqual([0x94]);
    }
    const session = reading(own);
    raw(session, 0x30, 7, ...text("a"), ...section([35, 0, 0]));
    expect(goodbyes(exchange(session))).toEqual([0x94]);
  });

  it("[MQTT5-3.1.2-27] is never used when none was announced", () => {
    const session = reading();
    publish(session, "a", "1", { topicAlias: 1 });
    expect(goodbyes(exchange(session))).toEqual([0x94]);
  });

  it("that stands for nothing ends the link", () => {
    const session = reading(own);
    publish(session, "", "1", { topicAlias: 2 });
    expect(goodbyes(exchange(session))).toEqual([0x82]);
  });

  it("[MQTT5-3.3.2-7] is forgotten with its link", () => {
    const session = reading(own);
    publish(session, "a", "1", { topicAlias: 2 });
    session.link.down(LinkLoss.Peer);
    begin(session, {}, true);
    publish(session, "", "2", { topicAlias: 2 });
    expect(session.heard).toEqual(["a 1 0, 35 2"]);
    expect(goodbyes(exchange(session))).toEqual([0x82]);
  });

  it("of a topic that is too long to be kept is good for its own message", () => {
    const session = reading(own);
    publish(session, "a", "1", { topicAlias: 2 });
    publish(session, `a/${"t".repeat(15)}`, "2", { topicAlias: 2 });
    expect(session.heard).toHaveLength(2);
    publish(session, "", "3", { topicAlias: 2 });
    expect(session.heard).toHaveLength(2);
    expect(goodbyes(exchange(session))).toEqual([0x82]);
  });
});

describe("a topic alias of the broker in a message that is read over", () => {
  const own = { aliasesIn: 3, aliasTopicSize: 16, maximumPacketSize: 4096 };

  it("[MQTT5-3.3.2-10] stands for its topic from then on", () => {
    const session = reading(own);
    publish(session, "a/old", "1", { topicAlias: 2 });
    publish(session, "a/new", "x".repeat(130), { topicAlias: 2 });
    publish(session, "", "3", { topicAlias: 2 });
    expect(session.heard).toEqual(["a/old 1 0, 35 2", "a/new 3 0, 35 2"]);
  });

  it("is none that may be used when it was not announced", () => {
    const session = reading(own);
    publish(session, "a", "x".repeat(130), { topicAlias: 4 });
    expect(goodbyes(exchange(session))).toEqual([0x94]);
  });

  it("that does not fit in the buffer leaves none of them standing for anything, or one would stand for the wrong topic", () => {
    for (const parts of [undefined, createParts()]) {
      const session = reading(own, { parts });
      publish(session, "a/old", "1", { topicAlias: 2 });
      publish(session, "a/new", "", { userProperties: { name: "x".repeat(130) }, topicAlias: 2 });
      expect(session.client.stats.oversize).toBe(1);
      publish(session, "", "3", { topicAlias: 2 });
      expect(session.heard).toHaveLength(1);
      expect(goodbyes(exchange(session))).toEqual([0x82]);
    }
  });
});

describe("a request", () => {
  it("[MQTT5-3.3.2-15] [MQTT5-3.3.2-16] is answered where it asks for it, with its correlation data, at every QoS", () => {
    for (const qos of [0, 1, 2] as const) {
      const session = createFiveSession({}, {}, true);
      const answers = createPublication("unused", qos, false, 20);
      subscribe(session, "ask", 1, {
        message() {
          const { five, client } = session;
          const properties = five.properties;
          if (!findProperty(properties, Property.ResponseTopic)) return;
          const { bytes, at, count } = properties;
          const asked = findProperty(properties, Property.CorrelationData);
          answerWith(five, bytes, at, count, asked ? properties.at : 0, asked ? properties.count : 0);
          publishText(client, answers, "42");
        },
      });
      settle(session);
      publish(session, "ask", "?", { responseTopic: "back/7", correlationData: Buffer.from([1, 2, 3]) });
      publish(session, "ask", "?", { responseTopic: "back/8" });
      publish(session, "ask", "?");
      publishText(session.client, answers, "own");
      const packets = exchange(session);
      const ids = qos === 0 ? [0, 0, 0] : [2, 3, 4];
      expect(publishes(packets)).toEqual([
        `back/7 42 ${qos} ${ids[0]}`,
        `back/8 42 ${qos} ${ids[1]}`,
        `unused own ${qos} ${ids[2]}`,
      ]);
      expect(packets[0]).toMatchObject({ properties: { correlationData: Buffer.from([1, 2, 3]) } });
      expect(packets[1]).not.toHaveProperty("properties");
    }
  });

  it("has its correlation data in the answer, and once, whatever the answer's publication has", () => {
    const own = { text: true, contentType: "t", correlation: "own", userProperties: [{ name: "n", value: "v" }] };
    for (const qos of [0, 1, 2] as const) {
      const session = createFiveSession({}, {}, true);
      begin(session);
      const answers = createPublication("a", qos, false, 20);
      withProperties(session.five, answers, own, false);
      const asked = Buffer.from("back/7 and some long data");
      answerWith(session.five, asked, 0, 6, 7, asked.length - 7);
      expect(publishText(session.client, answers, "p".repeat(20))).toBe(true);
      answerWith(session.five, asked, 0, 6, 0, 0);
      expect(publishText(session.client, answers, "2")).toBe(true);
      withProperties(session.five, answers, { correlation: "only" }, false);
      answerWith(session.five, asked, 0, 6, 7, 3);
      expect(publishBytes(session.client, answers, asked, 0, 1)).toBe(true);
      expect(publishText(session.client, answers, "4")).toBe(true);
      const told: string[] = [];
      for (const packet of exchange(session)) {
        if (packet.cmd !== "publish") continue;
        const { contentType, correlationData, userProperties } = packet.properties ?? {};
        const data = correlationData?.toString() ?? "none";
        told.push(`${packet.topic} ${packet.payload.length} ${contentType ?? "-"} ${data} ${JSON.stringify({ ...userProperties })}`);
      }
      expect(told).toEqual([
        'back/7 20 t and some long data {"n":"v"}',
        'back/7 1 t own {"n":"v"}',
        "back/7 1 - and {}",
        "a 1 - only {}",
      ]);
    }
  });

  it("[MQTT5-3.3.2-14] that wants its answer at a wildcard ends the link", () => {
    const session = reading();
    raw(session, 0x30, 13, ...text("a"), ...section([8, ...text("back/#")]));
    expect(goodbyes(exchange(session))).toEqual([0x82]);
  });

  it("whose answer is refused leaves nothing behind for the next message", () => {
    const session = createFiveSession();
    begin(session);
    const answers = createPublication("own", 0, false, 4);
    const topic = Buffer.from("elsewhere");
    answerWith(session.five, topic, 0, topic.length, 0, 0);
    expect(publishText(session.client, answers, "too long")).toBe(false);
    publishText(session.client, answers, "1");
    answerWith(session.five, topic, 0, topic.length, 0, 0);
    session.link.down(LinkLoss.Peer);
    begin(session);
    publishText(session.client, answers, "2");
    expect(publishes(exchange(session))).toEqual(["own 2 0 0"]);
  });
});

describe("a message that its handler does not take", () => {
  it("[MQTT5-3.4.2-1] [MQTT5-3.5.2-1] [MQTT5-4.3.3-9] is acknowledged with its reason, and is over", () => {
    const session = createFiveSession({}, {}, true);
    const heard: string[] = [];
    const subscription = subscribe(session, "a", 2, {
      message(_now, message) {
        heard.push(describeMessage(message));
        if (heard.length < 4) refuseMessage(session.five, 0x99);
      },
    });
    settle(session);
    expect(subscription.state).toBe(SubscriptionState.Granted);
    publish(session, "a", "0");
    publish(session, "a", "1", {}, { qos: 1, messageId: 1 });
    publish(session, "a", "2", {}, { qos: 2, messageId: 2 });
    publish(session, "a", "3", {}, { qos: 2, messageId: 2 });
    publish(session, "a", "4", {}, { qos: 1, messageId: 1 });
    expect(heard).toEqual(["a 0 0", "a 1 1", "a 2 2", "a 3 2", "a 4 1"]);
    expect(exchange(session)).toMatchObject([
      { cmd: "puback", messageId: 1, reasonCode: 0x99 },
      { cmd: "pubrec", messageId: 2, reasonCode: 0x99 },
      { cmd: "pubrec", messageId: 2, reasonCode: 0 },
      { cmd: "puback", messageId: 1, reasonCode: 0 },
    ]);
  });
});
