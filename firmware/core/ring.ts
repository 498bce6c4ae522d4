/**
 * A ring of bytes in which every block lies in one piece, so that it can be filled, patched and sent without a thought
 * for where the ring ends. A block that does not fit before the end starts again at 0 and leaves a gap behind.
 *
 *     0        head            tail       size          0     tail    head          end  size
 *     |  free   |##############|   free    |             |######| free  |############|gap |
 *
 * Blocks are released in the order in which they were committed. Full is a normal state: a reservation is refused and
 * counted, and nothing else changes.
 */
import type { Bytes } from "../../hal/hal";
import { allocate } from "#native";

export interface Ring {
  readonly bytes: Bytes;
  readonly size: number;
  /** Where the oldest byte stands. */
  head: number;
  /** Where the next block will stand if it fits there. */
  tail: number;
  /** Where the data ends before it goes on at 0; `size` while it does not. */
  end: number;
  /** Bytes that are taken, gap included. */
  used: number;
  /** The most that `used` has ever been. */
  highWater: number;
  /** How many reservations found no room. */
  refused: number;
}

/** What {@link ringReserve} gives when there is no room in one piece. */
export const NO_ROOM = -1;

/** An empty ring of `size` bytes, 1 to 65535. @boot */
export function createRing(size: number): Ring {
  return { bytes: allocate(size), size, head: 0, tail: 0, end: size, used: 0, highWater: 0, refused: 0 };
}

/**
 * Finds room for a block of `count` bytes in one piece. Gives its offset in `ring.bytes`, or {@link NO_ROOM}, counted.
 * The ring has not changed: the next reservation gives the same room unless {@link ringCommit} takes it.
 */
export function ringReserve(ring: Ring, count: number): number {
  const at = ringRoom(ring, count);
  if (at === NO_ROOM) ring.refused++;
  return at;
}

/** Where a block of `count` bytes would fit, or {@link NO_ROOM}: the same as a reservation, without counting. */
export function ringRoom(ring: Ring, count: number): number {
  const wrapped = ring.used > 0 && ring.tail <= ring.head;
  const here = (wrapped ? ring.head : ring.size) - ring.tail;
  if (count <= here) return ring.tail;
  return !wrapped && count <= ring.head ? 0 : NO_ROOM;
}

/** Makes the `count` bytes at `at` a block of the ring; `at` is what the last reservation of at least `count` gave. */
export function ringCommit(ring: Ring, at: number, count: number): void {
  if (at !== ring.tail) {
    ring.end = ring.tail;
    ring.used += ring.size - ring.tail;
  }
  ring.tail = at + count;
  ring.used += count;
  if (ring.used > ring.highWater) ring.highWater = ring.used;
}

/** How many of the oldest bytes lie in one piece at `ring.head`. */
export function ringRun(ring: Ring): number {
  if (ring.used === 0) return 0;
  return (ring.tail > ring.head ? ring.tail : ring.end) - ring.head;
}

/** Gives back the oldest `count` bytes, at most {@link ringRun} of them. */
export function ringRelease(ring: Ring, count: number): void {
  ring.head += count;
  ring.used -= count;
  if (ring.used === 0) {
    ringClear(ring);
  } else if (ring.head === ring.end) {
    ring.used -= ring.size - ring.end;
    ring.head = 0;
    ring.end = ring.size;
  }
}

/** Forgets everything in the ring. The counters stay. */
export function ringClear(ring: Ring): void {
  ring.head = 0;
  ring.tail = 0;
  ring.end = ring.size;
  ring.used = 0;
}

/** How many bytes of data the ring holds, the gap not counted. */
export function ringBytes(ring: Ring): number {
  return ring.used - (ring.size - ring.end);
}
