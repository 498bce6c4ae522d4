/**
 * The subscriptions of a client: what it wants, what the broker has granted, and whom a message is for. The table is
 * what SUBSCRIBE packets are made from, so a lost session is renewed from it.
 */
import type { Bytes, Millis } from "../../hal/hal";
import { allocate, byteAt, putText, textLength } from "#native";
import { writeByte, writeBytes, writeU16, type Writer } from "../core/writer";
import { type SubscriptionOptions } from "./five";
import { lengthBytes, PacketType, type Qos, RESERVED_FLAGS } from "./packet";
import { filterStart, isTopicFilter } from "./topic";

/** A message that came in. The bytes are lent for the length of the call: copy what is to be kept. */
export interface Message {
  bytes: Bytes;
  topicAt: number;
  topicLength: number;
  payloadAt: number;
  payloadLength: number;
  /** The flags of its fixed header; what they say stands in the next three. */
  flags: number;
  qos: number;
  /** A copy that the broker had stored before this subscription, not something that was published just now. */
  retain: boolean;
  /** The broker may have sent it before. */
  dup: boolean;
  /** The handler has said "not now": see `receive/hold.ts`. */
  refused: boolean;
  /** What the application acknowledges it with, if it does so by hand; 0 otherwise: see `receive/by-hand.ts`. */
  token: number;
}

/**
 * Who takes the messages of a subscription. From within it may publish, subscribe, unsubscribe, and end the session in
 * any way; what has come behind its message is then treated as the new state has it.
 */
export interface MessageHandler {
  message(now: Millis, message: Message): void;
  /** Who takes those that are larger than `receiveSize`, if the client has the feature `parts`: see `receive/parts.ts`. */
  readonly parts?: PartsHandler | undefined;
}

/**
 * Takes a message whose payload comes in parts. At QoS 1 and 2 it is acknowledged after `end`: before that, nothing of
 * it counts as delivered. In `message`, topic and flags can be read at every call; the payload is not there.
 */
export interface PartsHandler {
  /** A message with a payload of `total` bytes has begun. */
  begin(now: Millis, message: Message, total: number): void;
  /** The `count` bytes of the payload from `offset` on, lent for the length of the call. They come in order. */
  part(now: Millis, message: Message, bytes: Bytes, at: number, count: number, offset: number): void;
  /** All of it has come. */
  end(now: Millis, message: Message): void;
  /** The link was lost before: what has come is worth nothing. At QoS 1 and 2 the message comes again from the start. */
  aborted(now: Millis): void;
}

export const enum SubscriptionState {
  /** To be asked for as soon as the client is online. */
  Wanted,
  /** In the SUBSCRIBE that is under way. */
  Asked,
  /** The broker sends what matches, at `granted` or less. */
  Granted,
  /** The broker said no (0x80): it is not asked again until a new session. */
  Refused,
  /** To be ended. */
  Unwanted,
  /** In the UNSUBSCRIBE that is under way. */
  Leaving,
  /** Neither wanted nor known to the broker. */
  Off,
}

export interface Subscription {
  readonly filter: Bytes;
  readonly qos: Qos;
  readonly handler: MessageHandler;
  /** How MQTT 5.0 is to serve it: see `subscribeWith`. */
  options: SubscriptionOptions | undefined;
  /** What the application wants, whatever the broker has been told and has answered so far. */
  wanted: boolean;
  state: SubscriptionState;
  /** The highest QoS that the broker sends at, once granted. It may be lower than asked for. [MQTT-3.8.4-6] */
  granted: number;
}

/** What the two bytes of a string's length can say. [MQTT-4.7.3-3] */
const LONGEST_FILTER = 65535;
/** How a SUBACK says that a filter was refused. [MQTT 3.1.1 §3.9.3] */
const FAILURE = 0x80;

/**
 * A subscription that is wanted. `filter` must be a well-formed topic filter of at most 65535 bytes, `$share/NAME/` in
 * front of it included; gives `undefined` if it is not. @boot
 */
