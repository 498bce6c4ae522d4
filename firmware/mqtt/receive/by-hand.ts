/**
 * Acknowledgement by hand, as a choice per subscription: a message counts as delivered when the application says so,
 * say once it stands in flash, and not when its handler returns. Until then the broker owes it.
 *
 *     const hand = createByHand(16);
 *     const client = createClient({ …, byHand: hand }, …);
 *     addSubscription(client, "moth/recipes", 1, byHand(hand, {
 *       message(now, message) {
 *         token = message.token;
 *         startWriting(message);
 *       },
 *     }));
 *     …
 *     acknowledge(client, now, token);
 *
 * Acknowledgements leave in the order in which the messages came [MQTT-4.6.0-2] [MQTT-4.6.0-3]: those of messages that
 * need none of this wait behind one that does. When as many are held back as the table has slots, nothing is read any
 * more until one is given. Take at least as many as the broker sends at a time (20 for many of them), or other messages
 * wait for these.
 *
 * What cannot be taken over is refused with a reason in MQTT 5.0: at once by `refuseMessage` from within a handler, which
 * is its acknowledgement, or later by `refuse(client, hand, now, token, 0x97)`.
 *
 * When the link is lost, the broker sends again what was not acknowledged, and each of these gets a new token.
 */
import type { Bytes, Millis } from "../../../hal/hal";
import { allocate, byteAt, putU16, u16At } from "#native";
import { type Client, Fault } from "../client-state";
import { confirm, fail } from "../incoming";
import { type ByHand } from "../receiving";
import { PUBACK_SIZE, SHORTEST_PUBLISH } from "../sender";
import { type Message, type MessageHandler, type PartsHandler } from "../subscriptions";
import { readAgain } from "./pause";

/** What has become of an acknowledgement that the application gave. */
export const enum Acknowledged {
  /** It is on its way, or leaves behind those that came before it and of which another handler has a say. */
  Done,
  /** It was given before: by every handler that had the message. Nothing has changed. */
  Already,
  /** The message came over a link that is gone. The broker sends it again: acknowledge that one. */
  LinkLost,
  /** No token: a message at QoS 0 is not acknowledged. */
  NotOwed,
  /** The reason code is none that tells of a failure, 0x80 to 0xff. Nothing has changed. */
  NoReason,
}

/** In the second byte of an entry: how many handlers have not acknowledged it, and whether it came at QoS 2. */
const HANDLERS = 0x7f;
const QOS_2 = 0x80;
/** Bytes of an entry: packet identifier, that, and the reason code for which it is refused; 0: it is not. */
const ENTRY = 4;
/** Tokens are 1 to this, and then 1 again. */
const LAST_TOKEN = 0x3fffffff;
const HALF = 0x1fffffff;
/** Reason codes that tell of a failure. [MQTT 5.0 §2.4] */
const LOWEST_FAILURE = 0x80;
const LAST_REASON = 0xff;

export interface ByHandTable extends ByHand {
  /** A ring of entries, the oldest at `head`. */
  readonly entries: Bytes;
  head: number;
  /** The token of the oldest, or of the next to come; and of the first one of this link. */
  first: number;
  linkFirst: number;
  /** The newest entry is that of the message that is being delivered. */
  open: boolean;
  /** Messages since power-on that were not acknowledged when their link was lost. */
  lost: number;
}

