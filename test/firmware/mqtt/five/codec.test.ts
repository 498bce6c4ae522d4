/** The packets of MQTT 5.0 against mqtt-packet, which writes what is read here and reads what is written here. */
import fc from "fast-check";
import { generate, type IConnectPacket, type Packet, parser } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { createWriter } from "../../../../firmware/core/writer";
import { createAck, createReasonedAck, readAck } from "../../../../firmware/mqtt/five/acks";
import { authRoom, namesMethod, readAuth, writeAuth } from "../../../../firmware/mqtt/five/auth";
import { createGranted, readConnack } from "../../../../firmware/mqtt/five/connack";
import {
  adoptClientId,
  connectIsClean,
  connectResumes,
  connectRoom,
  createConnectParts,
  writeConnect,
} from "../../../../firmware/mqtt/five/connect";
import { DISCONNECT_ROOM, readDisconnect, writeDisconnect } from "../../../../firmware/mqtt/five/disconnect";
import { createProperties, MOST } from "../../../../firmware/mqtt/five/properties";
import { createInbound, readPublish } from "../../../../firmware/mqtt/five/publish";
import { Reason } from "../../../../firmware/mqtt/five/reason";
import {
  createAnswer,
  readAnswer,
  SUBSCRIBE_PROPERTIES_ROOM,
  subscriptionByte,
  writeSubscribeProperties,
} from "../../../../firmware/mqtt/five/subscribe";
import { messagePropertiesSize, writeMessageProperties } from "../../../../firmware/mqtt/five/write-properties";
import type { ConnectOptions } from "../../../../firmware/mqtt/connect";
import type { FiveConnect, MessageProperties } from "../../../../firmware/mqtt/five";
import { PacketType } from "../../../../firmware/mqtt/packet";
import { section, tellProperties, text, u32, varying } from "./wire";

/** With sanitizers, and everything that is read of a record comes from Lua. */
const numRuns = process.env["MOTH_EXECUTOR"] === "lua" ? 20 : 300;
const five = { protocolVersion: 5 };

/** What stands behind the fixed header. */
function body(bytes: Uint8Array): Uint8Array {
  let at = 1;
  while ((bytes[at] ?? 0) >= 128) at++;
  return bytes.slice(at + 1);
}

/** A packet whose body is put together from parts. */
function packetOf(first: number, ...parts: readonly (readonly number[])[]): Uint8Array {
  const bytes = parts.flat();
  return Uint8Array.from([first, ...varying(bytes.length), ...bytes]);
}

function parse(bytes: Uint8Array): Packet {
  const found: Packet[] = [];
  const oracle = parser(five);
  oracle.on("packet", (packet) => found.push(packet));
  oracle.on("error", (error) => {
    throw new Error(`mqtt-packet refuses ${Buffer.from(bytes).toString("hex")}: ${String(error)}`);
  });
  oracle.parse(Buffer.from(bytes));
  const [packet] = found;
  if (packet === undefined || found.length !== 1) throw new Error("not one packet");
  return packet;
}

const words = fc.string({ unit: "grapheme", maxLength: 20 }).map((each) => each.replaceAll("\0", ""));
const names = fc.stringMatching(/^[a-z/°]{1,20}$/u);
const data = fc.uint8Array({ minLength: 1, maxLength: 20 });
const number = (most: number, least = 0): fc.Arbitrary<number> => fc.integer({ min: least, max: most });
/** mqtt-packet has them as a record: each name once here, and none that a number would put first. */
const pairs = fc.uniqueArray(fc.record({ name: fc.stringMatching(/^[a-z]{1,8}$/), value: words }), {
  maxLength: 3,
  selector: ({ name }) => name,
});

/** Any of the fields may be left out. */
const none: { requiredKeys: [] } = { requiredKeys: [] };

/** mqtt-packet does not write an empty record of them as none. */
const userProperties = pairs.filter((all) => all.length > 0).map((all) => Object.fromEntries(all.map(({ name, value }) => [name, value])));

function told(properties: readonly string[]): string[] {
  return [...properties].sort();
}