export function createSubscription(filter: string, qos: Qos, handler: MessageHandler): Subscription | undefined {
  const length = textLength(filter);
  if (length === 0 || length > LONGEST_FILTER) return undefined;
  const bytes = allocate(length);
  putText(bytes, 0, filter);
  const start = filterStart(bytes, 0, length);
  if (start < 0 || !isTopicFilter(bytes, start, length - start)) return undefined;
  return { filter: bytes, qos, handler, options: undefined, wanted: true, state: SubscriptionState.Wanted, granted: 0 };
}

/** Asks the broker for a subscription again that was ended or refused. */
export function subscribeAgain(subscription: Subscription): void {
  subscription.wanted = true;
  switch (subscription.state) {
    case SubscriptionState.Refused:
    case SubscriptionState.Unwanted:
    case SubscriptionState.Off:
      subscription.state = SubscriptionState.Wanted;
      return;
    case SubscriptionState.Wanted:
    case SubscriptionState.Asked:
    case SubscriptionState.Granted:
    case SubscriptionState.Leaving:
      // It is up, or what is under way is answered first.
      return;
  }
}

/** Ends a subscription. Messages that are on their way may still come until the broker has answered. */
export function unsubscribe(subscription: Subscription): void {
  subscription.wanted = false;
  switch (subscription.state) {
    case SubscriptionState.Wanted:
    case SubscriptionState.Granted:
      // The broker may know one that was never granted here: from before a restart, or by a SUBACK that was lost.
      subscription.state = SubscriptionState.Unwanted;
      return;
    case SubscriptionState.Refused:
      subscription.state = SubscriptionState.Off;
      return;
    case SubscriptionState.Asked:
    case SubscriptionState.Unwanted:
    case SubscriptionState.Leaving:
    case SubscriptionState.Off:
      return;
  }
}

/**
 * A message may come before the SUBACK of its subscription [MQTT-3.8.4-3], before the SUBSCRIBE when the broker has
 * kept the session of a board that has restarted, and until the UNSUBACK. It is acknowledged, so it is delivered.
 */
export function isListening(state: SubscriptionState): boolean {
  return state !== SubscriptionState.Refused && state !== SubscriptionState.Off;
}

/** Whether any subscription is in `state`. */
export function anyIn(subscriptions: readonly Subscription[], state: SubscriptionState): boolean {
  for (let i = 0; i < subscriptions.length; i++) {
    if (subscriptions[i]?.state === state) return true;
  }
  return false;
}

/** A new session knows no subscriptions: every one is wanted again, except those that were not wanted any more. */
export function subscriptionsForgotten(subscriptions: readonly Subscription[]): void {
  for (let i = 0; i < subscriptions.length; i++) {
    const subscription = subscriptions[i];
    if (subscription === undefined) continue;
    subscription.state = subscription.wanted ? SubscriptionState.Wanted : SubscriptionState.Off;
  }
}

/** The broker knows a session, but perhaps not the one that granted these: to ask again does no harm. */
export function subscriptionsDoubted(subscriptions: readonly Subscription[]): void {
  for (let i = 0; i < subscriptions.length; i++) {
    const subscription = subscriptions[i];
    if (subscription?.state === SubscriptionState.Granted) subscription.state = SubscriptionState.Wanted;
  }
}

/** The link is gone, the session may be kept: what was under way is asked again. */
export function subscriptionsInterrupted(subscriptions: readonly Subscription[]): void {
  for (let i = 0; i < subscriptions.length; i++) {
    const subscription = subscriptions[i];
    if (subscription === undefined) continue;
    if (subscription.state === SubscriptionState.Asked || subscription.state === SubscriptionState.Leaving) {
      subscription.state = subscription.wanted ? SubscriptionState.Wanted : SubscriptionState.Unwanted;
    }
  }
}

/** How many bytes a SUBSCRIBE with every filter takes, and with one more of `more` bytes unless that is 0. @boot */
export function largestSubscribe(subscriptions: readonly Subscription[], more: number): number {
  let remaining = more === 0 ? 2 : 2 + 3 + more;
  for (let i = 0; i < subscriptions.length; i++) {
    remaining += 3 + (subscriptions[i]?.filter.length ?? 0);
  }
  return 1 + lengthBytes(remaining) + remaining;
}