/** A table for one client, of `slots` (1 to 255) messages whose acknowledgement is held back. @boot */
export function createByHand(slots: number): ByHandTable {
  const hand: ByHandTable = {
    slots,
    count: 0,
    entries: allocate(slots * ENTRY),
    head: 0,
    first: 1,
    linkFirst: 1,
    open: false,
    lost: 0,
    room({ exactlyOnce }, room) {
      // Those that are held back need room to go out, too, and may all do so at once: see `Client.askSize`.
      const left = room - hand.count * (exactlyOnce === undefined ? SHORTEST_PUBLISH : PUBACK_SIZE);
      const messages = (slots - hand.count) * SHORTEST_PUBLISH;
      return messages < left ? messages : left;
    },
    settle(client, now, qos, id) {
      settle(hand, client, now, qos, id);
    },
    owes(id) {
      return owes(hand, id);
    },
    linkLost() {
      hand.first = tokenAfter(hand.first, hand.count);
      hand.linkFirst = hand.first;
      hand.lost += hand.count;
      hand.count = 0;
      hand.open = false;
    },
  };
  return hand;
}

/** A handler as `handler`, which has to acknowledge each of its messages at QoS 1 and 2 by its `token`. @boot */
export function byHand(hand: ByHandTable, handler: MessageHandler): MessageHandler {
  const parts = handler.parts;
  return {
    message(now, message) {
      const opened = owe(hand, message);
      handler.message(now, message);
      if (message.refused) withdraw(hand, opened);
      message.token = 0;
    },
    parts: parts === undefined ? undefined : partsByHand(hand, parts),
  };
}

/** It is owed once all of it has come. @boot */
function partsByHand(hand: ByHandTable, parts: PartsHandler): PartsHandler {
  return {
    begin(now, message, total) {
      parts.begin(now, message, total);
    },
    part(now, message, bytes, at, count, offset) {
      parts.part(now, message, bytes, at, count, offset);
    },
    end(now, message) {
      owe(hand, message);
      parts.end(now, message);
      message.token = 0;
    },
    aborted(now) {
      parts.aborted(now);
    },
  };
}

/** Says that the application has taken a message over, from within its handler or later. */
export function acknowledge(client: Client, hand: ByHandTable, now: Millis, token: number): Acknowledged {
  return answer(client, hand, now, token, 0);
}

/**
 * Says that the application does not take a message over, for `reason`, 0x80 to 0xff, which must be one that PUBACK and
 * PUBREC can have [MQTT5-3.4.2-1]: it is acknowledged with that, whatever its other handlers say, and does not come
 * again. Before MQTT 5.0 there are no reasons: it is acknowledged like any other.
 */
export function refuse(client: Client, hand: ByHandTable, now: Millis, token: number, reason: number): Acknowledged {
  if (reason < LOWEST_FAILURE || reason > LAST_REASON) return Acknowledged.NoReason;
  return answer(client, hand, now, token, reason);
}

/** `reason` 0: one handler has taken it over. */
function answer(client: Client, hand: ByHandTable, now: Millis, token: number, reason: number): Acknowledged {
  if (token < 1) return Acknowledged.NotOwed;
  const place = distance(hand.first, token);
  if (place < 0) return distance(hand.linkFirst, token) < 0 ? Acknowledged.LinkLost : Acknowledged.Already;
  if (place >= hand.count) return Acknowledged.NotOwed;
  const at = entryAt(hand, place) + 2;
  const state = byteAt(hand.entries, at);
  if ((state & HANDLERS) === 0) return Acknowledged.Already;
  if (reason === 0) hand.entries[at] = state - 1;
  else refuseEntry(hand, place, reason);
  drain(hand, client, now);
  return Acknowledged.Done;
}

/** No handler has any more to say about it. */
function refuseEntry(hand: ByHandTable, place: number, reason: number): void {
  const at = entryAt(hand, place) + 2;
  hand.entries[at] = byteAt(hand.entries, at) & QOS_2;
  hand.entries[at + 1] = reason;
}

/** How many tokens `token` comes after `from`; less than 0 when it came before. They begin anew after a billion. */
function distance(from: number, token: number): number {
  const far = token - from;
  if (far > HALF) return far - LAST_TOKEN;
  return far < -HALF ? far + LAST_TOKEN : far;
}

function tokenAfter(token: number, count: number): number {
  const next = token + count;
  return next > LAST_TOKEN ? next - LAST_TOKEN : next;
}

