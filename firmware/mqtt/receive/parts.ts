/**
 * Payloads that are larger than the client's buffer: a handler that has `parts` gets them as they come, without a copy,
 * each part with its place in the whole. At QoS 1 and 2 the message is acknowledged after the last part. If the link is
 * lost before, the handler is told that it is off, and it comes again from the start.
 *
 *     const client = createClient({ …, parts: createParts() }, …);
 *     addSubscription(client, "moth/update", 1, {
 *       message(now, message) { … },  // what fits in `receiveSize` comes whole
 *       parts: { begin(now, message, total) { … }, part(…) { … }, end(…) { … }, aborted(…) { … } },
 *     });
 *
 * A handler may say "not now" to a part, if the client has a hold: the part comes again, and may be longer then.
 *
 * A message whose topic alone fills the buffer is read over as a whole and counted as `oversize`, and so is one that no
 * handler takes in parts; it is counted, too, when a subscription without `parts` has to go without it.
 */
import type { Bytes, Millis } from "../../../hal/hal";
import { allocate, byteAt, matchFilter, u16At } from "#native";
import { type Client } from "../client-state";
import { largeBreach, settle, violation } from "../incoming";
import { Breach } from "../breach";
import { DUP, QOS_1, QOS_BITS, RETAIN } from "../packet";
import { type LargeTaker, ReaderState } from "../reader";
import { type Parts } from "../receiving";
import { isListening, type PartsHandler } from "../subscriptions";
import { readerIs } from "./reader-is";

/** The most subscriptions that take one message in parts: those that were added first. */
const MOST_TAKERS = 8;

export interface PartsState extends Parts {
  /** Who takes the message that comes: places in the list of subscriptions. None: no such message comes. */
  readonly places: Bytes;
  takers: number;
  /** A subscription that would have to take it whole. */
  unserved: boolean;
  /** The first of them that has not taken the part that is offered, and how long that was when it was refused. */
  next: number;
  refusedCount: number;
  /** How much of the payload all of them have. */
  offset: number;
  /** How many bytes of it are still in the reader's buffer. */
  inBuffer: number;
  id: number;
  /** Messages, since power-on, that came to their end, and that a lost link cut. */
  completed: number;
  aborted: number;
}

/** For one client. @boot */
export function createParts(): PartsState {
  const parts: PartsState = {
    places: allocate(MOST_TAKERS),
    takers: 0,
    unserved: false,
    next: 0,
    refusedCount: 0,
    offset: 0,
    inBuffer: 0,
    id: 0,
    completed: 0,
    aborted: 0,
    taker(client) {
      return createTaker(parts, client);
    },
    retry(client, now) {
      client.reader.state = ReaderState.Parts;
      return offerBuffer(parts, client, now);
    },
    linkLost(client, now) {
      abort(parts, client, now);
    },
  };
  return parts;
}

/** @boot */
function createTaker(parts: PartsState, client: Client): LargeTaker {
  return {
    begin(now) {
      begin(parts, client, now);
    },
    feed(now, bytes, at, count) {
      return feed(parts, client, now, bytes, at, count);
    },
  };
}

function begin(parts: PartsState, client: Client, now: Millis): void {
  const { reader, message } = client;
  const qos = qosOf(reader.first);
  const head = client.five === undefined ? headOf(client, qos) : client.five.large(client, qos);
  if (head <= 0) return;
  const id = qos === 0 ? 0 : u16At(message.bytes, message.topicAt + message.topicLength);
  const breach = largeBreach(client, reader.first, id);
  if (breach !== Breach.None) {
    violation(client, breach);
    return;
  }
  // A copy of what was delivered is read over, and confirmed when it is.
  if (qos === 2 && client.exactlyOnce?.isCopy(id, (reader.first & DUP) !== 0) !== false) return;
  findTakers(parts, client);
  if (parts.takers === 0) return;
  parts.id = id;
  parts.next = 0;
  parts.offset = 0;
  parts.inBuffer = reader.size - head;
  describe(client, head, qos);
  reader.state = ReaderState.Parts;
  const total = reader.remaining - head;
  for (let i = 0; i < parts.takers; i++) {
    const handler = takerAt(parts, client, i);
    if (handler !== undefined) handler.begin(now, client.message, total);
    if (!readerIs(reader, ReaderState.Parts)) {
      // It has ended the link: those behind it know of nothing.
      parts.takers = i + 1;
      return;
    }
  }
  offerBuffer(parts, client, now);
}

