import { bytesOf } from "../bytes-of";
import type { LineEnd } from "../line";
import type { ModuleObserver } from "./observer";
import type { Habits, Timings } from "./personality";
import type { TaskTimers } from "./task-timers";

/** Bytes of free transmit ring worth waking up for. */
const WORTHWHILE_ROOM = 512;

/**
 * What the module sends to the host. The task that runs a command {@link print}s its replies, every other task
 * {@link tell}s: between two writes of a reply something else may get onto the wire, within a write nothing does. A
 * write that the transmit ring has no room for waits, and everything after it too.
 */
export class Printer {
  /** Writes of the running command that its task has not come to. */
  private readonly replies: Uint8Array[] = [];
  /** Its task takes this long over the write before: the next comes no sooner. */
  private writesAgainAt = -Infinity;
  /** A write waits for that. */
  private replying = false;
  private readonly backlog: Uint8Array[] = [];
  private pumping = false;
  private idle: (() => void)[] = [];
  private replied: (() => void)[] = [];

  constructor(
    private readonly line: LineEnd,
    private readonly timers: TaskTimers,
    private readonly observer: ModuleObserver,
    private readonly habits: Habits,
    private readonly timings: Timings,
    /** What a write is when it leaves. */
    private readonly pass: (write: Uint8Array) => Uint8Array,
    private readonly whenFull: () => void,
    private readonly whenRoom: () => void,
  ) {}

  /** Whether a write waits for room: then a task that prints would be blocked. */
  get congested(): boolean {
    return this.backlog.length > 0;
  }

  /** A reply, or a part of one: one write of the UART driver, or more where the personality prints in pieces. */
  print(...pieces: readonly (string | Uint8Array)[]): void {
    const inPieces = this.habits.replies === "pieces" && pieces.every((piece) => typeof piece === "string");
    for (const write of inPieces ? splitReply(pieces.join("")) : [joined(pieces)]) {
      if (write.length > 0) {
        this.replies.push(typeof write === "string" ? bytesOf(write) : write);
      }
    }
    if (!this.replying) {
      this.reply();
    }
  }

  /** An event, an echo, a refusal: one write of the UART driver, at once. */
  tell(...pieces: readonly (string | Uint8Array)[]): void {
    const bytes = joined(pieces);
    if (bytes.length > 0) {
      this.write(bytes);
    }
  }

  /** Calls `done` once every reply so far has been written: at once, if it has been. */
  afterReplies(done: () => void): void {
    if (this.replies.length === 0) {
      done();
    } else {
      this.replied.push(done);
    }
  }

  /** Calls `sent` once the last byte printed so far has left the module. */
  flush(sent: () => void): void {
    this.idle.push(sent);
    if (!this.pumping) {
      this.awaitIdle();
    }
  }

  private reply(): void {
    while (!this.replying && this.replies.length > 0) {
      if (this.timers.now < this.writesAgainAt) {
        this.replying = true;
        this.timers.at(this.writesAgainAt, () => {
          this.replying = false;
          this.reply();
        });
        return;
      }
      const bytes = this.replies.shift();
      if (bytes === undefined) {
        return;
      }
      this.write(bytes);
      if (this.timings.betweenWrites[1] > 0) {
        this.writesAgainAt = this.timers.now + this.timers.pick(this.timings.betweenWrites);
      }
      if (this.replies.length === 0 && this.replied.length > 0) {
        const replied = this.replied;
        this.replied = [];
        replied.forEach((done) => done());
      }
    }
  }

  private write(whole: Uint8Array): void {
    const bytes = this.pass(whole);
    this.observer.toHost?.(bytes);
    this.backlog.push(bytes);
    if (!this.pumping) {
      this.pump();
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
        this.whenFull();
        const room = Math.min(rest.length, WORTHWHILE_ROOM, Math.ceil(this.line.transmitRingSize / 2));
        this.timers.at(this.line.freeAt(room), () => this.resume());
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
    const soon = this.replies.length > 0 ? this.timers.now + 1 : 0;
    this.timers.at(Math.max(this.line.idleAt(), soon), () => {
      if (this.congested || this.line.leaving > 0 || this.replies.length > 0) {
        this.awaitIdle();
        return;
      }
      const idle = this.idle;
      this.idle = [];
      idle.forEach((sent) => sent());
    });
  }
}

function joined(pieces: readonly (string | Uint8Array)[]): Uint8Array {
  const [first, ...others] = pieces;
  if (first !== undefined && others.length === 0) {
    return typeof first === "string" ? bytesOf(first) : first;
  }
  return Buffer.concat(pieces.map((piece) => (typeof piece === "string" ? bytesOf(piece) : piece)));
}

/** Lines that answer a query go out one by one, the name of each before its value. */
function splitReply(text: string): string[] {
  if (!text.startsWith("+")) {
    return [text];
  }
  return text.split(/(?<=\n)/).flatMap((line) => line.split(/(?<=^\+[A-Z_]+:)/));
}
