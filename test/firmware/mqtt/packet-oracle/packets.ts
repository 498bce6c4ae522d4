/** Every packet that a broker may send, with every property that it may have, as mqtt-packet writes them. */
import fc from "fast-check";
import { type IPublishPacket, type Packet, type QoS } from "mqtt-packet";
import { ALIASES, filtersOf, NOT_BELIEVED, type Prelude, SUBSCRIBE_ID } from "../../../fuzz/preludes";

/** Any of the fields may be left out. */
const none: { requiredKeys: [] } = { requiredKeys: [] };

const words = fc.string({ unit: "grapheme", maxLength: 12 }).map((each) => each.replaceAll("\0", ""));
const names = fc.oneof(fc.stringMatching(/^[ab]\/[a-z°]{0,4}$/u), fc.stringMatching(/^[a-z/$]{1,9}$/), fc.constant("b"));
const data = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes));
const number = (most: number, least = 0): fc.Arbitrary<number> => fc.integer({ min: least, max: most });
const anyU32 = fc.oneof(number(0xffffffff), fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff));

/** As mqtt-packet has them: by name, with one text or several. It takes no empty record. */
const userProperties = fc
  .dictionary(fc.stringMatching(/^[a-z]{1,6}$/), fc.oneof(words, fc.array(words, { minLength: 1, maxLength: 3 })), {
    minKeys: 1,
    maxKeys: 3,
    noNullPrototype: true,
  });

const explained = { reasonString: words, userProperties };

const connackProperties = {
  sessionExpiryInterval: anyU32,
  receiveMaximum: number(65535, 1),
  maximumQoS: number(1),
  retainAvailable: fc.boolean(),
  maximumPacketSize: number(0xffffffff, 1),
  topicAliasMaximum: number(65535),
  wildcardSubscriptionAvailable: fc.boolean(),
  subscriptionIdentifiersAvailable: fc.boolean(),
  sharedSubscriptionAvailable: fc.boolean(),
  serverKeepAlive: number(65535),
  responseInformation: words,
  serverReference: words,
  ...explained,
};

/** What CONNACK and AUTH say about who the broker is. */
function proof(method: string): { authenticationMethod: fc.Arbitrary<string>; authenticationData: fc.Arbitrary<Buffer> } {
  return { authenticationMethod: fc.constant(method), authenticationData: fc.oneof(data, fc.constant(Buffer.from(NOT_BELIEVED))) };
}

function connackOf({ protocol, clean, nameless, method }: Prelude): fc.Arbitrary<Packet> {
  const known = { requiredKeys: ["authenticationMethod"] } satisfies { requiredKeys: "authenticationMethod"[] };
  const named = { assignedClientIdentifier: words.filter((each) => nameless !== true || each !== "") };
  const assigned: fc.Arbitrary<object> = nameless === true ? fc.record(named) : fc.record(named, none);
  const proved: fc.Arbitrary<object> = method === undefined ? fc.constant({}) : fc.record(proof(method), known);
  const properties = fc.tuple(fc.record(connackProperties, none), assigned, proved).map(([most, one, other]) => ({ ...most, ...one, ...other }));
  const codes = protocol === 5 ? [0, 0, 0, 0x80, 0x87, 0x97, 0x9c] : [0, 0, 0, 1, 5];
  return fc.record({ code: fc.constantFrom(...codes), present: fc.boolean(), properties }).map(({ code, present, properties: given }) => ({
    cmd: "connack" as const,
    ...(protocol === 5 ? { reasonCode: code, properties: given } : { returnCode: code }),
    sessionPresent: present && !clean && code === 0,
  }));
}

/** One that has any of our aliases may have an empty topic: see `inContext`. */
function publishOf({ protocol, exactlyOnce }: Prelude): fc.Arbitrary<Packet> {
  const properties = fc.record(
    {
      payloadFormatIndicator: fc.boolean(),
      messageExpiryInterval: anyU32,
      topicAlias: number(ALIASES, 1),
      responseTopic: names,
      correlationData: data,
      userProperties,
      subscriptionIdentifier: fc.oneof(number(268435455, 1), fc.array(number(268435455, 1), { minLength: 1, maxLength: 3 })),
      contentType: words,
    },
    none,
  );
  const [first = 1, second = 4] = exactlyOnce?.received ?? [];
  // No more at QoS 2 than the client can bear in mind.
  const ids = exactlyOnce === undefined ? number(65535, 1) : fc.constantFrom(first, second, exactlyOnce.received[2] ?? 5);
  return fc
    .record({
      qos: fc.constantFrom<QoS>(0, 1, ...(exactlyOnce === undefined ? [] : [2 as const, 2 as const])),
      dup: fc.boolean(),
      retain: fc.boolean(),
      messageId: ids,
      topic: names,
      payload: fc.uint8Array({ maxLength: 40 }),
      properties,
    })
    .map(({ dup, messageId, payload, properties: given, ...rest }) => ({
      cmd: "publish" as const,
      ...rest,
      payload: Buffer.from(payload),
      dup: dup && rest.qos > 0,
      ...(rest.qos > 0 && { messageId }),
      ...(protocol === 5 && { properties: given }),
    }));
}