describe("CONNACK", () => {
  const properties = fc.record({
    sessionExpiryInterval: number(0xffffffff),
    receiveMaximum: number(65535, 1),
    maximumQoS: number(1),
    retainAvailable: fc.boolean(),
    maximumPacketSize: number(0xffffffff, 1),
    assignedClientIdentifier: words,
    topicAliasMaximum: number(65535),
    reasonString: words,
    userProperties,
    wildcardSubscriptionAvailable: fc.boolean(),
    subscriptionIdentifiersAvailable: fc.boolean(),
    sharedSubscriptionAvailable: fc.boolean(),
    serverKeepAlive: number(65535),
    responseInformation: words,
    serverReference: words,
    authenticationMethod: words,
    authenticationData: data.map((bytes) => Buffer.from(bytes)),
  }, none);

  it("is read as mqtt-packet writes it", () => {
    fc.assert(
      fc.property(properties, fc.boolean(), (given, sessionPresent) => {
        const bytes = body(generate({ cmd: "connack", reasonCode: 0, sessionPresent, properties: given }, five));
        const granted = createGranted();
        const read = createProperties();
        expect(readConnack(granted, read, bytes, 0, bytes.length)).toBe(Reason.Success);
        expect(granted).toEqual({
          sessionPresent,
          reason: 0,
          sessionExpiry: Math.min(given.sessionExpiryInterval ?? -1, MOST),
          receiveMaximum: given.receiveMaximum ?? 65535,
          maximumQos: given.maximumQoS ?? 2,
          retain: given.retainAvailable ?? true,
          maximumPacketSize: Math.min(given.maximumPacketSize ?? MOST, MOST),
          topicAliasMaximum: given.topicAliasMaximum ?? 0,
          wildcards: given.wildcardSubscriptionAvailable ?? true,
          subscriptionIdentifiers: given.subscriptionIdentifiersAvailable ?? true,
          shared: given.sharedSubscriptionAvailable ?? true,
          serverKeepAlive: given.serverKeepAlive ?? -1,
        });
        const texts = tellProperties(read).filter((each) => /^(18|26|28|31|38|21) /.test(each));
        const expected: string[] = [];
        const { assignedClientIdentifier, responseInformation, serverReference, reasonString, authenticationMethod } = given;
        if (assignedClientIdentifier !== undefined) expected.push(`18 ${assignedClientIdentifier}`);
        if (responseInformation !== undefined) expected.push(`26 ${responseInformation}`);
        if (serverReference !== undefined) expected.push(`28 ${serverReference}`);
        if (reasonString !== undefined) expected.push(`31 ${reasonString}`);
        if (authenticationMethod !== undefined) expected.push(`21 ${authenticationMethod}`);
        for (const [name, value] of Object.entries(given.userProperties ?? {})) expected.push(`38 ${name}=${value}`);
        expect(told(texts)).toEqual(told(expected));
      }),
      { numRuns },
    );
  });

  it("[MQTT5-3.2.2-1] [MQTT5-3.2.2-6] [MQTT5-3.2.2-8] is refused when it is not one", () => {
    const read = (...bytes: number[]): Reason =>
      readConnack(createGranted(), createProperties(), Uint8Array.from(bytes), 0, bytes.length);
    expect(read(0, 0, 0)).toBe(Reason.Success);
    expect(read(1, 0, 0)).toBe(Reason.Success);
    expect(read(0, 0x87, 0)).toBe(Reason.Success);
    expect(read(2, 0, 0)).toBe(Reason.MalformedPacket);
    expect(read(1, 0x87, 0)).toBe(Reason.ProtocolError);
    expect(read(0, 1, 0)).toBe(Reason.ProtocolError);
    expect(read(0, 0)).toBe(Reason.MalformedPacket);
    expect(read(0, 0, 0, 0)).toBe(Reason.MalformedPacket);
    expect(read(0, 0, 1)).toBe(Reason.MalformedPacket);
  });

  it("that says nothing undoes what one before it said", () => {
    const granted = createGranted();
    const full = [0, 0, ...section([33, 0, 1], [36, 0], [37, 0], [39, ...u32(99)], [34, 0, 1], [19, 0, 1], [17, ...u32(4)])];
    readConnack(granted, createProperties(), Uint8Array.from(full), 0, full.length);
    expect(granted).toMatchObject({ receiveMaximum: 1, maximumQos: 0, retain: false, maximumPacketSize: 99 });
    readConnack(granted, createProperties(), Uint8Array.of(0, 0, 0), 0, 3);
    expect(granted).toEqual(createGranted());
  });
});

