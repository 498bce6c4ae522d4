/** A queue of bytes of a fixed size. */
export class ByteRing {
  private readonly bytes: Uint8Array;
  private start = 0;
  private filled = 0;

  /** `capacity` is the most bytes it holds, at least 1. */
  constructor(readonly capacity: number) {
    this.bytes = new Uint8Array(capacity);
  }

  get count(): number {
    return this.filled;
  }

  get free(): number {
    return this.capacity - this.filled;
  }

  /** Appends up to `count` bytes of `from`, as many as fit. Gives how many. */
  push(from: Uint8Array, at: number, count: number): number {
    const taken = Math.min(count, this.free);
    const end = (this.start + this.filled) % this.capacity;
    const straight = Math.min(taken, this.capacity - end);
    copy(from, at, this.bytes, end, straight);
    copy(from, at + straight, this.bytes, 0, taken - straight);
    this.filled += taken;
    return taken;
  }

  /** Moves up to `room` bytes from the front into `into`. Gives how many. */
  take(into: Uint8Array, at: number, room: number): number {
    const given = Math.min(room, this.filled);
    const straight = Math.min(given, this.capacity - this.start);
    copy(this.bytes, this.start, into, at, straight);
    copy(this.bytes, 0, into, at + straight, given - straight);
    this.start = (this.start + given) % this.capacity;
    this.filled -= given;
    return given;
  }

  clear(): void {
    this.filled = 0;
  }
}

/** Fewer bytes than this are moved one by one: two views cost more. */
const WORTH_VIEWS = 64;

function copy(from: Uint8Array, fromAt: number, into: Uint8Array, intoAt: number, count: number): void {
  if (count >= WORTH_VIEWS) {
    into.set(from.subarray(fromAt, fromAt + count), intoAt);
    return;
  }
  for (let i = 0; i < count; i += 1) {
    into[intoAt + i] = from[fromAt + i] ?? 0;
  }
}