/** The first bytes of the two packets. */
export const SUBSCRIBE = PacketType.Subscribe * 16 + RESERVED_FLAGS;
export const UNSUBSCRIBE = PacketType.Unsubscribe * 16 + RESERVED_FLAGS;

/** Writes every filter that is wanted, for a SUBSCRIBE. [MQTT-3.8.3-3: at least one must be] */
export function writeSubscribe(writer: Writer, subscriptions: readonly Subscription[]): void {
  writeFilters(writer, subscriptions, SubscriptionState.Wanted, SubscriptionState.Asked);
}

/** Writes every filter that is unwanted, for an UNSUBSCRIBE. */
export function writeUnsubscribe(writer: Writer, subscriptions: readonly Subscription[]): void {
  writeFilters(writer, subscriptions, SubscriptionState.Unwanted, SubscriptionState.Leaving);
}

function writeFilters(
  writer: Writer,
  subscriptions: readonly Subscription[],
  from: SubscriptionState,
  to: SubscriptionState,
): void {
  for (let i = 0; i < subscriptions.length; i++) {
    const subscription = subscriptions[i];
    if (subscription?.state !== from) continue;
    writeU16(writer, subscription.filter.length);
    writeBytes(writer, subscription.filter, 0, subscription.filter.length);
    if (to === SubscriptionState.Asked) writeByte(writer, subscription.qos);
    subscription.state = to;
  }
}

/**
 * SUBACK: one code for each filter, in their order [MQTT-3.8.4-5]. Gives how many filters were refused; -1 when the
 * codes do not fit what was asked: then the broker violates the protocol, and nothing has changed.
 */
export function subackCame(subscriptions: readonly Subscription[], bytes: Bytes, at: number, count: number): number {
  if (!codesFit(subscriptions, bytes, at, count)) return -1;
  let code = at;
  let refused = 0;
  for (let i = 0; i < subscriptions.length; i++) {
    const subscription = subscriptions[i];
    if (subscription?.state !== SubscriptionState.Asked) continue;
    const granted = byteAt(bytes, code);
    code++;
    if (granted === FAILURE) refused++;
    subscription.state = afterSuback(granted !== FAILURE, subscription.wanted);
    subscription.granted = granted === FAILURE ? 0 : granted;
  }
  return refused;
}

/** The application may have ended the subscription while the answer was on its way. */
export function afterSuback(granted: boolean, wanted: boolean): SubscriptionState {
  if (granted) return wanted ? SubscriptionState.Granted : SubscriptionState.Unwanted;
  return wanted ? SubscriptionState.Refused : SubscriptionState.Off;
}

/** Whether each of these is a QoS or a refusal. */
export function areSubackCodes(bytes: Bytes, at: number, count: number): boolean {
  for (let i = at; i < at + count; i++) {
    const code = byteAt(bytes, i);
    if (code > 2 && code !== FAILURE) return false;
  }
  return true;
}

function codesFit(subscriptions: readonly Subscription[], bytes: Bytes, at: number, count: number): boolean {
  let asked = 0;
  for (let i = 0; i < subscriptions.length; i++) {
    const subscription = subscriptions[i];
    if (subscription?.state !== SubscriptionState.Asked) continue;
    if (asked === count) return false;
    const code = byteAt(bytes, at + asked);
    // The grant is the QoS asked for or less, or a refusal. [MQTT-3.9.3-2]
    if (code !== FAILURE && code > subscription.qos) return false;
    asked++;
  }
  return asked === count;
}

export function unsubackCame(subscriptions: readonly Subscription[]): void {
  for (let i = 0; i < subscriptions.length; i++) {
    const subscription = subscriptions[i];
    if (subscription?.state !== SubscriptionState.Leaving) continue;
    subscription.state = subscription.wanted ? SubscriptionState.Wanted : SubscriptionState.Off;
  }
}
