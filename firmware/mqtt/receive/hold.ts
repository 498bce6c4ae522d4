/**
 * Back-pressure: a handler may say "not now". Its message stays, nothing more is read from the link, and TCP makes the
 * broker wait. All that is sent goes on, acknowledgements and pings among it. The message is tried again at each poll,
 * and at once when the application calls {@link clientResume}.
 *
 *     const hold = createHold(512);
 *     const client = createClient({ …, hold }, …);
 *
 *     message(now, message) {
 *       if (flashIsBusy) notNow(client);
 *       else store(message);
 *     }
 *
 * The bytes that were asked of the link before, or have come in the same read, are held here until then: so many at most
 * are asked for at a time. A larger hold makes for fewer and longer reads.
 *
 * A message of several subscriptions is tried again only with those that have not taken it. If the link is lost before
 * all have, the broker sends it again at QoS 1 and 2, to all of them; at QoS 0 it is lost, and counted in `lost`.
 */
import type { Bytes, Millis } from "../../../hal/hal";
import { allocate, byteAt, copy, matchFilter, u16At } from "#native";
import { type Client, Fault } from "../client-state";
import { fail, settle } from "../incoming";
import { PacketType, QOS_BITS } from "../packet";
import { readerFeed, ReaderState } from "../reader";
import { type Hold } from "../receiving";
import { isListening, type Message } from "../subscriptions";
import { readAgain } from "./pause";
import { readerIs } from "./reader-is";

export interface Held extends Hold {
  /** The most bytes that are asked of the link at a time. */
  readonly size: number;
  /** What has come behind the message, in the order of the stream. */
  readonly bytes: Bytes;
  at: number;
  count: number;
  /** The subscription that has not taken the message. */
  place: number;
  /** It is a part of a message that is not taken. */
  part: boolean;
  /** It is being tried again. */
  busy: boolean;
  /** Counters since power-on: how often a handler has said "not now", and messages at QoS 0 that a lost link took. */
  refusals: number;
  lost: number;
}

/** A hold for one client, which reads at most `size` (1 to 65535) bytes at a time. @boot */
export function createHold(size: number): Held {
  const held: Held = {
    size,
    bytes: allocate(size),
    at: 0,
    count: 0,
    place: 0,
    part: false,
    busy: false,
    refusals: 0,
    lost: 0,
    holding: false,
    room(room) {
      if (held.holding) return 0;
      return size < room ? size : room;
    },
    keep(client, first, bytes, at, count, place) {
      keepMessage(client, first, bytes, at, count);
      if (client.message.qos === 2) client.exactlyOnce?.forget(client, idOf(client.message));
      held.place = place;
      begin(held, client, false);
    },
    keepPart(client) {
      begin(held, client, true);
    },
    store(client, bytes, at, count) {
      store(held, client, bytes, at, count);
    },
    retry(client, now) {
      retry(held, client, now);
    },
    linkLost(client) {
      if (held.holding) held.lost += lostWith(held, client);
      held.holding = false;
      held.count = 0;
    },
  };
  return held;
}

/**
 * Said by a handler in the middle of its message, or of a part: it is not taken, and comes again. False when the client
 * has no hold: then it counts as taken.
 */
export function notNow(client: Client): boolean {
  if (client.hold === undefined) return false;
  client.message.refused = true;
  return true;
}

/** Tries what is held again at once, rather than at the next poll. From within a handler it does nothing. */
export function clientResume(client: Client, now: Millis): void {
  if (client.hold !== undefined) client.hold.retry(client, now);
}

function begin(held: Held, client: Client, part: boolean): void {
  client.message.refused = false;
  client.paused = true;
  held.part = part;
  held.holding = true;
  held.refusals++;
}

/**
 * Nothing else is in the reader's buffer between two packets. A message that does not fit in there was put together for
 * MQTT 5.0, in a buffer where it stays until the next one.
 */
function keepMessage(client: Client, first: number, bytes: Bytes, at: number, count: number): void {
  const { reader, message } = client;
  reader.first = first;
  reader.state = ReaderState.Held;
  if (count > reader.size) return;
  copy(bytes, at, reader.buffer, 0, count);
  message.bytes = reader.buffer;
  message.topicAt -= at;
  message.payloadAt -= at;
}

function store(held: Held, client: Client, bytes: Bytes, at: number, count: number): void {
  if (held.at > 0) {
    copy(held.bytes, held.at, held.bytes, 0, held.count);
    held.at = 0;
  }
  if (count > held.size - held.count) {
    // More than was asked for: part of the stream would be missing.
    fail(client, Fault.Full);
    return;
  }
  copy(bytes, at, held.bytes, held.count, count);
  held.count += count;
}

function retry(held: Held, client: Client, now: Millis): void {
  const reader = client.reader;
  if (!held.holding || held.busy || reader.state !== ReaderState.Held) return;
  held.busy = true;
  if (held.part ? retryPart(client, now) : retryMessage(held, client, now)) feedStored(held, client, now);
  held.busy = false;
  if (readerIs(reader, ReaderState.Held)) return;
  // It was taken, even if a handler or what came behind it has ended the link.
  held.holding = false;
  readAgain(client, now);
}

function retryPart(client: Client, now: Millis): boolean {
  return client.parts !== undefined && client.parts.retry(client, now);
}

/** Gives whether every subscription has the message now. */
function retryMessage(held: Held, client: Client, now: Millis): boolean {
  const { reader, message, subscriptions, filters } = client;
  const last = subscriptions.length - 1;
  let place = held.place;
  while (place >= 0) {
    const subscription = subscriptions[place];
    if (subscription !== undefined && isListening(subscription.state)) {
      subscription.handler.message(now, message);
      if (message.refused) {
        held.place = place;
        begin(held, client, false);
        return false;
      }
    }
    place = place === last ? -1 : matchFilter(filters, place + 1, message.bytes, message.topicAt, message.topicLength);
  }
  if (reader.state !== ReaderState.Held) return false;
  reader.state = ReaderState.First;
  settle(client, now, message.qos, message.qos === 0 ? 0 : idOf(message));
  return true;
}

/** The packet identifier stands behind the topic. */
function idOf(message: Message): number {
  return u16At(message.bytes, message.topicAt + message.topicLength);
}

/** What a handler cannot take of it either stays. */
function feedStored(held: Held, client: Client, now: Millis): void {
  if (held.count === 0) return;
  const taken = readerFeed(client.reader, now, held.bytes, held.at, held.count);
  held.at += taken;
  held.count -= taken;
}

/** How many messages at QoS 0 go with the link: the one that is held, and those that have begun to come behind it. */
function lostWith(held: Held, client: Client): number {
  const { reader, message } = client;
  let next = held.at;
  const end = held.at + held.count;
  let lost = 0;
  if (held.part) next += reader.remaining - reader.have;
  else if (message.qos === 0) lost++;
  while (next < end) {
    const first = byteAt(held.bytes, next);
    if (first - (first & 15) === PacketType.Publish * 16 && (first & QOS_BITS) === 0) lost++;
    next = packetEnd(held.bytes, next + 1, end);
  }
  return lost;
}

/** Where the packet ends whose length begins at `at`; `end` or more when it is not whole, or no packet. */
function packetEnd(bytes: Bytes, at: number, end: number): number {
  let length = 0;
  let factor = 1;
  for (let next = at; next < end && factor <= 2097152; next++) {
    const byte = byteAt(bytes, next);
    length += (byte & 127) * factor;
    if (byte < 128) return next + 1 + length;
    factor *= 128;
  }
  return end;
}
