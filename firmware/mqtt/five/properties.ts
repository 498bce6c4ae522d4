/**
 * Properties: the part of an MQTT 5.0 packet that is a list of numbered values. [MQTT 5.0 §2.2.2]
 *
 * What comes is read where it lies. {@link propertiesOpen} checks all of it first, so that nothing is done about a
 * packet that turns out wrong at its end; then {@link nextProperty} goes through it as often as anybody likes:
 *
 *     propertiesRewind(properties);
 *     while (nextProperty(properties)) {
 *       if (properties.id === Property.UserProperty) …
 *     }
 */
import type { Bytes } from "../../../hal/hal";
import { allocate, byteAt, div, isUtf8, isUtf8Without, u16At } from "#native";
import { lengthBytes, type PacketType } from "../packet";
import { Wildcard } from "../topic";
import { Reason } from "./reason";

export const enum Property {
  PayloadFormat = 1,
  MessageExpiry = 2,
  ContentType = 3,
  ResponseTopic = 8,
  CorrelationData = 9,
  SubscriptionIdentifier = 11,
  SessionExpiry = 17,
  AssignedClientId = 18,
  ServerKeepAlive = 19,
  AuthenticationMethod = 21,
  AuthenticationData = 22,
  RequestProblemInformation = 23,
  WillDelay = 24,
  RequestResponseInformation = 25,
  ResponseInformation = 26,
  ServerReference = 28,
  ReasonString = 31,
  ReceiveMaximum = 33,
  TopicAliasMaximum = 34,
  TopicAlias = 35,
  MaximumQos = 36,
  RetainAvailable = 37,
  UserProperty = 38,
  MaximumPacketSize = 39,
  WildcardsAvailable = 40,
  SubscriptionIdentifiersAvailable = 41,
  SharedAvailable = 42,
}

/** What the value of a property is. */
const enum Kind {
  /** There is no such property. */
  None,
  /** A byte that is 0 or 1. */
  Flag,
  Two,
  /** Two bytes, and four, that are not 0. */
  SomeTwo,
  Four,
  SomeFour,
  /** A topic alias: two bytes, not 0. */
  Alias,
  /** A number of 1 to 4 bytes, 7 bits each, that is not 0. */
  Varying,
  Text,
  /** A text that is a topic name. */
  Topic,
  Data,
  /** Two texts. */
  Pair,
}

/** How a packet type stands in {@link PROPERTIES}. */
const CONNACK = 0x0004;
const PUBLISH = 0x0008;
/** PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK and UNSUBACK. */
const ACKS = 0x0af0;
const DISCONNECT = 0x4000;
const AUTH = 0x8000;
const KINDS = 16;

/**
 * For each property, its kind and the packets from a broker that may have it. [MQTT 5.0 §2.2.2.2]
 * Those that only clients send are in no packet here, and so is the session expiry of a DISCONNECT [MQTT5-3.14.2-2].
 */
const PROPERTIES: readonly number[] = [
  0,
  Kind.Flag + PUBLISH * KINDS, // payload format
  Kind.Four + PUBLISH * KINDS, // message expiry
  Kind.Text + PUBLISH * KINDS, // content type
  0,
  0,
  0,
  0,
  Kind.Topic + PUBLISH * KINDS, // response topic
  Kind.Data + PUBLISH * KINDS, // correlation data
  0,
  Kind.Varying + PUBLISH * KINDS, // subscription identifier
  0,
  0,
  0,
  0,
  0,
  Kind.Four + CONNACK * KINDS, // session expiry
  Kind.Text + CONNACK * KINDS, // assigned client identifier
  Kind.Two + CONNACK * KINDS, // server keep alive
  0,
  Kind.Text + (CONNACK + AUTH) * KINDS, // authentication method
  Kind.Data + (CONNACK + AUTH) * KINDS, // authentication data
  0,
  0,
  0,
  Kind.Text + CONNACK * KINDS, // response information
  0,
  Kind.Text + (CONNACK + DISCONNECT) * KINDS, // server reference
  0,
  0,
  Kind.Text + (CONNACK + ACKS + DISCONNECT + AUTH) * KINDS, // reason string
  0,
  Kind.SomeTwo + CONNACK * KINDS, // receive maximum
  Kind.Two + CONNACK * KINDS, // topic alias maximum
  Kind.Alias + PUBLISH * KINDS, // topic alias
  Kind.Flag + CONNACK * KINDS, // maximum QoS
  Kind.Flag + CONNACK * KINDS, // retain available
  Kind.Pair + (CONNACK + PUBLISH + ACKS + DISCONNECT + AUTH) * KINDS, // user property
  Kind.SomeFour + CONNACK * KINDS, // maximum packet size
  Kind.Flag + CONNACK * KINDS, // wildcards available
  Kind.Flag + CONNACK * KINDS, // subscription identifiers available
  Kind.Flag + CONNACK * KINDS, // shared subscriptions available
];

