/** Subscriptions with what MQTT 5.0 adds to them. */
import type { Bytes, Millis } from "../../../hal/hal";
import { byteAt, find, startsWith } from "#native";
import { writeByte, writeBytes, writeU16, type Writer } from "../../core/writer";
import { Breach } from "../breach";
import { type Client } from "../client-state";
import { type SubscriptionOptions } from "../five";
import { violation } from "../incoming";
import { lengthBytes, PacketType } from "../packet";
import { ackCame } from "../sender";
import { afterSuback, type Subscription, SubscriptionState, unsubackCame } from "../subscriptions";
import { Wildcard } from "../topic";
import { propertiesNone, propertiesRewind } from "./properties";
import { isFailure, Reason } from "./reason";
import { type FiveState } from "./state";
import { LARGEST_IDENTIFIER, readAnswer, SUBSCRIBE_PROPERTIES_ROOM, subscriptionByte, writeSubscribeProperties } from "./subscribe";
import { prepareReport, reportFilter, tell } from "./tell";
import { wrong } from "./wrong";

const SHARE = "$share/";

/**
 * How a subscription that `addSubscription` gave is to be served. False, and nothing has changed, when it may not be so:
 * No Local for a shared one [MQTT5-3.8.3-4], an identifier that is none. @boot
 */
export function subscribeWith(subscription: Subscription, options: SubscriptionOptions): boolean {
  const identifier = options.identifier;
  if (identifier !== undefined && (identifier < 1 || identifier > LARGEST_IDENTIFIER)) return false;
  if (options.noLocal === true && isShared(subscription.filter)) return false;
  subscription.options = options;
  return true;
}

function isShared(filter: Bytes): boolean {
  return startsWith(filter, 0, filter.length, SHARE);
}

/** The packet identifier, before the properties of a SUBSCRIBE; and what stands around each filter. */
const ID = 2;
const AROUND_FILTER = 3;

/**
 * Filters go in one packet when they have the same subscription identifier, and as many as the broker takes in one. The
 * others are still wanted, and go in the next.
 */
export function writeSubscribe({ granted }: FiveState, subscriptions: readonly Subscription[], writer: Writer): void {
  let identifier = -1;
  for (let i = 0; i < subscriptions.length; i++) {
    const subscription = subscriptions[i];
    if (subscription?.state !== SubscriptionState.Wanted) continue;
    const own = granted.subscriptionIdentifiers ? (subscription.options?.identifier ?? 0) : 0;
    if (identifier < 0) {
      identifier = own;
      writeSubscribeProperties(writer, own);
    }
    const { filter, qos } = subscription;
    if (own !== identifier || !hasRoom(writer, filter, granted.maximumPacketSize)) continue;
    writeU16(writer, filter.length);
    writeBytes(writer, filter, 0, filter.length);
    writeByte(writer, subscriptionByte(qos, subscription.options));
    subscription.state = SubscriptionState.Asked;
  }
}

export function writeUnsubscribe({ granted }: FiveState, subscriptions: readonly Subscription[], writer: Writer): void {
  writeByte(writer, 0);
  for (let i = 0; i < subscriptions.length; i++) {
    const subscription = subscriptions[i];
    if (subscription?.state !== SubscriptionState.Unwanted) continue;
    const filter = subscription.filter;
    if (!hasRoom(writer, filter, granted.maximumPacketSize)) continue;
    writeU16(writer, filter.length);
    writeBytes(writer, filter, 0, filter.length);
    subscription.state = SubscriptionState.Leaving;
  }
}

/** Whether the packet stays as small as the broker wants it with one more filter. */
function hasRoom(writer: Writer, filter: Bytes, most: number): boolean {
  return sizeOf(writer.at - writer.start + AROUND_FILTER + filter.length) <= most;
}

function sizeOf(written: number): number {
  return 1 + lengthBytes(ID + written) + ID + written;
}

/**
 * A session begins: what the broker has said that it does not know is not asked of it, since that may end the link again
 * and again. Such subscriptions are refused. [MQTT 5.0 §3.2.2.3.11 to §3.2.2.3.13]
 */
export function refuseUnavailable(five: FiveState, client: Client, now: Millis): void {
  const subscriptions = client.subscriptions;
  for (let i = 0; i < subscriptions.length; i++) {
    const subscription = subscriptions[i];
    if (subscription?.state !== SubscriptionState.Wanted) continue;
    const reason = reasonAgainst(five, subscription);
    if (reason === Reason.Success) continue;
    subscription.state = SubscriptionState.Refused;
    client.stats.subscriptionsRefused++;
    tellUnavailable(five, now, subscription.filter, reason);
  }
}

