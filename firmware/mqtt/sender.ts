/**
 * What a client sends, and in which order: control packets before messages, and never anything in the middle of a
 * packet. What is offered to the link is fixed as a run when it is offered, since the link announces its length.
 */
import { type Bytes, type Millis, QueueNumber } from "../../hal/hal";
import { allocate, div, putU16, queueAdd, queueClear, queueClose, queueNumber, queueOpen, queueRun, queueTaken } from "#native";
import { arm, disarm } from "../core/time";
import { type Writer, writerOpen } from "../core/writer";
import { type Client, ClientState } from "./client-state";
import { outboxMidPacket, outboxRepeated, outboxWaiting } from "./outbox";
import { type PacketType } from "./packet";

/** The shortest packet that a PUBACK answers, a PUBLISH at QoS 1 to a topic of one byte; and any acknowledgement. */
export const SHORTEST_PUBLISH = 7;
export const PUBACK_SIZE = 4;
/** Room in the control ring that stays free for a PINGREQ, a gap, and a packet of which all but a byte has come. */
const CONTROL_SPARE = 16;
/** With acknowledgements owed, the longest time in milliseconds without any: a broker that lives answers far sooner. */
export const ACK_PATIENCE = 20000;
/** From PINGREQ to PINGRESP. */
export const PINGRESP_PATIENCE = 10000;
/** More packets than a queue can hold. */
export const ALL = 32767;

/** Forgets what was queued for a link that is gone. */
export function senderReset(client: Client): void {
  queueClear(client.control);
  client.controlDue = false;
  client.planControl = 0;
}

/**
 * Room for a control packet of at most `size` bytes that begins with `id`: gives the writer for the rest of it, or
 * `undefined` when there is none. {@link controlEnd} queues it.
 */
export function controlBegin(client: Client, size: number): Writer | undefined {
  // First byte, a byte of length and identifier take three at least.
  const room = size - 4;
  const at = queueOpen(client.control, client.noId, room);
  if (at < 0) return undefined;
  writerOpen(client.encoder, client.control, at, room);
  return client.encoder;
}

/** `first` is the first byte of the packet. */
export function controlEnd(client: Client, first: number, id: number): void {
  putU16(client.control, client.encoder.start - 2, id);
  queueClose(client.control, client.encoder.at, first);
  client.controlDue = true;
}

/** Queues a whole control packet. Gives whether there was room. */
export function sendControl(client: Client, packet: Bytes): boolean {
  if (!queueAdd(client.control, packet)) return false;
  client.controlDue = true;
  return true;
}

/** A packet that is only a fixed header. */
const bare = allocate(2);

/** Queues PINGREQ or DISCONNECT. Gives whether there was room. */
export function sendBare(client: Client, type: PacketType): boolean {
  bare[0] = type * 16;
  return sendControl(client, bare);
}

/** How many bytes of control packets are held: 0 when all have gone. */
export function controlUsed(client: Client): number {
  return client.controlDue ? queueNumber(client.control, QueueNumber.Used) : 0;
}

/**
 * How many bytes may come in such that every acknowledgement that they ask for has room, even if they come late,
 * nothing is sent until then, and the client queues all that it may have to say on its own account.
 */
export function senderRoom(client: Client): number {
  const birth = client.birthPacket === undefined ? 0 : client.birthPacket.length;
  // A filter is in a SUBSCRIBE or in an UNSUBSCRIBE, not in both: the second size is for the gap before a large packet.
  const own = birth + 2 * client.subscribeSize + CONTROL_SPARE;
  const left = client.controlSize - controlUsed(client) - own;
  return left > 0 ? div(left * client.askSize, PUBACK_SIZE) : 0;
}

/** Whether anything may be sent now. */
export function senderWaiting(client: Client): boolean {
  if (client.planControl > 0 || queueNumber(client.outbox.queue, QueueNumber.Run) > 0) return true;
  switch (client.state) {
    case ClientState.Connecting:
      return client.controlDue;
    case ClientState.Leaving:
      return client.controlDue || outboxMidPacket(client.outbox);
    case ClientState.Online:
      return client.controlDue || outboxWaiting(client.outbox);
    case ClientState.Idle:
    case ClientState.BackingOff:
    case ClientState.Opening:
    case ClientState.Closing:
      return false;
  }
}

/** Fixes a run that has control packets in it, or may only finish a message that was begun. Gives its length. */
export function planRun(client: Client, limit: number): number {
  const online = client.state === ClientState.Online;
  if (!online && !senderWaiting(client)) return 0;
  const outbox = client.outbox.queue;
  client.planControl = 0;
  if (queueNumber(outbox, QueueNumber.Partial) > 0) return queueRun(outbox, limit, 1);
  const run = queueRun(client.control, limit, ALL);
  const left = limit - run;
  client.planControl = run;
  const coalesce = client.options.coalesce;
  // A connection that sends packets one by one sends control packets apart from messages, too.
  if (!online || left === 0 || coalesce === 1) return run;
  // No message comes before a control packet that has no room in this run.
  if (client.controlSize > limit && controlUsed(client) > limit) return run;
  const messages = queueRun(outbox, left, coalesce);
  // A message is cut only when it fills a run alone.
  return run + (messages < left ? messages : queueRun(outbox, 0, 0));
}

/** `count` bytes of control packets have gone. */
export function controlTaken(client: Client, count: number): void {
  client.planControl -= count;
  queueTaken(client.control, count, 0);
  if (queueNumber(client.control, QueueNumber.Due) > 0) return;
  client.controlDue = false;
  // DISCONNECT is out: nothing may follow it. [MQTT-3.14.4-2]
  if (client.state === ClientState.Leaving) client.link.close();
}

/** `packets` messages at QoS 1 and 2 have gone: each is to be acknowledged. */
export function messagesTaken(client: Client, now: Millis, packets: number): void {
  const outbox = client.outbox;
  client.quota -= packets;
  if (outbox.again > 0) {
    outboxRepeated(outbox, packets);
    client.stats.retried = outbox.resent;
  }
  const ack = client.ack;
  if (!ack.armed) arm(ack, now, ACK_PATIENCE);
}

/** An acknowledgement came: the next one that is owed has its full time again. */
export function ackCame(client: Client, now: Millis): void {
  disarm(client.ack);
  expectAcks(client, now);
}

/** Watches for acknowledgements as long as any are owed. */
export function expectAcks(client: Client, now: Millis): void {
  const owed = client.quota < client.window || client.subscribeId !== 0 || client.unsubscribeId !== 0;
  if (owed && !client.ack.armed) arm(client.ack, now, ACK_PATIENCE);
}