function acknowledgementOf({ protocol, exactlyOnce }: Prelude): fc.Arbitrary<Packet> {
  const cmd = exactlyOnce === undefined ? fc.constant("puback" as const) : fc.constantFrom("puback", "pubrec", "pubrel", "pubcomp");
  const properties = fc.option(fc.record(explained, none), { nil: undefined });
  const reasonCode = fc.constantFrom(0, 0, 0x10, 0x80, 0x87, 0x92, 0x97);
  return fc.record({ cmd, messageId: fc.oneof(number(8, 1), number(65535, 1)), reasonCode, properties }).map((given) => {
    const { reasonCode: code, properties: more, ...rest } = given;
    if (protocol !== 5) return rest;
    // 0x10 is a word of those who have received a message.
    const mayMean = code !== 0x10 || rest.cmd === "puback" || rest.cmd === "pubrec";
    return { ...rest, reasonCode: mayMean ? code : 0, ...(more !== undefined && { properties: more }) };
  });
}

function subackOf(prelude: Prelude): fc.Arbitrary<Packet> {
  const five = prelude.protocol === 5;
  const failures = five ? [0x80, 0x87, 0x97, 0x9e, 0xa2] : [0x80];
  const code = (qos: number): fc.Arbitrary<number> => fc.oneof(number(qos), fc.constantFrom(...failures));
  const ours = fc.tuple(...filtersOf(prelude).map(({ qos }) => code(qos)));
  const asked = prelude.online && prelude.granted === undefined;
  const strange = fc.record({ messageId: number(65535, asked ? SUBSCRIBE_ID + 1 : 1), granted: fc.array(code(2), { minLength: 1, maxLength: 4 }) });
  const one = asked ? fc.oneof(strange, ours.map((granted) => ({ messageId: SUBSCRIBE_ID, granted }))) : strange;
  return fc.tuple(one, fc.record(explained, none)).map(([given, properties]) => ({ cmd: "suback", ...given, ...(five && { properties }) }));
}

function unsubackOf({ protocol }: Prelude): fc.Arbitrary<Packet> {
  const granted = fc.tuple(fc.constantFrom(0, 0x11, 0x80, 0x87));
  return fc
    .record({ messageId: fc.oneof(number(8, 1), number(65535, 1)), granted, properties: fc.record(explained, none) })
    .map(({ messageId, granted: codes, properties }) => ({
      cmd: "unsuback" as const,
      messageId,
      granted: protocol === 5 ? codes : [],
      ...(protocol === 5 && { properties }),
    }));
}

const disconnect: fc.Arbitrary<Packet> = fc
  .record({
    reasonCode: fc.constantFrom(0, 0x81, 0x82, 0x8b, 0x8d, 0x8e, 0x93, 0x98, 0x9c, 0x9d, 0xa0),
    properties: fc.record({ serverReference: words, ...explained }, none),
  })
  .map((given) => ({ cmd: "disconnect", ...given }));

/** A step of an authentication, or with 0 its end. */
function authOf(method: string, reasonCode: number): fc.Arbitrary<Packet> {
  return fc
    .record({ ...proof(method), ...explained }, { requiredKeys: ["authenticationMethod"] })
    .map((properties) => ({ cmd: "auth", reasonCode, properties }));
}

/** What stands for its topic, an alias of this link or of none, is known. */
function inContext({ resumed, aliases = [] }: Prelude, packets: readonly Packet[]): Packet[] {
  const known = new Set(resumed === true ? [] : aliases.map(([alias]) => alias));
  return packets.map((packet) => {
    if (packet.cmd !== "publish") return packet;
    const alias = packet.properties?.topicAlias;
    if (alias === undefined) return packet;
    const bare: IPublishPacket = known.has(alias) && packet.payload.length % 2 === 0 ? { ...packet, topic: "" } : packet;
    // A topic that is too long to be kept makes an alias unknown again.
    if (bare.topic !== "" && Buffer.byteLength(bare.topic) > 6) known.delete(alias);
    else known.add(alias);
    return bare;
  });
}

/** What a broker may say after a prelude. */
export function packetsAfter(prelude: Prelude): fc.Arbitrary<Packet[]> {
  const { protocol, online, method, again } = prelude;
  const pingresp = fc.constant<Packet>({ cmd: "pingresp" });
  const any = fc.oneof(publishOf(prelude), publishOf(prelude), acknowledgementOf(prelude), subackOf(prelude), unsubackOf(prelude), pingresp);
  const few = fc.array(any, { maxLength: 5 });
  const steps = method === undefined ? fc.constant([]) : fc.array(authOf(method, 0x18), { maxLength: 2 });
  const first = online ? fc.constant([]) : connackOf(prelude).map((packet) => [packet]);
  const through = again === true && method !== undefined ? fc.array(authOf(method, 0), { maxLength: 1 }) : fc.constant([]);
  const end = protocol === 5 ? fc.array(disconnect, { maxLength: 1 }) : fc.constant([]);
  return fc
    .tuple(steps, first, few, through, few, end)
    .map((parts) => inContext(prelude, parts.flat()));
}
