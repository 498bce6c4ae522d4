/** The queue operations of the HAL against a plain list of packets: in Node on those of hal/node, in Lua on those in C. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bytes, QueueNumber } from "../../../hal/hal";
import {
  allocate,
  byteAt,
  createQueue,
  queueAdd,
  queueAfter,
  queueClear,
  queueClose,
  queueFind,
  queueFirst,
  queueFits,
  queueNext,
  queueNumber,
  queueOpen,
  queueOver,
  queuePiece,
  queuePut,
  queueRewind,
  queueRun,
  queueTaken,
} from "../../../hal/node/native";

const KEEP = 0x06;

interface Packet {
  readonly bytes: number[];
  readonly id: number;
  over: boolean;
}

interface Model {
  readonly packets: Packet[];
  /** How many of them have gone, and how much of the next. */
  gone: number;
  partial: number;
}

function buffer(values: readonly number[]): Bytes {
  const bytes = allocate(Math.max(values.length, 1));
  values.forEach((value, at) => (bytes[at] = value));
  return bytes;
}

function bytesAt(queue: Bytes, at: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => byteAt(queue, at + i));
}

/** What a packet must be: its first byte, the length of the rest, the rest. */
function packetOf(first: number, rest: readonly number[]): number[] {
  const { length } = rest;
  return length < 128 ? [first, length, ...rest] : [first, (length & 127) | 128, length >> 7, ...rest];
}

/** A string of one byte, and an identifier. */
function headOf(id: number): number[] {
  return [0, 1, 0x74, id >> 8, id & 255];
}

/** The oldest that are over are given back. */
function release(model: Model): void {
  while (model.gone > 0 && model.packets[0]?.over === true) {
    model.packets.shift();
    model.gone--;
  }
}

function check(queue: Bytes, { packets, gone, partial }: Model): void {
  expect(queueNumber(queue, QueueNumber.Count)).toBe(packets.length);
  expect(queueNumber(queue, QueueNumber.Due)).toBe(packets.length - gone);
  expect(queueNumber(queue, QueueNumber.Partial)).toBe(partial);
  let at = queueFirst(queue);
  for (const { bytes, over } of packets) {
    expect(bytesAt(queue, at, bytes.length)).toEqual([over ? 0 : bytes[0], ...bytes.slice(1)]);
    at = queueAfter(queue, at);
  }
}

/** Sends a run in chunks and gives what has gone. */
function send(queue: Bytes, model: Model, limit: number, most: number, chunk: number, last: number): void {
  let left = queueRun(queue, limit, most);
  const waiting = model.packets.slice(model.gone).flatMap(({ bytes }) => bytes).slice(model.partial);
  expect(left).toBeLessThanOrEqual(limit);
  expect(left > 0).toBe(waiting.length > 0 && most > 0);
  const sent: number[] = [];
  for (let turn = 0; left > 0 && turn < last; turn++) {
    const count = Math.min(queuePiece(queue), chunk);
    expect(count).toBeGreaterThan(0);
    sent.push(...bytesAt(queue, queueNext(queue), count));
    const kept = queueTaken(queue, count, KEEP);
    left -= count;
    expect(kept).toBe(advance(model, count));
    expect(queueNumber(queue, QueueNumber.Run)).toBe(model.packets.length === 0 ? 0 : left);
  }
  expect(sent).toEqual(waiting.slice(0, sent.length));
}

function advance(model: Model, count: number): number {
  let kept = 0;
  model.partial += count;
  for (;;) {
    const next = model.packets[model.gone];
    if (next === undefined || model.partial < next.bytes.length) break;
    model.partial -= next.bytes.length;
    model.gone++;
    if (((next.bytes[0] ?? 0) & KEEP) === 0) next.over = true;
    else kept++;
  }
  release(model);
  return kept;
}

const step = fc.oneof(
  fc.record({ kind: fc.constant("put" as const), keep: fc.boolean(), size: fc.integer({ min: 0, max: 200 }) }),
  fc.record({
    kind: fc.constant("write" as const),
    keep: fc.boolean(),
    size: fc.integer({ min: 0, max: 200 }),
    spare: fc.integer({ min: 0, max: 150 }),
  }),
  fc.record({
    kind: fc.constant("send" as const),
    limit: fc.integer({ min: 1, max: 300 }),
    most: fc.integer({ min: 1, max: 4 }),
    chunk: fc.integer({ min: 1, max: 90 }),
    last: fc.integer({ min: 1, max: 20 }),
  }),
  fc.record({ kind: fc.constant("over" as const), which: fc.nat(5) }),
  fc.record({ kind: fc.constant("rewind" as const), drop: fc.nat(5) }),
);

