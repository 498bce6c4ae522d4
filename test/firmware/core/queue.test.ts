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
  queueCompact,
  queueCouldFit,
  queueDrop,
  queueFind,
  queueFirst,
  queueFits,
  queueNext,
  queueNumber,
  queueOpen,
  queueOver,
  queuePiece,
  queuePlaceholder,
  queuePut,
  queueReady,
  queueRewind,
  queueRun,
  queueTaken,
  queueUnused,
  queueUsed,
  queueWaiting,
  queueWindow,
} from "../../../hal/node/native";

const KEEP = 0x06;
const DUP = 0x08;
const PLACEHOLDER = 0x80;

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
  /** What of the run that was offered last has not gone. */
  run: number;
  /** How many packets may be kept at once. */
  window: number;
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

/** A string of one byte, one of three, and an identifier. */
function headOf(id: number): number[] {
  return [...stringOf(id), id >> 8, id & 255];
}

function stringOf(id: number): number[] {
  return [0, 1, 0x61 + (id % 3)];
}

function firstOf({ bytes }: Packet): number {
  return bytes[0] ?? 0;
}

/** The oldest that are over are given back. */
function release(model: Model): void {
  while (model.gone > 0 && model.packets[0]?.over === true) {
    model.packets.shift();
    model.gone--;
  }
}

function heldIn({ packets, gone }: Model): number {
  return packets.slice(0, gone).filter(({ over }) => !over).length;
}

function keeps(packet: Packet): boolean {
  return (firstOf(packet) & KEEP) !== 0;
}

/** What a run of at most `limit` bytes and `most` packets has in it. */
function runOf(model: Model, limit: number, most: number): number {
  let total = 0;
  let gone = model.partial;
  let held = heldIn(model);
  for (const packet of model.packets.slice(model.gone, model.gone + most)) {
    if (gone === 0 && (firstOf(packet) & PLACEHOLDER) !== 0) break;
    if (gone === 0 && keeps(packet) && held >= model.window) break;
    if (keeps(packet)) held++;
    const length = packet.bytes.length - gone;
    gone = 0;
    if (total + length > limit) return total === 0 ? limit : total;
    total += length;
  }
  return total;
}

/** Those that have not begun and are not in the run. */
function untouched(model: Model): Packet[] {
  let busy = model.partial + model.run;
  let place = model.gone;
  for (; busy > 0; place++) busy -= model.packets[place]?.bytes.length ?? busy;
  return model.packets.slice(place);
}

function check(queue: Bytes, model: Model): void {
  const { packets, gone, partial, window } = model;
  expect(queueNumber(queue, QueueNumber.Held)).toBe(heldIn(model));
  expect(queueNumber(queue, QueueNumber.Run)).toBe(model.run);
  expect(queueReady(queue)).toBe(runOf(model, 32767, 1) > 0);
  const next = packets[gone];
  const stands = next !== undefined && partial === 0 && (firstOf(next) & PLACEHOLDER) !== 0;
  const open = stands && (!keeps(next) || heldIn(model) < window);
  expect(queuePlaceholder(queue)).toBe(open ? placeOf(queue, gone) : -1);
  expect(queueNumber(queue, QueueNumber.Count)).toBe(packets.length);
  expect(queueNumber(queue, QueueNumber.Due)).toBe(packets.length - gone);
  expect(queueNumber(queue, QueueNumber.Partial)).toBe(partial);
  let at = queueFirst(queue);
  for (const { bytes, over } of packets) {
    expect(bytesAt(queue, at, bytes.length)).toEqual([over ? 0 : bytes[0], ...bytes.slice(1)]);
    at = queueAfter(queue, at);
  }
}

/** Drops them all in a copy of the queue, and looks. */
function couldFit(queue: Bytes, model: Model, room: number, chosen: readonly Packet[]): boolean {
  const copy = buffer(bytesAt(queue, 0, queue.length));
  const places = model.packets.flatMap((packet, place) => (chosen.includes(packet) ? [place] : []));
  for (const place of places.reverse()) queueDrop(copy, placeOf(copy, place));
  queueCompact(copy);
  return queueFits(copy, room);
}