describe("PUBLISH", () => {
  const properties = fc.record({
    payloadFormatIndicator: fc.boolean(),
    messageExpiryInterval: number(MOST),
    topicAlias: number(65535, 1),
    responseTopic: names,
    correlationData: data.map((bytes) => Buffer.from(bytes)),
    userProperties,
    subscriptionIdentifier: fc.array(number(268435455, 1), { minLength: 1, maxLength: 3 }),
    contentType: words,
  }, none);

  it("is read as mqtt-packet writes it", () => {
    const qoses = fc.constantFrom<0 | 1 | 2>(0, 1, 2);
    fc.assert(
      fc.property(properties, qoses, names, data, number(65535, 1), (given, qos, topic, payload, messageId) => {
        const publish: Packet = {
          cmd: "publish",
          qos,
          dup: false,
          retain: false,
          topic,
          payload: Buffer.from(payload),
          messageId,
          properties: given,
        };
        const bytes = body(generate(publish, five));
        const inbound = createInbound();
        const read = createProperties();
        expect(readPublish(inbound, read, qos, bytes, 0, bytes.length)).toBe(Reason.Success);
        expect(Buffer.from(bytes.slice(inbound.topicAt, inbound.topicAt + inbound.topicLength)).toString()).toBe(topic);
        expect([...bytes.slice(inbound.payloadAt)]).toEqual([...payload]);
        expect(inbound.id).toBe(qos === 0 ? 0 : messageId);
        expect(inbound.alias).toBe(given.topicAlias ?? 0);
        const identifiers = tellProperties(read).filter((each) => each.startsWith("11 "));
        expect(identifiers).toEqual((given.subscriptionIdentifier ?? []).map((each) => `11 ${each}`));
      }),
      { numRuns },
    );
  });

  const read = (qos: number, ...bytes: number[]): Reason =>
    readPublish(createInbound(), createProperties(), qos, Uint8Array.from(bytes), 0, bytes.length);

  it("[MQTT5-3.3.2-1] has a topic, or an alias that stands for it", () => {
    expect(read(0, ...text(""), ...section([35, 0, 1]))).toBe(Reason.Success);
    expect(read(0, ...text(""), 0)).toBe(Reason.ProtocolError);
  });

  it("[MQTT5-3.3.2-2] [MQTT5-4.7.0-1] [MQTT5-1.5.4-1] has a topic that is one", () => {
    expect(read(0, ...text("a/+"), 0)).toBe(Reason.TopicNameInvalid);
    expect(read(0, ...text("a/#"), 0)).toBe(Reason.TopicNameInvalid);
    expect(read(0, 0, 1, 0xff, 0)).toBe(Reason.MalformedPacket);
    expect(read(0, 0, 1, 0, 0)).toBe(Reason.MalformedPacket);
  });

  it("[MQTT5-2.2.1-4] has an identifier above 0 at QoS 1 and 2", () => {
    expect(read(1, ...text("a"), 0, 1, 0)).toBe(Reason.Success);
    expect(read(1, ...text("a"), 0, 0, 0)).toBe(Reason.ProtocolError);
    expect(read(2, ...text("a"), 0, 0, 0)).toBe(Reason.ProtocolError);
  });

  it("is malformed when it is cut before its payload, and never read beyond its end", () => {
    for (const qos of [0, 1]) {
      const whole = [...text("a/b"), ...(qos === 0 ? [] : [0, 9]), ...section([38, ...text("n"), ...text("v")], [35, 0, 1])];
      for (let cut = 0; cut < whole.length; cut++) expect(read(qos, ...whole.slice(0, cut))).toBe(Reason.MalformedPacket);
      expect(read(qos, ...whole)).toBe(Reason.Success);
    }
  });
});

