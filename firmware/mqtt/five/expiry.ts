/**
 * Messages that grow old. While a message waits in the outbox, the seconds of its Message Expiry Interval are counted
 * down in its packet; one that nobody wants any more is dropped and counted. [MQTT 5.0 §3.3.2.3.3]
 *
 * Once it was sent it is left alone: what the broker may have is repeated as it was [MQTT5-4.3.3-7]. A message at QoS 0
 * waits for no more than its link, and keeps the interval that it was published with.
 */
import { type Bytes, type Millis, QueueNumber } from "../../../hal/hal";
import { byteAt, div, putU16, queueDrop, queueFind, queueNumber } from "#native";
import { arm, disarm, elapsed, isDue, later } from "../../core/time";
import { type Client } from "../client-state";
import { DUP, lengthBytes, QOS_BITS } from "../packet";
import { outboxProperties } from "./packets";
import { highHalf, lowHalf, Property, varyingAt } from "./properties";
import { type Expiry, type FiveState, Unsent } from "./state";
import { tellUnsent } from "./tell";

/** How often the packets are put right, in milliseconds: the interval is counted in seconds. */
const EVERY = 1000;

/** A message was published whose packet has the identifier `id`. `seconds` below 0: it does not grow old. */
export function growsOld(five: FiveState, id: number, seconds: number): void {
  let free: Expiry | undefined;
  const { expiries, now } = five;
  for (let i = 0; i < expiries.length; i++) {
    const each = expiries[i];
    if (each === undefined) continue;
    // It is a new message: what had its identifier before is long over.
    if (each.id === id) each.id = 0;
    if (each.id === 0) free = each;
  }
  if (seconds < 0 || free === undefined) return;
  free.id = id;
  free.since = now;
  free.seconds = seconds;
  if (!five.expiryDue.armed) arm(five.expiryDue, now, EVERY);
}

/** Counts down what waits, once a second. */
export function pollExpiries(five: FiveState, client: Client, now: Millis): void {
  if (isDue(five.expiryDue, now)) sweepExpiries(five, client, now);
}

/** Puts every packet right that waits, and drops those of which nothing is left. Not while any of them is being sent. */
export function sweepExpiries(five: FiveState, client: Client, now: Millis): void {
  const queue = client.outboxQueue;
  const { expiries, expiryDue } = five;
  disarm(expiryDue);
  const busy =
    queueNumber(queue, QueueNumber.Run) > 0 ||
    queueNumber(queue, QueueNumber.Partial) > 0 ||
    (client.sources !== undefined && client.sources.sending());
  for (let i = 0; i < expiries.length; i++) {
    const each = expiries[i];
    if (each === undefined || each.id === 0) continue;
    if (!busy && sweep(five, queue, now, each)) each.id = 0;
    else if (!expiryDue.armed) arm(expiryDue, now, EVERY);
  }
}

/** Gives whether its message is over. */
function sweep(five: FiveState, queue: Bytes, now: Millis, expiry: Expiry): boolean {
  // In steps that a clock that wraps can measure.
  const passed = div(elapsed(now, expiry.since), EVERY);
  expiry.since = later(expiry.since, passed * EVERY);
  expiry.seconds -= passed;
  const at = queueFind(queue, QOS_BITS, expiry.id, false);
  if (at < 0) return true;
  // It has gone, on this link or on one before.
  if ((byteAt(queue, at) & DUP) !== 0 || queueFind(queue, QOS_BITS, expiry.id, true) >= 0) return false;
  if (expiry.seconds > 0) {
    write(queue, at, expiry.seconds);
    return false;
  }
  tellUnsent(five, now, Unsent.Expired, queue, at);
  queueDrop(queue, at);
  return true;
}

/** It is the first of the properties. */
function write(queue: Bytes, at: number, seconds: number): void {
  const properties = outboxProperties(queue, at);
  const first = properties + lengthBytes(varyingAt(queue, properties, properties + 4));
  if (byteAt(queue, first) !== Property.MessageExpiry) return;
  putU16(queue, first + 1, highHalf(seconds));
  putU16(queue, first + 3, lowHalf(seconds));
}
