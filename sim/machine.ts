import type { Application, Board } from "../firmware/board/application";
import { type Bytes, type Hal, type Millis, PinMode, type Pins } from "../hal/hal";
import { view } from "../hal/node/view";
import type { SimClock, Timer } from "./clock";
import type { LineEnd } from "./line";
import type { EspAtModule } from "./module/esp-at";
import type { Random } from "./random";
import type { SimStorage } from "./storage";
import type { World } from "./world";

/** How long the program's start takes after power-on, and a turn of its loop, in ms of simulated time. */
const BOOT_MS = 20;
const TURN_MS = 0.1;

export interface MachineOptions {
  readonly clock: SimClock;
  readonly application: Application;
  /** The board's end of the serial line. */
  readonly line: LineEnd;
  readonly module: EspAtModule;
  readonly world: World;
  readonly storage: SimStorage;
  readonly random: Random;
  /** What the board's clock shows at power-on: to let it wrap early. Default 0. */
  readonly clockAtBoot?: Millis;
  /** The firmware has booted, or been booted again. */
  readonly onBoot?: (board: Board) => void;
  /** The watchdog has reset the board. */
  readonly onWatchdog?: () => void;
}

/**
 * A simulated board: the firmware itself, in this process, over a simulated HAL. Its Wi-Fi module hangs on the same
 * supply. It comes switched off.
 */
export class Machine {
  /** The firmware that runs; undefined while the power is off. */
  board: Board | undefined;
  private powered = false;
  private poweredAt = 0;
  private next: Timer | undefined;
  private watchdog: Timer | undefined;
  private fedAt = 0;
  /** Bytes that the line had lost before this power-on. */
  private lostBefore = 0;

  constructor(private readonly options: MachineOptions) {
    options.line.onWake(() => this.turn());
    options.line.setPowered(false);
  }

  /** Whether there is power. */
  get on(): boolean {
    return this.powered;
  }

  /** Connects the supply of board and module. Does nothing if it is connected. */
  powerOn(): void {
    if (this.powered) return;
    this.powered = true;
    this.options.module.powerOn();
    this.start();
  }

  /** Cuts the supply: nothing is said to anybody, the sockets of the module die at once. */
  cutPower(): void {
    if (!this.powered) return;
    this.powered = false;
    this.halt();
    this.options.module.powerOff();
  }

  /** Asks the firmware for a clean stop; `board.stopped()` tells when it is done. */
  stop(): void {
    this.board?.stop();
    this.schedule(this.options.clock.now);
  }

  private start(): void {
    const { clock, line, application, onBoot } = this.options;
    line.setPowered(true);
    this.poweredAt = clock.now;
    this.lostBefore = line.lost;
    this.next = clock.after(BOOT_MS, () => {
      const board = application.boot(this.hal());
      this.board = board;
      onBoot?.(board);
      this.turn();
    });
  }

  private halt(): void {
    this.board = undefined;
    this.next?.cancel();
    this.watchdog?.cancel();
    this.watchdog = undefined;
    this.options.line.setPowered(false);
    this.options.world.releasePins();
  }

  private turn(): void {
    this.board?.poll();
  }

  /** The next turn of the main loop comes at `time`, and never sooner than a turn takes. */
  private schedule(time: number): void {
    const { clock } = this.options;
    this.next?.cancel();
    this.next = clock.at(Math.max(time, clock.now + TURN_MS), () => this.turn());
  }

  private now(): Millis {
    const { clock, clockAtBoot = 0 } = this.options;
    return (Math.floor(clock.now - this.poweredAt) + clockAtBoot) | 0;
  }

  /** Looks again when the last feeding would be too long ago, so that feeding itself costs nothing. */
  private watch(timeout: number): void {
    const { clock, onWatchdog } = this.options;
    this.watchdog = clock.at(this.fedAt + timeout, () => {
      if (clock.now - this.fedAt < timeout) {
        this.watch(timeout);
        return;
      }
      onWatchdog?.();
      this.halt();
      this.start();
    });
  }

  private hal(): Hal {
    const { clock, line, module, world, storage, random } = this.options;
    return {
      clock: { now: () => this.now() },
      serial: {
        read: (into: Bytes, at: number, room: number) => line.read(view(into), at, room),
        write: (from: Bytes, at: number, count: number) => line.write(view(from), at, count),
        lost: () => line.lost - this.lostBefore,
        setBaud: (baud: number) => line.setBaud(baud),
      },
      reset: { present: true, hold: (held: boolean) => module.setReset(held) },
      pins: new WorldPins(world),
      analog: { read: (channel: number) => world.microvolts(channel) },
      entropy: { next: () => random.int(0x80000000) },
      storage,
      watchdog: {
        start: (timeout: number) => {
          this.fedAt = clock.now;
          this.watch(timeout);
        },
        feed: () => {
          this.fedAt = clock.now;
        },
      },
      idle: (until: Millis) => this.schedule(clock.now + ((until - this.now()) | 0)),
    };
  }
}

/** The board's pins, out in the world. */
export class WorldPins implements Pins {
  private readonly outputs = new Set<number>();

  constructor(private readonly world: World) {}

  configure(pin: number, mode: PinMode): boolean {
    if (mode === PinMode.Output) {
      this.outputs.add(pin);
      this.world.drivePin(pin, false);
    }
    return true;
  }

  write(pin: number, high: boolean): void {
    if (this.outputs.has(pin)) this.world.drivePin(pin, high);
  }

  read(pin: number): boolean {
    return this.world.pinLevel(pin);
  }
}
