/** The packets of MQTT 5.0. Where the specification leaves a choice, the client's is noted. */
import { ALIAS_TOPIC_SIZE, ALIASES, filtersOf, NOT_BELIEVED, OWN_TOPIC, PROOF, RECEIVE_SIZE, RECEIVING } from "../preludes";
import * as exchanges from "./exchanges";
import { deliver, sessionBegins } from "./exchanges";
import { describe, find, readProperties, type Section } from "./properties";
import { hasWildcard, isText } from "./topics";
import { complain, hex, MALFORMED, ownPacket, PROTOCOL_ERROR, Sub, u16, type World } from "./world";

const TOPIC_NAME_INVALID = 0x90;
const RECEIVE_MAXIMUM_EXCEEDED = 0x93;
const TOPIC_ALIAS_INVALID = 0x94;
export const PACKET_TOO_LARGE = 0x95;
const CONTINUE = 0x18;

/** A reason code from here on tells of a failure; one that is not in the list of its packet does so, too. */
function failed(reason: number): boolean {
  return reason >= 0x80;
}

/** What the application is told of a packet. */
function tell(world: World, type: number, reason: number, id: number, about: string, section: Section | undefined): void {
  const text = find(section, 31)?.bytes ?? [];
  const reference = find(section, 28)?.bytes ?? [];
  world.told.push(`${type} ${reason} ${id} [${hex(about)}] [${hex(text)}] [${hex(reference)}]`);
}

/** Whether a packet tells of something worth telling: not that all is well, and no more. */
function isNews(reason: number, section: Section | undefined): boolean {
  return failed(reason) || (find(section, 31)?.bytes.length ?? 0) > 0;
}

/** The section of properties that ends a packet. */
function lastSection(world: World, type: number, body: Uint8Array, at: number): Section | undefined {
  const section = readProperties(world, type, body, at);
  if (section !== undefined && section.end !== body.length) complain(world, MALFORMED, "bytes behind the properties");
  return section;
}

/** Who has said by which method it proves itself is answered in the same, and nobody else is. [MQTT5-4.12.0-5, -6] */
function checkMethod(world: World, section: Section | undefined): void {
  const { method } = world.prelude;
  const named = find(section, 21)?.bytes;
  const right = method === undefined ? named === undefined && find(section, 22) === undefined : hex(named ?? []) === hex(method);
  if (!right) complain(world, PROTOCOL_ERROR, "authentication method");
}

function believed(section: Section | undefined): boolean {
  return hex(find(section, 22)?.bytes ?? []) !== hex(NOT_BELIEVED);
}

function connack(world: World, body: Uint8Array): void {
  const { prelude, grants } = world;
  const [flags = 0, reason = 0] = body;
  if (body.length < 3) {
    complain(world, MALFORMED, "length of CONNACK");
    return;
  }
  if (flags > 1) complain(world, MALFORMED, "reserved flags in CONNACK");
  const section = lastSection(world, 2, body, 2);
  if (reason !== 0 && !failed(reason)) complain(world, PROTOCOL_ERROR, "reason code of CONNACK");
  if (flags === 1 && (reason !== 0 || prelude.clean)) complain(world, PROTOCOL_ERROR, "session present where there is none");
  if (!failed(reason)) {
    checkMethod(world, section);
    const given = find(section, 18)?.bytes.length ?? 0;
    if (prelude.nameless === true && given === 0) complain(world, PROTOCOL_ERROR, "no client identifier");
  }
  if (world.wrongs.length > 0) return;
  if (failed(reason)) {
    world.end = "refused";
    tell(world, 2, reason, 0, "", section);
    return;
  }
  if (prelude.method !== undefined && !believed(section)) {
    world.end = "not authentic";
    return;
  }
  grants.receiveMaximum = find(section, 33)?.number ?? 65535;
  grants.maximumQos = find(section, 36)?.number ?? 2;
  grants.largest = find(section, 39)?.number ?? Infinity;
  grants.wildcards = find(section, 40)?.number !== 0;
  tell(world, 2, reason, 0, "", section);
  dropWhatCannotGo(world);
  sessionBegins(world, flags === 1, false);
}

