import type { LineEnd } from "../line";
import type { ModuleObserver } from "./observer";
import type { TaskTimers } from "./task-timers";

/** Bytes of free transmit ring worth waking up for. */
const WORTHWHILE_ROOM = 512;

/**
 * What the module sends to the host. One call of {@link print} is one write of the UART driver: nothing gets between
 * its bytes. A write that the transmit ring has no room for waits, and everything after it too.
 */
export class Printer {
  private readonly backlog: Uint8Array[] = [];
  private pumping = false;
  private idle: (() => void)[] = [];

  constructor(
    private readonly line: LineEnd,
    private readonly timers: TaskTimers,
    private readonly observer: ModuleObserver,
    private readonly whenRoom: () => void,
  ) {}

  /** Whether a write waits for room: then a task that prints would be blocked. */
  get congested(): boolean {
    return this.backlog.length > 0;
  }

  print(...pieces: readonly (string | Uint8Array)[]): void {
    const bytes = Buffer.concat(pieces.map((piece) => (typeof piece === "string" ? Buffer.from(piece) : piece)));
    this.observer.toHost?.(bytes);
    this.backlog.push(bytes);
    if (!this.pumping) {
      this.pump();
    }
  }

  /** Calls `sent` once the last byte printed so far has left the module. */
  flush(sent: () => void): void {
    this.idle.push(sent);
    if (!this.pumping) {
      this.awaitIdle();
    }
  }

  private pump(): void {
    this.pumping = false;
    for (;;) {
      const bytes = this.backlog.shift();
      if (bytes === undefined) {
        break;
      }
      const taken = this.line.write(bytes);
      if (taken < bytes.length) {
        const rest = bytes.subarray(taken);
        this.backlog.unshift(rest);
        this.pumping = true;
        this.timers.at(this.line.freeAt(Math.min(rest.length, WORTHWHILE_ROOM)), () => this.resume());
        return;
      }
    }
    if (this.idle.length > 0) {
      this.awaitIdle();
    }
  }

  private resume(): void {
    this.pump();
    if (!this.congested) {
      this.whenRoom();
    }
  }

  private awaitIdle(): void {
    this.timers.at(this.line.idleAt(), () => {
      if (this.congested || this.line.leaving > 0) {
        this.awaitIdle();
        return;
      }
      const idle = this.idle;
      this.idle = [];
      idle.forEach((sent) => sent());
    });
  }
}
