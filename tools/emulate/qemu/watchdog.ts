/** The independent watchdog, whose oscillator runs at its nominal 32 kHz. */
import type { SimClock, Timer } from "../../../sim/clock";
import type { Part } from "./part";

const KR = 0x00;
const PR = 0x04;
const RLR = 0x08;
const FEED = 0xaaaa;
const UNLOCK = 0x5555;
const START = 0xcccc;
const TICKS_PER_MS = 32;

export class IndependentWatchdog implements Part {
  private prescaler = 0;
  private reload = 0xfff;
  private unlocked = false;
  private running = false;
  private fedAt = 0;
  private timer: Timer | undefined;

  constructor(private readonly clock: SimClock, private readonly bite: () => void) {}

  /** How long it waits, in ms of simulated time. */
  get patience(): number {
    return ((this.reload + 1) * (4 << Math.min(this.prescaler, 6))) / TICKS_PER_MS;
  }

  read(offset: number): number {
    return offset === PR ? this.prescaler : offset === RLR ? this.reload : 0;
  }

  write(offset: number, value: number): void {
    if (offset === KR) this.turnKey(value & 0xffff);
    if (!this.unlocked) return;
    if (offset === PR) this.prescaler = value & 7;
    if (offset === RLR) this.reload = value & 0xfff;
  }

  reset(): void {
    this.timer?.cancel();
    this.prescaler = 0;
    this.reload = 0xfff;
    this.unlocked = false;
    this.running = false;
  }

  private turnKey(key: number): void {
    this.unlocked = key === UNLOCK;
    if (key === FEED || key === START) this.fedAt = this.clock.now;
    if (key === FEED && this.running) this.watch();
    if (key === START && !this.running) {
      this.running = true;
      this.watch();
    }
  }

  /** Looks again when the last feeding would be too long ago, so that feeding itself costs little. */
  private watch(): void {
    const due = this.fedAt + this.patience;
    if (this.timer?.waiting === true && this.timer.time <= due) return;
    this.timer?.cancel();
    this.timer = this.clock.at(due, () => {
      if (this.clock.now < this.fedAt + this.patience) this.watch();
      else this.biteUnlessFed(this.fedAt);
    });
  }

  /** A feeding may have been heard late, when this machine was busy: what waits in the pipe is read first. */
  private biteUnlessFed(fedAt: number): void {
    setImmediate(() => setImmediate(() => {
      if (!this.running) return;
      if (this.fedAt === fedAt) this.bite();
      else this.watch();
    }));
  }
}
