/**
 * What a client sends, and in which order: control packets before messages, and never anything in the middle of a
 * packet. What is offered to the link is fixed as a run when it is offered, since the link announces its length.
 */
import type { Bytes, Millis } from "../../hal/hal";
import { div } from "#native";
import { type Span } from "../core/link";
import { NO_ROOM, ringBytes, ringClear, ringCommit, ringRelease, ringReserve, ringRun } from "../core/ring";
import { arm, disarm } from "../core/time";
import { writeBytes, type Writer, writerOpen, written } from "../core/writer";
import { type Client, ClientState } from "./client-state";
import { outboxHolds, outboxMidPacket, outboxPiece, outboxPlan, outboxTaken, outboxWaiting } from "./outbox";

/** The shortest packet that is acknowledged, a PUBLISH at QoS 1 to a topic of one byte, and its PUBACK. */
const SHORTEST_PUBLISH = 7;
const PUBACK_SIZE = 4;
/** Room in the control ring that stays free for a PINGREQ, a gap, and a packet of which all but a byte has come. */
const CONTROL_SPARE = 16;
/** With acknowledgements owed, the longest time in milliseconds without any: a broker that lives answers far sooner. */
const ACK_PATIENCE = 20000;

/** Forgets what was queued for a link that is gone. */
export function senderReset(client: Client): void {
  ringClear(client.control);
  client.planControl = 0;
  client.planOutbox = 0;
}

/**
 * Room for a control packet of `size` bytes: gives the writer to encode it with, or `undefined` when there is none.
 * {@link controlEnd} queues it.
 */
export function controlBegin(client: Client, size: number): Writer | undefined {
  const at = ringReserve(client.control, size);
  if (at === NO_ROOM) return undefined;
  writerOpen(client.encoder, client.control.bytes, at, size);
  return client.encoder;
}

export function controlEnd(client: Client): void {
  ringCommit(client.control, client.encoder.start, written(client.encoder));
}

/** Queues a control packet that was encoded at boot. Gives whether there was room. */
export function sendControl(client: Client, packet: Bytes): boolean {
  const writer = controlBegin(client, packet.length);
  if (writer === undefined) return false;
  writeBytes(writer, packet, 0, packet.length);
  controlEnd(client);
  return true;
}

/**
 * How many bytes may come in such that every acknowledgement that they ask for has room, even if they come late,
 * nothing is sent until then, and the client queues all that it may have to say on its own account.
 */
export function senderRoom(client: Client): number {
  const birth = client.birthPacket === undefined ? 0 : client.birthPacket.length;
  // A filter is in a SUBSCRIBE or in an UNSUBSCRIBE, not in both: the second size is for the gap before a large packet.
  const own = birth + 2 * client.subscribeSize + CONTROL_SPARE;
  const left = client.control.size - client.control.used - own;
  return left > 0 ? div(left * SHORTEST_PUBLISH, PUBACK_SIZE) : 0;
}

/** Whether anything may be sent now. */
export function senderWaiting(client: Client): boolean {
  if (client.planControl + client.planOutbox > 0) return true;
  switch (client.state) {
    case ClientState.Connecting:
      return client.control.used > 0;
    case ClientState.Leaving:
      return client.control.used > 0 || outboxMidPacket(client.outbox);
    case ClientState.Online:
      return client.control.used > 0 || outboxWaiting(client.outbox);
    case ClientState.Idle:
    case ClientState.BackingOff:
    case ClientState.Opening:
    case ClientState.Closing:
      return false;
  }
}

/** Fixes the next run of at most `limit` bytes and gives its length. */
export function senderOffer(client: Client, limit: number): number {
  if (!senderWaiting(client)) return 0;
  const outbox = client.outbox;
  client.planControl = 0;
  client.planOutbox = 0;
  if (outboxMidPacket(outbox)) {
    client.planOutbox = outboxPlan(outbox, limit, 1);
  } else {
    const control = ringBytes(client.control);
    client.planControl = control < limit ? control : limit;
    const packets = client.options.coalesce;
    // A connection that sends packets one by one sends control packets apart from messages, too.
    const mayFollow = control === 0 || (control < limit && packets > 1);
    if (client.state === ClientState.Online && mayFollow) {
      client.planOutbox = planAfter(client, limit - client.planControl, packets);
    }
  }
  return client.planControl + client.planOutbox;
}

/** Messages behind control packets only as long as they fit whole: a packet is cut only when it fills a run alone. */
function planAfter(client: Client, limit: number, packets: number): number {
  const planned = outboxPlan(client.outbox, limit, packets);
  return planned === limit && client.planControl > 0 ? 0 : planned;
}

/** Lends the next piece of the run. */
export function senderPiece(client: Client, span: Span): void {
  if (client.planControl > 0) {
    const run = ringRun(client.control);
    span.bytes = client.control.bytes;
    span.at = client.control.head;
    span.count = run < client.planControl ? run : client.planControl;
  } else {
    outboxPiece(client.outbox, span);
    if (span.count > client.planOutbox) span.count = client.planOutbox;
  }
}

/** `count` bytes of the run have gone: the keep alive interval begins again. [MQTT-3.1.2-23] */
export function senderTaken(client: Client, now: Millis, count: number): void {
  if (client.planControl > 0) {
    client.planControl -= count;
    ringRelease(client.control, count);
  } else {
    client.planOutbox -= count;
    outboxTaken(client.outbox, count);
    client.stats.retried = client.outbox.resent;
  }
  if (client.options.keepAlive > 0) arm(client.ping, now, client.options.keepAlive * 1000);
  expectAcks(client, now);
}

/** An acknowledgement came: the next one that is owed has its full time again. */
export function ackCame(client: Client, now: Millis): void {
  disarm(client.ack);
  expectAcks(client, now);
}

/** Watches for acknowledgements as long as any are owed. */
export function expectAcks(client: Client, now: Millis): void {
  const owed = client.outbox.unacknowledged > 0 || client.subscribeId !== 0 || client.unsubscribeId !== 0;
  if (owed && !client.ack.armed) arm(client.ack, now, ACK_PATIENCE);
}

/** A packet identifier that nothing under way uses: 1 to 65535, never 0. [MQTT-2.3.1-1] [MQTT-2.3.1-2] */
export function nextId(client: Client): number {
  for (;;) {
    client.lastId = client.lastId === 65535 ? 1 : client.lastId + 1;
    const id = client.lastId;
    if (id !== client.subscribeId && id !== client.unsubscribeId && !outboxHolds(client.outbox, id)) return id;
  }
}
