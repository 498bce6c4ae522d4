/**
 * The queue operations of `Native`, for Node: the twin of `hal/lua/queue.c`, which has a picture of a queue. The numbers
 * stand in the buffer, as there, so that a queue takes the same room in every place.
 */
import { type Bytes, QueueNumber } from "../hal";
import { view } from "./view";

/** What the numbers take. */
const QUEUE_HEADER = 80;
/** What is copied byte by byte. */
const FEW = 128;
/** In a queue with a window: the packet only keeps the place of one that is sent from elsewhere. */
const PLACEHOLDER = 0x80;

/** What is behind the numbers that everybody may read. Places are offsets into the buffer. */
const enum Place {
  Head = 12,
  Next,
  Tail,
  End,
  /** Of the packet that is being written: where its room begins, and where its body does. */
  Open,
  Body,
  /** How many packets may be held, and the bits of a first byte that make a run look twice. */
  Window,
  Stops,
}

type Key = QueueNumber | Place;

/** What may be dropped. */
interface Choice {
  readonly never: number;
  readonly unless: number;
  readonly head: Uint8Array;
}

function choiceOf(never: number, unless: number, head: Bytes, count: number): Choice {
  if (count < 0 || count > head.length) throw new RangeError(`${count} bytes of a head of ${head.length}`);
  return { never, unless, head: view(head).subarray(0, count) };
}

class Queue {
  readonly bytes: Uint8Array;
  readonly numbers: Int32Array;

  constructor(queue: Bytes) {
    if (queue.length <= QUEUE_HEADER) throw new RangeError(`a queue has more than ${QUEUE_HEADER} bytes`);
    this.bytes = view(queue);
    this.numbers = new Int32Array(this.bytes.buffer, this.bytes.byteOffset, QUEUE_HEADER / 4);
  }

  get(key: Key): number {
    return this.numbers[key] ?? 0;
  }

  set(key: Key, value: number): void {
    this.numbers[key] = value;
  }

  add(key: Key, value: number): void {
    this.set(key, this.get(key) + value);
  }

  empty(): void {
    for (const key of [QueueNumber.Count, QueueNumber.Due, QueueNumber.Partial, QueueNumber.Used]) this.set(key, 0);
    for (const key of [QueueNumber.Run, QueueNumber.Held]) this.set(key, 0);
    for (const key of [Place.Head, Place.Next, Place.Tail]) this.set(key, QUEUE_HEADER);
    this.set(Place.End, this.bytes.length);
  }

  /** Where `count` bytes have room in one piece; -1 if nowhere. */
  roomFor(count: number): number {
    const head = this.get(Place.Head);
    const tail = this.get(Place.Tail);
    const wrapped = this.get(QueueNumber.Used) > 0 && tail <= head;
    if (count <= (wrapped ? head : this.bytes.length) - tail) return tail;
    return !wrapped && count <= head - QUEUE_HEADER ? QUEUE_HEADER : -1;
  }

  /** The same, counted when there is none. */
  reserve(count: number): number {
    if (this.get(QueueNumber.Count) === this.get(QueueNumber.Slots)) {
      this.add(QueueNumber.RefusedSlots, 1);
      return -1;
    }
    const at = this.roomFor(count);
    if (at < 0) this.add(QueueNumber.Refused, 1);
    return at;
  }

  /** The packet of `length` bytes at `at`, where room was found, is in the queue. */
  commit(at: number, length: number): void {
    const tail = this.get(Place.Tail);
    if (at !== tail) {
      this.set(Place.End, tail);
      this.add(QueueNumber.Used, this.bytes.length - tail);
    }
    if (this.get(QueueNumber.Due) === 0) this.set(Place.Next, at);
    this.set(Place.Tail, at + length);
    this.add(QueueNumber.Used, length);
    this.add(QueueNumber.Count, 1);
    this.add(QueueNumber.Due, 1);
    this.set(QueueNumber.HighBytes, Math.max(this.get(QueueNumber.HighBytes), this.get(QueueNumber.Used)));
    this.set(QueueNumber.HighCount, Math.max(this.get(QueueNumber.HighCount), this.get(QueueNumber.Count)));
  }

