import { ByteRing } from "../hal/node/byte-ring";
import type { SimClock } from "./clock";

/** Bits of one byte on the wire: start bit, eight data bits, stop bit. */
const BITS_PER_BYTE = 10;
/** Rates that differ by more than this no longer sample the last bits of a byte where they are. */
const RATE_TOLERANCE = 0.03;
/** A receiver that steers its sender asks it to wait with so many bytes left: it may be in the middle of one. */
const STEERING_MARGIN = 8;
/** Absorbs what floating point loses in a moment's conversion to a count of bytes. */
const EPSILON_BYTES = 1e-4;

/**
 * One direction of a serial line: the sender's transmit ring, the bits on the wire, the receiver's ring.
 *
 * Nothing is scheduled for a byte. How many have arrived follows from when the present burst began and the rate, and
 * is worked out by {@link settle} whenever somebody looks.
 */
export class Wire {
  /** Bytes that arrived and found the receiver's ring full. */
  lost = 0;
  /** The fullest that the receiver's ring has been. */
  highWater = 0;
  /** A receiver without power hears nothing. */
  deaf = false;
  /** Whether the receiver says on its RTS line that it has room, and whether the sender looks at its CTS line. */
  receiverSteers = false;
  senderHeeds = false;

  private readonly transmit: ByteRing;
  private readonly receive: ByteRing;
  private readonly scratch = new Uint8Array(256);
  private burstStart = 0;
  private burstArrived = 0;
  private stalledUntil = 0;
  /** The sender waits for the receiver to have room. */
  private heldUp = false;
  /** The receiver began to listen in the middle of a byte, which is therefore no byte to it. */
  private spoiled = false;
  private garbageState = 1;

  constructor(
    private readonly clock: SimClock,
    transmitRing: number,
    receiveRing: number,
    private sendRate: number,
    private receiveRate: number,
  ) {
    this.transmit = new ByteRing(transmitRing);
    this.receive = new ByteRing(receiveRing);
  }

  /** Size of the receiver's ring in bytes. */
  get receiveRingSize(): number {
    return this.receive.capacity;
  }

  /** Size of the sender's ring in bytes. */
  get transmitRingSize(): number {
    return this.transmit.capacity;
  }

  /** Duration of one byte in ms. */
  get byteTime(): number {
    return (1000 * BITS_PER_BYTE) / this.sendRate;
  }

  /** Bytes that are still to arrive. */
  get leaving(): number {
    this.settle();
    return this.transmit.count;
  }

  /** Bytes that have arrived and wait to be read. */
  get waiting(): number {
    this.settle();
    return this.receive.count;
  }

  send(bytes: Uint8Array, at: number, count: number): number {
    this.settle();
    if (this.transmit.count === 0) {
      this.burstStart = Math.max(this.clock.now, this.stalledUntil);
      this.burstArrived = 0;
    }
    return this.transmit.push(bytes, at, count);
  }

  read(into: Uint8Array, at: number, room: number): number {
    this.settle();
    const count = this.receive.take(into, at, room);
    this.goOn();
    return count;
  }

  /** When the `nth` byte (from 1) of those still leaving arrives. */
  arrivalOf(nth: number): number {
    if (this.heldUp) {
      // Nobody knows: no sooner than this.
      return this.clock.now + nth * this.byteTime;
    }
    return this.burstStart + (this.burstArrived + nth) * this.byteTime;
  }

  /** When `room` bytes will be free in the transmit ring; at once if they are. `room` is at most its size. */
  freeAt(room: number): number {
    this.settle();
    const missing = room - this.transmit.free;
    return missing <= 0 ? this.clock.now : this.arrivalOf(missing);
  }

  /** Only while nothing is leaving. */
  setSendRate(baud: number): void {
    this.settle();
    this.burstStart = this.arrivalOf(0);
    this.burstArrived = 0;
    this.sendRate = baud;
  }

  setReceiveRate(baud: number): void {
    this.settle();
    this.receiveRate = baud;
  }

  /** Nothing leaves the sender for `ms` from now. */
  stall(ms: number): void {
    this.settle();
    const from = Math.max(this.clock.now, this.stalledUntil);
    const until = Math.max(this.clock.now + ms, from);
    this.burstStart += until - from;
    this.stalledUntil = until;
  }

  /** The sender stops in the middle of whatever it was sending. */
  dropLeaving(): void {
    this.settle();
    this.transmit.clear();
    this.heldUp = false;
  }

  /** The receiver forgets what it has, and the byte that is on the wire now will not be one to it. */
  dropReceived(): void {
    this.settle();
    this.receive.clear();
    const inByte = (this.clock.now - this.burstStart) / this.byteTime - this.burstArrived;
    this.spoiled = this.transmit.count > 0 && inByte > EPSILON_BYTES && !this.heldUp;
    this.goOn();
  }

  /** Lets everything arrive that has had the time to. */
  settle(): void {
    if (this.transmit.count === 0) {
      return;
    }
    const complete = Math.floor((this.clock.now - this.burstStart) / this.byteTime + EPSILON_BYTES);
    const due = Math.min(complete - this.burstArrived, this.transmit.count);
    let arriving = Math.min(due, this.room);
    this.heldUp = arriving < due;
    this.burstArrived += Math.max(arriving, 0);
    while (arriving > 0) {
      const count = this.transmit.take(this.scratch, 0, Math.min(arriving, this.scratch.length));
      this.arrive(count);
      arriving -= count;
    }
  }

  /** How many bytes the sender may let go of. */
  private get room(): number {
    const steered = this.receiverSteers && this.senderHeeds && !this.deaf;
    return steered ? Math.max(this.receive.capacity - STEERING_MARGIN - this.receive.count, 0) : Infinity;
  }

  /** A sender that waits for room goes on now, if there is some. */
  goOn(): void {
    if (this.heldUp && this.room > 0) {
      this.heldUp = false;
      this.burstStart = Math.max(this.clock.now, this.stalledUntil);
      this.burstArrived = 0;
    }
  }

  private arrive(count: number): void {
    if (this.deaf) {
      return;
    }
    const first = this.spoiled ? 1 : 0;
    this.spoiled = false;
    if (Math.abs(this.sendRate - this.receiveRate) > RATE_TOLERANCE * this.receiveRate) {
      this.garble(count);
    }
    const kept = this.receive.push(this.scratch, first, count - first);
    this.lost += count - first - kept;
    this.highWater = Math.max(this.highWater, this.receive.count);
  }

  /** What a receiver at the wrong rate makes of the bytes: noise, with many 0x00 (too slow) and 0xFF (too fast). */
  private garble(count: number): void {
    for (let i = 0; i < count; i += 1) {
      this.garbageState = (Math.imul(this.garbageState, 1664525) + 1013904223) >>> 0;
      const kind = this.garbageState >>> 30;
      const noise = (this.garbageState >>> 16) & 0xff;
      this.scratch[i] = kind === 0 ? 0x00 : kind === 1 ? 0xff : noise;
    }
  }
}
