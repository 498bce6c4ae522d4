import type { AccessPoint } from "../air";
import type { SimClock, Timer } from "../clock";
import type { LineEnd, LineOptions } from "../line";
import type { ModuleObserver, ResetCause } from "../module/observer";
import type { SimulatedModule } from "../module/simulated-module";
import type { Network } from "../network/network";
import type { Random } from "../random";
import { LIMITS, TIMINGS } from "./facts";
import { Ism43362Faults } from "./faults";
import { Firmware, type Hardware } from "./firmware";

/** Most stray bytes on the line while nobody drives it. */
const NOISE = 3;

/** Bytes in the UART's FIFO at which they are handed on, or after so much silence in byte times (chosen). */
const FIFO_THRESHOLD = 64;
const IDLE_SYMBOLS = 4;

export interface Ism43362Options {
  readonly clock: SimClock;
  /** The module's end of the serial line. */
  readonly line: LineEnd;
  readonly network: Network;
  readonly air: AccessPoint;
  /** Chance for the jitter of its timing, its MAC and its garbage. */
  readonly random: Random;
  /** Rate after a boot, in bits per second, as `U2`, `U0` and `Z1` have set it once. Default 115200. */
  readonly baud?: number;
  readonly observer?: ModuleObserver;
}

/** Inventek's ISM43362 with the firmware for its UART, as the board sees it at the other end of the line. Comes without power. */
export class Ism43362Module implements SimulatedModule {
  readonly faults: Ism43362Faults;
  private readonly hardware: Hardware;
  private readonly baud: number;
  /** Hears nothing and says nothing until a reset from outside. */
  private hung = false;
  private powered = false;
  private heldInReset = false;
  private booting: Timer | undefined;
  private firmware: Firmware | undefined;

  constructor(options: Ism43362Options) {
    const { clock, line, network, air, random, observer = {} } = options;
    this.baud = options.baud ?? LIMITS.baud;
    this.hardware = {
      clock,
      line,
      network,
      air,
      random: random.fork("module"),
      observer,
      mac: macFrom(random.fork("mac")),
      restart: (cause) => this.boot(cause),
    };
    this.faults = new Ism43362Faults({
      clock,
      air,
      random: random.fork("faults"),
      observer,
      crash: () => this.crash(),
      hang: () => this.hang(),
    });
    line.fifoThreshold = FIFO_THRESHOLD;
    line.idleSymbols = IDLE_SYMBOLS;
    line.onChunk((chunk) => this.firmware?.accept(chunk));
    line.setPowered(false);
  }

  get running(): boolean {
    return this.firmware !== undefined;
  }

  powerOn(): void {
    if (this.powered) return;
    this.powered = true;
    if (!this.heldInReset) this.boot("power");
  }

  powerOff(): void {
    this.powered = false;
    this.die();
    this.hardware.observer.draws?.("off");
  }

  setReset(held: boolean): void {
    const released = this.heldInReset && !held;
    this.heldInReset = held;
    if (held) {
      this.die();
      this.hardware.observer.draws?.(this.powered ? "held" : "off");
    } else if (released && this.powered) this.boot("pin");
  }

  crash(): void {
    if (this.alive && !this.hung) this.boot("crash");
  }

  private get alive(): boolean {
    return this.powered && !this.heldInReset;
  }

  private hang(): void {
    if (!this.alive) return;
    this.die();
    this.hung = true;
  }

  private die(): void {
    this.hung = false;
    this.booting?.cancel();
    this.firmware?.stop();
    this.firmware = undefined;
    this.hardware.line.setPowered(false);
  }

  private boot(cause: ResetCause): void {
    const { clock, line, random, observer } = this.hardware;
    this.die();
    observer.reset?.(cause);
    observer.draws?.("on");
    line.setPowered(true);
    line.setListening(false);
    line.setBaud(this.baud);
    const noise = Uint8Array.from({ length: random.int(NOISE + 1) }, () => [0x00, 0xff, random.int(256)][random.int(3)] ?? 0);
    if (noise.length > 0) {
      observer.toHost?.(noise);
      line.write(noise);
    }
    this.booting = clock.after(random.between(...TIMINGS.boot), () => {
      // What the host sent during the boot is lost.
      line.reset();
      this.firmware = new Firmware(this.hardware);
      this.firmware.start();
      line.setListening(true);
    });
  }
}

/** What its UART has, for the line that it is put on. */
export const ISM43362_RINGS: Pick<LineOptions, "moduleReceiveRing" | "moduleTransmitRing"> = {
  moduleReceiveRing: LIMITS.receiveRing,
  moduleTransmitRing: LIMITS.transmitRing,
};

function macFrom(random: Random): string {
  const own = [0, 0, 0].map(() => random.int(256).toString(16).padStart(2, "0"));
  return ["c4", "7f", "51", ...own].join(":");
}
