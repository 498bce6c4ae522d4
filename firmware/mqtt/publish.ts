/**
 * Publishing: begin, write the payload, end. The payload goes straight into the outbox.
 *
 *     const payload = publishBegin(client, telemetry);
 *     if (payload !== undefined) {
 *       writeText(payload, "21.5");
 *       publishEnd(client);
 *     }
 */
import type { Bytes } from "../../hal/hal";
import { div, putU16, queueClose, queueOpen, queuePut } from "#native";
import { type Writer, writeBytes, writeText } from "../core/writer";
import { type Client, ClientState, PublishError } from "./client-state";
import { couldMakeRoom, dropOlder, makeRoom } from "./make-room";
import { outboxFits } from "./outbox";
import { nextId } from "./identifiers";
import { lengthBytes } from "./packet";
import { type Publication, WhenFull } from "./publication";

/** Whether {@link publishBegin} would succeed now: for what is tried again and again, so that only losses count. */
export function canPublish(client: Client, publication: Publication): boolean {
  if (publication.qos === 0 && client.state !== ClientState.Online) return false;
  if (publication.qos !== 0 && client.keeper !== undefined && !client.keeper.hasRoom(publication.qos)) return false;
  if (client.draftOf !== undefined) return false;
  if (client.five !== undefined) return client.five.fits(client, publication);
  return outboxFits(client.outbox, publication.room) || couldMakeRoom(client, publication, publication.room);
}

/**
 * Reserves room for a message and gives the writer for its payload, at most `publication.maxPayload` bytes.
 * {@link publishEnd} must follow in the same turn, before anything else is published. Gives `undefined`, counts it and
 * names it in `client.publishError`, when the outbox is full and the publication's policy makes no room (`refused`: what
 * is held stays held, try again when something was acknowledged) or when a QoS 0 message has no session to go out on
 * (`offline`).
 */
export function publishBegin(client: Client, publication: Publication): Writer | undefined {
  const qos = publication.qos;
  if (qos === 0 && client.state !== ClientState.Online) {
    refuseOffline(client);
    return undefined;
  }
  const draft = client.draft;
  const queue = draft.bytes;
  const room = publication.maxPayload;
  let at = client.direct || isFree(client) ? queueOpen(queue, publication.head, room) : -1;
  if (at < 0) {
    if (client.five !== undefined) return client.five.begin(client, publication);
    if (!makeRoom(client, publication, publication.room)) return undefined;
    at = queueOpen(queue, publication.head, room);
  }
  if (qos !== 0) {
    putU16(queue, at - 2, nextId(client));
  }
  client.draftOf = publication;
  client.direct = false;
  draft.start = at;
  draft.at = at;
  draft.end = at + room;
  return draft;
}

/**
 * Queues the message that was begun. False when its payload did not fit, which counts as `tooLong`; when the session is
 * kept in storage and the message could not be, which counts as `refused`; or when none was begun. Then nothing was
 * queued, and `client.publishError` says which. What was dropped to make room for it is gone.
 */
export function publishEnd(client: Client): boolean {
  const publication = client.draftOf;
  if (publication === undefined) {
    client.publishError = PublishError.NotBegun;
    return false;
  }
  client.draftOf = undefined;
  client.direct = client.plain;
  const draft = client.draft;
  if (draft.overflow) {
    draft.overflow = false;
    refuseTooLong(client);
    return false;
  }
  if (!client.plain && !mayEnd(client, publication)) return false;
  queueClose(draft.bytes, draft.at, publication.first);
  client.stats.published++;
  if (publication.whenFull === WhenFull.KeepNewest) dropOlder(client, publication);
  return true;
}

/** Nothing is being written, and what goes before the payload stands in the publication. */
function isFree(client: Client): boolean {
  return client.draftOf === undefined && client.five === undefined;
}

/** Whether the broker takes the message that is written, as far as is known, and it is kept if it has to be. */
function mayEnd(client: Client, publication: Publication): boolean {
  const { draft, five, keeper, stats } = client;
  if (five !== undefined && !five.end(client, publication)) return false;
  if (keeper === undefined || publication.qos === 0) return true;
  const bodyAt = five === undefined ? draft.start - publication.head.length : five.bodyAt;
  if (keeper.keep(client, publication.first, bodyAt, draft.at - bodyAt)) return true;
  stats.refused++;
  client.publishError = PublishError.NotKept;
  return false;
}

/**
 * Publishes a payload that is there already: `count` bytes of `from`, at most `publication.maxPayload`. Gives whether it
 * was queued; if not, it was counted and named as {@link publishBegin} and {@link publishEnd} do.
 */
export function publishBytes(client: Client, publication: Publication, from: Bytes, at: number, count: number): boolean {
  const qos = publication.qos;
  const stats = client.stats;
  if (qos === 0 && client.state !== ClientState.Online) {
    refuseOffline(client);
    return false;
  }
  if (count > publication.maxPayload) {
    refuseTooLong(client);
    return false;
  }
  const queue = client.outboxQueue;
  let payloadAt = client.direct ? queuePut(queue, publication.first, publication.head, from, at, count) : -1;
  if (payloadAt < 0) {
    if (client.keeper !== undefined || client.five !== undefined) return publishCopy(client, publication, from, at, count);
    const remaining = publication.head.length + count;
    if (!makeRoom(client, publication, 1 + lengthBytes(remaining) + remaining)) return false;
    payloadAt = queuePut(queue, publication.first, publication.head, from, at, count);
  }
  if (qos !== 0) {
    const id = nextId(client);
    // Two bytes written here cost less than a call of putU16.
    queue[payloadAt - 2] = div(id, 256);
    queue[payloadAt - 1] = id & 255;
  }
  stats.published++;
  if (publication.whenFull === WhenFull.KeepNewest) dropOlder(client, publication);
  return true;
}

/** The same, in steps between which the message is kept, or is given what MQTT 5.0 adds to it. */
function publishCopy(client: Client, publication: Publication, from: Bytes, at: number, count: number): boolean {
  const payload = publishBegin(client, publication);
  if (payload === undefined) return false;
  writeBytes(payload, from, at, count);
  return publishEnd(client);
}

/** Publishes a text. Gives whether it was queued. */
export function publishText(client: Client, publication: Publication, text: string): boolean {
  const payload = publishBegin(client, publication);
  if (payload === undefined) return false;
  writeText(payload, text);
  return publishEnd(client);
}

function refuseOffline(client: Client): void {
  if (client.five !== undefined) client.five.forgetAnswer();
  client.stats.offline++;
  client.publishError = PublishError.NoSession;
}

function refuseTooLong(client: Client): void {
  if (client.five !== undefined) client.five.forgetAnswer();
  client.stats.tooLong++;
  client.publishError = PublishError.TooLong;
}
