import type { Watchdog } from "../hal";

/**
 * A watchdog that only reports: where there is no board there is nothing to reset. It shares its thread with the
 * program that it watches, so it speaks when a long turn has ended; of one that never ends nothing is heard.
 */
export class NodeWatchdog implements Watchdog {
  private timeout = Infinity;
  private fedAt = 0;
  private timer: NodeJS.Timeout | undefined;

  /** `onHang` is told for how many ms nobody fed it: then a board would have been reset. */
  constructor(private readonly onHang: (ms: number) => void) {}

  start(timeout: number): void {
    this.timeout = timeout;
    this.fedAt = performance.now();
    this.wait(timeout);
  }

  feed(): void {
    this.look();
    this.fedAt = performance.now();
  }

  stop(): void {
    this.timeout = Infinity;
    clearTimeout(this.timer);
  }

  /** Feeding itself sets no timer, so that it costs nothing; the timer finds out what is left to wait. */
  private wait(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.look();
      this.wait(this.timeout - (performance.now() - this.fedAt));
    }, Math.max(1, Math.ceil(ms)));
    this.timer.unref();
  }

  private look(): void {
    const hungry = performance.now() - this.fedAt;
    if (hungry < this.timeout) return;
    this.fedAt = performance.now();
    this.onHang(Math.round(hungry));
  }
}
