/**
 * The outbox: a fixed ring that holds every outbound PUBLISH as the bytes that are sent. A QoS 1 packet stays until it
 * is acknowledged, so a resend is the same bytes with DUP set, and queueing while offline is the same ring with
 * nothing draining it. Packets leave in the order in which they were written, also after a reconnect [MQTT-4.6.0-1].
 *
 *     oldest                     next to send                 newest
 *     | Ended | AwaitAck | Ended | Due (part of it sent) | Due |
 *
 * Full is a normal state: the newest message is refused and counted; what is held is kept.
 */
import { byteAt, mod } from "#native";
import { type Span } from "../core/link";
import { createRing, NO_ROOM, ringCommit, ringRelease, ringReserve, ringRoom, type Ring } from "../core/ring";
import { afterLinkLoss, afterSessionLoss, Flow, isDueToSend } from "./flow";
import { DUP } from "./packet";

export interface Outbox {
  readonly ring: Ring;
  /** How many packets it can hold, whatever their size. */
  readonly slots: number;
  /** One column for each property of a slot: on a chip a row of small tables would take six times the memory. */
  readonly flow: Flow[];
  readonly qos: number[];
  readonly id: number[];
  /** Where the packet begins in the ring, its length, and where its block ends (the block may begin earlier). */
  readonly at: number[];
  readonly length: number[];
  readonly blockEnd: number[];
  /** The oldest slot and how many are in use from there. */
  oldest: number;
  count: number;
  /** How many of those, from the oldest, have been passed by the sender. */
  passed: number;
  /** How much of the next packet has been sent. */
  partial: number;
  /** QoS 1 packets that were sent and are not acknowledged. */
  unacknowledged: number;
  /** How many sends were repetitions. */
  resent: number;
  /** QoS 0 packets that were waiting when their link was lost, and went with it. */
  dropped: number;
  highWater: number;
  /** Reservations refused because every slot was in use; the ring counts those without room. */
  refused: number;
}

/** An empty outbox for `slots` packets of `size` bytes together. @boot */
export function createOutbox(size: number, slots: number): Outbox {
  const flow: Flow[] = [];
  const qos: number[] = [];
  const id: number[] = [];
  const at: number[] = [];
  const length: number[] = [];
  const blockEnd: number[] = [];
  for (let i = 0; i < slots; i++) {
    flow.push(Flow.Ended);
    qos.push(0);
    id.push(0);
    at.push(0);
    length.push(0);
    blockEnd.push(0);
  }
  return {
    ring: createRing(size),
    slots,
    flow,
    qos,
    id,
    at,
    length,
    blockEnd,
    oldest: 0,
    count: 0,
    passed: 0,
    partial: 0,
    unacknowledged: 0,
    resent: 0,
    dropped: 0,
    highWater: 0,
    refused: 0,
  };
}

/** An entry of a column. Every slot has one, so the 0 is never given. */
function entry(column: readonly number[], slot: number): number {
  return column[slot] ?? 0;
}

function flowOf(outbox: Outbox, slot: number): Flow {
  return outbox.flow[slot] ?? Flow.Ended;
}

/** The slot that stands `index` places behind the oldest. */
function slotAt(outbox: Outbox, index: number): number {
  return mod(outbox.oldest + index, outbox.slots);
}

/** Whether a packet of at most `size` bytes would be accepted now. */
export function outboxFits(outbox: Outbox, size: number): boolean {
  return outbox.count < outbox.slots && ringRoom(outbox.ring, size) !== NO_ROOM;
}

/** Room for a packet of at most `size` bytes: its offset in the ring, or `NO_ROOM`, counted as refused. */
export function outboxReserve(outbox: Outbox, size: number): number {
  if (outbox.count === outbox.slots) {
    outbox.refused++;
    return NO_ROOM;
  }
  return ringReserve(outbox.ring, size);
}

/**
 * Queues the packet of `length` bytes at `packetAt`, written into the reservation at `blockAt`. `id` is its packet
 * identifier, 0 at QoS 0.
 */
export function outboxCommit(
  outbox: Outbox,
  blockAt: number,
  packetAt: number,
  length: number,
  qos: number,
  id: number,
): void {
  const slot = slotAt(outbox, outbox.count);
  const end = packetAt + length;
  ringCommit(outbox.ring, blockAt, end - blockAt);
  outbox.flow[slot] = Flow.Due;
  outbox.qos[slot] = qos;
  outbox.id[slot] = id;
  outbox.at[slot] = packetAt;
  outbox.length[slot] = length;
  outbox.blockEnd[slot] = end;
  outbox.count++;
  if (outbox.count > outbox.highWater) outbox.highWater = outbox.count;
}

/** Whether a packet waits to be sent. */
export function outboxWaiting(outbox: Outbox): boolean {
  return outbox.passed < outbox.count;
}

/** Whether nothing is held any more. */
export function outboxEmpty(outbox: Outbox): boolean {
  return outbox.count === 0;
}

/** Whether the sender stands in the middle of a packet, which must be finished before anything else is sent. */
export function outboxMidPacket(outbox: Outbox): boolean {
  return outbox.partial > 0;
}

