/**
 * One of the chip's UARTs. QEMU's sends at once and has no interrupt for "ready to send": here its bytes get the time
 * that they take on the wire, and the interrupt when it is time for more. The image sends up to 16 bytes an interrupt.
 */
import type { SimClock, Timer } from "../../../sim/clock";

/** So many bytes may wait here: enough that an answer of ours, a millisecond late, does not leave the wire silent. */
const AHEAD = 32;
const BITS_PER_BYTE = 10;

export class UartPace {
  private idleAt = 0;
  private timer: Timer | undefined;
  baud = 115200;

  constructor(private readonly clock: SimClock, private readonly askForMore: () => void) {}

  /** When the last byte will have left. */
  get idle(): number {
    return Math.max(this.idleAt, this.clock.now);
  }

  /** Whether bytes are still on the wire. */
  get sending(): boolean {
    return this.idleAt > this.clock.now;
  }

  /** The chip has sent `count` bytes. */
  sent(count: number): void {
    const byteTime = (1000 * BITS_PER_BYTE) / this.baud;
    this.idleAt = this.idle + count * byteTime;
    this.timer?.cancel();
    const due = this.idleAt - AHEAD * byteTime;
    if (due <= this.clock.now) this.askForMore();
    else this.timer = this.clock.at(due, this.askForMore);
  }

  reset(): void {
    this.timer?.cancel();
    this.idleAt = 0;
    this.baud = 115200;
  }
}