/** No packet says so, but a message may be held whose handler is to find its properties when it is tried again. */
function tellUnavailable(five: FiveState, now: Millis, filter: Bytes, reason: Reason): void {
  const properties = five.properties;
  const { bytes, start, end } = properties;
  propertiesNone(properties, filter, 0);
  prepareReport(five, PacketType.Suback, reason, 0);
  reportFilter(five, filter);
  tell(five, now);
  properties.bytes = bytes;
  properties.start = start;
  properties.end = end;
  propertiesRewind(properties);
}

function reasonAgainst({ granted }: FiveState, { filter }: Subscription): Reason {
  // With the longest properties that it may have.
  if (sizeOf(SUBSCRIBE_PROPERTIES_ROOM + AROUND_FILTER + filter.length) > granted.maximumPacketSize) return Reason.PacketTooLarge;
  if (!granted.shared && isShared(filter)) return Reason.SharedNotSupported;
  if (!granted.wildcards && hasWildcard(filter)) return Reason.WildcardsNotSupported;
  return Reason.Success;
}

function hasWildcard(filter: Bytes): boolean {
  const length = filter.length;
  return find(filter, 0, length, Wildcard.Hash) >= 0 || find(filter, 0, length, Wildcard.Plus) >= 0;
}

/** SUBACK or UNSUBACK. One of nothing that was asked is late, and does no harm. */
export function answerCame(
  five: FiveState,
  client: Client,
  now: Millis,
  type: PacketType,
  bytes: Bytes,
  at: number,
  count: number,
): void {
  const answer = five.answer;
  const fault = readAnswer(answer, five.properties, type, bytes, at, count);
  if (fault !== Reason.Success) {
    wrong(five, client, fault);
    return;
  }
  const isSuback = type === PacketType.Suback;
  const asked = isSuback ? client.subscribeId : client.unsubscribeId;
  if (asked === 0 || answer.id !== asked) return;
  const from = isSuback ? SubscriptionState.Asked : SubscriptionState.Leaving;
  if (!codesFit(five, client.subscriptions, from, bytes)) {
    violation(client, Breach.SubackCodes);
    return;
  }
  if (isSuback) client.subscribeId = 0;
  else client.unsubscribeId = 0;
  ackCame(client, now);
  answered(five, client, now, type, from, bytes);
}

/** One code for each filter, in their order; a grant is the QoS asked for or less. [MQTT5-3.8.4-6] [MQTT5-3.9.3-1] */
function codesFit(
  { answer }: FiveState,
  subscriptions: readonly Subscription[],
  from: SubscriptionState,
  bytes: Bytes,
): boolean {
  let place = 0;
  for (let i = 0; i < subscriptions.length; i++) {
    const subscription = subscriptions[i];
    if (subscription?.state !== from) continue;
    if (place === answer.codes) return false;
    const code = byteAt(bytes, answer.codesAt + place);
    if (from === SubscriptionState.Asked && !isFailure(code) && code > subscription.qos) return false;
    place++;
  }
  return place === answer.codes;
}

/** What the application does when it is told changes no state that is still to be looked at: each is dealt with once. */
function answered(
  five: FiveState,
  client: Client,
  now: Millis,
  type: PacketType,
  from: SubscriptionState,
  bytes: Bytes,
): void {
  const { subscriptions } = client;
  const { answer } = five;
  let place = answer.codesAt;
  for (let i = 0; i < subscriptions.length; i++) {
    const subscription = subscriptions[i];
    if (subscription?.state !== from) continue;
    const code = byteAt(bytes, place);
    place++;
    if (from === SubscriptionState.Asked) granted(client, subscription, code);
    prepareReport(five, type, code, answer.id);
    if (!isFailure(code) && five.report.text.count === 0) continue;
    reportFilter(five, subscription.filter);
    tell(five, now);
  }
  if (from === SubscriptionState.Leaving) unsubackCame(subscriptions);
}

function granted(client: Client, subscription: Subscription, code: number): void {
  const failed = isFailure(code);
  if (failed) client.stats.subscriptionsRefused++;
  subscription.state = afterSuback(!failed, subscription.wanted);
  subscription.granted = failed ? 0 : code;
}
