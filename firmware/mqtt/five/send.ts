/**
 * Publishing with MQTT 5.0: behind the topic and the packet identifier come properties. Those that never change are
 * encoded once, at boot; a topic alias and what an answer repeats are added as it is written.
 *
 *     const five = createFive({ aliasesOut: 1 });
 *     const client = createClient({ …, protocol: 5, five }, link, entropy, events);
 *     const telemetry = createPublication("moth/1/telemetry", 0, false, 64);
 *     withProperties(five, telemetry, { contentType: "application/json" }, true);
 *     …
 *     publishText(client, telemetry, "{}");
 */
import { type Bytes, QueueNumber } from "../../../hal/hal";
import { allocate, putU16, queueNumber, queueOpen } from "#native";
import { createWriter, writeBytes, writeU16, type Writer, writerOpen } from "../../core/writer";
import { type Client, ClientState, PublishError } from "../client-state";
import { type MessageProperties, type PublicationExtras } from "../five";
import { nextId } from "../identifiers";
import { couldMakeRoom, makeRoom } from "../make-room";
import { outboxFits } from "../outbox";
import { lengthBytes, writeLength } from "../packet";
import { type Publication, WhenFull } from "../publication";
import { growsOld, sweepExpiries } from "./expiry";
import { unsendable } from "./limits";
import { Property } from "./properties";
import { AliasState, type FiveState, Unsent } from "./state";
import { countUnsent } from "./tell";
import {
  correlationPlace,
  correlationSize,
  messagePropertiesSize,
  U16_PROPERTY,
  writeBytesProperty,
  writeMessageProperties,
  writeU16Property,
} from "./write-properties";

/**
 * What the messages of a publication say of themselves from now on. `alias`: once the broker knows the topic by a number,
 * only that is sent; for QoS 0 alone, since a message that may be sent again on another link must carry its topic. False,
 * and nothing has changed, when there can be no alias: it is not at QoS 0, its messages are found by their topic
 * (`WhenFull.KeepNewest`), or `aliasesOut` are given out. @boot
 */
export function withProperties(
  five: FiveState,
  publication: Publication,
  properties: MessageProperties,
  alias: boolean,
): boolean {
  const newest = publication.whenFull === WhenFull.KeepNewest;
  if (alias && (publication.qos !== 0 || newest || five.aliasesGiven === five.aliases.length)) return false;
  if (alias) five.aliasesGiven++;
  const size = messagePropertiesSize(properties);
  const writer = createWriter(allocate(size === 0 ? 1 : size));
  writeMessageProperties(writer, properties);
  publication.extras = {
    properties: writer.bytes,
    size,
    correlationAt: correlationPlace(properties),
    correlationSize: correlationSize(properties),
    expiry: properties.expiry ?? -1,
    alias: alias ? five.aliasesGiven : 0,
  };
  return true;
}

/**
 * The next publish, in the same turn, goes to the `topicCount` bytes at `topicAt` instead of its publication's topic, and
 * repeats `dataCount` bytes of correlation data instead of its publication's, if that is above 0: the answer to a request,
 * whose response topic and correlation data are found in `five.properties`. All of it is in `bytes`, and copied when the
 * publish begins.
 */
export function answerWith(
  five: FiveState,
  bytes: Bytes,
  topicAt: number,
  topicCount: number,
  dataAt: number,
  dataCount: number,
): void {
  const { answerTo, correlation } = five;
  answerTo.bytes = bytes;
  answerTo.at = topicAt;
  answerTo.count = topicCount;
  correlation.bytes = bytes;
  correlation.at = dataAt;
  correlation.count = dataCount;
}

/** How many bytes come before the payload, behind the topic and identifier. */
function propertiesSize(five: FiveState, publication: Publication, alias: number): number {
  const correlation = five.correlation.count;
  const extras = publication.extras;
  let fixed = extras === undefined ? 0 : extras.size;
  if (extras !== undefined && correlation > 0) fixed -= extras.correlationSize;
  return fixed + (alias > 0 ? U16_PROPERTY : 0) + (correlation > 0 ? 3 + correlation : 0);
}

/** The alias that this message can have. [MQTT5-3.2.2-17] [MQTT5-3.2.2-18] [MQTT5-3.3.2-9] */
function aliasFor({ granted, answerTo }: FiveState, publication: Publication): number {
  if (publication.extras === undefined || answerTo.count > 0) return 0;
  return publication.extras.alias <= granted.topicAliasMaximum ? publication.extras.alias : 0;
}

/**
 * Whether the broker knows an alias: a message with the topic has gone out. While one that tells it waits, the next one
 * tells it again, so that no message depends on another that may be dropped.
 */
function isKnown(five: FiveState, client: Client, alias: number): boolean {
  if (alias === 0) return false;
  const state = five.aliases[alias - 1];
  if (state === AliasState.Told && queueNumber(client.outboxQueue, QueueNumber.Due) === 0) {
    five.aliases[alias - 1] = AliasState.Known;
    return true;
  }
  return state === AliasState.Known;
}

