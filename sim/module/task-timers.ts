import type { SimClock, Timer } from "../clock";
import type { Random } from "../random";
import type { Span } from "./personality";

/** The timers of one life of the firmware: none of them survives its reset. */
export class TaskTimers {
  private alive = true;

  constructor(
    private readonly clock: SimClock,
    private readonly random: Random,
  ) {}

  get now(): number {
    return this.clock.now;
  }

  after(ms: number, happen: () => void): Timer {
    return this.at(this.clock.now + ms, happen);
  }

  at(time: number, happen: () => void): Timer {
    return this.clock.at(time, () => this.ifAlive(happen));
  }

  /** For what comes from outside, and may come too late. */
  ifAlive(happen: () => void): void {
    if (this.alive) {
      happen();
    }
  }

  /** A delay within a span, with the jitter that real firmware has. */
  pick(span: Span): number {
    return this.random.between(span[0], span[1]);
  }

  /** Draws whether something happens that has a chance from 0 to 1. */
  chance(chance: number): boolean {
    return chance >= 1 || (chance > 0 && this.random.next() < chance);
  }

  within(span: Span, happen: () => void): Timer {
    return this.after(this.pick(span), happen);
  }

  /** From now on nothing happens. */
  stop(): void {
    this.alive = false;
  }
}
