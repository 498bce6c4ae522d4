/**
 * The feature behind `publishFrom`: it stands between the link and the client, and steps in for the time of a message
 * that comes from a source.
 *
 *     state      left by
 *     Free       publishFrom → Waiting
 *     Waiting    a placeholder in the outbox has its turn → Sending
 *     Sending    all of it was handed to the link → Sent, or at QoS 0 Free      link lost → Waiting, or at QoS 0 Free
 *     Sent       PUBACK, PUBREC, or given up → Free                             link lost → Waiting
 *
 * A source that fails leads to Free from Sending: the placeholder is dropped, and with it the link, if a part of the
 * packet is out. [MQTT 3.1.1 §4.8]
 */
import { type Millis, QueueNumber } from "../../../hal/hal";
import {
  allocate,
  byteAt,
  queueAfter,
  queueDrop,
  queueFirst,
  queueNumber,
  queuePlaceholder,
  queueTaken,
} from "#native";
import { type LinkUser } from "../../core/link";
import { createWriter, type Writer, writeBytes, writerOpen } from "../../core/writer";
import { type Client, ClientState, Fault, PublishError } from "../client-state";
import { fail } from "../incoming";
import { outboxCount, outboxHolds, outboxIdAt } from "../outbox";
import { DUP, lengthBytes, PacketType, PLACEHOLDER, QOS_BITS, writeFixedHeader } from "../packet";
import { type Publication } from "../publication";
import { publishBegin, publishEnd } from "../publish";
import { type PayloadSource, SourceEnd, type Sources, type SourceStats } from "../publish-source";
import { messagesTaken } from "../sender";

/** The largest remaining length that four bytes can say. [MQTT 3.1.1 §2.2.3] */
const LONGEST = 268435455;
/** The longest fixed header. */
const FIXED_HEADER = 5;
/** The flags in the first byte of a packet. */
const FLAGS = 0x0f;

const enum Progress {
  Free,
  Waiting,
  Sending,
  Sent,
}

interface Stream {
  readonly stats: SourceStats;
  readonly stage: Writer;
  progress: Progress;
  source: PayloadSource;
  qos: number;
  /** Its packet identifier; 0 at QoS 0. */
  id: number;
  /** The bytes of its placeholder in the outbox, and of its payload: all, and those that the source gave on this link. */
  placeholder: number;
  length: number;
  offset: number;
  /** What of the stage has gone, and what of the run that was offered has not. */
  at: number;
  run: number;
  /** A part of the packet has gone on this link. */
  begun: boolean;
  /** The number of the session in which it was sent. */
  session: number;
  /** The last time that was told. */
  now: Millis;
}

const nobody: PayloadSource = {
  read() {
    return 0;
  },
  ended() {},
};

/**
 * The feature `sources`. `stageSize` is how much of a message is staged for the link at a time, 64 to 65535 bytes: the
 * longest run. It must hold the fixed header and all of the packet that comes before the payload. @boot
 */
export function createSources(stageSize: number): Sources {
  const stats: SourceStats = { accepted: 0, done: 0, lost: 0, failed: 0 };
  const stream: Stream = {
    stats,
    stage: createWriter(allocate(stageSize)),
    progress: Progress.Free,
    source: nobody,
    qos: 0,
    id: 0,
    placeholder: 0,
    length: 0,
    offset: 0,
    at: 0,
    run: 0,
    begun: false,
    session: 0,
    now: 0,
  };
  return {
    stats,
    user(client, user) {
      return createUser(stream, client, user);
    },
    poll(client, now) {
      stream.now = now;
      look(stream, client);
    },
    rejected(id) {
      if (stream.progress === Progress.Sent && stream.id === id) end(stream, SourceEnd.Rejected);
    },
    sending() {
      return stream.progress === Progress.Sending;
    },
    publish(client, publication, source, length) {
      return publish(stream, client, publication, source, length);
    },
  };
}

