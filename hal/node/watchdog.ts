import type { Watchdog } from "../hal";

/**
 * A watchdog that only reports: where there is no board there is nothing to reset. It shares its thread with the
 * program that it watches, so it speaks when the program has come out of its long turn; one that never does is silent.
 */
export class NodeWatchdog implements Watchdog {
  private fedAt = 0;
  private timer: NodeJS.Timeout | undefined;

  /** `onHang` is told for how many ms nobody fed it: then a board would have been reset. */
  constructor(private readonly onHang: (ms: number) => void) {}

  start(timeout: number): void {
    this.feed();
    this.look(timeout, timeout);
  }

  /** Also what a long turn is found out by: its end is the next feeding. */
  feed(): void {
    this.fedAt = performance.now();
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private look(timeout: number, wait: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const hungry = performance.now() - this.fedAt;
      if (hungry >= timeout) {
        this.onHang(Math.round(hungry));
        this.feed();
      }
      this.look(timeout, Math.max(1, timeout - (performance.now() - this.fedAt)));
    }, Math.ceil(wait));
    this.timer.unref();
  }
}