describe("PUBACK, PUBREC, PUBREL and PUBCOMP", () => {
  const types: [PacketType, "puback" | "pubrec" | "pubrel" | "pubcomp", readonly number[]][] = [
    [PacketType.Puback, "puback", [0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]],
    [PacketType.Pubrec, "pubrec", [0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]],
    [PacketType.Pubrel, "pubrel", [0, 0x92]],
    [PacketType.Pubcomp, "pubcomp", [0, 0x92]],
  ];

  it("are read as mqtt-packet writes them", () => {
    const properties = fc.record({ reasonString: words, userProperties }, none);
    for (const [type, cmd, reasons] of types) {
      fc.assert(
        fc.property(properties, fc.constantFrom(...reasons), number(65535, 1), (given, reasonCode, messageId) => {
          const bytes = body(generate({ cmd, reasonCode, messageId, properties: given }, five));
          const ack = createAck();
          const read = createProperties();
          expect(readAck(ack, read, type, bytes, 0, bytes.length)).toBe(Reason.Success);
          expect(ack).toEqual({ id: messageId, reason: reasonCode });
          const strings = tellProperties(read).filter((each) => each.startsWith("31 "));
          expect(strings).toEqual(given.reasonString === undefined ? [] : [`31 ${given.reasonString}`]);
        }),
        { numRuns: numRuns / 2 },
      );
    }
  });

  it("mean success when they end behind the identifier, and have no properties when they end behind the reason", () => {
    for (const [type, , reasons] of types) {
      const ack = createAck();
      const read = createProperties();
      expect(readAck(ack, read, type, Uint8Array.of(1, 2), 0, 2)).toBe(Reason.Success);
      expect(ack).toEqual({ id: 258, reason: 0 });
      const reason = reasons.at(-1) ?? 0;
      expect(readAck(ack, read, type, Uint8Array.of(1, 2, reason), 0, 3)).toBe(Reason.Success);
      expect(ack).toEqual({ id: 258, reason });
      expect(tellProperties(read)).toEqual([]);
      expect(readAck(ack, read, type, Uint8Array.of(1, 2, reason, 0), 0, 4)).toBe(Reason.Success);
    }
  });

  it("[MQTT5-3.4.2-1] [MQTT5-3.5.2-1] [MQTT5-3.6.2-1] [MQTT5-3.7.2-1] are refused when they are not such", () => {
    for (const [type] of types) {
      const read = (...bytes: number[]): Reason =>
        readAck(createAck(), createProperties(), type, Uint8Array.from(bytes), 0, bytes.length);
      expect(read()).toBe(Reason.MalformedPacket);
      expect(read(1)).toBe(Reason.MalformedPacket);
      expect(read(0, 0)).toBe(Reason.ProtocolError);
      expect(read(0, 1, 1)).toBe(Reason.ProtocolError);
      expect(read(0, 1, 0, 1)).toBe(Reason.MalformedPacket);
      expect(read(0, 1, 0, 0, 0)).toBe(Reason.MalformedPacket);
      const forPublish = type === PacketType.Puback || type === PacketType.Pubrec;
      expect(read(0, 1, 0x10)).toBe(forPublish ? Reason.Success : Reason.ProtocolError);
    }
  });

  it("[MQTT5-3.4.2-1] are written with a reason", () => {
    const packet = createReasonedAck(PacketType.Puback * 16);
    packet[3] = 7;
    packet[4] = 0x83;
    expect(parse(Uint8Array.from(packet))).toMatchObject({ cmd: "puback", messageId: 7, reasonCode: 0x83 });
  });
});