  check(at: number, count: number): void {
    if (at < 0 || count < 0 || at + count > this.bytes.length) {
      throw new RangeError(`${count} bytes at ${at} are outside a queue of ${this.bytes.length}`);
    }
  }

  range(at: number, count: number): Uint8Array {
    this.check(at, count);
    return this.bytes.subarray(at, at + count);
  }

  /** Writes `count` bytes of `from`. For few bytes a view costs more than the loop. */
  put(at: number, from: Uint8Array, fromAt: number, count: number): void {
    this.check(at, count);
    if (count > FEW) this.bytes.set(from.subarray(fromAt, fromAt + count), at);
    else for (let i = 0; i < count; i++) this.bytes[at + i] = from[fromAt + i] ?? 0;
  }

  /** A first byte, and the length of what follows: seven bits a byte, the lowest first. Gives where that begins. */
  putHeader(at: number, first: number, length: number): number {
    this.check(at, headerSize(length));
    this.bytes[at] = first;
    let next = at + 1;
    let left = length;
    for (; left >= 128; left >>= 7) this.bytes[next++] = (left & 127) | 128;
    this.bytes[next++] = left;
    return next;
  }

  /** How long the packet at `at` is, with its header. */
  packetLength(at: number): number {
    let length = 0;
    let header = 1;
    for (let factor = 1; factor < 2 ** 28; factor *= 128) {
      const byte = this.first(at + header);
      length += (byte & 127) * factor;
      header++;
      if (byte < 128) break;
    }
    this.check(at, header + length);
    return header + length;
  }

  /** The two bytes behind the string that the body of the packet at `at` begins with, as a number. */
  numberBehindString(at: number): number {
    let string = at + 2;
    while ((this.bytes[string - 1] ?? 0) >= 128) string++;
    return this.u16(string + 2 + this.u16(string));
  }

  u16(at: number): number {
    this.check(at, 2);
    return (this.bytes[at] ?? 0) * 256 + (this.bytes[at + 1] ?? 0);
  }

  /** Where the packet behind the one that ends at `end` begins, if there is one. */
  behind(end: number): number {
    return end === this.get(Place.End) ? QUEUE_HEADER : end;
  }

  first(at: number): number {
    this.check(at, 1);
    return this.bytes[at] ?? 0;
  }

  /** Whether a packet that has not begun, and has one of the bits of `Stops`, has to wait with `held` packets held. */
  waits(first: number, held: number): boolean {
    return (first & PLACEHOLDER) !== 0 || held >= this.get(Place.Window);
  }

  /** Gives back the oldest packets, as long as they are over. */
  release(): void {
    while (this.get(QueueNumber.Count) > this.get(QueueNumber.Due) && this.bytes[this.get(Place.Head)] === 0) {
      const length = this.packetLength(this.get(Place.Head));
      this.add(Place.Head, length);
      this.add(QueueNumber.Used, -length);
      this.add(QueueNumber.Count, -1);
      if (this.get(Place.Head) !== this.get(Place.End)) continue;
      // The head goes on at the front when it has come to where the packets end.
      this.add(QueueNumber.Used, this.get(Place.End) - this.bytes.length);
      this.set(Place.Head, QUEUE_HEADER);
      this.set(Place.End, this.bytes.length);
    }
    if (this.get(QueueNumber.Count) === 0) this.empty();
  }

