import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createRing,
  NO_ROOM,
  ringBytes,
  ringClear,
  ringCommit,
  ringRelease,
  ringReserve,
  ringRoom,
  ringRun,
  type Ring,
} from "../../../firmware/core/ring";
import { byteAt } from "../../../hal/node/native";

/** Queues a block of `count` bytes, or fails the test. */
function put(ring: Ring, count: number): number {
  const at = ringReserve(ring, count);
  expect(at).not.toBe(NO_ROOM);
  ringCommit(ring, at, count);
  return at;
}

interface Block {
  at: number;
  end: number;
}

/** What a ring holds, kept in the simplest way: blocks in order, and the bytes that were written, in order. */
interface Model {
  blocks: Block[];
  bytes: number[];
  next: number;
  refused: number;
  highWater: number;
}

/** The longest block for which a ring with these blocks has a free range. */
function largestRoom(blocks: readonly Block[], size: number): number {
  const oldest = blocks[0];
  const newest = blocks.at(-1);
  if (oldest === undefined || newest === undefined) return size;
  return newest.end > oldest.at ? Math.max(size - newest.end, oldest.at) : oldest.at - newest.end;
}

function reserveAndCommit(ring: Ring, model: Model, reserve: number, commit: number): void {
  const room = ringRoom(ring, reserve);
  const at = ringReserve(ring, reserve);
  expect(at).toBe(room);
  if (reserve > largestRoom(model.blocks, ring.size)) {
    model.refused++;
    expect(at).toBe(NO_ROOM);
    return;
  }
  expect(at).toBeGreaterThanOrEqual(0);
  expect(at + reserve).toBeLessThanOrEqual(ring.size);
  const overlapped = model.blocks.some((block) => at < block.end && at + reserve > block.at);
  expect(overlapped).toBe(false);
  for (let i = 0; i < commit; i++) {
    model.next = (model.next + 1) % 251;
    ring.bytes[at + i] = model.next;
    model.bytes.push(model.next);
  }
  ringCommit(ring, at, commit);
  model.blocks.push({ at, end: at + commit });
}

function release(ring: Ring, model: Model, wanted: number): void {
  const count = Math.min(wanted, ringRun(ring));
  if (count === 0) return;
  const oldest: number[] = [];
  for (let i = 0; i < count; i++) oldest.push(byteAt(ring.bytes, ring.head + i));
  expect(oldest).toEqual(model.bytes.splice(0, count));
  ringRelease(ring, count);
  let left = count;
  while (left > 0) {
    const block = model.blocks[0];
    if (block === undefined) throw new Error("the ring gave back more than it was given");
    const part = Math.min(left, block.end - block.at);
    block.at += part;
    left -= part;
    if (block.at === block.end) model.blocks.shift();
  }
}

describe("a ring", () => {
  it("is a queue of blocks, each in one piece, that never overlap, for any sequence of calls", () => {
    const reserve = fc.record({ reserve: fc.integer({ min: 1, max: 40 }), commit: fc.integer({ min: 1, max: 40 }) });
    const step = fc.oneof(
      { weight: 10, arbitrary: reserve },
      { weight: 10, arbitrary: fc.record({ release: fc.integer({ min: 1, max: 50 }) }) },
      { weight: 1, arbitrary: fc.record({ clear: fc.constant(true) }) },
    );
    const steps = fc.array(step, { maxLength: 100, size: "max" });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), steps, (size, sequence) => {
        const ring = createRing(size);
        const model: Model = { blocks: [], bytes: [], next: 0, refused: 0, highWater: 0 };
        for (const each of sequence) {
          if ("reserve" in each) reserveAndCommit(ring, model, each.reserve, Math.min(each.commit, each.reserve));
          else if ("release" in each) release(ring, model, each.release);
          else {
            ringClear(ring);
            model.blocks = [];
            model.bytes = [];
          }
          model.highWater = Math.max(model.highWater, ring.used);
          const { used, highWater, refused } = ring;
          expect([ringBytes(ring), highWater, refused, ringRun(ring) > 0]).toEqual([
            model.bytes.length,
            model.highWater,
            model.refused,
            model.bytes.length > 0,
          ]);
          expect(used >= model.bytes.length && used <= size).toBe(true);
        }
        while (model.bytes.length > 0) release(ring, model, size);
        expect(ring.used).toBe(0);
        expect(ringReserve(ring, size)).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it("takes a block of its whole size, and then nothing", () => {
    const ring = createRing(10);
    expect(put(ring, 10)).toBe(0);
    expect(ringReserve(ring, 1)).toBe(NO_ROOM);
    expect(ringRun(ring)).toBe(10);
    ringRelease(ring, 10);
    expect(put(ring, 10)).toBe(0);
  });

  it("begins again at 0 when a block does not fit before the end, and counts the gap as taken", () => {
    const ring = createRing(10);
    put(ring, 4);
    put(ring, 4);
    ringRelease(ring, 4);
    expect(put(ring, 3)).toBe(0);
    expect(ring.used).toBe(4 + 2 + 3);
    expect(ringBytes(ring)).toBe(7);
    expect(ringRun(ring)).toBe(4);
    ringRelease(ring, 4);
    expect(ring.head).toBe(0);
    expect(ring.used).toBe(3);
  });

  it("counts a refused reservation, and changes nothing else", () => {
    const ring = createRing(10);
    put(ring, 8);
    const before = { ...ring };
    expect(ringReserve(ring, 3)).toBe(NO_ROOM);
    expect({ ...ring }).toEqual({ ...before, refused: 1 });
    expect(ringReserve(ring, 2)).toBe(8);
  });

  it("does not count a question whether there is room", () => {
    const ring = createRing(10);
    expect(ringRoom(ring, 11)).toBe(NO_ROOM);
    expect(ring.refused).toBe(0);
  });

  it("gives the same room again when a reservation was not used", () => {
    const ring = createRing(10);
    put(ring, 3);
    expect(ringReserve(ring, 5)).toBe(3);
    expect(ringReserve(ring, 7)).toBe(3);
    expect(ring.used).toBe(3);
  });

  it("keeps only what was committed of a larger reservation", () => {
    const ring = createRing(10);
    const at = ringReserve(ring, 9);
    ringCommit(ring, at, 2);
    expect(ringReserve(ring, 8)).toBe(2);
  });

  it("keeps its counters when it is cleared", () => {
    const ring = createRing(10);
    put(ring, 6);
    ringReserve(ring, 5);
    ringClear(ring);
    expect([ring.used, ring.highWater, ring.refused]).toEqual([0, 6, 1]);
    expect(put(ring, 10)).toBe(0);
  });
});
