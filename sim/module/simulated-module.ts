import type { FaultName } from "../faults";

/** What can be made to go wrong with a module: see the catalogue in `sim/faults.ts`. */
export interface FaultStage {
  /** Has a fault strike: at once if it needs no occasion, else at the next one. Without `argument` the usual one. */
  strike(name: FaultName, argument?: number): void;
  /** From now on the fault strikes at each of its occasions with this probability (0 to 1; 0 ends it). */
  chance(name: FaultName, probability: number, argument?: number): void;
  /** Takes back whatever has not struck yet, and every chance. What has struck goes its way. */
  clear(): void;
}

/** What the simulation asks of a Wi-Fi module, of whatever family. One comes without power. */
export interface SimulatedModule {
  /** What goes wrong with it, and what is going to. */
  readonly faults: FaultStage;
  /** Whether the command interpreter runs: powered, out of reset, and booted. */
  readonly running: boolean;
  /** Connects the supply. Does nothing if it is connected. */
  powerOn(): void;
  /** Cuts the supply: every socket is dead at once, the access point hears nothing. */
  powerOff(): void;
  /** Drives the reset pin. Held: the module is dead. Released: it boots. */
  setReset(held: boolean): void;
  /**
   * The firmware falls over and boots again: everything that is not in flash is forgotten. Does nothing to a module
   * without power or in reset.
   */
  crash(): void;
}