  /**
   * Slides the `left` packets from the one at `from` on down to `to`, in their order, without those that are over.
   * `gone` of them have gone. What stood at the front follows what stands before the end of the buffer, where it fits.
   */
  slide(to: number, from: number, gone: number, left: number): void {
    const size = this.bytes.length;
    const end = this.get(Place.End);
    const head = this.get(Place.Head);
    let upper = !this.wrapped() || to >= head;
    let nextKnown = gone === 0 && from !== this.get(Place.Next);
    if (from === head) this.set(Place.Head, to);
    if (upper) this.set(Place.End, size);
    for (let i = 0; i < left; i++) {
      if (from === end) from = QUEUE_HEADER;
      const length = this.packetLength(from);
      if (this.bytes[from] === 0) {
        this.add(QueueNumber.Count, -1);
        if (i >= gone) this.add(QueueNumber.Due, -1);
      } else {
        if (upper && to + length > size) {
          this.set(Place.End, to);
          to = QUEUE_HEADER;
          upper = false;
        }
        this.bytes.copyWithin(to, from, from + length);
        if (i >= gone && !nextKnown) {
          this.set(Place.Next, to);
          nextKnown = true;
        }
        to += length;
      }
      from += length;
    }
    if (!upper && to === QUEUE_HEADER) {
      // Nothing is left at the front.
      to = this.get(Place.End);
      this.set(Place.End, size);
    }
    this.set(Place.Tail, to);
    if (this.get(QueueNumber.Count) === 0) {
      this.empty();
      return;
    }
    if (this.get(Place.Head) === this.get(Place.End)) {
      this.set(Place.Head, QUEUE_HEADER);
      this.set(Place.End, size);
    }
    const first = this.get(Place.Head);
    this.set(QueueNumber.Used, to > first ? to - first : size - first + to - QUEUE_HEADER);
  }

  /** Slides everything to the front, so that what is free is in one piece behind it. */
  slideAll(): void {
    const count = this.get(QueueNumber.Count);
    if (this.wrapped()) this.straighten();
    if (count > 0) this.slide(QUEUE_HEADER, this.get(Place.Head), count - this.get(QueueNumber.Due), count);
  }

  /** What goes on at the front follows the rest instead, from the front on. */
  straighten(): void {
    const [head, tail, end, next] = [this.get(Place.Head), this.get(Place.Tail), this.get(Place.End), this.get(Place.Next)];
    const later = this.bytes.slice(QUEUE_HEADER, tail);
    const earlier = end - head;
    this.bytes.copyWithin(QUEUE_HEADER, head, end);
    this.bytes.set(later, QUEUE_HEADER + earlier);
    this.set(Place.Next, next < head ? next + earlier : next - head + QUEUE_HEADER);
    this.set(Place.Head, QUEUE_HEADER);
    this.set(Place.Tail, tail + earlier);
    this.set(Place.End, this.bytes.length);
  }

  wrapped(): boolean {
    return this.get(QueueNumber.Count) > 0 && this.get(Place.Tail) <= this.get(Place.Head);
  }

  isChosen(at: number, choice: Choice): boolean {
    const first = this.first(at);
    if ((first & choice.never) !== 0) return false;
    if ((first & choice.unless) === 0) return true;
    let body = at + 2;
    while ((this.bytes[body - 1] ?? 0) >= 128) body++;
    const { head } = choice;
    if (head.length === 0 || body + head.length > at + this.packetLength(at)) return false;
    return Buffer.compare(this.range(body, head.length), head) === 0;
  }

  /** Without a run, everything can be slid together: it is a matter of how many bytes there are. */
  fitsTogether(room: number, choice: Choice): boolean {
    const older = this.get(QueueNumber.Count) - this.untouched().left;
    let total = room;
    let count = 0;
    let at = this.get(Place.Head);
    for (let i = 0; i < this.get(QueueNumber.Count); i++) {
      const length = this.packetLength(at);
      if (this.first(at) !== 0 && (i < older || !this.isChosen(at, choice))) {
        total += length;
        count++;
      }
      at = this.behind(at + length);
    }
    return count < this.get(QueueNumber.Slots) && total <= this.bytes.length - QUEUE_HEADER;
  }

