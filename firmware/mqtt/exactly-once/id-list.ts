/**
 * Lists of packet identifiers, in the order in which they came. Most often the oldest is the first to go, so the rest
 * stays where it is, and is moved to the front when the end of the memory is reached:
 *
 *     | gone    | 7 | 9 | 12 |         |
 *               first  count 3          capacity
 *
 * A list of thousands has a mark for each identifier besides, since with every message that comes it is asked for one
 * that is not in it. Where the identifier stands is only looked for to take it out, from the oldest on.
 */
import type { Bytes } from "../../../hal/hal";
import { allocate, byteAt, copy, findU16, putU16, same, u16At } from "#native";
import { type IdList } from "../exactly-once";
import { type Flow } from "../flow";

/** A byte for every identifier that there is, that of the identifier 1 first. */
const MARKS = 65535;
/** The longest list without them: a chip, which has no room for them, has none as long. */
const LONGEST_UNMARKED = 4096;

/** An empty list for `capacity` identifiers, 1 to 16383, of exchanges that stand at `flow`. @boot */
export function createIdList(capacity: number, flow: Flow): IdList {
  const marks = capacity > LONGEST_UNMARKED ? allocate(MARKS) : undefined;
  return { flow, bytes: allocate(2 * capacity), marks, capacity, first: 0, count: 0 };
}

export function idListHas(list: IdList, id: number): boolean {
  const marks = list.marks;
  if (marks === undefined) return findU16(list.bytes, 2 * list.first, list.count, id) >= 0;
  return byteAt(marks, id - 1) === 1;
}

/** The identifier at a place, 0 for the oldest. */
export function idListAt(list: IdList, place: number): number {
  return u16At(list.bytes, 2 * (list.first + place));
}

/** Adds an identifier that is not in the list, behind all others. False when there is no room. */
export function idListAdd(list: IdList, id: number): boolean {
  const { capacity, count, marks } = list;
  if (count === capacity) return false;
  let end = list.first + count;
  if (end === capacity) {
    moveToFront(list);
    end = count;
  }
  putU16(list.bytes, 2 * end, id);
  list.count = count + 1;
  if (marks !== undefined) marks[id - 1] = 1;
  return true;
}

/** Takes an identifier out. Gives the place where it stood, 0 for the oldest; -1 when it is not in the list. */
export function idListRemove(list: IdList, id: number): number {
  const { bytes, first, marks } = list;
  if (marks !== undefined && byteAt(marks, id - 1) === 0) return -1;
  const place = findU16(bytes, 2 * first, list.count, id);
  if (place < 0) return -1;
  const count = list.count - 1;
  list.count = count;
  if (marks !== undefined) marks[id - 1] = 0;
  if (place === 0) {
    list.first = first + 1;
  } else {
    const at = 2 * (first + place);
    copy(bytes, at + 2, bytes, at, 2 * (count - place));
  }
  return place;
}

export function idListClear(list: IdList): void {
  while (list.count > 0) idListRemove(list, idListAt(list, 0));
}

/** Writes all of them, oldest first, two bytes each as `u16At` reads them. */
export function idListCopy(list: IdList, into: Bytes, at: number): void {
  copy(list.bytes, 2 * list.first, into, at, 2 * list.count);
}

/** Whether they are what {@link idListCopy} has written, `count` identifiers at the beginning of `bytes`. */
export function idListIs(list: IdList, bytes: Bytes, count: number): boolean {
  return list.count === count && same(list.bytes, 2 * list.first, bytes, 0, 2 * count);
}

function moveToFront(list: IdList): void {
  copy(list.bytes, 2 * list.first, list.bytes, 0, 2 * list.count);
  list.first = 0;
}