/** Where the entry begins that comes `place` after the oldest. */
function entryAt(hand: ByHandTable, place: number): number {
  const slot = hand.head + place;
  return (slot < hand.slots ? slot : slot - hand.slots) * ENTRY;
}

/** The handler that is called next has a say. Gives whether it is the first one with this message. */
function owe(hand: ByHandTable, message: Message): boolean {
  const first = !hand.open;
  message.token = 0;
  if (message.qos === 0) return false;
  if (first) {
    const id = u16At(message.bytes, message.topicAt + message.topicLength);
    if (!append(hand, message.qos, id)) return false;
    hand.open = true;
  }
  const newest = hand.count - 1;
  const at = entryAt(hand, newest) + 2;
  hand.entries[at] = byteAt(hand.entries, at) + 1;
  message.token = tokenAfter(hand.first, newest);
  return first;
}

/** Whether a message at QoS 2 is in the table. */
function owes(hand: ByHandTable, id: number): boolean {
  for (let place = 0; place < hand.count; place++) {
    const at = entryAt(hand, place);
    if (u16At(hand.entries, at) === id && byteAt(hand.entries, at + 2) >= QOS_2) return true;
  }
  return false;
}

/** It has said "not now" instead, and is asked again. */
function withdraw(hand: ByHandTable, opened: boolean): void {
  if (!hand.open) return;
  const at = entryAt(hand, hand.count - 1) + 2;
  const state = byteAt(hand.entries, at);
  if ((state & HANDLERS) > 0) hand.entries[at] = state - 1;
  if (!opened) return;
  hand.count--;
  hand.open = false;
}

/** False when there is no room, which cannot be as long as no more is read than was asked for. */
function append(hand: ByHandTable, qos: number, id: number): boolean {
  if (hand.count === hand.slots) return false;
  const at = entryAt(hand, hand.count);
  putU16(hand.entries, at, id);
  hand.entries[at + 2] = qos === 2 ? QOS_2 : 0;
  hand.entries[at + 3] = 0;
  hand.count++;
  return true;
}

function settle(hand: ByHandTable, client: Client, now: Millis, qos: number, id: number): void {
  if (hand.open) {
    hand.open = false;
  } else if (hand.count === 0) {
    confirm(client, qos, id);
    return;
  } else if (!append(hand, qos, id)) {
    fail(client, Fault.Full);
    return;
  }
  const five = client.five;
  if (five !== undefined && five.refusal !== 0) {
    refuseEntry(hand, hand.count - 1, five.refusal);
    five.refusal = 0;
  }
  drain(hand, client, now);
  if (hand.count === hand.slots) client.paused = true;
}

/** Sends what nobody has to say anything about any more, up to the first one that is still owed. */
function drain(hand: ByHandTable, client: Client, now: Millis): void {
  const before = hand.count;
  while (hand.count > 0) {
    const at = entryAt(hand, 0);
    const state = byteAt(hand.entries, at + 2);
    // The message that is being delivered may have another handler yet.
    if ((state & HANDLERS) > 0 || (hand.open && hand.count === 1)) break;
    const id = u16At(hand.entries, at);
    const reason = byteAt(hand.entries, at + 3);
    hand.head = hand.head + 1 === hand.slots ? 0 : hand.head + 1;
    hand.first = tokenAfter(hand.first, 1);
    hand.count--;
    confirmEntry(client, state === QOS_2 ? 2 : 1, id, reason);
  }
  if (hand.count < before) readAgain(client, now);
}

/** A handler may have refused the message that is being delivered: that is not this one's reason. */
function confirmEntry(client: Client, qos: number, id: number, reason: number): void {
  const five = client.five;
  if (five === undefined) {
    confirm(client, qos, id);
    return;
  }
  const delivered = five.refusal;
  five.refusal = reason;
  confirm(client, qos, id);
  five.refusal = delivered;
}