  /** With a run, only what is behind it moves: down to its end, or on to the front. */
  fitsBehindRun(room: number, choice: Choice): boolean {
    const { at: from, left } = this.untouched();
    const head = this.get(Place.Head);
    const size = this.bytes.length;
    let at = from;
    let to = left === 0 ? this.get(Place.Tail) : from;
    let count = this.get(QueueNumber.Count) - left;
    let upper = !this.wrapped() || to >= head;
    for (let i = 0; i < left; i++) {
      const length = this.packetLength(at);
      if (!this.isChosen(at, choice)) {
        if (upper && to + length > size) {
          to = QUEUE_HEADER;
          upper = false;
        }
        to += length;
        count++;
      }
      at = this.behind(at + length);
    }
    if (count >= this.get(QueueNumber.Slots)) return false;
    return (upper && to + room <= size) || (upper ? QUEUE_HEADER : to) + room <= head;
  }

  /** The packets that have neither begun nor are in the run: the place of the first, and their number. */
  untouched(): { at: number; left: number } {
    let at = this.get(Place.Next);
    let busy = this.get(QueueNumber.Partial) + this.get(QueueNumber.Run);
    let left = this.get(QueueNumber.Due);
    for (; left > 0 && busy > 0; left--) {
      const length = this.packetLength(at);
      busy -= length;
      at = this.behind(at + length);
    }
    return { at, left };
  }
}

/** A buffer that has its queue at hand, so that nothing is allocated for what is asked of it. */
interface QueueBytes extends Bytes {
  readonly queue: Queue;
}

function isQueueBytes(bytes: Bytes): bytes is QueueBytes {
  return "queue" in bytes;
}

function queueOf(bytes: Bytes): Queue {
  return isQueueBytes(bytes) ? bytes.queue : new Queue(bytes);
}

export function createQueue(size: number, slots: number): Bytes {
  if (size < 1 || size > 65535) throw new RangeError(`a queue has 1 to 65535 bytes, not ${size}`);
  const bytes = new Uint8Array(QUEUE_HEADER + size);
  const queue = new Queue(bytes);
  Object.assign(bytes, { queue });
  queue.set(QueueNumber.Size, size);
  queue.set(QueueNumber.Slots, slots);
  queue.empty();
  return bytes;
}

export function queueNumber(bytes: Bytes, which: QueueNumber): number {
  return queueOf(bytes).get(which);
}

export function queueFits(bytes: Bytes, count: number): boolean {
  const queue = queueOf(bytes);
  return queue.get(QueueNumber.Count) < queue.get(QueueNumber.Slots) && queue.roomFor(count) >= 0;
}

export function queueAdd(bytes: Bytes, packet: Bytes): boolean {
  const queue = queueOf(bytes);
  const at = queue.reserve(packet.length);
  if (at < 0) return false;
  queue.put(at, view(packet), 0, packet.length);
  queue.commit(at, packet.length);
  return true;
}

export function queueOpen(bytes: Bytes, head: Bytes, room: number): number {
  if (room < 0) throw new RangeError(`there is no room of ${room} bytes`);
  const queue = queueOf(bytes);
  const length = head.length + room;
  const body = headerSize(length);
  const at = queue.reserve(body + length);
  if (at < 0) return -1;
  queue.set(Place.Open, at);
  queue.set(Place.Body, at + body);
  queue.put(at + body, view(head), 0, head.length);
  return at + body + head.length;
}

export function queueClose(bytes: Bytes, end: number, first: number): void {
  const queue = queueOf(bytes);
  const at = queue.get(Place.Open);
  const body = queue.get(Place.Body);
  const length = end - body;
  queue.check(body, length);
  const header = headerSize(length);
  if (at + header !== body) queue.bytes.copyWithin(at + header, body, end);
  queue.putHeader(at, first, length);
  queue.commit(at, header + length);
}

export function queuePut(bytes: Bytes, first: number, head: Bytes, from: Bytes, fromAt: number, count: number): number {
  const queue = queueOf(bytes);
  if (fromAt < 0 || count < 0 || fromAt + count > from.length) {
    throw new RangeError(`${count} bytes at ${fromAt} are outside a buffer of ${from.length}`);
  }
  const length = headerSize(head.length + count) + head.length + count;
  const at = queue.reserve(length);
  if (at < 0) return -1;
  const body = queue.putHeader(at, first, head.length + count);
  queue.put(body, view(head), 0, head.length);
  queue.put(body + head.length, view(from), fromAt, count);
  queue.commit(at, length);
  return at + length - count;
}

