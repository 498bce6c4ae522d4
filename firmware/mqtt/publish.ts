/**
 * Publishing: begin, write the payload, end. The payload goes straight into the outbox.
 *
 *     const payload = publishBegin(client, telemetry);
 *     if (payload !== undefined) {
 *       writeText(payload, "21.5");
 *       publishEnd(client);
 *     }
 */
import { lengthBytes, PacketType, QOS_1, RETAIN, writeFixedHeader } from "./packet";
import { writeBytes, type Writer, writerOpen, writeText, writeU16 } from "../core/writer";
import { NO_ROOM } from "../core/ring";
import { type Client, ClientState } from "./client-state";
import { outboxCommit, outboxFits, outboxReserve } from "./outbox";
import { type Publication } from "./publication";
import { nextId } from "./sender";

/** Whether {@link publishBegin} would succeed now: for what is tried again and again, so that only losses count. */
export function canPublish(client: Client, publication: Publication): boolean {
  if (publication.qos === 0 && client.state !== ClientState.Online) return false;
  return client.draftOf === undefined && outboxFits(client.outbox, publication.room);
}

/**
 * Reserves room for a message and gives the writer for its payload, at most `publication.maxPayload` bytes.
 * {@link publishEnd} must follow in the same turn, before anything else is published. Gives `undefined`, and counts it,
 * when the outbox is full (`refused`: what is held stays held, try again when something was acknowledged) or when a
 * QoS 0 message has no session to go out on (`offline`).
 */
export function publishBegin(client: Client, publication: Publication): Writer | undefined {
  if (publication.qos === 0 && client.state !== ClientState.Online) {
    client.stats.offline++;
    return undefined;
  }
  const at = client.draftOf === undefined ? outboxReserve(client.outbox, publication.room) : NO_ROOM;
  if (at === NO_ROOM) {
    client.stats.refused++;
    return undefined;
  }
  const draft = client.draft;
  client.draftOf = publication;
  client.draftAt = at;
  // The fixed header is written last, right before what it counts, when the length is known.
  writerOpen(draft, client.outbox.ring.bytes, at + publication.headerRoom, publication.room - publication.headerRoom);
  writeBytes(draft, publication.topic, 0, publication.topic.length);
  client.draftId = publication.qos === 0 ? 0 : nextId(client);
  if (publication.qos !== 0) writeU16(draft, client.draftId);
  return draft;
}

/**
 * Queues the message that was begun. False, and counted as `tooLong`, when its payload did not fit: then nothing was
 * queued.
 */
export function publishEnd(client: Client): boolean {
  const publication = client.draftOf;
  if (publication === undefined) return false;
  client.draftOf = undefined;
  const draft = client.draft;
  if (draft.overflow) {
    client.stats.tooLong++;
    return false;
  }
  const bodyAt = draft.start;
  const bodyEnd = draft.at;
  const remaining = bodyEnd - bodyAt;
  const packetAt = bodyAt - 1 - lengthBytes(remaining);
  writerOpen(draft, draft.bytes, packetAt, bodyAt - packetAt);
  writeFixedHeader(draft, PacketType.Publish, flagsOf(publication), remaining);
  outboxCommit(client.outbox, client.draftAt, packetAt, bodyEnd - packetAt, publication.qos, client.draftId);
  client.stats.published++;
  return true;
}

/** The flags of a first send: DUP is never among them. [MQTT-3.3.1-1] [MQTT-3.3.1-2] */
function flagsOf(publication: Publication): number {
  return (publication.qos === 0 ? 0 : QOS_1) | (publication.retain ? RETAIN : 0);
}

/** Publishes a text. Gives whether it was queued. */
export function publishText(client: Client, publication: Publication, text: string): boolean {
  const payload = publishBegin(client, publication);
  if (payload === undefined) return false;
  writeText(payload, text);
  return publishEnd(client);
}