describe("SUBACK and UNSUBACK", () => {
  const types: [PacketType, "suback" | "unsuback", readonly number[]][] = [
    [PacketType.Suback, "suback", [0, 1, 2, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2]],
    [PacketType.Unsuback, "unsuback", [0, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91]],
  ];

  it("[MQTT5-3.9.3-1] [MQTT5-3.11.3-1] are read as mqtt-packet writes them", () => {
    const properties = fc.record({ reasonString: words, userProperties }, none);
    for (const [type, cmd, codes] of types) {
      const granted = fc.array(fc.constantFrom(...codes), { minLength: 1, maxLength: 5 });
      fc.assert(
        fc.property(properties, granted, number(65535, 1), (given, all, messageId) => {
          const bytes = body(generate({ cmd, messageId, granted: all, properties: given }, five));
          const answer = createAnswer();
          expect(readAnswer(answer, createProperties(), type, bytes, 0, bytes.length)).toBe(Reason.Success);
          expect(answer.id).toBe(messageId);
          expect([...bytes.slice(answer.codesAt, answer.codesAt + answer.codes)]).toEqual(all);
        }),
        { numRuns: numRuns / 2 },
      );
    }
  });

  it("[MQTT5-3.9.3-2] [MQTT5-3.11.3-2] are refused when they are not such", () => {
    for (const [type] of types) {
      const read = (...bytes: number[]): Reason =>
        readAnswer(createAnswer(), createProperties(), type, Uint8Array.from(bytes), 0, bytes.length);
      expect(read(0, 1, 0, 0)).toBe(Reason.Success);
      expect(read(0, 1, 0)).toBe(Reason.MalformedPacket);
      expect(read(0, 1, 1, 0)).toBe(Reason.MalformedPacket);
      expect(read(0, 0, 0, 0)).toBe(Reason.ProtocolError);
      expect(read(0, 1, 0, 3)).toBe(Reason.ProtocolError);
      expect(read(0, 1, 0, 0x7f)).toBe(Reason.ProtocolError);
      expect(read(0, 1, 3, 38, 0, 0)).toBe(Reason.MalformedPacket);
    }
  });
});

describe("DISCONNECT", () => {
  function read(bytes: Uint8Array): [number, string[]] {
    const properties = createProperties();
    const reason = readDisconnect(properties, bytes, 0, bytes.length);
    return [reason, tellProperties(properties)];
  }

  it("is read as mqtt-packet writes it", () => {
    const properties = fc.record({ reasonString: words, userProperties, serverReference: words }, none);
    const reasons = fc.constantFrom(0, 0x81, 0x82, 0x8b, 0x8d, 0x8e, 0x93, 0x9c, 0x9d);
    fc.assert(
      fc.property(properties, reasons, (given, reasonCode) => {
        const [reason, all] = read(body(generate({ cmd: "disconnect", reasonCode, properties: given }, five)));
        expect(reason).toBe(reasonCode);
        const references = all.filter((each) => each.startsWith("28 "));
        expect(references).toEqual(given.serverReference === undefined ? [] : [`28 ${given.serverReference}`]);
      }),
      { numRuns },
    );
  });

  it("means a normal end when it is empty, and has no properties when it ends behind the reason", () => {
    expect(read(Uint8Array.of())).toEqual([0, []]);
    expect(read(Uint8Array.of(0x8e))).toEqual([0x8e, []]);
    expect(read(Uint8Array.of(0x8e, 0))).toEqual([0x8e, []]);
  });

  it("[MQTT5-3.14.2-1] [MQTT5-3.14.2-2] is refused when it is not one that a broker may send", () => {
    expect(read(Uint8Array.of(4))[0]).toBe(-1 - Reason.ProtocolError);
    expect(read(Uint8Array.of(0x8e, 1))[0]).toBe(-1 - Reason.MalformedPacket);
    expect(read(Uint8Array.of(0x8e, 0, 0))[0]).toBe(-1 - Reason.MalformedPacket);
    expect(read(Uint8Array.of(0, ...section([17, 0, 0, 0, 0])))[0]).toBe(-1 - Reason.MalformedPacket);
  });

  it("is written with a reason, and with the session's expiry when that is to change", () => {
    for (const [reason, expiry] of [[0x81, -1], [0x04, 0], [0, 3600], [0, MOST]] as const) {
      const writer = createWriter(new Uint8Array(DISCONNECT_ROOM));
      writeDisconnect(writer, expiry);
      expect(writer.overflow).toBe(false);
      const bytes = packetOf(0xe0, [reason], [...Uint8Array.from(writer.bytes).slice(0, writer.at)]);
      const packet = parse(bytes);
      expect(packet).toMatchObject({ cmd: "disconnect", reasonCode: reason });
      const sessionExpiryInterval = expiry === MOST ? 0xffffffff : expiry;
      if (expiry >= 0) expect(packet).toMatchObject({ properties: { sessionExpiryInterval } });
    }
  });
});

