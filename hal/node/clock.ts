import type { Clock, Millis } from "../hal";

/** Milliseconds of a clock that never goes back, with fractions; where it began does not matter. */
export type Monotonic = () => number;

/** The board's clock on a computer: whole milliseconds since it was made, as an int32 that wraps. */
export class NodeClock implements Clock {
  private readonly begin: number;

  /** `bootAt`: what it shows at first, to let it wrap early. */
  constructor(
    private readonly monotonic: Monotonic = () => performance.now(),
    private readonly bootAt: Millis = 0,
  ) {
    this.begin = monotonic();
  }

  now(): Millis {
    return (Math.floor(this.monotonic() - this.begin) + this.bootAt) | 0;
  }
}