/** @boot */
function createUser(stream: Stream, client: Client, user: LinkUser): LinkUser {
  return {
    linkUp(now) {
      user.linkUp(now);
    },
    linkDown(now, loss) {
      look(stream, client);
      linkLost(stream);
      user.linkDown(now, loss);
      if (stream.progress === Progress.Waiting && stream.qos === 0) end(stream, SourceEnd.LinkLost);
    },
    room() {
      return user.room();
    },
    received(now, bytes, at, count) {
      user.received(now, bytes, at, count);
      stream.now = now;
      look(stream, client);
    },
    waiting() {
      if (stream.progress === Progress.Sending) return stream.run > 0 || maySend(client);
      return user.waiting() || (client.state === ClientState.Online && queuePlaceholder(client.outboxQueue) >= 0);
    },
    offer(limit) {
      if (stream.progress === Progress.Sending) return maySend(client) ? offer(stream, client, limit) : 0;
      const run = user.offer(limit);
      if (run > 0 || client.state !== ClientState.Online) return run;
      const at = queuePlaceholder(client.outboxQueue);
      if (at < 0) return 0;
      return begin(stream, client, at) ? offer(stream, client, limit) : 0;
    },
    piece(span) {
      if (stream.run === 0) {
        user.piece(span);
        return;
      }
      span.bytes = stream.stage.bytes;
      span.at = stream.at;
      span.count = stream.run;
    },
    taken(now, count) {
      if (stream.run === 0) user.taken(now, count);
      else taken(stream, client, now, count);
    },
  };
}

/** What was begun is finished, also on the way out: nothing else can come before its end. */
function maySend(client: Client): boolean {
  return client.state === ClientState.Online || client.state === ClientState.Leaving;
}

function publish(
  stream: Stream,
  client: Client,
  publication: Publication,
  source: PayloadSource,
  length: number,
): boolean {
  const error = errorIn(stream, client, publication, publication.head.length, length);
  if (error !== PublishError.None) return refuse(client, error);
  if (publishBegin(client, publication) === undefined) return false;
  if (client.five !== undefined) {
    // With its properties, or the topic of an answer, it may be larger.
    const late = errorIn(stream, client, publication, client.draft.at - client.five.bodyAt, length);
    if (late !== PublishError.None) {
      client.draftOf = undefined;
      return refuse(client, late);
    }
  }
  if (!publishEnd(client)) return false;
  const queue = client.outboxQueue;
  let at = queueFirst(queue);
  for (let left = outboxCount(client.outbox); left > 1; left--) at = queueAfter(queue, at);
  queue[at] = byteAt(queue, at) | PLACEHOLDER;
  stream.source = source;
  stream.length = length;
  stream.qos = publication.qos;
  stream.id = publication.qos === 0 ? 0 : outboxIdAt(client.outbox, at);
  stream.progress = Progress.Waiting;
  stream.stats.accepted++;
  return true;
}

function refuse(client: Client, error: PublishError): boolean {
  client.stats.refused++;
  client.publishError = error;
  return false;
}

/** `head`: how many bytes come before the payload, behind the fixed header. */
function errorIn(stream: Stream, client: Client, publication: Publication, head: number, length: number): PublishError {
  if (stream.progress !== Progress.Free) return PublishError.SourceBusy;
  if (length < 0 || length > LONGEST - head) return PublishError.TooLong;
  if (FIXED_HEADER + head > stream.stage.bytes.length) return PublishError.LargerThanStage;
  if (!mayBeSent(client, head + length)) return PublishError.PacketTooLarge;
  return publication.qos !== 0 && client.keeper !== undefined ? PublishError.NotKept : PublishError.None;
}

/** Whether the broker of this session takes a packet with `body` bytes behind its fixed header. */
function mayBeSent({ five, state }: Client, body: number): boolean {
  return five === undefined || state !== ClientState.Online || five.takes(1 + lengthBytes(body) + body);
}

/**
 * The placeholder at `at` has its turn: stages what comes before the payload. False when the broker does not take a
 * packet of that size: then it is dropped.
 */