/**
 * How many bytes are sent next, up to `limit`, as whole packets where they fit: a single packet longer than `limit` is
 * sent in parts. `packets` bounds their number.
 */
export function outboxPlan(outbox: Outbox, limit: number, packets: number): number {
  let total = 0;
  let index = outbox.passed;
  let left = packets;
  while (index < outbox.count && left > 0) {
    const slot = slotAt(outbox, index);
    if (isDueToSend(flowOf(outbox, slot))) {
      const rest = entry(outbox.length, slot) - (index === outbox.passed ? outbox.partial : 0);
      if (total + rest > limit) return total === 0 ? limit : total;
      total += rest;
      left--;
    }
    index++;
  }
  return total;
}

/** Lends the rest of the packet that is being sent. There must be one. */
export function outboxPiece(outbox: Outbox, span: Span): void {
  const slot = slotAt(outbox, outbox.passed);
  span.bytes = outbox.ring.bytes;
  span.at = entry(outbox.at, slot) + outbox.partial;
  span.count = entry(outbox.length, slot) - outbox.partial;
}

/** `count` more bytes of the packet that is being sent have gone. */
export function outboxTaken(outbox: Outbox, count: number): void {
  const slot = slotAt(outbox, outbox.passed);
  outbox.partial += count;
  if (outbox.partial < entry(outbox.length, slot)) return;
  if (flowOf(outbox, slot) === Flow.DueAgain) outbox.resent++;
  if (entry(outbox.qos, slot) === 0) {
    outbox.flow[slot] = Flow.Ended;
  } else {
    outbox.flow[slot] = Flow.AwaitAck;
    outbox.unacknowledged++;
  }
  outbox.partial = 0;
  outbox.passed++;
  passEnded(outbox);
  release(outbox);
}

/** The sender passes over what needs no sending, so that `passed` stands on a packet that does. */
function passEnded(outbox: Outbox): void {
  while (outbox.passed < outbox.count && !isDueToSend(flowOf(outbox, slotAt(outbox, outbox.passed)))) outbox.passed++;
}

/**
 * PUBACK. Gives whether a packet with that identifier was waiting for it. One that is due again after a reconnect is
 * not: an acknowledgement on this link cannot be meant for what has not been sent on it.
 */
export function outboxAcknowledge(outbox: Outbox, id: number): boolean {
  for (let index = 0; index < outbox.passed; index++) {
    const slot = slotAt(outbox, index);
    if (entry(outbox.id, slot) === id && flowOf(outbox, slot) === Flow.AwaitAck) {
      outbox.flow[slot] = Flow.Ended;
      outbox.unacknowledged--;
      release(outbox);
      return true;
    }
  }
  return false;
}

/** Whether an identifier belongs to a message whose flow has not ended. [MQTT-2.3.1-2] */
export function outboxHolds(outbox: Outbox, id: number): boolean {
  for (let index = 0; index < outbox.count; index++) {
    const slot = slotAt(outbox, index);
    if (entry(outbox.id, slot) === id && flowOf(outbox, slot) !== Flow.Ended) return true;
  }
  return false;
}

/** The link is gone: everything that is still owed is sent again on the next, oldest first. */
export function outboxLinkLost(outbox: Outbox): void {
  for (let index = 0; index < outbox.count; index++) {
    const slot = slotAt(outbox, index);
    const after = afterLinkLoss(flowOf(outbox, slot), entry(outbox.qos, slot));
    if (after === Flow.Ended && flowOf(outbox, slot) === Flow.Due) outbox.dropped++;
    outbox.flow[slot] = after;
    if (after === Flow.DueAgain) setFirst(outbox, slot, DUP);
  }
  outbox.unacknowledged = 0;
  outbox.partial = 0;
  outbox.passed = 0;
  passEnded(outbox);
  release(outbox);
}

/** The broker has forgotten the session: what is owed is new to it. */
export function outboxSessionLost(outbox: Outbox): void {
  for (let index = 0; index < outbox.count; index++) {
    const slot = slotAt(outbox, index);
    const before = flowOf(outbox, slot);
    outbox.flow[slot] = afterSessionLoss(before);
    if (before !== Flow.DueAgain) continue;
    setFirst(outbox, slot, 0);
    // It is sent as new, and yet a second time: nothing tells so any more when it goes.
    outbox.resent++;
  }
}

/** Sets or clears DUP in the first byte of a packet. */
function setFirst(outbox: Outbox, slot: number, dup: number): void {
  const bytes = outbox.ring.bytes;
  const at = entry(outbox.at, slot);
  bytes[at] = (byteAt(bytes, at) & ~DUP) | dup;
}

/** Gives back the bytes of the oldest packets whose flows have ended. */
function release(outbox: Outbox): void {
  const ring = outbox.ring;
  while (outbox.count > 0 && flowOf(outbox, outbox.oldest) === Flow.Ended) {
    ringRelease(ring, entry(outbox.blockEnd, outbox.oldest) - ring.head);
    outbox.oldest = slotAt(outbox, 1);
    outbox.count--;
    if (outbox.passed > 0) outbox.passed--;
  }
}
