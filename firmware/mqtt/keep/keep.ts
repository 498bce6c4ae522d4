/**
 * Keeps a session in the board's storage, so that a power cut at any byte of any write loses nothing that was accepted:
 *
 *     step                          on the medium before it               a power cut before that
 *     publishEnd gives true         the message                           it was never accepted
 *     PUBREL is said                the PUBREL, in the message's place    PUBLISH goes again, with DUP
 *     a QoS 2 message is delivered  its identifier                        the broker sends it again
 *     PUBCOMP is said               the identifier is gone                the broker says PUBREL again
 *
 * What is over (PUBACK or PUBCOMP came, or it was dropped) is forgotten behind its end, not before anything: a power cut
 * in between sends a QoS 1 message, or the PUBREL, once more, which both allow.
 *
 * So QoS 1 arrives at least once, and QoS 2 exactly once at the broker. On the way in, a message at QoS 2 is handed to
 * its handler once, and never again. Should the power fail just between the save and the handler, or before the handler
 * has done its work, nobody does it: what must be done come what may is a matter for QoS 1 and a handler that may be
 * called twice.
 *
 * What a source has to give (`publishFrom`) is not kept: after a restart it is for the application to publish it again.
 *
 * With a clean session nothing is kept, and what an earlier one has kept is dropped. So is what was kept for another
 * client identifier, user, broker or protocol.
 *
 * Room: 55 messages, each of at most 1010 bytes of topic and payload together. One of n takes 8 bytes and n + 14, rounded
 * up to 8. On a Pico 20,400 bytes are there for all: 55 of up to 346 bytes, 19 of 1010. On an STM32F405 all 55 have room
 * whatever their length. In `moth-host` 55 have it of up to 82 bytes, 5 of 1010. What does not fit is refused and counted,
 * and so is everything while the medium fails.
 *
 * Wear: the log of the storage (hal/lua/storage.h) erases an area when the other is full. A reading of 62 bytes on a topic
 * of 29 takes 128 bytes of log at QoS 1, its end among them, and 152 at QoS 2; a QoS 2 message that comes in takes 48.
 * With 4 KB of settings stored, 223 readings at QoS 1 go into a Pico's 32 KB, 991 into an STM32F405's 128 KB, before the
 * next erase of one of the two areas. The flash is good for 100,000 erases of each on a Pico, for 10,000 on an STM32F405:
 * at one reading a minute that is 84 years, and 37. With all slots full all the time it is 12, and 19. `perMinute` bounds
 * it whatever an application does, those years divided by it: what goes beyond is kept in RAM only, and counted; but a
 * QoS 2 message is refused then, since RAM alone cannot see to it that it comes once.
 */
import { type Bytes, QueueNumber, type Storage } from "../../../hal/hal";
import { allocate, copy, putU16, queueNumber, u16At } from "#native";
import { arm, createDeadline, disarm, isDue } from "../../core/time";
import { type Client, ClientState } from "../client-state";
import { type IdList } from "../exactly-once";
import { idListAt, idListCopy, idListHas, idListIs } from "../exactly-once/id-list";
import { type Keeper } from "../keeper";
import { outboxHolds } from "../outbox";
import { QOS_2, QOS_BITS } from "../packet";
import { createAllowance, earn, isAllowed, spend } from "./allowance";
import {
  CAPACITY,
  FIRST_SLOT,
  idIn,
  type Kept,
  kindIn,
  placeOf,
  saveRecord,
  SESSION_SLOT,
  setPlace,
} from "./kept";
import { LONGEST_RECORD, MARK_SIZE, putHeader, putInt32, RECORD_HEADER, RecordKind } from "./record";
import { restore } from "./restore";

/** After a failed write, the next is tried this much later, in milliseconds, or when something was emptied. */
const RETRY = 10000;
/** As many identifiers as one record can hold. */
const LONGEST_LIST = 505;

export interface KeeperOptions {
  /** How many messages may be written a minute in the long run, both ways together: 1 to 500. */
  readonly perMinute: number;
}

/**
 * A keeper for the one client that gets it as its `keeper`. `record` are 1024 bytes that are written over whenever
 * something is published or comes in: nobody may count on what is in them after a call of the client. @boot
 */
