/**
 * The records in which a session is kept, one in a slot of the storage. Numbers stand with their most significant byte
 * first. Whether a record is whole is the storage's business; whether it is ours and makes sense, is told here.
 *
 *     0   what it is: RecordKind
 *     1   of a message: the first byte of its PUBLISH
 *     2   which session it belongs to, 4 bytes
 *     6   its number in the order in which records were made, 4 bytes, wrapping
 *     10  Message, Unsent   topic, packet identifier, payload: the PUBLISH after its fixed header
 *         Release           the packet identifier
 *         Session           the number of the first record that a session has not seen, 4 bytes; then the identifiers of
 *                           the QoS 2 messages that came in and are not released, 2 bytes each
 */
import type { Bytes } from "../../../hal/hal";
import { byteAt, div, putU16, u16At } from "#native";
import { isTopicName } from "../topic";

/** The values are on the medium: they keep their meaning for ever. */
export const enum RecordKind {
  /** An empty slot, or what is no record of ours. */
  None = 0,
  /** A message that may have been sent. */
  Message = 0x11,
  /** A message that was accepted while there was no session. */
  Unsent = 0x12,
  /** PUBREC has come for the message that was here: its PUBREL is owed. */
  Release = 0x13,
  Session = 0x14,
}

export const RECORD_HEADER = 10;
export const LONGEST_RECORD = 1024;
/** In the record of a session, behind the header. */
export const MARK_SIZE = 4;

const FIRST_AT = 1;
const SESSION_AT = 2;
const SEQUENCE_AT = 6;

/** An int32 in four bytes. */
export function putInt32(bytes: Bytes, at: number, value: number): void {
  putU16(bytes, at, div(value, 65536) & 0xffff);
  putU16(bytes, at + 2, value & 0xffff);
}

export function int32At(bytes: Bytes, at: number): number {
  const high = u16At(bytes, at);
  return ((high >= 32768 ? high - 65536 : high) * 65536 + u16At(bytes, at + 2)) | 0;
}

export function putHeader(record: Bytes, kind: RecordKind, first: number, session: number, sequence: number): void {
  record[0] = kind;
  record[FIRST_AT] = first;
  putInt32(record, SESSION_AT, session);
  putInt32(record, SEQUENCE_AT, sequence);
}

/** What the `length` bytes of a record are; `None` when they are nothing of this session, or make no sense. */
export function kindOf(record: Bytes, length: number, session: number): RecordKind {
  if (length < RECORD_HEADER || int32At(record, SESSION_AT) !== session) return RecordKind.None;
  const body = length - RECORD_HEADER;
  switch (byteAt(record, 0)) {
    case RecordKind.Message:
      return isPublish(record, body) ? RecordKind.Message : RecordKind.None;
    case RecordKind.Unsent:
      return isPublish(record, body) ? RecordKind.Unsent : RecordKind.None;
    case RecordKind.Release:
      return body === 2 && u16At(record, RECORD_HEADER) > 0 ? RecordKind.Release : RecordKind.None;
    case RecordKind.Session:
      return body >= MARK_SIZE && (body & 1) === 0 ? RecordKind.Session : RecordKind.None;
    default:
      return RecordKind.None;
  }
}

/** Whether the first byte and the body are those of a PUBLISH at QoS 1 or 2. */
function isPublish(record: Bytes, body: number): boolean {
  const first = firstOf(record);
  // PUBLISH without DUP, and with QoS 1 or 2. [MQTT-3.3.1-4]
  if ((first & 0xf8) !== 0x30 || (first & 6) === 0 || (first & 6) === 6) return false;
  if (body < 5) return false;
  const topic = u16At(record, RECORD_HEADER);
  if (topic + 4 > body || !isTopicName(record, RECORD_HEADER + 2, topic)) return false;
  return u16At(record, RECORD_HEADER + 2 + topic) > 0;
}

export function firstOf(record: Bytes): number {
  return byteAt(record, FIRST_AT);
}

export function sequenceOf(record: Bytes): number {
  return int32At(record, SEQUENCE_AT);
}

/** The packet identifier of a message or of a release. */
export function idOf(record: Bytes, kind: RecordKind): number {
  return u16At(record, kind === RecordKind.Release ? RECORD_HEADER : RECORD_HEADER + 2 + u16At(record, RECORD_HEADER));
}
