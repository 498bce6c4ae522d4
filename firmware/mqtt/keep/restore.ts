/**
 * What a board finds of its session when it starts: messages go back into the outbox in the order in which they were
 * accepted, with the identifiers that they had, and PUBRELs that are owed into their list.
 *
 * A message that may have been sent has DUP set, whether it was or not: what happened between its acceptance and the
 * power cut is not on the medium, which would wear with every send. DUP says no more than that this may not be the
 * first time [MQTT-3.3.1-1]; without it a second send would pass for the first. To a broker that still has the session
 * the identifier tells; one that has lost it gets the message as new, or, at QoS 2, not at all. So that no message at
 * QoS 2 is given up that was never sent, those that were accepted without a session are marked as such.
 */
import { allocate, byteAt, copy, div, putText, putU16, queueClose, queueOpen, textLength, u16At } from "#native";
import { CRC_START, crcUpdate } from "../../core/crc32";
import { brokerAt, brokersOf } from "../brokers";
import { type Client } from "../client-state";
import { idListAdd, idListCopy, idListHas } from "../exactly-once/id-list";
import { outboxHolds } from "../outbox";
import { DUP, QOS_2 } from "../packet";
import { CAPACITY, FIRST_SLOT, type Kept, SESSION_SLOT, setPlace } from "./kept";
import { firstOf, idOf, int32At, kindOf, LONGEST_RECORD, MARK_SIZE, RECORD_HEADER, RecordKind, sequenceOf } from "./record";

/** A record that is ours. */
interface Found {
  readonly place: number;
  readonly sequence: number;
}

/** @boot */
export function restore(kept: Kept, client: Client): void {
  kept.on = !client.options.cleanSession;
  kept.session = sessionOf(kept, client);
  if (client.exactlyOnce !== undefined) kept.received = allocate(2 * client.exactlyOnce.received.capacity);
  const found = findRecords(kept);
  kept.mark = found[0]?.sequence ?? 0;
  kept.sequence = kept.mark;
  restoreSession(kept, client);
  for (let i = 0; i < found.length; i++) {
    const record = found[i];
    if (record !== undefined) restoreRecord(kept, client, record);
  }
}

/**
 * Which session it is: another when the client introduces itself differently, or to others. What was meant for one
 * broker must not be told to another. @boot
 */
function sessionOf(kept: Kept, client: Client): number {
  const { clientId, userName, protocol } = client.options;
  let crc = crcOfNumber(kept, CRC_START, protocol ?? 0);
  crc = crcOfText(kept, crc, clientId);
  crc = crcOfText(kept, crc, userName ?? "");
  for (let i = 0; i < brokersOf(client); i++) {
    const broker = brokerAt(client, i);
    crc = crcOfText(kept, crc, broker.host);
    crc = crcOfNumber(kept, crc, broker.port);
  }
  return ~crc;
}

/** With its length, so that what ends one text does not pass for the beginning of the next. @boot */
function crcOfText(kept: Kept, crc: number, text: string): number {
  const length = textLength(text);
  const bytes = length <= LONGEST_RECORD ? kept.record : allocate(length);
  putText(bytes, 0, text);
  return crcOfNumber(kept, crcUpdate(crc, bytes, 0, length), length);
}

/** @boot */
function crcOfNumber(kept: Kept, crc: number, value: number): number {
  putU16(kept.record, 0, value);
  return crcUpdate(crc, kept.record, 0, 2);
}

/** All messages and releases of this session, oldest first. @boot */
function findRecords(kept: Kept): Found[] {
  const found: Found[] = [];
  for (let place = 0; place < CAPACITY; place++) {
    const slot = FIRST_SLOT + place;
    if (lengthOf(kept, slot) === 0) continue;
    if (byteAt(kept.record, 0) === RecordKind.Session) drop(kept, slot);
    else insert(found, { place, sequence: sequenceOf(kept.record) });
  }
  return found;
}

