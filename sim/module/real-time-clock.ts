/** The module's idea of the time of day. Before anybody tells it, that is the first of January 1970. */
export class RealTimeClock {
  /** What the time of day was when `now` was 0, ms since 1970. */
  private origin: number;

  /** `now` gives ms that only grow. */
  constructor(private readonly now: () => number) {
    this.origin = -now();
  }

  /** ms since 1970. */
  get time(): number {
    return this.origin + this.now();
  }

  set(time: number): void {
    this.origin = time - this.now();
  }

  /** As after the power was off. */
  forget(): void {
    this.set(0);
  }
}