describe("AUTH", () => {
  it("is written and read, and names its method", () => {
    fc.assert(
      fc.property(names, fc.uint8Array({ maxLength: 20 }), (method, bytes) => {
        const writer = createWriter(new Uint8Array(authRoom(method, bytes.length)));
        writeAuth(writer, method, bytes.length === 0 ? Uint8Array.of(0) : bytes, bytes.length);
        expect(writer.overflow).toBe(false);
        expect(writer.at).toBe(writer.end);
        const packet = packetOf(0xf0, [0x18], [...Uint8Array.from(writer.bytes)]);
        const properties = { authenticationMethod: method, ...(bytes.length > 0 && { authenticationData: Buffer.from(bytes) }) };
        expect(parse(packet)).toMatchObject({ cmd: "auth", reasonCode: 0x18, properties });
        const read = createProperties();
        const back = body(generate({ cmd: "auth", reasonCode: 0x18, properties }, five));
        expect(readAuth(read, back, 0, back.length)).toBe(0x18);
        expect(namesMethod(read, method)).toBe(true);
        expect(namesMethod(read, `${method}x`)).toBe(false);
        expect(namesMethod(read, undefined)).toBe(false);
      }),
      { numRuns: numRuns / 2 },
    );
  });

  it("[MQTT5-3.15.2-1] is refused when it is not one that a broker may send", () => {
    const read = (...bytes: number[]): number => readAuth(createProperties(), Uint8Array.from(bytes), 0, bytes.length);
    expect(read()).toBe(0);
    expect(read(0, 0)).toBe(0);
    expect(read(0x19, 0)).toBe(-1 - Reason.ProtocolError);
    expect(read(0x80, 0)).toBe(-1 - Reason.ProtocolError);
    expect(read(0x18)).toBe(-1 - Reason.MalformedPacket);
    expect(read(0x18, 1)).toBe(-1 - Reason.MalformedPacket);
    expect(read(0x18, 0, 0)).toBe(-1 - Reason.MalformedPacket);
  });
});

describe("what stands before the filters of a SUBSCRIBE, and behind each", () => {
  it("[MQTT5-2.2.2-1] is a 0 without properties, and the subscription identifier", () => {
    for (const identifier of [0, 1, 127, 128, 16384, 268435455]) {
      const writer = createWriter(new Uint8Array(SUBSCRIBE_PROPERTIES_ROOM));
      writeSubscribeProperties(writer, identifier);
      expect(writer.overflow).toBe(false);
      const properties = [...Uint8Array.from(writer.bytes).slice(0, writer.at)];
      if (identifier === 0) expect(properties).toEqual([0]);
      const packet = parse(packetOf(0x82, [0, 1], properties, text("a/b"), [1]));
      expect(packet).toMatchObject({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "a/b", qos: 1 }] });
      if (identifier > 0) expect(packet).toMatchObject({ properties: { subscriptionIdentifier: identifier } });
    }
  });

  it("[MQTT5-3.8.3-5] is the QoS with its options, and 0 in all other bits", () => {
    const options = fc.record({ noLocal: fc.boolean(), retainAsPublished: fc.boolean(), retainHandling: number(2) }, none);
    fc.assert(
      fc.property(number(2), options, (qos, given) => {
        const packet = parse(packetOf(0x82, [0, 1], [0], text("a"), [subscriptionByte(qos, given)]));
        const { noLocal = false, retainAsPublished = false, retainHandling = 0 } = given;
        const subscription = { topic: "a", qos, nl: noLocal, rap: retainAsPublished, rh: retainHandling };
        expect(packet).toMatchObject({ subscriptions: [subscription] });
      }),
      { numRuns },
    );
    expect(subscriptionByte(2, undefined)).toBe(2);
  });
});

const message = fc.record({
  expiry: number(MOST - 1),
  text: fc.constant(true),
  contentType: words,
  responseTopic: names,
  correlation: words,
  userProperties: pairs,
}, none);