/** What this broker would never take is not sent to it, and the application is told. [MQTT5-3.2.2-11] [MQTT5-3.2.2-15] */
export function dropWhatCannotGo(world: World): void {
  const { grants, prelude } = world;
  world.held = world.held.filter((message) => {
    const tooLarge = ownPacket(prelude, message).length > grants.largest;
    const qosTooHigh = message.qos > grants.maximumQos;
    if (tooLarge || qosTooHigh) world.told.push(`unsent ${tooLarge ? 0 : 1} ${hex(OWN_TOPIC)}`);
    return !tooLarge && !qosTooHigh;
  });
}

function checkTopic(world: World, topic: Uint8Array): void {
  if (!isText(topic)) complain(world, MALFORMED, "topic of PUBLISH");
  if (hasWildcard(topic)) complain(world, TOPIC_NAME_INVALID, "topic of PUBLISH");
}

/** What a topic and its alias stand for together. */
export function resolve(world: World, topic: Uint8Array, alias: number | undefined): Uint8Array {
  const { aliases } = world;
  if (alias === undefined) {
    if (topic.length === 0) complain(world, PROTOCOL_ERROR, "neither topic nor alias");
    return topic;
  }
  if (alias > ALIASES) complain(world, TOPIC_ALIAS_INVALID, `topic alias ${alias}`);
  const known = aliases.get(alias);
  if (topic.length === 0 && known === undefined) complain(world, PROTOCOL_ERROR, "an alias that stands for nothing");
  if (topic.length === 0) return known ?? topic;
  // One that is too long is good for its own message, and is not kept.
  if (topic.length > ALIAS_TOPIC_SIZE) aliases.delete(alias);
  else aliases.set(alias, topic);
  return topic;
}

function publish(world: World, first: number, body: Uint8Array): void {
  const { prelude } = world;
  const qos = (first >> 1) & 3;
  if (qos === 3) complain(world, MALFORMED, "both bits of QoS");
  if (qos === 2 && prelude.exactlyOnce === undefined) complain(world, PROTOCOL_ERROR, "a QoS that was not asked for");
  if (qos === 0 && (first & 8) !== 0) complain(world, MALFORMED, "DUP at QoS 0");
  const idAt = 2 + u16(body, 0);
  const propertiesAt = qos === 0 ? idAt : idAt + 2;
  if (body.length < 2 || propertiesAt >= body.length) {
    complain(world, MALFORMED, "length of PUBLISH");
    return;
  }
  const topic = body.subarray(2, idAt);
  const id = qos === 0 ? 0 : u16(body, idAt);
  const oversize = body.length > RECEIVE_SIZE;
  // Of a message that is read over, the client sees what fits in its buffer.
  if (!oversize || topic.length <= RECEIVE_SIZE - 2) checkTopic(world, topic);
  if (qos > 0 && id === 0) complain(world, PROTOCOL_ERROR, "identifier 0");
  const seen = !oversize || headFits(body, propertiesAt);
  const section = seen ? readProperties(world, 3, body, propertiesAt) : undefined;
  // Whatever aliases it could not see may have changed what they stand for.
  if (!seen) world.aliases.clear();
  const name = section === undefined ? topic : resolve(world, topic, find(section, 35)?.number);
  if (world.wrongs.length > 0) return;
  if (qos === 2 && world.certain && world.received.length === RECEIVING && !world.received.includes(id)) {
    complain(world, RECEIVE_MAXIMUM_EXCEEDED, "more at QoS 2 than we take");
    world.counts.overruns++;
    return;
  }
  const properties = (section?.properties ?? []).map(describe).join("");
  exchanges.publish(world, first, id, oversize, () => deliver(world, first, name, body.subarray(section?.end), properties));
}

