import type { AccessPoint } from "../air";
import type { SimClock, Timer } from "../clock";
import type { LineEnd, LineOptions } from "../line";
import type { Network } from "../network/network";
import type { Random } from "../random";
import { burnClientFiles, type ClientFile } from "./certificate-store";
import { ModuleFaults } from "./faults/module-faults";
import type { Boot, FaultBody } from "./faults/sudden";
import { Firmware, type Hardware } from "./firmware";
import { blankFlash } from "./flash";
import type { ModuleObserver } from "./observer";
import { DEFAULT_PERSONALITY, PERSONALITIES } from "./personalities";
import type { Personality, Span } from "./personality";
import { flowControl } from "./settings";
import { RealTimeClock } from "./real-time-clock";

const NOTHING = new Uint8Array(0);
/** Receive FIFO of the hardware, in bytes. */
const FIFO = 128;

export interface EspAtOptions {
  readonly clock: SimClock;
  /** The module's end of the serial line. */
  readonly line: LineEnd;
  readonly network: Network;
  readonly air: AccessPoint;
  /** Chance for the jitter of its timing, its MAC and its garbage. */
  readonly random: Random;
  /** Default: ESP-AT 5 on an ESP32-C3. */
  readonly personality?: Personality;
  readonly observer?: ModuleObserver;
}

/**
 * A Wi-Fi module with AT firmware, as the board sees it at the other end of the line. Comes without power.
 */
export class EspAtModule {
  /** What goes wrong with it, and what is going to. */
  readonly faults: ModuleFaults;
  private readonly hardware: Hardware;
  /** Bytes that found the receive ring full, as far as they have been told. */
  private overflowed = 0;
  private powered = false;
  private heldInReset = false;
  private booting: Timer | undefined;
  private firmware: Firmware | undefined;

  constructor(options: EspAtOptions) {
    const personality = options.personality ?? PERSONALITIES[DEFAULT_PERSONALITY];
    const { clock, observer = {} } = options;
    this.faults = new ModuleFaults(clock, options.random.fork("faults"), observer, this.faultBody(options));
    this.hardware = {
      clock,
      line: options.line,
      network: options.network,
      air: options.air,
      random: options.random.fork("module"),
      personality,
      observer,
      faults: this.faults,
      flash: blankFlash(personality.limits.defaultBaud),
      realTime: new RealTimeClock(() => options.clock.now),
      mac: macFrom(options.random.fork("mac")),
      restart: (cause) => this.boot({ cause }),
      sleep: (ms) => this.sleep(ms),
    };
    options.line.fifoThreshold = personality.limits.fifoThreshold;
    options.line.idleSymbols = personality.limits.idleSymbols;
    options.line.onChunk((chunk) => this.accept(chunk));
    options.line.setPowered(false);
  }

  /** Whether the command interpreter runs: powered, out of reset, and booted. */
  get running(): boolean {
    return this.firmware !== undefined;
  }

  /** Connects the supply. Does nothing if it is connected. */
  powerOn(): void {
    if (this.powered) {
      return;
    }
    this.powered = true;
    if (!this.heldInReset) {
      this.boot({ cause: "power" });
    }
  }

  /** Cuts the supply: every socket is dead at once, the access point hears nothing. */
  powerOff(): void {
    this.powered = false;
    this.die();
    this.hardware.observer.draws?.("off");
  }

  /**
   * Puts certificates or keys (PEM or DER) where the module looks for them, in place of all that were there, as the
   * flashing tool does. Throws a RangeError if there is no room for them.
   */
  burn(file: ClientFile, ...contents: readonly Uint8Array[]): void {
    const { flash, personality } = this.hardware;
    burnClientFiles(flash.certificates, personality.habits.tls.store, file, contents);
  }

  /** Drives the reset pin. Held: the module is dead. Released: it boots. */
  setReset(held: boolean): void {
    const released = this.heldInReset && !held;
    this.heldInReset = held;
    if (held) {
      this.die();
      this.hardware.observer.draws?.(this.powered ? "held" : "off");
    } else if (released && this.powered) {
      this.boot({ cause: "pin" });
    }
  }

  /**
   * The firmware falls over and boots again: noise on the line, `ready` at the default rate, everything that is not in
   * flash forgotten. Does nothing to a module without power or in reset.
   */
  crash(): void {
    if (this.alive) {
      this.boot({ cause: "crash" });
    }
  }

  private get alive(): boolean {
    return this.powered && !this.heldInReset;
  }