function asPacketProperties(given: MessageProperties): object {
  const { expiry, text: isText, contentType, responseTopic, correlation, userProperties: all } = given;
  return {
    ...(expiry !== undefined && { messageExpiryInterval: expiry }),
    ...(isText === true && { payloadFormatIndicator: true }),
    ...(contentType !== undefined && { contentType }),
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlation !== undefined && { correlationData: Buffer.from(correlation) }),
    ...(all !== undefined && all.length > 0 && { userProperties: Object.fromEntries(all.map((one) => [one.name, one.value])) }),
  };
}

/** mqtt-packet's user properties have no prototype, and an empty list of any is none. */
function plain(packet: Packet): unknown {
  const asBuffers = (_key: string, value: unknown): unknown =>
    Buffer.isBuffer(value) ? { type: "Buffer", data: [...value] } : value;
  return JSON.parse(JSON.stringify(packet, asBuffers));
}

describe("the properties of a message", () => {
  it("take as many bytes as was said, and are what mqtt-packet reads", () => {
    fc.assert(
      fc.property(message, (given) => {
        const size = messagePropertiesSize(given);
        const writer = createWriter(new Uint8Array(size === 0 ? 1 : size));
        writeMessageProperties(writer, given);
        expect([writer.at, writer.overflow]).toEqual([size, false]);
        const bytes = [...Uint8Array.from(writer.bytes).slice(0, size)];
        if (given.expiry !== undefined) expect(bytes[0]).toBe(2);
        const packet = parse(packetOf(0x30, text("a"), varying(size), bytes, [0x21]));
        const expected = asPacketProperties(given);
        if (size === 0) expect(packet).not.toHaveProperty("properties");
        else expect(plain(packet)).toMatchObject(JSON.parse(JSON.stringify({ topic: "a", properties: expected })));
      }),
      { numRuns },
    );
  });
});

