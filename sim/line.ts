import type { SimClock, Timer } from "./clock";
import { Wire } from "./wire";

/** Keeps a moment that floating point put a hair after a whole millisecond on that millisecond. */
const EPSILON_MS = 1e-7;

export interface LineOptions {
  /** Rate of the board's UART in bits per second. Default 115200. */
  readonly hostBaud?: number;
  /** Rate of the module's UART. Default 115200. */
  readonly moduleBaud?: number;
  /** Ring sizes in bytes. Defaults: 1024 and 1024 at the host, 8192 and 2048 at the module. */
  readonly hostTransmitRing?: number;
  readonly hostReceiveRing?: number;
  readonly moduleTransmitRing?: number;
  readonly moduleReceiveRing?: number;
}

const DEFAULT_BAUD = 115200;

/**
 * The UART between the board and its Wi-Fi module: two ends, two independent directions, 8 data bits, no parity,
 * 1 stop bit. Bytes travel at the rate of the end that sends them.
 */
export class SerialLine {
  readonly host: LineEnd;
  readonly module: LineEnd;

  constructor(clock: SimClock, options: LineOptions = {}) {
    const hostBaud = options.hostBaud ?? DEFAULT_BAUD;
    const moduleBaud = options.moduleBaud ?? DEFAULT_BAUD;
    const toModule = new Wire(
      clock, options.hostTransmitRing ?? 1024, options.moduleReceiveRing ?? 2048, hostBaud, moduleBaud,
    );
    const toHost = new Wire(
      clock, options.moduleTransmitRing ?? 8192, options.hostReceiveRing ?? 1024, moduleBaud, hostBaud,
    );
    this.host = new LineEnd(clock, toModule, toHost, hostBaud);
    this.module = new LineEnd(clock, toHost, toModule, moduleBaud);
    this.host.joinTo(this.module);
    this.module.joinTo(this.host);
  }
}

/** The two lines besides those for bytes, as one end has them. */
export interface FlowControl {
  readonly rts: boolean;
  readonly cts: boolean;
}

/** How an end learns that bytes have come. */
const enum Notice {
  /** It does not: it looks for itself. */
  None,
  /** A call a millisecond while bytes come. The bytes stay in the ring. */
  Wake,
  /** A call at each byte's arrival. The bytes stay in the ring. */
  Bytes,
  /** A call with the bytes, as a UART driver's interrupt batches them. */
  Chunks,
}

/** One end of a {@link SerialLine}. */
export class LineEnd {
  /** Bytes in the receive FIFO at which the UART's interrupt hands them on. */
  fifoThreshold = 100;
  /** Silence after which a shorter chunk is handed on, in byte times. */
  idleSymbols = 10;
  /** Told of each new rate of this end, once it holds. */
  onBaud: ((baud: number) => void) | undefined;
  /** Takes on each rate of the other end: for what has none of its own, as a pipe or a pseudo terminal. */
  followsPeer = false;
  /** Sees the bytes that this end puts into its transmit ring. They are the caller's: copy to keep. */
  tap: ((bytes: Uint8Array) => void) | undefined;

  private notice = Notice.None;
  private wake: () => void = () => undefined;
  private chunk: (bytes: Uint8Array) => void = () => undefined;
  private timer: Timer | undefined;
  private listening = true;
  private other: LineEnd | undefined;

  constructor(
    private readonly clock: SimClock,
    private readonly outgoing: Wire,
    private readonly incoming: Wire,
    private rate: number,
  ) {}

  /** Called once by the line. */
  joinTo(other: LineEnd): void {
    this.other = other;
  }

  /** Bits per second, of both directions as this end understands them. */
  get baud(): number {
    return this.rate;
  }

  /** Received bytes that wait to be read. */
  get waiting(): number {
    return this.incoming.waiting;
  }

  /** Received bytes that were dropped because the receive ring was full. Never falls. */
  get lost(): number {
    this.incoming.settle();
    return this.incoming.lost;
  }

  /** Size of the receive ring in bytes. */
  get ringSize(): number {
    return this.incoming.receiveRingSize;
  }

  /** The fullest that the receive ring has been, in bytes. */
  get highWater(): number {
    this.incoming.settle();
    return this.incoming.highWater;
  }

  /** Bytes in the transmit ring that have not left yet. */
  get leaving(): number {
    return this.outgoing.leaving;
  }

  /** Queues up to `count` bytes. Gives how many the transmit ring took. */
  write(bytes: Uint8Array, at = 0, count = bytes.length - at): number {
    const taken = this.outgoing.send(bytes, at, count);
    if (taken > 0) {
      this.tap?.(bytes.subarray(at, at + taken));
      this.other?.expect();
    }
    return taken;
  }

  /** Moves up to `room` received bytes into `into`. Gives how many. */
  read(into: Uint8Array, at = 0, room = into.length - at): number {
    return this.incoming.read(into, at, room);
  }

  /** Changes the rate. False, and nothing changed, while bytes are leaving. Bytes on their way here turn to garbage. */
  setBaud(baud: number): boolean {
    if (this.outgoing.leaving > 0) {
      return false;
    }
    this.rate = baud;
    this.outgoing.setSendRate(baud);
    this.incoming.setReceiveRate(baud);
    this.onBaud?.(baud);
    if (this.other?.followsPeer === true) this.other.follow(baud);
    return true;
  }

