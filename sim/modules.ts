/** The Wi-Fi modules that can be simulated, by the names that users write. */
import type { AccessPoint } from "./air";
import type { SimClock } from "./clock";
import type { LineEnd, LineOptions } from "./line";
import { ISM43362_RINGS, Ism43362Module } from "./module-ism43362/module";
import { EspAtModule, moduleRings } from "./module/esp-at";
import type { ModuleObserver } from "./module/observer";
import { atBaud, isPersonalityName, PERSONALITIES, type PersonalityName } from "./module/personalities";
import type { SimulatedModule } from "./module/simulated-module";
import type { Network } from "./network/network";
import type { Random } from "./random";

/** A firmware generation of ESP-AT, or a module of another family. An application is built for one family. */
export type ModuleName = PersonalityName | "ism43362";

export const MODULE_NAMES: readonly string[] = [...Object.keys(PERSONALITIES), "ism43362"];

export function isModuleName(name: string): name is ModuleName {
  return name === "ism43362" || isPersonalityName(name);
}

export interface ModuleOptions {
  readonly clock: SimClock;
  /** The module's end of the serial line. */
  readonly line: LineEnd;
  readonly network: Network;
  readonly air: AccessPoint;
  readonly random: Random;
  readonly observer?: ModuleObserver;
}

/** What the UART of a module has, for the line that it is put on. */
export function ringsOf(name: ModuleName): Pick<LineOptions, "moduleReceiveRing" | "moduleTransmitRing"> {
  return name === "ism43362" ? ISM43362_RINGS : moduleRings(PERSONALITIES[name]);
}

/** A module that was set up for `baud` bits per second. Comes without power. */
export function createModule(name: ModuleName, baud: number, options: ModuleOptions): SimulatedModule {
  if (name === "ism43362") return new Ism43362Module({ ...options, baud });
  return new EspAtModule({ ...options, personality: atBaud(PERSONALITIES[name], baud) });
}
