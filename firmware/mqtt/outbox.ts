/**
 * The outbox: every outbound PUBLISH, in a queue, as the bytes that are sent. A QoS 1 or 2 packet stays until it is
 * acknowledged, so a resend is the same bytes with DUP set, and queueing while offline is the same queue with nothing
 * draining it. Packets leave in the order in which they were written, also after a reconnect [MQTT-4.6.0-1].
 *
 * Nothing is kept of a message but its packet: whether it was sent tells its place, whether it is over its first byte,
 * which identifier it has its bytes.
 *
 * Full is a normal state: what becomes of a message then, its publication says, see `make-room.ts`.
 */
import { type Bytes, QueueNumber } from "../../hal/hal";
import {
  byteAt,
  createQueue,
  div,
  queueAfter,
  queueFind,
  queueFirst,
  queueFits,
  queueNumber,
  queueReady,
  queueRewind,
  queueWindow,
  u16At,
} from "#native";
import { afterLinkLoss, afterSessionLoss, Flow } from "./flow";
import { DUP, QOS_1, QOS_BITS } from "./packet";

export interface Outbox {
  readonly queue: Bytes;
  /** How many of the packets that are due were sent before. They come before all others. */
  again: number;
  /** How many sends were repetitions. */
  resent: number;
  /** QoS 0 packets that were waiting when their link was lost, and went with it. */
  dropped: number;
}

/** More packets than a queue can hold. */
const NO_LIMIT = 32767;

/** An empty outbox for `slots` packets of `size` bytes together. @boot */
export function createOutbox(size: number, slots: number): Outbox {
  const queue = createQueue(size, slots);
  queueWindow(queue, QOS_BITS, NO_LIMIT);
  return { queue, again: 0, resent: 0, dropped: 0 };
}

/** How many packets are held. */
export function outboxCount(outbox: Outbox): number {
  return queueNumber(outbox.queue, QueueNumber.Count);
}

/** How many bytes they take. */
export function outboxUsed(outbox: Outbox): number {
  return queueNumber(outbox.queue, QueueNumber.Used);
}

/** Whether a packet of at most `size` bytes would be accepted now. */
export function outboxFits(outbox: Outbox, size: number): boolean {
  return queueFits(outbox.queue, size);
}

/**
 * The most QoS 1 and 2 packets that may have gone and not be over: the send window, less the QoS 2 messages of which
 * only the identifier is left, which the queue knows nothing of. A packet that has to wait holds up what is behind it,
 * also at QoS 0: the order stays. It holds until it is said anew, also on the next link.
 */
export function outboxWindow(outbox: Outbox, packets: number): void {
  queueWindow(outbox.queue, QOS_BITS, packets);
}

/** Whether a packet, or the rest of one, may be sent now. */
export function outboxWaiting(outbox: Outbox): boolean {
  return queueReady(outbox.queue);
}

/** Whether the sender stands in the middle of a packet, which must be finished before anything else is sent. */
export function outboxMidPacket(outbox: Outbox): boolean {
  return queueNumber(outbox.queue, QueueNumber.Partial) > 0;
}

/** `packets` QoS 1 packets have gone while there were some that were sent before: these went first. */
export function outboxRepeated(outbox: Outbox, packets: number): void {
  const again = outbox.again < packets ? outbox.again : packets;
  outbox.again -= again;
  outbox.resent += again;
}

/** Whether an identifier belongs to a message that is held: one whose flow has not come to PUBACK or PUBREC. */
export function outboxHolds(outbox: Outbox, id: number): boolean {
  return queueFind(outbox.queue, QOS_BITS, id, false) >= 0;
}

/** The identifier of the packet at `at`, which is one at QoS 1 or 2. */
export function outboxIdAt(outbox: Outbox, at: number): number {
  const queue = outbox.queue;
  let body = at + 2;
  while (byteAt(queue, body - 1) >= 128) body++;
  return u16At(queue, body + 2 + u16At(queue, body));
}

/** The link is gone: everything that is still owed is sent again on the next, oldest first. */
export function outboxLinkLost(outbox: Outbox): void {
  const queue = outbox.queue;
  const count = queueNumber(queue, QueueNumber.Count);
  const sent = count - queueNumber(queue, QueueNumber.Due);
  let at = queueFirst(queue);
  let again = 0;
  for (let i = 0; i < count; i++) {
    const next = queueAfter(queue, at);
    const first = byteAt(queue, at);
    const before = flowOf(first, i < sent);
    const after = afterLinkLoss(before, qosOf(first));
    if (after === Flow.DueAgain) {
      queue[at] = first | DUP;
      again++;
    } else if (after === Flow.Ended) {
      if (before === Flow.Due) outbox.dropped++;
      queue[at] = 0;
    }
    at = next;
  }
  queueRewind(queue);
  outbox.again = again;
}

/**
 * The broker has forgotten the session: what is owed is new to it. Nothing was sent on this link yet. Gives how many
 * messages at QoS 2 were given up, because it may have had them.
 */
export function outboxSessionLost(outbox: Outbox): number {
  const queue = outbox.queue;
  const count = queueNumber(queue, QueueNumber.Count);
  let at = queueFirst(queue);
  let discarded = 0;
  for (let i = 0; i < count; i++) {
    const next = queueAfter(queue, at);
    const first = byteAt(queue, at);
    const before = flowOf(first, false);
    const after = afterSessionLoss(before, qosOf(first));
    if (after === Flow.Ended) {
      queue[at] = 0;
      discarded++;
    } else if (after !== before) {
      queue[at] = first & ~DUP;
      // It is sent as new, and yet a second time: nothing tells so any more when it goes.
      outbox.resent++;
    }
    at = next;
  }
  if (discarded > 0) queueRewind(queue);
  outbox.again = 0;
  return discarded;
}

/** The quality of service of a PUBLISH, by its first byte. */
function qosOf(first: number): number {
  return div(first & QOS_BITS, QOS_1);
}

/** Where a message stands in its life, by the first byte of its packet and whether all of that has gone. */
function flowOf(first: number, sent: boolean): Flow {
  if (first === 0) return Flow.Ended;
  if (sent) return (first & QOS_BITS) === QOS_1 ? Flow.AwaitAck : Flow.AwaitRec;
  return (first & DUP) === 0 ? Flow.Due : Flow.DueAgain;
}