/** What a first byte and the length of what follows take. */
function headerSize(length: number): number {
  if (length < 128) return 2;
  return length < 16384 ? 3 : 4;
}

/** How many bytes go next, as whole packets if one fits. */
function nextRun(queue: Queue, limit: number, most: number): number {
  const packets = Math.min(most, queue.get(QueueNumber.Due));
  let at = queue.get(Place.Next);
  let gone = queue.get(QueueNumber.Partial);
  let total = 0;
  let held = queue.get(QueueNumber.Held);
  for (let i = 0; i < packets; i++) {
    const length = queue.packetLength(at);
    const first = queue.first(at);
    if ((first & queue.get(Place.Stops)) !== 0) {
      if (gone === 0 && queue.waits(first, held)) return total;
      held++;
    }
    if (total + length - gone > limit) return total === 0 ? limit : total;
    total += length - gone;
    gone = 0;
    at = queue.behind(at + length);
  }
  return total;
}

export function queueRun(bytes: Bytes, limit: number, most: number): number {
  const queue = queueOf(bytes);
  queue.set(QueueNumber.Run, nextRun(queue, limit, most));
  return queue.get(QueueNumber.Run);
}

export function queueNext(bytes: Bytes): number {
  const queue = queueOf(bytes);
  return queue.get(Place.Next) + queue.get(QueueNumber.Partial);
}

export function queuePiece(bytes: Bytes): number {
  const queue = queueOf(bytes);
  const next = queue.get(Place.Next);
  const tail = queue.get(Place.Tail);
  const end = next < tail ? tail : queue.get(Place.End);
  return Math.min(queue.get(QueueNumber.Run), end - next - queue.get(QueueNumber.Partial));
}

export function queueTaken(bytes: Bytes, count: number, mask: number): number {
  const queue = queueOf(bytes);
  let kept = 0;
  queue.add(QueueNumber.Partial, count);
  queue.set(QueueNumber.Run, Math.max(queue.get(QueueNumber.Run) - count, 0));
  while (queue.get(QueueNumber.Due) > 0) {
    const at = queue.get(Place.Next);
    const length = queue.packetLength(at);
    if (queue.get(QueueNumber.Partial) < length) break;
    queue.add(QueueNumber.Partial, -length);
    queue.set(Place.Next, queue.behind(at + length));
    queue.add(QueueNumber.Due, -1);
    if (((queue.bytes[at] ?? 0) & mask) !== 0) kept++;
    else queue.bytes[at] = 0;
  }
  queue.add(QueueNumber.Held, kept);
  queue.release();
  return kept;
}

export function queueFirst(bytes: Bytes): number {
  return queueOf(bytes).get(Place.Head);
}

export function queueAfter(bytes: Bytes, at: number): number {
  const queue = queueOf(bytes);
  return queue.behind(at + queue.packetLength(at));
}

export function queueFind(bytes: Bytes, mask: number, value: number, gone: boolean): number {
  const queue = queueOf(bytes);
  let at = queue.get(Place.Head);
  const count = queue.get(QueueNumber.Count) - (gone ? queue.get(QueueNumber.Due) : 0);
  for (let left = count; left > 0; left--) {
    const length = queue.packetLength(at);
    if (((queue.bytes[at] ?? 0) & mask) !== 0 && queue.numberBehindString(at) === value) return at;
    at = queue.behind(at + length);
  }
  return -1;
}

/** The numbers of the packets with one of the bits of `mask`, oldest first. */
function* numbersIn(queue: Queue, mask: number): Generator<number> {
  let at = queue.get(Place.Head);
  for (let left = queue.get(QueueNumber.Count); left > 0; left--) {
    const length = queue.packetLength(at);
    if (((queue.bytes[at] ?? 0) & mask) !== 0) yield queue.numberBehindString(at);
    at = queue.behind(at + length);
  }
}

export function queueUnused(bytes: Bytes, mask: number, from: number): number {
  const used = new Set(numbersIn(new Queue(bytes), mask));
  let found = from;
  while (used.has(found)) found++;
  return found;
}

