import type { Analog, Clock, Hal, Millis, Pins, ResetLine, Storage } from "../hal";
import { NodeClock } from "./clock";
import { computerSystem, deadConsole } from "./computer";
import { nodeEntropy } from "./entropy";
import type { NodeSerial } from "./serial";
import { NodeWatchdog } from "./watchdog";

export interface DesktopOptions {
  /** The port that the Wi-Fi module hangs on; its `onReceive` is taken over. */
  readonly serial: NodeSerial;
  readonly reset: ResetLine;
  readonly storage: Storage;
  /** A computer has neither: whoever runs the firmware says what its pins and sensors are. */
  readonly pins: Pins;
  readonly analog: Analog;
  /** The program did not feed its watchdog for so many ms. */
  readonly onHang: (ms: number) => void;
  /** The program asked for a restart. Default: nothing happens. */
  readonly onRestart?: () => void;
  /** Default: a clock that starts at 0. */
  readonly clock?: Clock;
}

/** A computer as the place where the firmware runs: the HAL, and the main loop inside Node's event loop. */
export class Desktop {
  readonly hal: Hal;
  private readonly watchdog: NodeWatchdog;
  private turn: (() => void) | undefined;
  private timer: NodeJS.Timeout | undefined;
  private soon: NodeJS.Immediate | undefined;

  constructor(private readonly options: DesktopOptions) {
    const { serial, reset, pins, analog, storage } = options;
    this.watchdog = new NodeWatchdog(options.onHang);
    this.hal = {
      clock: options.clock ?? new NodeClock(),
      serial,
      // The terminal belongs to whoever runs the firmware.
      console: deadConsole,
      system: computerSystem(options.onRestart ?? (() => undefined)),
      reset,
      pins,
      analog,
      entropy: nodeEntropy,
      storage,
      watchdog: this.watchdog,
      idle: (until) => this.idle(until),
    };
  }

  /** Takes the first turn of the main loop now, and every further one when `hal.idle` or a received byte asks for it. */
  start(turn: () => void): void {
    this.turn = turn;
    this.options.serial.onReceive = () => this.take();
    this.take();
  }

  /** No more turns. */
  stop(): void {
    this.turn = undefined;
    this.watchdog.stop();
    this.forget();
  }

  /** Turns at once, for news that did not come over the serial port. */
  take(): void {
    this.forget();
    this.turn?.();
  }

  private forget(): void {
    clearTimeout(this.timer);
    clearImmediate(this.soon);
  }

  private idle(until: Millis): void {
    if (this.turn === undefined) return;
    this.forget();
    const left = (until - this.hal.clock.now()) | 0;
    if (left <= 0) {
      // The port gets its turn between two turns of the program.
      this.soon = setImmediate(() => this.take());
      return;
    }
    // Node may call a little before the time is up: then there is a rest to wait for.
    this.timer = setTimeout(() => this.wake(until), left);
  }

  private wake(until: Millis): void {
    if (((until - this.hal.clock.now()) | 0) > 0) this.idle(until);
    else this.take();
  }
}