export function createKeeper(storage: Storage, record: Bytes, options: KeeperOptions): Keeper {
  const kept: Kept = {
    storage,
    record,
    allowance: createAllowance(options.perMinute),
    stats: { held: 0, kept: 0, passed: 0, refused: 0, restored: 0, dropped: 0 },
    ids: allocate(2 * CAPACITY),
    kinds: allocate(CAPACITY),
    received: record,
    receivedCount: 0,
    seenReceived: 0,
    on: false,
    session: 0,
    sequence: 0,
    mark: 0,
    full: false,
    failed: false,
    retry: createDeadline(),
    acknowledged: 0,
    published: 0,
    count: 0,
    used: 0,
  };
  return {
    stats: kept.stats,
    restore(client) {
      restore(kept, client);
    },
    hasRoom(qos) {
      return hasRoom(kept, qos);
    },
    keep(client, first, at, count) {
      if (!kept.on || keepMessage(kept, client, first, at, count)) return true;
      kept.stats.refused++;
      return false;
    },
    identifiers(client) {
      return !kept.on || (keepReleases(kept, client) && keepReceived(kept, client));
    },
    session(client) {
      return !kept.on || sessionBegins(kept, client);
    },
    poll(client, now) {
      earn(kept.allowance, now);
      if (isDue(kept.retry, now)) {
        disarm(kept.retry);
        kept.full = false;
        kept.failed = false;
      }
      forget(kept, client);
      if ((kept.full || kept.failed) && !kept.retry.armed) arm(kept.retry, now, RETRY);
    },
  };
}

function hasRoom(kept: Kept, qos: number): boolean {
  if (!kept.on) return true;
  if (kept.full || kept.failed || kept.stats.held === CAPACITY) return false;
  return qos !== 2 || isAllowed(kept.allowance);
}

/** Writes a message down, and counts it, unless the wear allowed for is used up. False when it must not be accepted. */
function keepMessage(kept: Kept, client: Client, first: number, at: number, count: number): boolean {
  // What is over leaves its slot first, so that the outbox always has room for all that the medium holds.
  if (!forget(kept, client)) return false;
  const isQos2 = (first & QOS_BITS) === QOS_2;
  if (!isAllowed(kept.allowance)) {
    if (!isQos2) kept.stats.passed++;
    return !isQos2;
  }
  const place = placeOf(kept, 0);
  if (place < 0 || kept.full || RECORD_HEADER + count > LONGEST_RECORD) return false;
  const kind = isQos2 && client.state !== ClientState.Online ? RecordKind.Unsent : RecordKind.Message;
  putHeader(kept.record, kind, first, kept.session, kept.sequence);
  copy(client.outboxQueue, at, kept.record, RECORD_HEADER, count);
  if (!saveRecord(kept, FIRST_SLOT + place, RECORD_HEADER + count)) {
    kept.full = true;
    return false;
  }
  kept.sequence = (kept.sequence + 1) | 0;
  setPlace(kept, place, client.lastId, kind);
  spend(kept.allowance);
  kept.stats.kept++;
  return true;
}

/** A PUBREL takes the place of its message: one write, so there is never both, nor neither. */
function keepReleases(kept: Kept, client: Client): boolean {
  const releases = client.exactlyOnce?.releases;
  if (releases === undefined) return true;
  for (let i = 0; i < releases.count; i++) {
    const id = idListAt(releases, i);
    const place = placeOf(kept, id);
    if (place < 0 || kindIn(kept, place) === RecordKind.Release) continue;
    putHeader(kept.record, RecordKind.Release, 0, kept.session, kept.sequence);
    putU16(kept.record, RECORD_HEADER, id);
    if (!saveRecord(kept, FIRST_SLOT + place, RECORD_HEADER + 2)) return false;
    kept.sequence = (kept.sequence + 1) | 0;
    setPlace(kept, place, id, RecordKind.Release);
  }
  return true;
}

/**
 * Writes down which QoS 2 messages came in. What wears is one that comes: when that is used up, it is not written. One
 * that goes and was written must go there, too, or a later message with its identifier would be taken for a copy.
 */