describe("a queue of packets", () => {
  it("holds, sends, gives back and sends again what a plain list of packets does, whatever is done in whatever order", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
        const queue = createQueue(500, 6);
        const model: Model = { packets: [], gone: 0, partial: 0 };
        let id = 0;
        for (const each of steps) {
          if (each.kind === "put" || each.kind === "write") {
            id++;
            const first = each.keep ? 0x32 : 0x30;
            const payload = Array.from({ length: each.size }, (_, i) => (id + i) & 255);
            const bytes = packetOf(first, [...headOf(id), ...payload]);
            const room = each.kind === "put" ? each.size : each.size + each.spare;
            const fits = queueFits(queue, packetOf(first, [...headOf(id), ...new Array<number>(room).fill(0)]).length);
            const head = buffer(headOf(id));
            let at = -1;
            if (each.kind === "put") {
              at = queuePut(queue, first, head, buffer(payload), 0, each.size);
            } else {
              at = queueOpen(queue, head, room);
              if (at >= 0) {
                payload.forEach((value, i) => (queue[at + i] = value));
                queueClose(queue, at + each.size, first);
              }
            }
            expect(at >= 0).toBe(fits);
            if (fits) model.packets.push({ bytes, id, over: false });
          } else if (each.kind === "send") {
            send(queue, model, each.limit, each.most, each.chunk, each.last);
          } else if (each.kind === "over") {
            const packet = model.packets.slice(0, model.gone).filter(({ over }) => !over)[each.which];
            if (packet === undefined) continue;
            const at = queueFind(queue, KEEP, packet.id, true);
            expect(bytesAt(queue, at, packet.bytes.length)).toEqual(packet.bytes);
            expect(queueOver(queue, at)).toBe(model.packets[0] === packet);
            expect(queueFind(queue, KEEP, packet.id, false)).toBe(-1);
            packet.over = true;
            release(model);
          } else {
            // One that has not gone is dropped, too.
            const dropped = model.packets[model.gone + each.drop];
            if (dropped !== undefined) {
              let at = queueFirst(queue);
              for (let i = 0; i < model.gone + each.drop; i++) at = queueAfter(queue, at);
              queue[at] = 0;
              dropped.over = true;
            }
            queueRewind(queue);
            model.packets.splice(0, model.packets.length, ...model.packets.filter(({ over }) => !over));
            model.gone = 0;
            model.partial = 0;
          }
          check(queue, model);
        }
        queueRewind(queue);
        const all = model.packets.filter(({ over }) => !over).reduce((sum, { bytes }) => sum + bytes.length, 0);
        expect(queueRun(queue, 32767, 32767)).toBe(all);
        queueClear(queue);
        expect(queueNumber(queue, QueueNumber.Used)).toBe(0);
        expect(queueRun(queue, 32767, 32767)).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it("counts what it refuses for want of room and for want of slots, and its highest marks", () => {
    const queue = createQueue(10, 2);
    const three = buffer([0x40, 1, 7]);
    expect(queueAdd(queue, three)).toBe(true);
    expect(queueAdd(queue, buffer(packetOf(0x40, [1, 2, 3, 4, 5, 6])))).toBe(false);
    expect(queueAdd(queue, three)).toBe(true);
    expect(queueAdd(queue, three)).toBe(false);
    queueTaken(queue, queueRun(queue, 99, 9), KEEP);
    const numbers = [QueueNumber.Size, QueueNumber.Slots, QueueNumber.Count, QueueNumber.Used];
    expect(numbers.map((which) => queueNumber(queue, which))).toEqual([10, 2, 0, 0]);
    const marks = [QueueNumber.HighBytes, QueueNumber.HighCount, QueueNumber.Refused, QueueNumber.RefusedSlots];
    expect(marks.map((which) => queueNumber(queue, which))).toEqual([6, 2, 1, 1]);
  });

  it("stops the program that reads or writes past its end", () => {
    const queue = createQueue(10, 2);
    expect(() => queueClose(queue, 1000, 0x30)).toThrow();
    expect(() => queueAfter(queue, 1000)).toThrow();
    expect(() => queueOver(queue, -1)).toThrow();
    expect(() => queuePut(queue, 0x30, buffer([0]), buffer([1, 2]), 1, 2)).toThrow();
    expect(() => createQueue(0, 1)).toThrow();
    expect(() => createQueue(65536, 1)).toThrow();
  });
});