/** Bit 0 to bit 31. */
const BITS: readonly number[] = [
  0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000, 0x8000, 0x10000,
  0x20000, 0x40000, 0x80000, 0x100000, 0x200000, 0x400000, 0x800000, 0x1000000, 0x2000000, 0x4000000, 0x8000000,
  0x10000000, 0x20000000, 0x40000000, -2147483647 - 1,
];

/** The largest number that is told: what is above it, up to 4294967295, is told as this. As an interval it is for ever. */
export const MOST = 2147483647;

/** The properties of the packet that came last. Everything is lent, as the packet is. */
export interface Properties {
  bytes: Bytes;
  /** Where the first one begins, and where the packet goes on behind the last. */
  start: number;
  end: number;
  /** Where the next one begins. */
  next: number;

  /** The present one; 0 for none. */
  id: number;
  /** What it says, if it is a number. */
  value: number;
  /** Where its text or data is. Of a user property: its name. */
  at: number;
  count: number;
  /** The value of a user property. */
  valueAt: number;
  valueCount: number;
}

/** @boot */
export function createProperties(): Properties {
  return { bytes: allocate(1), start: 0, end: 0, next: 0, id: 0, value: 0, at: 0, count: 0, valueAt: 0, valueCount: 0 };
}

/**
 * The number at `at`, 0 to 268435455, in 1 to 4 bytes of 7 bits; -1 when it does not end before `end` or in four bytes,
 * or takes more of them than it needs [MQTT5-1.5.5-1]. `lengthBytes` tells how many it has taken.
 */
export function varyingAt(bytes: Bytes, at: number, end: number): number {
  let value = 0;
  let factor = 1;
  for (let i = 0; i < 4; i++) {
    if (at + i >= end) return -1;
    const byte = byteAt(bytes, at + i);
    value += (byte & 127) * factor;
    if (byte < 128) return byte === 0 && i > 0 ? -1 : value;
    factor *= 128;
  }
  return -1;
}

/** Four bytes, most significant first, as far as they fit a number: see {@link MOST}. */
export function u32At(bytes: Bytes, at: number): number {
  const high = u16At(bytes, at);
  return high >= 32768 ? MOST : high * 65536 + u16At(bytes, at + 2);
}

/** No properties at all, for a packet that ends before them. */
export function propertiesNone(properties: Properties, bytes: Bytes, at: number): void {
  properties.bytes = bytes;
  properties.start = at;
  properties.end = at;
  propertiesRewind(properties);
}

/**
 * The properties that begin, with their length, at `at` of a packet of type `packet` that ends at `end`. `Success`, or
 * what is wrong with them: one that is unknown or does not belong there, or is not what it should be, makes the packet
 * malformed; one that stands there twice or has a value that it must not have is a protocol error.
 */
export function propertiesOpen(properties: Properties, bytes: Bytes, at: number, end: number, packet: PacketType): Reason {
  const length = varyingAt(bytes, at, end);
  const start = at + lengthBytes(length);
  propertiesNone(properties, bytes, at);
  if (length < 0 || start + length > end) return Reason.MalformedPacket;
  properties.start = start;
  properties.end = start + length;
  properties.next = start;
  const wrong = check(properties, packet);
  if (wrong === Reason.Success) propertiesRewind(properties);
  else propertiesNone(properties, bytes, at);
  return wrong;
}

function check(properties: Properties, packet: PacketType): Reason {
  const place = KINDS * bit(packet);
  // A bit for each that was there: 0 to 31, and 32 to 63.
  let low = 0;
  let high = 0;
  while (properties.next < properties.end) {
    const id = byteAt(properties.bytes, properties.next);
    if ((entryOf(id) & place) === 0) return Reason.MalformedPacket;
    const reason = take(properties, id);
    if (reason !== Reason.Success) return reason;
    if (id === Property.UserProperty || id === Property.SubscriptionIdentifier) continue;
    const mark = bit(id & 31);
    if (((id < 32 ? low : high) & mark) !== 0) return Reason.ProtocolError;
    if (id < 32) low |= mark;
    else high |= mark;
  }
  return Reason.Success;
}