export function fits(five: FiveState, client: Client, publication: Publication): boolean {
  const size = propertiesSize(five, publication, aliasFor(five, publication));
  const room = publication.room + lengthBytes(size) + size + five.answerTo.count + 1;
  return outboxFits(client.outbox, room) || couldMakeRoom(client, publication, room);
}

/** Begins a message. The properties are written; what is given writes the payload. */
export function begin(five: FiveState, client: Client, publication: Publication): Writer | undefined {
  const writer = open(five, client, publication);
  forgetAnswer(five);
  return writer;
}

export function forgetAnswer({ answerTo, correlation }: FiveState): void {
  answerTo.count = 0;
  correlation.count = 0;
}

function open(five: FiveState, client: Client, publication: Publication): Writer | undefined {
  const { answerTo, correlation } = five;
  const { qos, extras, maxPayload } = publication;
  const alias = aliasFor(five, publication);
  const bare = answerTo.count > 0 || isKnown(five, client, alias);
  const head = bare ? client.noId : publication.head;
  const size = propertiesSize(five, publication, alias);
  const before = answerTo.count + (bare && qos !== 0 ? 2 : 0) + lengthBytes(size) + size;
  if (!maySend(five, client, publication.first, head.length + before)) return undefined;
  const at = openRoom(five, client, publication, head, before + maxPayload);
  if (at < 0) return undefined;
  const draft = client.draft;
  writerOpen(draft, draft.bytes, at, before + maxPayload);
  if (answerTo.count > 0) writeTopic(five, draft, at, qos);
  if (qos !== 0) {
    const id = nextId(client);
    putU16(draft.bytes, draft.at - 2, id);
    growsOld(five, id, extras === undefined ? -1 : extras.expiry);
  }
  writeLength(draft, size);
  if (extras !== undefined) writeExtras(draft, extras, correlation.count > 0);
  if (alias > 0) writeU16Property(draft, Property.TopicAlias, alias);
  if (correlation.count > 0) {
    writeBytesProperty(draft, Property.CorrelationData, correlation.bytes, correlation.at, correlation.count);
  }
  five.bodyAt = at - head.length;
  five.draftAlias = alias;
  client.draftOf = publication;
  draft.start = draft.at;
  return draft;
}

/** What does not change; `answers`: but for the correlation data, which must not stand there twice. [MQTT 5.0 §3.3.2.3.6] */
function writeExtras(draft: Writer, extras: PublicationExtras, answers: boolean): void {
  const { properties, size, correlationAt } = extras;
  if (!answers || extras.correlationSize === 0) {
    writeBytes(draft, properties, 0, size);
    return;
  }
  const behind = correlationAt + extras.correlationSize;
  writeBytes(draft, properties, 0, correlationAt);
  writeBytes(draft, properties, behind, size - behind);
}

/** The topic of an answer, and room for the packet identifier. */
function writeTopic({ answerTo }: FiveState, draft: Writer, at: number, qos: number): void {
  putU16(draft.bytes, at - 2, answerTo.count);
  writeBytes(draft, answerTo.bytes, answerTo.at, answerTo.count);
  if (qos !== 0) writeU16(draft, 0);
}

/** Room in the outbox; what nobody wants any more makes place. */
function openRoom(five: FiveState, client: Client, publication: Publication, head: Bytes, room: number): number {
  const queue = client.outboxQueue;
  if (client.draftOf === undefined) {
    const at = queueOpen(queue, head, room);
    if (at >= 0) return at;
    sweepExpiries(five, client, five.now);
  }
  const remaining = head.length + room;
  if (!makeRoom(client, publication, 1 + lengthBytes(remaining) + remaining)) return -1;
  return queueOpen(queue, head, room);
}

export function end(five: FiveState, client: Client, publication: Publication): boolean {
  const body = client.draft.at - five.bodyAt;
  const alias = five.draftAlias;
  if (!maySend(five, client, publication.first, body)) return false;
  if (alias > 0 && five.aliases[alias - 1] === AliasState.Unknown) five.aliases[alias - 1] = AliasState.Told;
  return true;
}

/**
 * Whether the broker would take a PUBLISH with a body of `body` bytes. Without a session nobody knows: it is looked at
 * when the next one begins.
 */
function maySend(five: FiveState, client: Client, first: number, body: number): boolean {
  if (client.state !== ClientState.Online) return true;
  const why = unsendable(five.granted, first, 1 + lengthBytes(body) + body);
  if (why === undefined) return true;
  countUnsent(five, why);
  client.publishError = errorOf(why);
  return false;
}

function errorOf(why: Unsent): PublishError {
  if (why === Unsent.Qos) return PublishError.QosTooHigh;
  return why === Unsent.Retain ? PublishError.RetainRefused : PublishError.PacketTooLarge;
}
