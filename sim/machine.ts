import type { Application, Board } from "../firmware/board/application";
import { type Bytes, type Hal, type Millis, PinMode, type Pins, type SerialPort, StartCause, type System } from "../hal/hal";
import { putBytes } from "../hal/node/computer";
import { view } from "../hal/node/view";
import type { SimClock, Timer } from "./clock";
import type { LineEnd } from "./line";
import type { SimulatedModule } from "./module/simulated-module";
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
  /** The board's end of the console. */
  readonly console: LineEnd;
  readonly module: SimulatedModule;
  readonly world: World;
  readonly storage: SimStorage;
  readonly random: Random;
  /** What the board's clock shows at power-on: to let it wrap early. Default 0. */
  readonly clockAtBoot?: Millis;
  /** The firmware has booted, or been booted again. */
  readonly onBoot?: (board: Board) => void;
  /** The firmware has turned its loop. */
  readonly onTurn?: (board: Board) => void;
  /** The watchdog has reset the board. */
  readonly onWatchdog?: () => void;
  /** The firmware left for the boot loader. Without it there is none. */
  readonly onBootLoader?: () => void;
  /** Whether the board wires the module's reset line. Default true. */
  readonly resetLine?: boolean;
  /** The chip's unique number. Default 0123456789abcdef. */
  readonly id?: string;
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
  private consoleLostBefore = 0;
  private cause = StartCause.PowerOn;
  /** The record of a crash, in memory that a reset leaves alone and a power cut does not. */
  private crashRecord = "";
  /** How often the program has been started. */
  private starts = 0;
  private readonly turns = (): void => this.turn();

  constructor(private readonly options: MachineOptions) {
    for (const end of [options.line, options.console]) {
      end.onWake(() => this.turn());
      end.setPowered(false);
    }
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
    this.start(StartCause.PowerOn);
  }

  /** Cuts the supply: nothing is said to anybody, the sockets of the module die at once. */
  cutPower(): void {
    if (!this.powered) return;
    this.powered = false;
    this.crashRecord = "";
    this.halt();
    this.options.module.powerOff();
  }

  /** Asks the firmware for a clean stop; `board.stopped()` tells when it is done. */
  stop(): void {
    this.board?.stop();
    this.schedule(this.options.clock.now);
  }

  /** Pulls the board's reset pin: the program starts anew, and the module goes on. Does nothing without power. */
  reset(): void {
    if (this.powered) this.startAnew(StartCause.PowerOn);
  }

  /** The program stops itself and leaves `record`, as a fault on a chip does; the board starts anew. */
  crash(record: string): void {
    if (!this.powered) return;
    this.crashRecord = record;
    this.startAnew(StartCause.Crash);
  }

  private startAnew(cause: StartCause): void {
    this.halt();
    this.start(cause);
  }

  private start(cause: StartCause): void {
    const { clock, line, console, application, onBoot } = this.options;
    line.setPowered(true);
    console.setPowered(true);
    this.cause = cause;
    this.starts += 1;
    this.poweredAt = clock.now;
    this.lostBefore = line.lost;
    this.consoleLostBefore = console.lost;
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
    this.options.console.setPowered(false);
    this.options.world.releasePins();
  }

  private turn(): void {
    const { board } = this;
    if (board === undefined) return;
    board.poll();
    this.options.onTurn?.(board);
  }

  /** The next turn of the main loop comes at `time`, and never sooner than a turn takes. */
  private schedule(time: number): void {
    const { clock } = this.options;
    const due = Math.max(time, clock.now + TURN_MS);
    if (this.next?.waiting === true && this.next.time === due) return;
    this.next?.cancel();
    this.next = clock.at(due, this.turns);
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
      this.startAnew(StartCause.Watchdog);
    });
  }

  private hal(): Hal {
    const { clock, line, console, module, world, storage, random, resetLine = true } = this.options;
    return {
      clock: { now: () => this.now() },
      serial: portOf(line, () => this.lostBefore),
      console: portOf(console, () => this.consoleLostBefore),
      system: this.system(),
      reset: {
        present: resetLine,
        hold: (held: boolean) => {
          if (resetLine) module.setReset(held);
        },
      },
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

  private system(): System {
    const { clock, id = "0123456789abcdef", onBootLoader } = this.options;
    const { starts } = this;
    // A chip never returns from either; here the turn that asked runs to its end first.
    const whenTurned = (happen: () => void): void => {
      clock.after(0, () => {
        if (this.powered && this.starts === starts) happen();
      });
    };
    return {
      cause: () => this.cause,
      id: (into, at, room) => putBytes(Buffer.from(id), into, at, room),
      crash: (into, at, room) => putBytes(Buffer.from(this.crashRecord), into, at, room),
      forgetCrash: () => {
        this.crashRecord = "";
      },
      restart: () => whenTurned(() => this.startAnew(StartCause.Restart)),
      bootLoader: () => {
        if (onBootLoader === undefined) return false;
        whenTurned(() => {
          this.halt();
          onBootLoader();
        });
        return true;
      },
    };
  }
}

/** An end of a line as the firmware sees it; `lostBefore` is what the line had lost before this start. */
function portOf(line: LineEnd, lostBefore: () => number): SerialPort {
  return {
    read: (into: Bytes, at: number, room: number) => line.read(view(into), at, room),
    write: (from: Bytes, at: number, count: number) => line.write(view(from), at, count),
    lost: () => line.lost - lostBefore(),
    setBaud: (baud: number) => line.setBaud(baud),
  };
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
