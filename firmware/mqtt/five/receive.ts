/**
 * PUBLISH from a broker that speaks MQTT 5.0. It is handed on as MQTT 3.1.1 has it, so that all that is done with a
 * message is done in one place: topic, identifier and payload are put together behind the properties in a buffer of our
 * own, where they stay until the next one comes, also when a handler has said "not now".
 */
import type { Bytes, Millis } from "../../../hal/hal";
import { copy, div, putU16, u16At } from "#native";
import { type Client, ClientState } from "../client-state";
import { lengthBytes, PacketType, PublishFlag, QOS_BITS } from "../packet";
import { type ReaderEvents } from "../reader";
import { forgetAliasesIn, keepAlias, mayAlias, topicAt, topicLength } from "./aliases";
import { packetCame } from "./incoming";
import { varyingAt } from "./properties";
import { readPublish } from "./publish";
import { Reason } from "./reason";
import { type FiveState } from "./state";
import { wrong } from "./wrong";

const PUBLISH = PacketType.Publish * 16;
const PUBACK = PacketType.Puback * 16;

/** @boot */
export function listen(five: FiveState, client: Client, events: ReaderEvents): ReaderEvents {
  return {
    packet(now, first, bytes, at, count) {
      if (five.packetIsLimited && isTooLarge(five, count)) wrong(five, client, Reason.PacketTooLarge);
      else if (first >= PUBLISH && first < PUBLISH + 16) publishCame(five, client, now, first, bytes, at, count, events);
      // A PUBACK without a reason code is the same in both.
      else if (first === PUBACK && count === 2 && u16At(bytes, at) !== 0) events.packet(now, first, bytes, at, count);
      else packetCame(five, client, now, first, bytes, at, count);
    },
    oversize(now, first, id, remaining) {
      five.refusal = 0;
      if (!five.readsOver || isTooLarge(five, remaining)) wrong(five, client, Reason.PacketTooLarge);
      else if (mayReadOver(five, client, first, remaining)) events.oversize(now, first, id, remaining);
    },
    malformed(now, breach) {
      events.malformed(now, breach);
    },
  };
}

function publishCame(
  five: FiveState,
  client: Client,
  now: Millis,
  first: number,
  bytes: Bytes,
  at: number,
  count: number,
  events: ReaderEvents,
): void {
  const qos = div(first & QOS_BITS, PublishFlag.Qos1);
  // What is wrong with any PUBLISH is found where those of MQTT 3.1.1 are looked at.
  if (client.state !== ClientState.Online || qos === 3) {
    events.packet(now, first, bytes, at, count);
    return;
  }
  const inbound = five.inbound;
  const reason = readPublish(inbound, five.properties, qos, bytes, at, count);
  if (reason !== Reason.Success) {
    wrong(five, client, reason);
    return;
  }
  const length = inbound.alias === 0 ? inbound.topicLength : aliasCame(five, bytes);
  if (length <= 0) {
    wrong(five, client, length === 0 ? Reason.ProtocolError : Reason.TopicAliasInvalid);
    return;
  }
  if (qos === 2 && isTooMany(five, client)) {
    tooManyCame(five, client);
    return;
  }
  const end = putTogether(five, bytes, length, at + count);
  five.refusal = 0;
  events.packet(now, first, five.room, five.properties.end, end - five.properties.end);
  // It is for this message alone, which may have to wait for another of its handlers.
  if (client.hold === undefined || !client.hold.holding) five.refusal = 0;
}

/** Whether a packet is larger than the broker was told that one may be. [MQTT 5.0 §3.1.2.11.4] */
function isTooLarge({ packetSize }: FiveState, remaining: number): boolean {
  return 1 + lengthBytes(remaining) + remaining > packetSize;
}

/** Whether the broker has more messages at QoS 2 under way than it was given leave to. [MQTT5-3.3.4-9] */
function isTooMany({ intake, inbound }: FiveState, { exactlyOnce }: Client): boolean {
  return exactlyOnce !== undefined && exactlyOnce.isBeyond(inbound.id, intake);
}

function tooManyCame(five: FiveState, client: Client): void {
  if (client.exactlyOnce !== undefined) client.exactlyOnce.stats.overruns++;
  wrong(five, client, Reason.ReceiveMaximumExceeded);
}

/**
 * Keeps the topic of a PUBLISH with an alias, or finds what the alias stands for. Gives how long the topic is; 0: none was
 * ever said; -1: the broker may not use that alias.
 */
