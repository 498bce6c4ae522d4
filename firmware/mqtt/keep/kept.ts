/** What a keeper knows: which slot holds what, what is on the medium, and what it may still cost. */
import type { Bytes, Storage } from "../../../hal/hal";
import { byteAt, putU16, u16At } from "#native";
import { type Deadline } from "../../core/time";
import { type KeeperStats } from "../keeper";
import { type Allowance } from "./allowance";
import type { RecordKind } from "./record";

/** The slots of the storage: those before are the board's own. */
export const SESSION_SLOT = 8;
export const FIRST_SLOT = 9;
/** How many messages, and PUBRELs that are owed, can be kept. */
export const CAPACITY = 55;

export interface Kept {
  readonly storage: Storage;
  /** A record on its way to the storage or back: 1024 bytes, lent by the application. */
  readonly record: Bytes;
  readonly allowance: Allowance;
  readonly stats: KeeperStats;
  /** The packet identifier of each place, two bytes each, 0 for a free one; and what its record is. */
  readonly ids: Bytes;
  readonly kinds: Bytes;
  /** What the record of the session says: the QoS 2 messages that came in, as `idListCopy` writes them. */
  received: Bytes;
  receivedCount: number;
  /** The length of that list in RAM when it was last looked at. */
  seenReceived: number;
  /** Whether there is anything to keep: not for a clean session. */
  on: boolean;
  /** Which session it is that is kept. */
  session: number;
  /** The number of the next record, and that of the first one that no session has seen. */
  sequence: number;
  mark: number;
  /** The medium took no record: until a slot was emptied, or the time has come, no other is tried. */
  full: boolean;
  /** It did not even let a slot be emptied: until the time has come, nothing is tried. */
  failed: boolean;
  readonly retry: Deadline;
  /** What the counters of the client were when it was last looked through for messages that are over. */
  acknowledged: number;
  published: number;
  count: number;
  used: number;
}

export function idIn(kept: Kept, place: number): number {
  return u16At(kept.ids, 2 * place);
}

export function kindIn(kept: Kept, place: number): RecordKind {
  return byteAt(kept.kinds, place);
}

/** Bears in mind what a place holds now; an `id` of 0 frees it. */
export function setPlace(kept: Kept, place: number, id: number, kind: RecordKind): void {
  const before = idIn(kept, place);
  if (before === 0 && id !== 0) kept.stats.held++;
  if (before !== 0 && id === 0) kept.stats.held--;
  putU16(kept.ids, 2 * place, id);
  kept.kinds[place] = kind;
}

/** The place of an identifier, or a free one for 0; -1 when there is none. */
export function placeOf(kept: Kept, id: number): number {
  for (let place = 0; place < CAPACITY; place++) {
    if (idIn(kept, place) === id) return place;
  }
  return -1;
}

/** Writes the record, `count` bytes long, to a slot. */
export function saveRecord(kept: Kept, slot: number, count: number): boolean {
  return kept.storage.save(slot, kept.record, 0, count);
}