/** What a link may have been lent: where the run stands, and its bytes up to where they end or go on at the front. */
function lentOf(queue: Bytes): unknown {
  const count = queuePiece(queue);
  return count === 0 ? [] : [queueNext(queue), bytesAt(queue, queueNext(queue), count)];
}

/** Where the packet with that number in the order begins. */
function placeOf(queue: Bytes, number: number): number {
  let at = queueFirst(queue);
  for (let i = 0; i < number; i++) at = queueAfter(queue, at);
  return at;
}

/** Sends a run in chunks, and then what a placeholder stands for, and gives what has gone. */
function send(queue: Bytes, model: Model, limit: number, most: number, chunk: number, last: number): void {
  const before = queueNumber(queue, QueueNumber.Used);
  let left = queueRun(queue, limit, most);
  expect(left).toBe(runOf(model, limit, most));
  expect(queueNumber(queue, QueueNumber.Used)).toBe(before);
  if (left === 0 && queuePlaceholder(queue) >= 0) {
    const length = model.packets[model.gone]?.bytes.length ?? 0;
    expect(queueTaken(queue, length, KEEP)).toBe(advance(model, length));
  }
  model.run = left;
  const waiting = model.packets.slice(model.gone).flatMap(({ bytes }) => bytes).slice(model.partial);
  const sent: number[] = [];
  for (let turn = 0; left > 0 && turn < last; turn++) {
    const count = Math.min(queuePiece(queue), chunk);
    expect(count).toBeGreaterThan(0);
    sent.push(...bytesAt(queue, queueNext(queue), count));
    const kept = queueTaken(queue, count, KEEP);
    left -= count;
    model.run = left;
    expect(kept).toBe(advance(model, count));
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

/** At QoS 0, at QoS 1, at QoS 1 sent before, and placeholders of these. */
const first = fc.constantFrom(0x30, 0x32, 0x32, 0x32 | DUP, 0x30 | PLACEHOLDER, 0x32 | PLACEHOLDER);

const step = fc.oneof(
  fc.record({ kind: fc.constant("put" as const), first, size: fc.integer({ min: 0, max: 200 }) }),
  fc.record({
    kind: fc.constant("write" as const),
    first,
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
  fc.record({ kind: fc.constant("window" as const), most: fc.nat(5) }),
  fc.record({ kind: fc.constant("compact" as const) }),
  fc.record({
    kind: fc.constant("drop" as const),
    never: fc.constantFrom(DUP, PLACEHOLDER | DUP, PLACEHOLDER, 0),
    unless: fc.constantFrom(KEEP, 0xff, 0),
    topic: fc.option(fc.nat(2)),
    spare: fc.nat(1),
    room: fc.integer({ min: 1, max: 300 }),
  }),
);

describe("a queue of packets", () => {
  it("holds, sends, gives back and sends again what a plain list of packets does, whatever is done in whatever order", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
        const queue = createQueue(500, 6);
        const model: Model = { packets: [], gone: 0, partial: 0, run: 0, window: 3 };
        queueWindow(queue, KEEP, model.window);
        let id = 0;
        for (const each of steps) {
          if (each.kind === "put" || each.kind === "write") {
            id++;
            const { first } = each;
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
          } else if (each.kind === "window") {
            model.window = each.most;
            queueWindow(queue, KEEP, each.most);
          } else if (each.kind === "compact") {
            const used = queueNumber(queue, QueueNumber.Used);
            queueCompact(queue);
            expect(queueNumber(queue, QueueNumber.Used)).toBeLessThanOrEqual(used);
            if (model.run > 0) {
              check(queue, model);
              continue;
            }
            const kept = model.packets.slice(0, model.gone).filter(({ over }) => !over);
            model.packets.splice(0, model.gone, ...kept);
            model.gone = kept.length;
            // All that is free is in one piece.
            const held = model.packets.reduce((sum, { bytes }) => sum + bytes.length, 0);
            expect(queueNumber(queue, QueueNumber.Used)).toBe(held);
            if (model.packets.length < 6) expect(queueFits(queue, 500 - held)).toBe(true);
          } else if (each.kind === "drop") {
            const { never, unless, topic, spare, room } = each;
            const isChosen = (one: Packet): boolean => {
              if ((firstOf(one) & never) !== 0) return false;
              return (firstOf(one) & unless) === 0 || one.id % 3 === topic;
            };
            const head = buffer(topic === null ? [0] : [0, 1, 0x61 + topic]);
            const count = topic === null ? 0 : head.length;
            const all = untouched(model);
            expect(queueCouldFit(queue, room, never, unless, head, count)).toBe(
              couldFit(queue, model, room, all.filter(isChosen)),
            );
            const packet = all.slice(0, Math.max(all.length - spare, 0)).find(isChosen);
            const at = queueWaiting(queue, never, unless, head, count, spare);
            expect(at >= 0).toBe(packet !== undefined);
            if (packet === undefined) continue;
            const place = model.packets.indexOf(packet);
            expect(at).toBe(placeOf(queue, place));
            const lent = lentOf(queue);
            queueDrop(queue, at);
            expect(lentOf(queue)).toEqual(lent);
            model.packets.splice(place, 1);
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
            model.run = 0;
          }
          check(queue, model);
        }
        queueRewind(queue);
        queueWindow(queue, 0, 0);
        for (let i = 0, at = queueFirst(queue); i < queueNumber(queue, QueueNumber.Count); i++) {
          queue[at] = byteAt(queue, at) & ~PLACEHOLDER;
          at = queueAfter(queue, at);
        }
        const all = model.packets.filter(({ over }) => !over).reduce((sum, { bytes }) => sum + bytes.length, 0);
        expect(queueRun(queue, 32767, 32767)).toBe(all);
        queueClear(queue);
        expect(queueNumber(queue, QueueNumber.Used)).toBe(0);
        expect(queueRun(queue, 32767, 32767)).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it("tells which numbers of a kind its packets have, in whatever order they stand, and what is over has none", () => {
    const packet = fc.record({ first: fc.constantFrom(0x30, 0x32, 0x34), id: fc.integer({ min: 1, max: 9 }), over: fc.boolean() });
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 12 }), fc.integer({ min: 1, max: 10 }), (packets, from) => {
        const queue = createQueue(200, 12);
        // The first one stays, so that what is over does, too.
        for (const { first, id } of [{ first: 0x32, id: 20 }, ...packets]) queueAdd(queue, buffer(packetOf(first, headOf(id))));
        queueTaken(queue, queueRun(queue, 999, 12), KEEP);
        const kept = [20];
        packets.forEach(({ first, over, id }, i) => {
          if (over) queueOver(queue, placeOf(queue, i + 1));
          else if ((first & KEEP) !== 0) kept.push(id);
        });
        let unused = from;
        while (kept.includes(unused)) unused++;
        expect(queueUnused(queue, KEEP, from)).toBe(unused);
        expect(queueUsed(queue, KEEP, from)).toBe(Math.min(65536, ...kept.filter((id) => id >= from)));
        expect(queueUsed(queue, KEEP, 21)).toBe(65536);
      }),
    );
  });

  it("begins no more kept packets than its window has room for, and holds up what is behind them", () => {
    const queue = createQueue(100, 9);
    queueWindow(queue, KEEP, 1);
    for (const [first, id] of [[0x30, 1], [0x32, 2], [0x32, 3], [0x30, 4]] as const) {
      queueAdd(queue, buffer(packetOf(first, headOf(id))));
    }
    expect(queueRun(queue, 99, 9)).toBe(14);
    expect(queueTaken(queue, 14, KEEP)).toBe(1);
    expect([queueReady(queue), queueRun(queue, 99, 9), queueNumber(queue, QueueNumber.Held)]).toEqual([false, 0, 1]);
    queueOver(queue, queueFind(queue, KEEP, 2, true));
    expect([queueReady(queue), queueRun(queue, 99, 9), queueNumber(queue, QueueNumber.Held)]).toEqual([true, 14, 0]);
    // One that has begun is finished, whatever becomes of the window.
    queueTaken(queue, 3, KEEP);
    queueWindow(queue, KEEP, 0);
    expect([queueReady(queue), queueRun(queue, 99, 9)]).toEqual([true, 11]);
  });

  it("stops at a placeholder, and goes on when that is said to have gone", () => {
    const queue = createQueue(100, 9);
    queueWindow(queue, KEEP, 1);
    for (const [first, id] of [[0x32, 1], [0xb2, 2], [0x30, 3]] as const) {
      queueAdd(queue, buffer(packetOf(first, headOf(id))));
    }
    expect(queueTaken(queue, queueRun(queue, 99, 9), KEEP)).toBe(1);
    // Its window is shut until the one before it is over.
    expect([queueReady(queue), queueRun(queue, 99, 9), queuePlaceholder(queue)]).toEqual([false, 0, -1]);
    const first = queueFirst(queue);
    queueOver(queue, first);
    expect([queueReady(queue), queueRun(queue, 99, 9), queuePlaceholder(queue)]).toEqual([false, 0, first + 7]);
    expect(queueTaken(queue, 7, KEEP)).toBe(1);
    expect([queueReady(queue), queueRun(queue, 99, 9), queuePlaceholder(queue)]).toEqual([true, 7, -1]);
    expect(queueFind(queue, KEEP, 2, true)).toBe(first + 7);
  });

  it("gives the room of what is over to a packet that none of the free pieces holds", () => {
    const queue = createQueue(40, 9);
    for (const id of [1, 2, 3, 4]) queueAdd(queue, buffer(packetOf(0x32, [...headOf(id), 0])));
    queueTaken(queue, queueRun(queue, 24, 9), KEEP);
    for (const id of [2, 3]) queueOver(queue, queueFind(queue, KEEP, id, true));
    expect(queueFits(queue, 24)).toBe(false);
    // Bytes of a run may be lent: nothing before its end moves.
    queueRun(queue, 99, 9);
    queueCompact(queue);
    expect(queueFits(queue, 24)).toBe(false);
    queueRun(queue, 0, 0);
    queueCompact(queue);
    expect(queueFits(queue, 24)).toBe(true);
    expect([1, 4].map((id) => queueFind(queue, KEEP, id, false) - queueFirst(queue))).toEqual([0, 8]);
  });

  it("moves what is behind a run up to its end, where it was put at the front", () => {
    const queue = createQueue(100, 9);
    const add = (id: number, size: number): boolean =>
      queueAdd(queue, buffer(packetOf(0x30, [...headOf(id), ...new Array<number>(size - 7).fill(id)])));
    expect([add(1, 40), add(2, 20), add(3, 15)]).toEqual([true, true, true]);
    queueTaken(queue, queueRun(queue, 40, 1), KEEP);
    expect(queueRun(queue, 20, 1)).toBe(20);
    // It has no room before the end, and goes to the front; dropped, it leaves nothing there.
    expect([add(4, 30), add(5, 10)]).toEqual([true, true]);
    queueDrop(queue, queueWaiting(queue, 0, 0xff, buffer(stringOf(4)), 3, 0));
    queueCompact(queue);
    expect(queueCouldFit(queue, 40, 0, 0xff, buffer([0]), 0)).toBe(true);
    expect(queueFits(queue, 40)).toBe(true);
    expect(add(6, 40)).toBe(true);
    queueTaken(queue, 20, KEEP);
    expect(queueRun(queue, 999, 9)).toBe(65);
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
    const packet = buffer(packetOf(0x30, [0]));
    queueAdd(queue, packet);
    queueAdd(queue, packet);
    expect(() => queueDrop(queue, queueFirst(queue) + 1)).toThrow();
    expect(() => queueWaiting(queue, 0, 0, packet, 4, 0)).toThrow();
    queueRun(queue, 1, 1);
    expect(() => queueDrop(queue, queueFirst(queue))).toThrow();
    queueDrop(queue, queueFirst(queue) + 3);
    expect(queueNumber(queue, QueueNumber.Count)).toBe(1);
    expect(() => createQueue(0, 1)).toThrow();
    expect(() => createQueue(65536, 1)).toThrow();
  });
});