function begin(stream: Stream, client: Client, at: number): boolean {
  const queue = client.outboxQueue;
  const stage = stream.stage;
  let headAt = at + 1;
  let head = 0;
  let factor = 1;
  do {
    head += (byteAt(queue, headAt) & 127) * factor;
    factor *= 128;
    headAt++;
  } while (byteAt(queue, headAt - 1) >= 128);
  if (!mayBeSent(client, head + stream.length)) {
    queueDrop(queue, at);
    end(stream, SourceEnd.TooLarge);
    return false;
  }
  stream.placeholder = headAt - at + head;
  writerOpen(stage, stage.bytes, 0, stage.bytes.length);
  writeFixedHeader(stage, PacketType.Publish, byteAt(queue, at) & FLAGS, head + stream.length);
  writeBytes(stage, queue, headAt, head);
  stream.offset = 0;
  stream.at = 0;
  stream.begun = false;
  stream.progress = Progress.Sending;
  return true;
}

/** Fixes a run of what is staged, and stages more before. */
function offer(stream: Stream, client: Client, limit: number): number {
  const stage = stream.stage;
  if (stream.at === stage.at) {
    stage.at = 0;
    stream.at = 0;
  }
  while (stage.at < stage.end && stream.offset < stream.length) {
    const left = stream.length - stream.offset;
    const room = left < stage.end - stage.at ? left : stage.end - stage.at;
    const count = stream.source.read(stream.offset, stage.bytes, stage.at, room);
    if (count < 1 || count > room) {
      giveUp(stream, client);
      return 0;
    }
    stage.at += count;
    stream.offset += count;
  }
  // The source may have ended the session.
  if (!maySend(client)) return 0;
  const run = stage.at - stream.at;
  stream.run = run < limit ? run : limit;
  return stream.run;
}

function taken(stream: Stream, client: Client, now: Millis, count: number): void {
  client.sentAt = now;
  stream.at += count;
  stream.run -= count;
  stream.begun = true;
  if (stream.at < stream.stage.at || stream.offset < stream.length) return;
  stream.progress = Progress.Sent;
  stream.session = client.stats.sessions;
  placeholderTaken(stream, client, now);
  if (stream.id === 0) end(stream, SourceEnd.Done);
}

/** What the placeholder stands for has gone, and is to be acknowledged like any other message. */
function placeholderTaken(stream: Stream, client: Client, now: Millis): void {
  const owed = queueTaken(client.outboxQueue, stream.placeholder, QOS_BITS);
  if (owed > 0) messagesTaken(client, now, owed);
}

/** The source has failed. What has gone of the packet cannot be taken back: the link goes with it. */
function giveUp(stream: Stream, client: Client): void {
  const queue = client.outboxQueue;
  let at = queueFirst(queue);
  const gone = outboxCount(client.outbox) - queueNumber(queue, QueueNumber.Due);
  for (let i = 0; i < gone; i++) at = queueAfter(queue, at);
  const mayBeThere = stream.qos === 2 && (byteAt(queue, at) & DUP) !== 0;
  if (mayBeThere && client.exactlyOnce !== undefined) {
    // It went out whole on an earlier link. Should the broker have it, that is put to an end in good order.
    placeholderTaken(stream, client, stream.now);
    client.exactlyOnce.pubrec(client, stream.now, stream.id);
  } else {
    queueDrop(queue, at);
  }
  if (stream.begun) fail(client, Fault.Source);
  end(stream, SourceEnd.SourceFailed);
}

/** Looks whether the message is still owed. */
function look(stream: Stream, client: Client): void {
  if (stream.id === 0 || stream.progress === Progress.Free || outboxHolds(client.outbox, stream.id)) return;
  // With a new session, the broker has not taken it but forgotten it.
  const isTaken = stream.progress === Progress.Sent && stream.session === client.stats.sessions;
  end(stream, isTaken ? SourceEnd.Done : SourceEnd.Discarded);
}

/** All of it is to be sent again, if it is still owed. */
function linkLost(stream: Stream): void {
  stream.run = 0;
  if (stream.progress !== Progress.Free) stream.progress = Progress.Waiting;
}

function end(stream: Stream, how: SourceEnd): void {
  const { source, stats } = stream;
  stream.progress = Progress.Free;
  stream.source = nobody;
  stream.run = 0;
  if (how === SourceEnd.Done) stats.done++;
  else if (how === SourceEnd.SourceFailed) stats.failed++;
  else stats.lost++;
  source.ended(how);
}
