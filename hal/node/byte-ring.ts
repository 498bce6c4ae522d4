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
    this.bytes.set(from.subarray(at, at + straight), end);
    this.bytes.set(from.subarray(at + straight, at + taken), 0);
    this.filled += taken;
    return taken;
  }

  /** Moves up to `room` bytes from the front into `into`. Gives how many. */
  take(into: Uint8Array, at: number, room: number): number {
    const given = Math.min(room, this.filled);
    const straight = Math.min(given, this.capacity - this.start);
    into.set(this.bytes.subarray(this.start, this.start + straight), at);
    into.set(this.bytes.subarray(0, given - straight), at + straight);
    this.start = (this.start + given) % this.capacity;
    this.filled -= given;
    return given;
  }

  clear(): void {
    this.filled = 0;
  }
}