/** Whether all that comes before the payload of a large message fits in the client's buffer, as far as that tells. */
function headFits(body: Uint8Array, propertiesAt: number): boolean {
  const buffer = body.subarray(0, RECEIVE_SIZE);
  if (propertiesAt >= buffer.length) return false;
  let length = 0;
  for (let i = 0; i < 4; i++) {
    const byte = buffer[propertiesAt + i];
    if (byte === undefined) return false;
    length += (byte & 127) * 128 ** i;
    // A length that is none is found when there are all the bytes that one may have.
    if (byte === 0 && i > 0) return buffer.length - propertiesAt >= 4;
    // Properties that go on behind the end of the packet are wrong, whatever fits.
    if (byte < 128) return propertiesAt + i + 1 + length <= RECEIVE_SIZE || propertiesAt + i + 1 + length > body.length;
  }
  return true;
}

const names = ["", "", "", "", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP"] as const;
const NOBODY_THERE = 0x10;

function acknowledgement(world: World, type: number, body: Uint8Array): void {
  const { prelude, owed, counts } = world;
  if (type > 4 && prelude.exactlyOnce === undefined) complain(world, PROTOCOL_ERROR, `packet type ${type}, which was not asked for`);
  if (body.length < 2) {
    complain(world, MALFORMED, `length of ${names[type] ?? ""}`);
    return;
  }
  const id = u16(body, 0);
  // Without a reason, all is well.
  const [reason = 0] = body.subarray(2);
  const section = body.length > 3 ? lastSection(world, type, body, 3) : undefined;
  if (id === 0) complain(world, PROTOCOL_ERROR, "identifier 0");
  if (reason !== 0 && !failed(reason) && !(reason === NOBODY_THERE && type <= 5)) complain(world, PROTOCOL_ERROR, "reason code");
  if (world.wrongs.length > 0) return;
  const ours = (type === 4 && owed.get(id) === 1) || (type === 5 && owed.get(id) === 2);
  if (isNews(reason, section)) tell(world, type, reason, id, ours ? OWN_TOPIC : "", section);
  if (ours && failed(reason)) counts.rejected++;
  if (type === 4) exchanges.puback(world, id);
  else if (type === 5 && failed(reason)) refused(world, id);
  else if (type === 5) exchanges.pubrec(world, id);
  else if (type === 6) exchanges.pubrel(world, id);
  else exchanges.pubcomp(world, id);
}

/** The message was not taken, and that is the end of it. [MQTT5-4.3.3-4] */
export function refused(world: World, id: number): void {
  if (world.owed.get(id) !== 2) return;
  world.owed.delete(id);
  world.counts.acknowledged++;
}

const NO_SUBSCRIPTION = 0x11;

function answer(world: World, type: number, body: Uint8Array): void {
  const { prelude, subs, counts } = world;
  const isSuback = type === 9;
  const name = isSuback ? "SUBACK" : "UNSUBACK";
  if (body.length < 3) {
    complain(world, MALFORMED, `length of ${name}`);
    return;
  }
  const id = u16(body, 0);
  if (id === 0) complain(world, PROTOCOL_ERROR, "identifier 0");
  const section = readProperties(world, type, body, 2);
  if (section === undefined) return;
  const codes = [...body.subarray(section.end)];
  // It ends before it should, or has too few codes.
  if (codes.length === 0) {
    complain(world, MALFORMED, `no codes in ${name}`);
    complain(world, PROTOCOL_ERROR, `no codes in ${name}`);
  }
  const known = isSuback ? [0, 1, 2] : [0, NO_SUBSCRIPTION];
  if (!codes.every((code) => failed(code) || known.includes(code))) complain(world, PROTOCOL_ERROR, `codes of ${name}`);
  const asked = isSuback ? world.subscribeId : world.unsubscribeId;
  if (world.wrongs.length > 0 || asked === 0 || id !== asked) return;
  const about = filtersOf(prelude).slice(isSuback ? 0 : 1);
  const fits = codes.length === about.length && codes.every((code, i) => !isSuback || failed(code) || code <= (about[i]?.qos ?? 0));
  if (!fits) {
    complain(world, PROTOCOL_ERROR, `codes of ${name}`);
    return;
  }
  for (const [i, code] of codes.entries()) {
    if (isSuback) subs[i] = failed(code) ? Sub.Refused : Sub.Granted;
    if (isSuback && failed(code)) counts.subscriptionsRefused++;
    if (isNews(code, section)) tell(world, type, code, id, about[i]?.filter ?? "", section);
  }
  if (isSuback) {
    world.subscribeId = 0;
  } else {
    world.unsubscribeId = 0;
    subs[1] = Sub.Off;
  }
}

function disconnect(world: World, body: Uint8Array): void {
  const [reason = 0] = body;
  const section = body.length > 1 ? lastSection(world, 14, body, 1) : undefined;
  if (reason !== 0 && !failed(reason)) complain(world, PROTOCOL_ERROR, "reason code of DISCONNECT");
  if (world.wrongs.length > 0) return;
  world.end = "dismissed";
  tell(world, 14, reason, 0, "", section);
}

function auth(world: World, body: Uint8Array): void {
  const { prelude, online } = world;
  const [reason = 0] = body;
  if (body.length === 1) complain(world, MALFORMED, "length of AUTH");
  const section = body.length > 1 ? lastSection(world, 15, body, 1) : undefined;
  if (reason !== 0 && reason !== CONTINUE) complain(world, PROTOCOL_ERROR, "reason code of AUTH");
  if (prelude.method === undefined) complain(world, PROTOCOL_ERROR, "AUTH that was not asked for");
  else if (online && !world.proving) complain(world, PROTOCOL_ERROR, "AUTH, which nobody has begun");
  if (body.length !== 1) checkMethod(world, section);
  if (world.wrongs.length > 0) return;
  if (isNews(reason, section)) tell(world, 15, reason, 0, "", section);
  if (reason === CONTINUE && believed(section)) {
    const properties = [21, 0, 1, ...Buffer.from(prelude.method ?? ""), 22, 0, PROOF.length, ...PROOF];
    world.answers.push(hex([0xf0, 2 + properties.length, CONTINUE, properties.length, ...properties]));
  } else if (reason === CONTINUE || (online && !believed(section))) {
    world.end = "not authentic";
  } else if (online) {
    world.proving = false;
  } else {
    // While connecting, it is CONNACK that says so.
    complain(world, PROTOCOL_ERROR, "AUTH with success before CONNACK");
  }
}

export function packetOfFive(world: World, first: number, body: Uint8Array): void {
  const type = first >> 4;
  const flags = type === 6 ? 2 : 0;
  if (type !== 3 && (first & 15) !== flags) complain(world, MALFORMED, `flags of packet type ${type}`);
  if (!world.online && type !== 2 && type !== 15) {
    complain(world, PROTOCOL_ERROR, "not CONNACK");
    // A message is looked at, whenever it comes.
    if (type !== 3) return;
  }
  switch (type) {
    case 2:
      if (world.online) complain(world, PROTOCOL_ERROR, "a second CONNACK");
      else connack(world, body);
      return;
    case 3:
      publish(world, first, body);
      return;
    case 4:
    case 5:
    case 6:
    case 7:
      acknowledgement(world, type, body);
      return;
    case 9:
    case 11:
      answer(world, type, body);
      return;
    case 13:
      if (body.length > 0) complain(world, MALFORMED, "length of PINGRESP");
      return;
    case 14:
      disconnect(world, body);
      return;
    case 15:
      auth(world, body);
      return;
    default:
      complain(world, type === 0 ? MALFORMED : PROTOCOL_ERROR, `packet type ${type}`);
  }
}
