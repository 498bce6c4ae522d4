/**
 * The reader: makes packets of the bytes of the stream, however they are cut. [MQTT 3.1.1 §2.2, §4.2]
 *
 * A packet that lies whole in what has come is understood where it lies. One that comes in pieces is gathered in a
 * buffer of fixed size. A PUBLISH that is too large for the buffer is read over, byte by byte counted, so that the
 * stream stays in step: its packet identifier is kept, so that it can be acknowledged, or the broker would send it
 * again for ever; that it was not delivered is counted. Its first bytes fill the buffer, where they can be looked at.
 * With somebody who takes it in parts, it is handed on as it comes.
 */
import type { Bytes, Millis } from "../../hal/hal";
import { allocate, byteAt, copy } from "#native";
import { Breach } from "./breach";
import { PacketType, QOS_BITS } from "./packet";

/** What the reader reports. */
export interface ReaderEvents {
  /** A whole packet: its first byte, and `count` bytes after the remaining length, lent for the length of the call. */
  packet(now: Millis, first: number, bytes: Bytes, at: number, count: number): void;
  /** A PUBLISH of `remaining` bytes that was read over. `id` is its packet identifier, 0 at QoS 0. */
  oversize(now: Millis, first: number, id: number, remaining: number): void;
  /** What came is not MQTT. Nothing more is reported until {@link readerReset}. */
  malformed(now: Millis, breach: Breach): void;
}

/** Who takes a PUBLISH that is larger than the reader's buffer. */
export interface LargeTaker {
  /**
   * The first bytes of it fill the reader's buffer, where they stay until the packet is over. Sets the state to `Parts`
   * when the rest is wanted, and to `Held` when that must wait; otherwise it is read over.
   */
  begin(now: Millis): void;
  /**
   * The next bytes of the stream, lent, in the state `Parts`. Gives how many of them it took, and counts them in `have`:
   * as many as belong to the packet at most, and none when it has set the state to `Held`.
   */
  feed(now: Millis, bytes: Bytes, at: number, count: number): number;
}

export const enum ReaderState {
  /** The first byte of a packet is next. */
  First,
  Length,
  /** Gathering the packet in the buffer. */
  Body,
  /** Reading over a packet that is too large. */
  Skip,
  /** Handing on a packet that is too large, as it comes. */
  Parts,
  /** A packet in the buffer, or the next part of one, cannot be taken yet: nothing is read. */
  Held,
  /** After something malformed. */
  Stuck,
}

export interface Reader {
  events: ReaderEvents;
  readonly buffer: Bytes;
  /** The length of the buffer. */
  readonly size: number;
  state: ReaderState;
  first: number;
  /** The remaining length, and the value of the next of its bytes: 1, 128, 16384, 2097152. */
  remaining: number;
  factor: number;
  /** How many bytes of the body have come. */
  have: number;
  /** Of a packet that is read over: the length of its topic and its packet identifier, as far as they have come. */
  topicLength: number;
  id: number;
  /** The stream is of MQTT 5.0: a topic may be empty, since an alias may stand for it; a length may not be longer than it need be. */
  isFive: boolean;
  /** Who takes what is too large; otherwise it is read over. */
  large: LargeTaker | undefined;
}

/** Reports nothing, to nobody. */
const nobody: ReaderEvents = { packet() {}, oversize() {}, malformed() {} };

/** A reader that gathers packets of up to `size` bytes after the fixed header. @boot */
export function createReader(size: number): Reader {
  return {
    events: nobody,
    buffer: allocate(size),
    size,
    state: ReaderState.First,
    first: 0,
    remaining: 0,
    factor: 1,
    have: 0,
    topicLength: 0,
    id: 0,
    isFive: false,
    large: undefined,
  };
}

/** Whom to tell. Once, before anything is fed. @boot */
export function readerAttach(reader: Reader, events: ReaderEvents): void {
  reader.events = events;
}

/** Begins anew, for a new stream. */
export function readerReset(reader: Reader): void {
  reader.state = ReaderState.First;
}

/**
 * Takes in the next `count` bytes of the stream. Gives how many it took: fewer than all only when it is held, and then
 * the rest must come again.
 */