describe("CONNECT", () => {
  const options: fc.Arbitrary<ConnectOptions> = fc.record(
    {
      clientId: words,
      cleanSession: fc.boolean(),
      keepAlive: number(65535),
      userName: words,
      password: words,
      will: fc.record({ topic: names, payload: words, qos: fc.constantFrom<0 | 1>(0, 1), retain: fc.boolean() }),
    },
    { requiredKeys: ["clientId", "cleanSession", "keepAlive"] },
  );
  const own: fc.Arbitrary<FiveConnect> = fc.record({
    sessionExpiry: number(MOST),
    receiveMaximum: number(65535, 1),
    aliasesIn: number(65535),
    requestResponseInformation: fc.boolean(),
    requestProblemInformation: fc.boolean(),
    userProperties: pairs,
  }, none);
  const asked = fc.record({
    options,
    own,
    will: fc.option(fc.tuple(message, fc.option(number(MOST - 1), { nil: undefined })), { nil: undefined }),
    data: fc.option(fc.uint8Array({ maxLength: 20 }), { nil: undefined }),
    receive: number(MOST - 1, 1),
  });

  function connectOf(given: ConnectOptions, mine: FiveConnect, receive: number, bytes: Uint8Array): Packet {
    const parts = createConnectParts(given, mine, { packetSize: receive, messages: mine.receiveMaximum ?? 65535 });
    const writer = createWriter(new Uint8Array(connectRoom(parts, bytes.length)));
    writeConnect(writer, parts, bytes.length === 0 ? Uint8Array.of(0) : bytes, bytes.length);
    expect(writer.overflow).toBe(false);
    if (given.clientId !== "") expect(writer.at).toBe(writer.end);
    const head = [...Uint8Array.from(parts.head)];
    return parse(packetOf(0x10, head, [...Uint8Array.from(writer.bytes).slice(0, writer.at)]));
  }

  it("[MQTT5-3.1.2-1] [MQTT5-3.1.2-9] [MQTT5-3.1.2-11] [MQTT5-3.1.2-12] [MQTT5-3.1.2-13] [MQTT5-3.1.2-16] [MQTT5-3.1.2-17] [MQTT5-3.1.2-18] [MQTT5-3.1.2-19] [MQTT5-3.1.3-1] [MQTT5-3.1.3-3] [MQTT5-3.1.3-4] [MQTT5-3.1.3-11] [MQTT5-3.1.3-12] is what mqtt-packet reads", () => {
    fc.assert(
      fc.property(asked, (given) => {
        const method = given.data === undefined ? undefined : "SCRAM";
        const authentication = { method: "SCRAM", room: 20, begin: () => 0, challenge: () => 0, accepted: () => true };
        const will = given.will === undefined ? undefined : { ...given.will[0], delay: given.will[1] };
        const mine = { ...given.own, will, ...(method !== undefined && { authentication }) };
        const packet = connectOf(given.options, mine, given.receive, given.data ?? Uint8Array.of());
        const expiry = given.own.sessionExpiry ?? (given.options.cleanSession ? 0 : MOST);
        const wanted: Partial<IConnectPacket> = {
          cmd: "connect",
          protocolId: "MQTT",
          protocolVersion: 5,
          clean: given.options.cleanSession,
          keepalive: given.options.keepAlive,
          clientId: given.options.clientId,
          properties: {
            maximumPacketSize: given.receive,
            ...(expiry > 0 && { sessionExpiryInterval: expiry === MOST ? 0xffffffff : expiry }),
            ...(given.own.receiveMaximum !== undefined && given.own.receiveMaximum < 65535 && { receiveMaximum: given.own.receiveMaximum }),
            ...(given.own.aliasesIn !== undefined && { topicAliasMaximum: given.own.aliasesIn }),
            ...(given.own.requestResponseInformation === true && { requestResponseInformation: true }),
            ...(given.own.requestProblemInformation === false && { requestProblemInformation: false }),
            ...(method !== undefined && { authenticationMethod: method }),
            ...(given.data !== undefined && given.data.length > 0 && { authenticationData: Buffer.from(given.data) }),
          },
        };
        const read = plain(packet);
        expect(read).toMatchObject(JSON.parse(JSON.stringify(wanted)));
        expect("username" in packet ? packet.username : undefined).toBe(given.options.userName);
        expect("password" in packet ? packet.password.toString() : undefined).toBe(given.options.password);
        expect("will" in packet).toBe(given.options.will !== undefined);
        if (given.options.will === undefined) return;
        const { topic, payload, qos, retain } = given.options.will;
        const properties = {
          ...(will !== undefined && asPacketProperties(will)),
          ...(will?.delay !== undefined && { willDelayInterval: will.delay }),
        };
        const expected = { topic, qos, retain, payload: Buffer.from(payload), properties };
        if (Object.keys(properties).length === 0) Reflect.deleteProperty(expected, "properties");
        expect(read).toMatchObject(JSON.parse(JSON.stringify({ will: expected })));
      }),
      { numRuns },
    );
  });

  const plainOptions: ConnectOptions = { clientId: "", cleanSession: true, keepAlive: 30 };

  it("has a password without a user name, which MQTT 5.0 allows", () => {
    expect(connectOf({ ...plainOptions, password: "secret" }, {}, 128, Uint8Array.of())).toMatchObject({
      password: Buffer.from("secret"),
    });
  });

  it("[MQTT5-3.2.2-16] goes on with the client identifier that the broker has given", () => {
    const parts = createConnectParts(plainOptions, {}, { packetSize: 128, messages: 65535 });
    const given = Buffer.from("given-by-the-broker");
    expect(adoptClientId(parts, given, 0, given.length)).toBe(true);
    const writer = createWriter(new Uint8Array(connectRoom(parts, 0)));
    writeConnect(writer, parts, Uint8Array.of(0), 0);
    const bytes = [...Uint8Array.from(writer.bytes).slice(0, writer.at)];
    expect(parse(packetOf(0x10, [...Uint8Array.from(parts.head)], bytes))).toMatchObject({ clientId: "given-by-the-broker" });
    expect(adoptClientId(parts, new Uint8Array(65).fill(0x61), 0, 65)).toBe(false);
  });

  it("asks for a new session no more once it has one to go on with", () => {
    const any = { packetSize: MOST, messages: 65535 };
    const parts = createConnectParts({ ...plainOptions, clientId: "a" }, { sessionExpiry: 60 }, any);
    expect(connectIsClean(parts)).toBe(true);
    connectResumes(parts);
    expect(connectIsClean(parts)).toBe(false);
  });
});