/** Says where the topic is. Gives how many bytes come before the payload; 0 when the buffer has not all of them. */
function headOf({ reader, message }: Client, qos: number): number {
  const topicLength = u16At(reader.buffer, 0);
  const head = 2 + topicLength + (qos === 0 ? 0 : 2);
  if (head > reader.size) return 0;
  message.bytes = reader.buffer;
  message.topicAt = 2;
  message.topicLength = topicLength;
  return head;
}

/** 3 does not exist, and is refused. */
function qosOf(first: number): number {
  const bits = first & QOS_BITS;
  if (bits === 0) return 0;
  return bits === QOS_1 ? 1 : 2;
}

function findTakers(parts: PartsState, client: Client): void {
  const { subscriptions, filters, message } = client;
  const { bytes, topicAt, topicLength } = message;
  const last = subscriptions.length - 1;
  parts.takers = 0;
  parts.unserved = false;
  let place = matchFilter(filters, 0, bytes, topicAt, topicLength);
  while (place >= 0) {
    const subscription = subscriptions[place];
    if (subscription !== undefined && isListening(subscription.state)) {
      if (subscription.handler.parts === undefined || parts.takers === MOST_TAKERS) {
        parts.unserved = true;
      } else {
        parts.places[parts.takers] = place;
        parts.takers++;
      }
    }
    place = place === last ? -1 : matchFilter(filters, place + 1, bytes, topicAt, topicLength);
  }
}

function takerAt(parts: PartsState, client: Client, index: number): PartsHandler | undefined {
  return client.subscriptions[byteAt(parts.places, index)]?.handler.parts;
}

/** What `message` says in every call about one. */
function describe(client: Client, head: number, qos: number): void {
  const { message, reader } = client;
  const flags = reader.first & 15;
  message.payloadAt = head;
  message.payloadLength = 0;
  message.flags = flags;
  message.qos = qos;
  message.retain = (flags & RETAIN) !== 0;
  message.dup = (flags & DUP) !== 0;
}

/** The first part is what filled the buffer behind the head. Gives whether the rest may come. */
function offerBuffer(parts: PartsState, client: Client, now: Millis): boolean {
  const reader = client.reader;
  while (parts.inBuffer > 0) {
    const taken = offer(parts, client, now, reader.buffer, reader.size - parts.inBuffer, parts.inBuffer);
    if (!readerIs(reader, ReaderState.Parts)) return false;
    parts.inBuffer -= taken;
  }
  return true;
}

/** Gives how many bytes were taken by all: `count`, or none. */
function offer(parts: PartsState, client: Client, now: Millis, bytes: Bytes, at: number, count: number): number {
  const { message, hold, reader } = client;
  while (parts.next < parts.takers) {
    const handler = takerAt(parts, client, parts.next);
    if (handler !== undefined) handler.part(now, message, bytes, at, count, parts.offset);
    if (!readerIs(reader, ReaderState.Parts)) return 0;
    if (message.refused && hold !== undefined) {
      parts.refusedCount = count;
      reader.state = ReaderState.Held;
      hold.keepPart(client);
      return 0;
    }
    parts.next++;
  }
  parts.next = 0;
  parts.offset += count;
  return count;
}

function feed(parts: PartsState, client: Client, now: Millis, bytes: Bytes, at: number, count: number): number {
  const reader = client.reader;
  const missing = reader.remaining - reader.have;
  let part = count < missing ? count : missing;
  // Who comes before the one that has refused a part has just that much of it.
  if (parts.next > 0 && parts.refusedCount < part) part = parts.refusedCount;
  const taken = offer(parts, client, now, bytes, at, part);
  reader.have += taken;
  if (reader.have === reader.remaining) {
    reader.state = ReaderState.First;
    end(parts, client, now);
  }
  return taken;
}

function end(parts: PartsState, client: Client, now: Millis): void {
  const message = client.message;
  // When its identifier cannot be borne in mind, the link is closed, and the handlers are told that it is off.
  if (message.qos === 2 && client.exactlyOnce?.isNew(client, message.flags, parts.id) !== true) {
    abort(parts, client, now);
    return;
  }
  const takers = parts.takers;
  parts.takers = 0;
  parts.completed++;
  client.stats.received++;
  if (parts.unserved) client.stats.oversize++;
  for (let i = 0; i < takers; i++) {
    const handler = takerAt(parts, client, i);
    if (handler !== undefined) handler.end(now, message);
  }
  settle(client, now, message.qos, parts.id);
}

function abort(parts: PartsState, client: Client, now: Millis): void {
  const takers = parts.takers;
  if (takers === 0) return;
  parts.takers = 0;
  parts.aborted++;
  for (let i = 0; i < takers; i++) {
    const handler = takerAt(parts, client, i);
    if (handler !== undefined) handler.aborted(now);
  }
}