export function queueUsed(bytes: Bytes, mask: number, from: number): number {
  let nearest = 65536;
  for (const number of numbersIn(new Queue(bytes), mask)) {
    if (number >= from && number < nearest) nearest = number;
  }
  return nearest;
}

export function queueOver(bytes: Bytes, at: number): boolean {
  const queue = queueOf(bytes);
  const oldest = at === queue.get(Place.Head);
  if (queue.first(at) !== 0) queue.add(QueueNumber.Held, -1);
  queue.check(at, 1);
  queue.bytes[at] = 0;
  queue.release();
  return oldest;
}

export function queueClear(bytes: Bytes): void {
  queueOf(bytes).empty();
}

export function queueRewind(bytes: Bytes): void {
  const queue = queueOf(bytes);
  queue.set(QueueNumber.Due, queue.get(QueueNumber.Count));
  for (const key of [QueueNumber.Partial, QueueNumber.Run, QueueNumber.Held]) queue.set(key, 0);
  queue.set(Place.Next, queue.get(Place.Head));
  queue.slideAll();
}

export function queueCompact(bytes: Bytes): void {
  const queue = queueOf(bytes);
  if (queue.get(QueueNumber.Run) === 0) {
    queue.slideAll();
    return;
  }
  const { at, left } = queue.untouched();
  if (left > 0) queue.slide(at, at, 0, left);
}

export function queueWindow(bytes: Bytes, keep: number, most: number): void {
  const queue = queueOf(bytes);
  queue.set(Place.Stops, keep | PLACEHOLDER);
  queue.set(Place.Window, most);
}

export function queueReady(bytes: Bytes): boolean {
  const queue = queueOf(bytes);
  if (queue.get(QueueNumber.Due) === 0) return false;
  const first = queue.first(queue.get(Place.Next));
  if ((first & queue.get(Place.Stops)) === 0 || queue.get(QueueNumber.Partial) > 0) return true;
  return !queue.waits(first, queue.get(QueueNumber.Held));
}

export function queuePlaceholder(bytes: Bytes): number {
  const queue = queueOf(bytes);
  const stops = queue.get(Place.Stops);
  if (queue.get(QueueNumber.Due) === 0 || queue.get(QueueNumber.Partial) > 0 || stops === 0) return -1;
  const next = queue.get(Place.Next);
  const first = queue.first(next);
  const open = (first & stops) === PLACEHOLDER || queue.get(QueueNumber.Held) < queue.get(Place.Window);
  return (first & PLACEHOLDER) !== 0 && open ? next : -1;
}

export function queueWaiting(
  bytes: Bytes,
  never: number,
  unless: number,
  head: Bytes,
  count: number,
  spare: number,
): number {
  const queue = queueOf(bytes);
  const choice = choiceOf(never, unless, head, count);
  const { at: from, left } = queue.untouched();
  let at = from;
  for (let i = spare; i < left; i++) {
    if (queue.isChosen(at, choice)) return at;
    at = queue.behind(at + queue.packetLength(at));
  }
  return -1;
}

export function queueCouldFit(
  bytes: Bytes,
  room: number,
  never: number,
  unless: number,
  head: Bytes,
  count: number,
): boolean {
  const queue = queueOf(bytes);
  const choice = choiceOf(never, unless, head, count);
  return queue.get(QueueNumber.Run) === 0 ? queue.fitsTogether(room, choice) : queue.fitsBehindRun(room, choice);
}

export function queueDrop(bytes: Bytes, dropped: number): void {
  const queue = queueOf(bytes);
  const { at: from, left } = queue.untouched();
  let at = from;
  for (let i = 0; i < left; i++) {
    if (at === dropped) {
      queue.check(at, 1);
      queue.bytes[at] = 0;
      queue.slide(at, at, 0, left - i);
      return;
    }
    at = queue.behind(at + queue.packetLength(at));
  }
  throw new RangeError(`no packet that waits begins at ${dropped}`);
}
