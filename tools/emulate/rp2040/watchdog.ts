/** WATCHDOG: the tick that the timer counts too, the watchdog itself, and what outlives a reset. */
import { BasePeripheral } from "rp2040js";
import type { Bus } from "./bus";
import type { ChipClock } from "./chip-clock";
import { Unlike } from "./fault";

const CTRL = 0x00;
const LOAD = 0x04;
const REASON = 0x08;
const SCRATCH0 = 0x0c;
const SCRATCH7 = 0x28;
const TICK = 0x2c;
const TRIGGER = 0x80000000;
const ENABLE = 1 << 30;
const TIME = 0xffffff;
const TICK_ENABLE = 1 << 9;
const TICK_RUNNING = 1 << 10;
const TICK_CYCLES = 0x1ff;
const REASON_TIMER = 1;
const REASON_FORCE = 2;
/** The counter goes down twice a tick: erratum RP2040-E1. */
const NANOS_PER_COUNT = 500;

/** What a reset leaves alone, and a power cut does not. */
export interface Kept {
  reason: number;
  readonly scratch: Uint32Array;
}

export class Watchdog extends BasePeripheral {
  private readonly alarm;
  private control = 0x07000000;
  private tick = TICK_ENABLE;
  private load = 0;
  private loadedAt = 0;

  constructor(
    private readonly bus: Bus,
    private readonly clock: ChipClock,
    private readonly kept: Kept,
    private readonly reset: (cause: "restart" | "watchdog") => void,
  ) {
    super(bus, "WATCHDOG");
    this.alarm = clock.createAlarm(() => this.fire(REASON_TIMER));
  }

  /** Whether it resets the chip unless it is fed. */
  get running(): boolean {
    return (this.control & ENABLE) !== 0;
  }

  /** The timer counts this tick too: without it, or with a wrong one, a real chip's time stands still or is off. */
  checkTick(): void {
    const cycles = this.tick & TICK_CYCLES;
    const { refFreq } = this.bus.clocks;
    if ((this.tick & TICK_ENABLE) === 0 || cycles * 1e6 !== refFreq) {
      throw new Unlike(`the timer was used with a tick of ${cycles} clocks at ${refFreq} Hz, which is not 1 us`);
    }
  }

  override readUint32(offset: number): number {
    const register = offset & 0xfff;
    if (register >= SCRATCH0 && register <= SCRATCH7) return this.kept.scratch[(register - SCRATCH0) >> 2] ?? 0;
    switch (register) {
      case CTRL:
        return (this.control & ~TIME) | this.left();
      case REASON:
        return this.kept.reason;
      case TICK:
        return this.tick | TICK_RUNNING;
      default:
        return super.readUint32(offset);
    }
  }

  override writeUint32(offset: number, value: number): void {
    if (offset >= SCRATCH0 && offset <= SCRATCH7) {
      this.kept.scratch[(offset - SCRATCH0) >> 2] = value;
      return;
    }
    switch (offset) {
      case CTRL:
        this.load = this.left();
        this.loadedAt = this.clock.nanos;
        this.control = value & ~TRIGGER;
        if ((value & TRIGGER) !== 0) this.fire(REASON_FORCE);
        else this.arm();
        return;
      case LOAD:
        this.load = value & TIME;
        this.loadedAt = this.clock.nanos;
        this.arm();
        return;
      case TICK:
        this.tick = value & (TICK_ENABLE | TICK_CYCLES);
        return;
      default:
        super.writeUint32(offset, value);
    }
  }

  private left(): number {
    if (!this.running) return this.load;
    return Math.max(this.load - Math.floor((this.clock.nanos - this.loadedAt) / NANOS_PER_COUNT), 0);
  }

  private arm(): void {
    if (this.running) this.alarm.schedule(this.load * NANOS_PER_COUNT);
    else this.alarm.cancel();
  }

  private fire(reason: number): void {
    this.kept.reason = reason;
    this.reset(reason === REASON_FORCE ? "restart" : "watchdog");
  }
}