export function readerFeed(reader: Reader, now: Millis, bytes: Bytes, at: number, count: number): number {
  const end = at + count;
  let next = at;
  while (next < end) {
    if (reader.state === ReaderState.First && end - next >= 2) {
      // What most packets are: shorter than 128 bytes, and all of it has come.
      const remaining = byteAt(bytes, next + 1);
      const after = next + 2 + remaining;
      if (remaining < 128 && after <= end && remaining <= reader.size) {
        reader.events.packet(now, byteAt(bytes, next), bytes, next + 2, remaining);
        next = after;
        continue;
      }
    }
    switch (reader.state) {
      case ReaderState.First:
        reader.first = byteAt(bytes, next);
        reader.remaining = 0;
        reader.factor = 1;
        reader.state = ReaderState.Length;
        next++;
        break;
      case ReaderState.Length:
        feedLength(reader, now, byteAt(bytes, next));
        next++;
        break;
      case ReaderState.Body:
        next += feedBody(reader, now, bytes, next, end - next);
        break;
      case ReaderState.Skip:
        next += feedSkip(reader, now, bytes, next, end - next);
        break;
      case ReaderState.Parts:
        next += reader.large === undefined ? end - next : reader.large.feed(now, bytes, next, end - next);
        break;
      case ReaderState.Held:
        return next - at;
      case ReaderState.Stuck:
        return count;
    }
  }
  return count;
}

function feedLength(reader: Reader, now: Millis, byte: number): void {
  reader.remaining += (byte & 127) * reader.factor;
  if (byte >= 128) {
    if (reader.factor === 2097152) {
      giveUp(reader, now, Breach.RemainingLength);
    } else {
      reader.factor *= 128;
    }
    return;
  }
  if (byte === 0 && reader.factor > 1 && reader.isFive) {
    // [MQTT5-1.5.5-1]
    giveUp(reader, now, Breach.RemainingLength);
    return;
  }
  reader.have = 0;
  if (reader.remaining === 0) {
    reader.state = ReaderState.First;
    reader.events.packet(now, reader.first, reader.buffer, 0, 0);
  } else if (reader.remaining <= reader.size) {
    reader.state = ReaderState.Body;
  } else if ((reader.first & 0xf0) === PacketType.Publish * 16) {
    reader.topicLength = 0;
    reader.id = 0;
    reader.state = ReaderState.Skip;
  } else {
    // No other packet that a broker may send us is that long.
    giveUp(reader, now, Breach.TooLarge);
  }
}

function giveUp(reader: Reader, now: Millis, breach: Breach): void {
  reader.state = ReaderState.Stuck;
  reader.events.malformed(now, breach);
}

function feedBody(reader: Reader, now: Millis, bytes: Bytes, at: number, count: number): number {
  const remaining = reader.remaining;
  if (reader.have === 0 && count >= remaining) {
    reader.state = ReaderState.First;
    reader.events.packet(now, reader.first, bytes, at, remaining);
    return remaining;
  }
  const missing = remaining - reader.have;
  const part = count < missing ? count : missing;
  copy(bytes, at, reader.buffer, reader.have, part);
  reader.have += part;
  if (reader.have === remaining) {
    reader.state = ReaderState.First;
    reader.events.packet(now, reader.first, reader.buffer, 0, remaining);
  }
  return part;
}

function feedSkip(reader: Reader, now: Millis, bytes: Bytes, at: number, count: number): number {
  const missing = reader.remaining - reader.have;
  let part = count < missing ? count : missing;
  const room = reader.size - reader.have;
  if (room > 0) {
    if (part > room) part = room;
    copy(bytes, at, reader.buffer, reader.have, part);
  }
  reader.topicLength += shareOfU16(reader.have, part, 0, bytes, at);
  if ((reader.first & QOS_BITS) !== 0 && reader.have + part > 2) {
    reader.id += shareOfU16(reader.have, part, 2 + reader.topicLength, bytes, at);
  }
  reader.have += part;
  if (part === room && reader.large !== undefined) reader.large.begin(now);
  if (reader.have < reader.remaining) return part;
  const head = 2 + reader.topicLength + ((reader.first & QOS_BITS) === 0 ? 0 : 2);
  const nameless = reader.topicLength === 0 && !reader.isFive;
  if (nameless || head > reader.remaining) {
    // The topic is empty, or does not end within the packet: what was taken for the identifier is none.
    giveUp(reader, now, nameless ? Breach.TopicEmpty : Breach.Length);
  } else {
    reader.state = ReaderState.First;
    reader.events.oversize(now, reader.first, reader.id, reader.remaining);
  }
  return part;
}

/**
 * What `count` bytes, which are the bytes from `have` on of a body, add to the two-byte number that stands at `offset`
 * of that body: nothing, its high byte's worth, its low byte, or all of it.
 */
function shareOfU16(have: number, count: number, offset: number, bytes: Bytes, at: number): number {
  let share = 0;
  if (offset >= have && offset < have + count) share += byteAt(bytes, at + offset - have) * 256;
  if (offset + 1 >= have && offset + 1 < have + count) share += byteAt(bytes, at + offset + 1 - have);
  return share;
}

/** Reports nothing more until the reader is reset: what follows a protocol violation is not to be acted on. */
export function readerStop(reader: Reader): void {
  reader.state = ReaderState.Stuck;
}