/** @boot */
function insert(found: Found[], record: Found): void {
  let at = found.length;
  found.push(record);
  for (; at > 0; at--) {
    const before = found[at - 1];
    // Numbers wrap: which is the later one tells their difference.
    if (before === undefined || ((before.sequence - record.sequence) | 0) <= 0) return;
    found[at] = before;
    found[at - 1] = record;
  }
}

/** Loads a record. Gives its length; 0 when there is none, or none of this session: then it is dropped. @boot */
function lengthOf(kept: Kept, slot: number): number {
  const length = kept.storage.load(slot, kept.record, 0, LONGEST_RECORD);
  if (length === 0) return 0;
  if (length > 0 && kept.on && kindOf(kept.record, length, kept.session) !== RecordKind.None) return length;
  drop(kept, slot);
  return 0;
}

/** It is of no use any more. If the slot cannot be emptied now, the next boot tries again. @boot */
function drop(kept: Kept, slot: number): void {
  kept.stats.dropped++;
  kept.storage.save(slot, kept.record, 0, 0);
}

/** @boot */
function restoreSession(kept: Kept, client: Client): void {
  const length = lengthOf(kept, SESSION_SLOT);
  if (length === 0) return;
  const record = kept.record;
  const received = client.exactlyOnce?.received;
  const count = div(length - RECORD_HEADER - MARK_SIZE, 2);
  const room = received === undefined ? 0 : received.capacity;
  if (byteAt(record, 0) !== RecordKind.Session || count > room) {
    drop(kept, SESSION_SLOT);
    return;
  }
  kept.mark = int32At(record, RECORD_HEADER);
  if (((kept.mark - kept.sequence) | 0) > 0) kept.sequence = kept.mark;
  if (received === undefined) return;
  for (let i = 0; i < count; i++) idListAdd(received, u16At(record, RECORD_HEADER + MARK_SIZE + 2 * i));
  idListCopy(received, kept.received, 0);
  kept.receivedCount = count;
  kept.seenReceived = count;
}

/** @boot */
function restoreRecord(kept: Kept, client: Client, { place, sequence }: Found): void {
  const slot = FIRST_SLOT + place;
  const length = lengthOf(kept, slot);
  if (length === 0) return;
  const kind: RecordKind = byteAt(kept.record, 0);
  const id = idOf(kept.record, kind);
  if (((sequence - kept.sequence) | 0) >= 0) kept.sequence = (sequence + 1) | 0;
  const isUnsent = kind === RecordKind.Unsent && ((sequence - kept.mark) | 0) >= 0;
  if (
    outboxHolds(client.outbox, id) ||
    holdsRelease(client, id) ||
    !(kind === RecordKind.Release ? giveRelease(client, id) : giveMessage(kept, client, isUnsent, length))
  ) {
    drop(kept, slot);
    return;
  }
  setPlace(kept, place, id, kind === RecordKind.Unsent && !isUnsent ? RecordKind.Message : kind);
  kept.stats.restored++;
  // The next identifiers are those after the newest that is held, and each is compared with what is held.
  client.lastId = id;
  client.sessionHeld = true;
  client.freeTo = 0;
}

/** @boot */
function holdsRelease(client: Client, id: number): boolean {
  return client.exactlyOnce !== undefined && idListHas(client.exactlyOnce.releases, id);
}

/** @boot */
function giveRelease(client: Client, id: number): boolean {
  const releases = client.exactlyOnce?.releases;
  return releases !== undefined && idListAdd(releases, id);
}

/** Queues the message in the record. @boot */
function giveMessage(kept: Kept, client: Client, isUnsent: boolean, length: number): boolean {
  const { outbox, exactlyOnce, noId } = client;
  const record = kept.record;
  const first = firstOf(record);
  if ((first & QOS_2) !== 0 && exactlyOnce === undefined) return false;
  const body = length - RECORD_HEADER;
  const at = queueOpen(outbox.queue, noId, body - noId.length);
  if (at < 0) return false;
  const bodyAt = at - noId.length;
  copy(record, RECORD_HEADER, outbox.queue, bodyAt, body);
  queueClose(outbox.queue, bodyAt + body, isUnsent ? first : first | DUP);
  if (!isUnsent) outbox.again++;
  return true;
}
