/** Lists of packet identifiers, in the order in which they came. */
import { allocate, copy, findU16, putU16 } from "#native";
import { type IdList } from "../exactly-once";
import { type Flow } from "../flow";

/** An empty list for `capacity` identifiers of exchanges that stand at `flow`. @boot */
export function createIdList(capacity: number, flow: Flow): IdList {
  return { flow, bytes: allocate(2 * capacity), capacity, count: 0 };
}

/** The place of an identifier, 0 for the oldest; -1 when it is not in the list. */
export function idListFind(list: IdList, id: number): number {
  return findU16(list.bytes, 0, list.count, id);
}

/** Adds an identifier behind all others. False when there is no room. */
export function idListAdd(list: IdList, id: number): boolean {
  if (list.count === list.capacity) return false;
  putU16(list.bytes, 2 * list.count, id);
  list.count++;
  return true;
}

/** Takes out the identifier at a place. */
export function idListRemove(list: IdList, place: number): void {
  list.count--;
  copy(list.bytes, 2 * place + 2, list.bytes, 2 * place, 2 * (list.count - place));
}