function aliasCame({ aliasesIn, inbound }: FiveState, bytes: Bytes): number {
  const alias = inbound.alias;
  if (!mayAlias(aliasesIn, alias)) return -1;
  const length = inbound.topicLength;
  if (length === 0) return topicLength(aliasesIn, alias);
  // A topic that is too long to be kept is good for this message. A later one that needs it ends the link.
  keepAlias(aliasesIn, alias, bytes, inbound.topicAt, length);
  return length;
}

/**
 * What the reader's buffer has of a PUBLISH that is larger: properties, topic and identifier are put together as those of
 * any other, and the message says where.
 */
export function largeCame(five: FiveState, client: Client, qos: number): number {
  const { inbound, properties } = five;
  const { buffer, size, remaining } = client.reader;
  if (isTooLarge(five, remaining)) {
    wrong(five, client, Reason.PacketTooLarge);
    return -1;
  }
  if (!headIsWhole(buffer, size, qos)) return 0;
  const reason = readPublish(inbound, properties, qos, buffer, 0, size);
  if (reason !== Reason.Success) {
    wrong(five, client, reason);
    return -1;
  }
  const length = inbound.alias === 0 ? inbound.topicLength : aliasCame(five, buffer);
  if (length <= 0) {
    wrong(five, client, length === 0 ? Reason.ProtocolError : Reason.TopicAliasInvalid);
    return -1;
  }
  if (qos === 2 && isTooMany(five, client)) {
    tooManyCame(five, client);
    return -1;
  }
  putTogether(five, buffer, length, inbound.payloadAt);
  five.refusal = 0;
  const message = client.message;
  message.bytes = five.room;
  message.topicAt = properties.end + 2;
  message.topicLength = length;
  return inbound.payloadAt;
}

/**
 * A PUBLISH was read over: what its head says counts all the same, as far as the reader's buffer has it. Of one whose head
 * does not fit in there, nobody knows what its alias is to stand for, if it has one: then no alias stands for anything.
 * False: it is wrong, and the link is ended.
 */
function mayReadOver(five: FiveState, client: Client, first: number, remaining: number): boolean {
  const { buffer, size } = client.reader;
  const qos = div(first & QOS_BITS, PublishFlag.Qos1);
  // These are found where those of MQTT 3.1.1 are looked at.
  if (client.state !== ClientState.Online || qos === 3) return true;
  if (!headIsWhole(buffer, size, qos)) {
    forgetAliasesIn(five.aliasesIn);
    if (!endsBehind(buffer, size, qos, remaining)) return true;
    wrong(five, client, Reason.MalformedPacket);
    return false;
  }
  // With parts, it was looked at when it began.
  return client.parts !== undefined || largeCame(five, client, qos) >= 0;
}

/** Whether properties that go on behind the first `size` bytes of a packet say that they go on behind its end, too. */
function endsBehind(buffer: Bytes, size: number, qos: number, remaining: number): boolean {
  const at = 2 + u16At(buffer, 0) + (qos === 0 ? 0 : 2);
  const length = at >= size ? -1 : varyingAt(buffer, at, size);
  return length >= 0 && at + lengthBytes(length) + length > remaining;
}

/** Whether all that comes before the payload is among the first `size` bytes. */
function headIsWhole(buffer: Bytes, size: number, qos: number): boolean {
  const at = 2 + u16At(buffer, 0) + (qos === 0 ? 0 : 2);
  if (at >= size) return false;
  const length = varyingAt(buffer, at, size);
  // A length that is wrong is found by whoever reads it.
  if (length < 0) return size - at >= 4;
  return at + lengthBytes(length) + length <= size;
}

/** Properties, topic, identifier, payload: gives where they end. The properties are those in our buffer then. */
function putTogether(five: FiveState, bytes: Bytes, length: number, end: number): number {
  const { room, inbound, properties, aliasesIn } = five;
  const size = properties.end - properties.start;
  copy(bytes, properties.start, room, 0, size);
  properties.bytes = room;
  properties.start = 0;
  properties.end = size;
  properties.next = 0;
  putU16(room, size, length);
  let next = size + 2;
  if (inbound.topicLength > 0) copy(bytes, inbound.topicAt, room, next, length);
  else copy(aliasesIn.topics, topicAt(aliasesIn, inbound.alias), room, next, length);
  next += length;
  if (inbound.id !== 0) {
    putU16(room, next, inbound.id);
    next += 2;
  }
  copy(bytes, inbound.payloadAt, room, next, end - inbound.payloadAt);
  return next + end - inbound.payloadAt;
}