function bit(place: number): number {
  return BITS[place] ?? 0;
}

function entryOf(id: number): number {
  return PROPERTIES[id] ?? 0;
}

/** Back before the first one. */
export function propertiesRewind(properties: Properties): void {
  properties.next = properties.start;
  properties.id = 0;
}

/** Goes on to the next one. False when there is none. */
export function nextProperty(properties: Properties): boolean {
  properties.id = 0;
  if (properties.next >= properties.end) return false;
  // They were checked. Whoever reads on when they are lent no more finds nothing, rather than no end.
  if (take(properties, byteAt(properties.bytes, properties.next)) === Reason.Success) return true;
  properties.next = properties.end;
  properties.id = 0;
  return false;
}

/** Goes to the first one that is `id`. False when there is none. */
export function findProperty(properties: Properties, id: Property): boolean {
  propertiesRewind(properties);
  while (nextProperty(properties)) {
    if (properties.id === id) return true;
  }
  return false;
}

/** The number that property `id` says, or `other` when it is not there. */
export function numberOf(properties: Properties, id: Property, other: number): number {
  return findProperty(properties, id) ? properties.value : other;
}

/** Reads the property `id` whose value begins behind `next`, and goes on behind it. */
function take(properties: Properties, id: number): Reason {
  const { bytes, end } = properties;
  const at = properties.next + 1;
  const kind: Kind = entryOf(id) & (KINDS - 1);
  properties.id = id;
  switch (kind) {
    case Kind.None:
      return Reason.MalformedPacket;
    case Kind.Flag:
      if (at + 1 > end) return Reason.MalformedPacket;
      return number(properties, byteAt(bytes, at), at + 1, byteAt(bytes, at) <= 1);
    case Kind.Two:
    case Kind.SomeTwo:
      if (at + 2 > end) return Reason.MalformedPacket;
      return number(properties, u16At(bytes, at), at + 2, kind === Kind.Two || u16At(bytes, at) !== 0);
    case Kind.Alias:
      if (at + 2 > end) return Reason.MalformedPacket;
      number(properties, u16At(bytes, at), at + 2, true);
      return properties.value === 0 ? Reason.TopicAliasInvalid : Reason.Success;
    case Kind.Four:
    case Kind.SomeFour:
      if (at + 4 > end) return Reason.MalformedPacket;
      return number(properties, u32At(bytes, at), at + 4, kind === Kind.Four || u32At(bytes, at) !== 0);
    case Kind.Varying: {
      const value = varyingAt(bytes, at, end);
      if (value < 0) return Reason.MalformedPacket;
      return number(properties, value, at + lengthBytes(value), value !== 0);
    }
    case Kind.Text:
    case Kind.Topic:
    case Kind.Data:
      return span(properties, kind, at);
    case Kind.Pair: {
      const reason = span(properties, Kind.Text, at);
      if (reason !== Reason.Success) return reason;
      const nameAt = properties.at;
      const nameCount = properties.count;
      const valueReason = span(properties, Kind.Text, properties.next);
      properties.valueAt = properties.at;
      properties.valueCount = properties.count;
      properties.at = nameAt;
      properties.count = nameCount;
      return valueReason;
    }
  }
}

function number(properties: Properties, value: number, next: number, allowed: boolean): Reason {
  properties.value = value;
  properties.next = next;
  return allowed ? Reason.Success : Reason.ProtocolError;
}

/** Two bytes of length, and a text or data. */
function span(properties: Properties, kind: Kind, at: number): Reason {
  const { bytes, end } = properties;
  if (at + 2 > end) return Reason.MalformedPacket;
  const count = u16At(bytes, at);
  properties.at = at + 2;
  properties.count = count;
  properties.next = at + 2 + count;
  if (properties.next > end) return Reason.MalformedPacket;
  if (kind !== Kind.Data && !isUtf8(bytes, at + 2, count)) return Reason.MalformedPacket;
  if (kind !== Kind.Topic) return Reason.Success;
  // [MQTT5-3.3.2-14] [MQTT5-4.7.3-1]
  const isName = count > 0 && isUtf8Without(bytes, at + 2, count, Wildcard.Plus, Wildcard.Hash);
  return isName ? Reason.Success : Reason.ProtocolError;
}

/** The two halves of a number of four bytes, 0 to {@link MOST}, which stands for ever. */
export function highHalf(value: number): number {
  return value === MOST ? 65535 : div(value, 65536);
}

export function lowHalf(value: number): number {
  return value === MOST ? 65535 : value - div(value, 65536) * 65536;
}
