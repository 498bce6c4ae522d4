/**
 * The simulation's clock: time that stands still until somebody runs it, and a queue of what is to happen when.
 *
 * Two runs that schedule the same things run them in the same order: events of one moment run in the order in which
 * they were scheduled. Whoever wants time to pass calls {@link SimClock.runUntil}; see `pace.ts` for time that follows
 * a wall clock.
 */

/** Something that is going to happen. Made by {@link SimClock.after} and {@link SimClock.at}. */
export class Timer {
  /** Place in the clock's heap, -1 once it has run or was cancelled. Belongs to the clock. */
  index = -1;

  constructor(
    private readonly clock: SimClock,
    /** When it happens, in ms since the start of the simulation. */
    readonly time: number,
    /** Number in the order of scheduling, which settles ties. */
    readonly order: number,
    readonly happen: () => void,
  ) {}

  /** Whether it is still to happen. */
  get waiting(): boolean {
    return this.index >= 0;
  }

  /** Makes it not happen. Does nothing once it has happened or was cancelled. */
  cancel(): void {
    this.clock.forget(this);
  }
}

/** Virtual time in milliseconds since the start, with fractions: a byte at 115200 baud takes 0.0868 ms. */
export class SimClock {
  private time = 0;
  private orders = 0;
  private inside = false;
  /**
   * A binary heap: each timer comes before the two at `2i + 1` and `2i + 2`. The list keeps its length when there are
   * fewer: to shrink and grow with each event costs more than all the rest.
   */
  private readonly heap: (Timer | undefined)[] = [];
  private waiting = 0;

  get now(): number {
    return this.time;
  }

  /** Whether an event is running right now. */
  get running(): boolean {
    return this.inside;
  }

  /** Schedules `happen` in `ms` milliseconds; a negative or fractional number is fine, less than 0 means now. */
  after(ms: number, happen: () => void): Timer {
    return this.at(this.time + ms, happen);
  }

  /** Schedules `happen` at the moment `time`; one in the past means now, after what is already due. */
  at(time: number, happen: () => void): Timer {
    if (Number.isNaN(time)) {
      throw new RangeError("cannot schedule an event at NaN");
    }
    const timer = new Timer(this, Math.max(time, this.time), this.orders++, happen);
    this.rise(timer, this.waiting++);
    return timer;
  }

  /** When the next event is due; undefined when nothing is scheduled. */
  nextEventAt(): number | undefined {
    return this.heap[0]?.time;
  }

  /**
   * Runs everything due up to and including `time`, also what gets scheduled meanwhile, then sets the clock to it.
   * A `time` in the past does nothing. Throws when called from inside an event: time has one driver.
   */
  runUntil(time: number): void {
    if (this.inside) {
      throw new Error("the clock is already running: an event must not run it");
    }
    this.inside = true;
    try {
      for (;;) {
        const next = this.heap[0];
        if (next === undefined || next.time > time) {
          break;
        }
        this.forget(next);
        this.time = next.time;
        next.happen();
      }
      this.time = Math.max(this.time, time);
    } finally {
      this.inside = false;
    }
  }

  runFor(ms: number): void {
    this.runUntil(this.time + ms);
  }

  /** Takes a timer out of the queue, see {@link Timer.cancel}. */
  forget(timer: Timer): void {
    const hole = timer.index;
    if (hole < 0) {
      return;
    }
    timer.index = -1;
    this.waiting -= 1;
    const last = this.heap[this.waiting];
    this.heap[this.waiting] = undefined;
    if (last === undefined || last === timer) {
      return;
    }
    const parent = this.heap[(hole - 1) >> 1];
    if (hole > 0 && parent !== undefined && isBefore(last, parent)) {
      this.rise(last, hole);
    } else {
      this.sink(last, hole);
    }
  }

  private rise(timer: Timer, from: number): void {
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = this.heap[above];
      if (parent === undefined || !isBefore(timer, parent)) {
        break;
      }
      this.place(parent, at);
      at = above;
    }
    this.place(timer, at);
  }

  private sink(timer: Timer, from: number): void {
    let at = from;
    for (;;) {
      let below = 2 * at + 1;
      let child = this.heap[below];
      if (child === undefined) {
        break;
      }
      const right = this.heap[below + 1];
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        below += 1;
      }
      if (!isBefore(child, timer)) {
        break;
      }
      this.place(child, at);
      at = below;
    }
    this.place(timer, at);
  }

  private place(timer: Timer, at: number): void {
    this.heap[at] = timer;
    timer.index = at;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