function keepReceived(kept: Kept, client: Client): boolean {
  const received = client.exactlyOnce?.received;
  if (received === undefined) return true;
  const count = received.count;
  const hasCome = count > kept.seenReceived;
  kept.seenReceived = count;
  if (idListIs(received, kept.received, kept.receivedCount)) return true;
  if (!hasGone(kept, received)) {
    if (!isAllowed(kept.allowance)) {
      if (hasCome) kept.stats.passed++;
      return true;
    }
    spend(kept.allowance);
  }
  return saveSession(kept, received);
}

/** Whether something is on the medium that is not in the list any more. */
function hasGone(kept: Kept, received: IdList): boolean {
  for (let i = 0; i < kept.receivedCount; i++) {
    if (!idListHas(received, u16At(kept.received, 2 * i))) return true;
  }
  return false;
}

function saveSession(kept: Kept, received: IdList | undefined): boolean {
  const count = received === undefined ? 0 : received.count;
  if (count > LONGEST_LIST) return false;
  putHeader(kept.record, RecordKind.Session, 0, kept.session, kept.sequence);
  putInt32(kept.record, RECORD_HEADER, kept.mark);
  if (received !== undefined) idListCopy(received, kept.record, RECORD_HEADER + MARK_SIZE);
  if (!saveRecord(kept, SESSION_SLOT, RECORD_HEADER + MARK_SIZE + 2 * count)) return false;
  if (received !== undefined) idListCopy(received, kept.received, 0);
  kept.receivedCount = count;
  return true;
}

/**
 * What the broker's answer has ended goes first. Then, should messages wait that no session has seen, it is written down
 * that this one sees them: from here on they may have been sent.
 */
function sessionBegins(kept: Kept, client: Client): boolean {
  kept.count = -1;
  if (!forget(kept, client)) return false;
  const received = client.exactlyOnce?.received;
  const count = received === undefined ? 0 : received.count;
  const isUnsent = hasUnsent(kept);
  if (!isUnsent && count === kept.receivedCount) return true;
  const mark = kept.mark;
  kept.mark = kept.sequence;
  if (!saveSession(kept, received)) {
    kept.mark = mark;
    return false;
  }
  for (let place = 0; place < CAPACITY; place++) {
    if (kindIn(kept, place) === RecordKind.Unsent) kept.kinds[place] = RecordKind.Message;
  }
  return true;
}

/** Whether messages wait that no session has seen. */
function hasUnsent(kept: Kept): boolean {
  for (let place = 0; place < CAPACITY; place++) {
    if (kindIn(kept, place) === RecordKind.Unsent) return true;
  }
  return false;
}

/** Empties the slots of all that is over. False when the medium does not let it. */
function forget(kept: Kept, client: Client): boolean {
  if (kept.failed) return false;
  if (kept.stats.held === 0 || !hasChanged(kept, client)) return true;
  for (let place = 0; place < CAPACITY; place++) {
    const id = idIn(kept, place);
    if (id === 0 || isHeld(client, id, kindIn(kept, place))) continue;
    if (!saveRecord(kept, FIRST_SLOT + place, 0)) {
      kept.failed = true;
      return false;
    }
    setPlace(kept, place, 0, RecordKind.None);
    kept.full = false;
  }
  lookedThrough(kept, client);
  return true;
}

function isHeld(client: Client, id: number, kind: RecordKind): boolean {
  if (kind !== RecordKind.Release) return outboxHolds(client.outbox, id);
  return client.exactlyOnce !== undefined && idListHas(client.exactlyOnce.releases, id);
}

/** Whether anything may have ended since it was last looked for: a message cannot end without one of these changing. */
function hasChanged(kept: Kept, client: Client): boolean {
  return (
    kept.acknowledged !== client.stats.acknowledged ||
    kept.published !== client.stats.published ||
    kept.count !== queueNumber(client.outboxQueue, QueueNumber.Count) ||
    kept.used !== queueNumber(client.outboxQueue, QueueNumber.Used)
  );
}

function lookedThrough(kept: Kept, client: Client): void {
  kept.acknowledged = client.stats.acknowledged;
  kept.published = client.stats.published;
  kept.count = queueNumber(client.outboxQueue, QueueNumber.Count);
  kept.used = queueNumber(client.outboxQueue, QueueNumber.Used);
}
