/**
 * What the broker will not take: packets that are too large for it, a quality of service above its own, retained
 * messages. A message that is published above that is not accepted; one that was accepted before the broker was known
 * would be an error each time that it is sent, so it is dropped when the session begins, and the application is told.
 * Nothing is sent at a lower quality of service than it was published with: that it goes out at most once, or perhaps
 * twice, is for the application to decide.
 */
import { type Bytes, type Millis, QueueNumber } from "../../../hal/hal";
import { byteAt, div, queueAfter, queueFirst, queueNumber, queueRewind } from "#native";
import { type Client } from "../client-state";
import { DUP, PLACEHOLDER, QOS_BITS, RETAIN } from "../packet";
import { outboxLength } from "./packets";
import { type Granted } from "./connack";
import { type FiveState, Unsent } from "./state";
import { tellUnsent } from "./tell";

/** Why the broker would not take a PUBLISH that begins with `first` and has `size` bytes in all; `undefined` if it would. */
export function unsendable(granted: Granted, first: number, size: number): Unsent | undefined {
  if (size > granted.maximumPacketSize) return Unsent.TooLarge;
  if (div(first & QOS_BITS, 2) > granted.maximumQos) return Unsent.Qos;
  if ((first & RETAIN) !== 0 && !granted.retain) return Unsent.Retain;
  return undefined;
}

/** A session begins, in which nothing was sent yet: drops what can never be sent in it. [MQTT5-3.2.2-15] */
export function dropUnsendable(five: FiveState, client: Client, now: Millis): void {
  const queue = client.outboxQueue;
  let at = queueFirst(queue);
  let dropped = false;
  for (let left = queueNumber(queue, QueueNumber.Count); left > 0; left--) {
    const next = queueAfter(queue, at);
    // Not one that is over.
    if (byteAt(queue, at) !== 0) {
      const first = byteAt(queue, at);
      // How large a message from a source is, is looked at when it has its turn.
      const size = (first & PLACEHOLDER) === 0 ? outboxLength(queue, at) : 0;
      const why = unsendable(five.granted, first, size);
      if (why !== undefined) {
        tellUnsent(five, now, why, queue, at);
        if ((byteAt(queue, at) & DUP) !== 0) client.outbox.again--;
        queue[at] = 0;
        dropped = true;
      }
    }
    at = next;
  }
  if (dropped) queueRewind(queue);
}

/** Birth and farewell are at QoS 0, and are worth sending also where they are not retained. [MQTT5-3.2.2-14] */
export function fitNotice({ granted }: FiveState, packet: Bytes | undefined, retain: boolean | undefined): void {
  if (packet === undefined) return;
  const first = (packet[0] ?? 0) & ~RETAIN;
  packet[0] = retain === true && granted.retain ? first | RETAIN : first;
}