  private faultBody({ clock, air, line }: EspAtOptions): FaultBody {
    const alive = (): boolean => this.alive;
    const firmware = (): Firmware | undefined => this.firmware;
    return {
      clock,
      air,
      line,
      get alive() {
        return alive();
      },
      get firmware() {
        return firmware();
      },
      restart: (boot) => this.boot(boot),
    };
  }

  private accept(chunk: Uint8Array): void {
    const { line, observer } = this.hardware;
    const overflowed = line.lost - this.overflowed;
    if (overflowed > 0) {
      this.overflowed += overflowed;
      observer.lost?.(overflowed, "overflow");
      this.firmware?.overflowed();
    }
    this.firmware?.accept(chunk);
  }

  private die(): void {
    this.booting?.cancel();
    this.firmware?.stop();
    this.firmware = undefined;
    this.hardware.line.setPowered(false);
    this.faults.hung = false;
  }

  /** Only the timer that wakes it up goes on. */
  private sleep(ms: number): void {
    const { clock, observer, personality } = this.hardware;
    this.die();
    observer.draws?.("asleep");
    this.booting = clock.after(ms * this.pick(personality.timings.sleepClock), () => this.boot({ cause: "wake" }));
  }

  private boot({ cause, silent = false, baud }: Boot): void {
    const { clock, line, personality: { habits, timings }, flash, realTime, observer } = this.hardware;
    this.die();
    if (cause === "power" || cause === "pin" || !habits.keepsTime) {
      realTime.forget();
    }
    observer.reset?.(cause);
    observer.draws?.("on");
    line.setPowered(true);
    line.setListening(false);
    const romBaud = habits.boot.baud(cause);
    if (romBaud > 0) {
      line.setBaud(romBaud);
    }
    const uartReady = clock.now + this.pick(timings.uartReady);
    const rest = clock.now + this.pick(timings.boot) - uartReady;
    const noise = silent ? [] : this.strayBytes(habits.boot.noise(cause));
    const text = Buffer.concat([Buffer.from(noise), Buffer.from(silent ? "" : habits.boot.text(cause))]);
    // The ROM prints to the end before anything else happens, however slow the line is.
    this.printRom(text, () => {
      this.booting = clock.at(Math.max(uartReady, line.idleAt()), () => {
        this.takeUartOver(baud ?? flash.baud, silent);
        this.booting = clock.after(rest, () => this.start(silent));
      });
    });
  }

  /** The boot has come to where the UART driver is installed, at the rate that is in flash. */
  private takeUartOver(baud: number, silent: boolean): void {
    const { line, personality, flash, observer } = this.hardware;
    const lost = line.discard();
    if (lost > 0) {
      observer.lost?.(lost, "booting");
    }
    line.setBaud(baud);
    line.setFlow(flowControl(flash.frame?.flow ?? personality.habits.defaultFlow));
    this.printRom(silent ? NOTHING : this.strayBytes(personality.habits.boot.takeOver), () => undefined);
  }

  private start(silent: boolean): void {
    this.firmware = new Firmware(this.hardware);
    this.firmware.start(silent);
    // What the host sent during the rest of the boot waits in the driver's ring, and is handled now.
    this.hardware.line.setListening(true);
  }

  private printRom(bytes: Uint8Array, done: () => void): void {
    const { clock, line, observer } = this.hardware;
    const taken = line.write(bytes);
    if (taken > 0) {
      observer.toHost?.(bytes.subarray(0, taken));
    }
    if (taken === bytes.length) {
      done();
      return;
    }
    const rest = bytes.subarray(taken);
    this.booting = clock.at(line.freeAt(Math.min(rest.length, line.transmitRingSize)), () => this.printRom(rest, done));
  }

  private pick([least, most]: Span): number {
    return this.hardware.random.between(least, most);
  }

  /** What the pins do while nobody drives them, as the host's UART reads it. */
  private strayBytes([least, most]: readonly [number, number]): Uint8Array {
    const { random } = this.hardware;
    const count = most === 0 ? 0 : least + random.int(most - least + 1);
    return Uint8Array.from({ length: count }, () => [0x00, 0xff, random.int(256)][random.int(3)] ?? 0);
  }
}

/** What the UART driver of a module has, for the {@link SerialLine} that it is put on. */
export function moduleRings({ limits }: Personality): Pick<LineOptions, "moduleReceiveRing" | "moduleTransmitRing"> {
  return { moduleReceiveRing: FIFO + limits.receiveRing, moduleTransmitRing: limits.transmitRing };
}

function macFrom(random: Random): string {
  const own = [0, 0, 0].map(() => random.int(256).toString(16).padStart(2, "0"));
  return ["7c", "df", "a1", ...own].join(":");
}