  /** Changes the rate as soon as nothing is leaving. */
  follow(baud: number): void {
    if (this.rate === baud || this.setBaud(baud)) return;
    this.clock.at(this.idleAt(), () => this.follow(baud));
  }

  /** Size of the transmit ring in bytes. */
  get transmitRingSize(): number {
    return this.outgoing.transmitRingSize;
  }

  /** When `room` bytes will be free in the transmit ring. `room` must not pass the ring's size. */
  freeAt(room: number): number {
    return this.outgoing.freeAt(room);
  }

  /** When the last queued byte will have left; now when none is queued. */
  idleAt(): number {
    const leaving = this.outgoing.leaving;
    return leaving === 0 ? this.clock.now : this.outgoing.arrivalOf(leaving);
  }

  /**
   * Has `wake` called when bytes have come: at the first whole millisecond at or after the first byte's arrival, and
   * again at most once a millisecond while more come.
   */
  onWake(wake: () => void): void {
    this.wake = wake;
    this.notice = Notice.Wake;
    this.expect();
  }

  /** Has `wake` called at each byte's arrival: for a chip that is emulated down to its UART. */
  onByte(wake: () => void): void {
    this.wake = wake;
    this.notice = Notice.Bytes;
    this.expect();
  }

  /**
   * Has `chunk` called with what came, when {@link fifoThreshold} bytes are in the FIFO or after {@link idleSymbols} of
   * silence. The bytes are the callee's.
   */
  onChunk(chunk: (bytes: Uint8Array) => void): void {
    this.chunk = chunk;
    this.notice = Notice.Chunks;
    this.expect();
  }

  /** Stops or restarts the notices. Meanwhile bytes pile up in the receive ring. */
  setListening(listening: boolean): void {
    this.listening = listening;
    this.timer?.cancel();
    this.timer = undefined;
    this.expect();
  }

  /**
   * Flow control as this end has it: `rts` tells the other end when there is room, `cts` waits until the other end
   * tells so. It works in a direction in which both ends have it on; otherwise bytes go where there is no room, and are
   * lost.
   */
  setFlow({ rts, cts }: FlowControl): void {
    this.incoming.settle();
    this.outgoing.settle();
    this.incoming.receiverSteers = rts;
    this.outgoing.senderHeeds = cts;
    this.incoming.goOn();
    this.outgoing.goOn();
    this.expect();
    this.other?.expect();
  }

  /** Lets the other end send nothing for `ms`, by the line that says that this end is ready: its bytes wait. */
  stallPeer(ms: number): void {
    this.incoming.stall(ms);
    this.expect();
  }

  /** Loses everything that was received or was to be sent, as a reset of this end's chip does. */
  reset(): void {
    this.outgoing.dropLeaving();
    this.incoming.dropReceived();
    this.timer?.cancel();
    this.timer = undefined;
    this.expect();
  }

  /** Loses what was received and not read, as a driver that starts anew does. Gives how many bytes that were. */
  discard(): number {
    const count = this.incoming.waiting;
    this.incoming.dropReceived();
    return count;
  }

  /** An end without power sends nothing and hears nothing. Switching it off is a {@link reset} too. */
  setPowered(powered: boolean): void {
    this.reset();
    this.incoming.deaf = !powered;
  }

  /** Sees to it that this end is told in time about what is on its way. */
  private expect(): void {
    const due = this.listening ? this.noticeDue() : undefined;
    if (due === undefined) {
      return;
    }
    if (this.timer !== undefined && this.timer.waiting) {
      if (this.timer.time <= due) {
        return;
      }
      this.timer.cancel();
    }
    this.timer = this.clock.at(due, () => this.tell());
  }

  private noticeDue(): number | undefined {
    const coming = this.incoming.leaving;
    const here = this.incoming.waiting;
    switch (this.notice) {
      case Notice.None:
        return undefined;
      case Notice.Wake:
        return coming === 0 ? undefined : Math.ceil(this.incoming.arrivalOf(1) - EPSILON_MS);
      case Notice.Bytes:
        return coming === 0 ? undefined : this.incoming.arrivalOf(1);
      case Notice.Chunks: {
        if (coming + here === 0) {
          return undefined;
        }
        const missing = this.fifoThreshold - here;
        if (missing <= coming) {
          return missing <= 0 ? this.clock.now : this.incoming.arrivalOf(missing);
        }
        return this.incoming.arrivalOf(coming) + this.idleSymbols * this.incoming.byteTime;
      }
    }
  }

  private tell(): void {
    this.timer = undefined;
    switch (this.notice) {
      case Notice.None:
        return;
      case Notice.Wake:
      case Notice.Bytes:
        this.wake();
        break;
      case Notice.Chunks:
        this.tellChunk();
        break;
    }
    this.expect();
  }

  private tellChunk(): void {
    const due = this.noticeDue();
    if (due === undefined || due > this.clock.now + EPSILON_MS) {
      return;
    }
    const bytes = new Uint8Array(this.incoming.waiting);
    this.incoming.read(bytes, 0, bytes.length);
    if (bytes.length > 0) {
      this.chunk(bytes);
    }
  }
}
