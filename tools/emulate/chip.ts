/** What `moth emulate` and the tests see of an emulated chip, whichever emulator runs it. */
import type { SimClock } from "../../sim/clock";
import type { LineEnd } from "../../sim/line";
import type { SimulatedModule } from "../../sim/module/simulated-module";
import type { Outside } from "../../sim/pace";
import type { World } from "../../sim/world";

/** What hangs on the chip's pins. */
export interface Surroundings {
  readonly clock: SimClock;
  /** Where an emulator that is a program of its own comes in. */
  readonly outside: Outside;
  /** The board's end of the line to the Wi-Fi module. */
  readonly line: LineEnd;
  /** Hangs on the same supply, and on the board's reset line. */
  readonly module: SimulatedModule;
  /** What is on the board's pins and analog channels. */
  readonly world: World;
  /** What the chip sends on its console. The bytes are the callee's. */
  readonly onConsole: (bytes: Uint8Array) => void;
  /** The chip was reset, other than by power. */
  readonly onReset: (cause: "restart" | "watchdog") => void;
  /** The chip has left for the boot loader that takes new firmware, and stays there until it is without power. */
  readonly onBootLoader?: () => void;
  /** The chip or its emulator cannot go on, as a sentence. */
  readonly onFailure: (message: string) => void;
}

/** What every emulator can be told beyond the image and the surroundings. */
export interface ChipOptions {
  /** Keeps the flash's contents from one run to the next; made if it is not there. Undefined: they are forgotten. */
  readonly flashFile?: string | undefined;
}

/** A chip with an image in its flash. It comes switched off; its flash keeps what it holds without power. */
export interface EmulatedChip {
  readonly on: boolean;
  /** Connects the supply of chip and module. Does nothing if it is connected. */
  powerOn(): void;
  /** Cuts it: RAM is lost, the sockets of the module die at once. */
  cutPower(): void;
  /** Types on the console. */
  type(bytes: Uint8Array): void;
  /** CPU cycles since power-on that the processor did not sleep; undefined where the emulator does not count. */
  readonly busyCycles: number | undefined;
  /** All cycles since power-on; undefined where the emulator does not count. */
  readonly cycles: number | undefined;
  /**
   * Bytes of its memory as they are now, for tests: the program is not stopped for it. `address`: as the ELF file has
   * it. Rejects for a board without power.
   */
  peek(address: number, count: number): Promise<Uint8Array>;
  /** Ends the emulator. */
  close(): Promise<void>;
}
