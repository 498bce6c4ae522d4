import type { Application } from "../firmware/board/application";
import { AccessPoint } from "./air";
import type { SimClock } from "./clock";
import { SerialLine } from "./line";
import { Machine, type MachineOptions } from "./machine";
import type { ModuleObserver } from "./module/observer";
import { DEFAULT_PERSONALITY } from "./module/personalities";
import type { SimulatedModule } from "./module/simulated-module";
import { createModule, type ModuleName, ringsOf } from "./modules";
import type { Network } from "./network/network";
import { provisionedStorage, type Provisioning } from "./provisioning";
import { Random } from "./random";
import type { SimStorage } from "./storage";
import { World } from "./world";

export interface BenchOptions {
  readonly clock: SimClock;
  readonly network: Network;
  readonly application: Application;
  readonly device: string;
  /** The broker, and who the board is to it. */
  readonly host: string;
  readonly port: number;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** The Wi-Fi that is in the air, and that the board is told of. Default: one of the bench's own. */
  readonly wifi?: { readonly ssid: string; readonly password: string } | undefined;
  /** Settings of the board besides these, by their keys. */
  readonly otherSettings?: ReadonlyMap<string, string>;
  /** What the board keeps for TLS, in PEM: `ca`, `cert` and `key`. */
  readonly pems?: ReadonlyMap<string, string>;
  /** Any integer: the same seed gives the same drift, jitter and backoff. */
  readonly seed: number;
  /** Rate of the serial line at both ends. Default 115200. */
  readonly baud?: number;
  /** What the module is. Default: ESP-AT 5 on an ESP32-C3. */
  readonly personality?: ModuleName;
  readonly observer?: ModuleObserver;
  readonly machine?: Partial<MachineOptions>;
}

/** What surrounds a board, whatever the board is: wired up and without power. */
export interface Site {
  readonly clock: SimClock;
  readonly air: AccessPoint;
  readonly line: SerialLine;
  readonly module: SimulatedModule;
  readonly world: World;
  /** What the board is to be told. */
  readonly provisioning: Provisioning;
  readonly random: Random;
}

/** A board on the bench: everything that a simulation is made of, wired up and without power. */
export interface Bench {
  readonly clock: SimClock;
  readonly air: AccessPoint;
  readonly line: SerialLine;
  /** The console: the board at its host end, a person's terminal at the other. */
  readonly console: SerialLine;
  readonly module: SimulatedModule;
  readonly world: World;
  readonly storage: SimStorage;
  readonly machine: Machine;
}

/** The Wi-Fi of the bench. Nobody else hears it, so its password is none. */
const SSID = "bench";
const WIFI_PASSWORD = "not a secret";
/** What the chips have for their console, in bytes; a terminal has more than enough. */
const CONSOLE_RINGS = { hostTransmitRing: 256, hostReceiveRing: 128, moduleTransmitRing: 65536, moduleReceiveRing: 65536 };

export function createSite(options: Omit<BenchOptions, "application" | "machine">): Site {
  const { clock, network, baud = 115200, personality = DEFAULT_PERSONALITY } = options;
  const random = new Random(options.seed);
  const { ssid, password: wifiPassword } = options.wifi ?? { ssid: SSID, password: WIFI_PASSWORD };
  const air = new AccessPoint(clock, ssid, wifiPassword);
  const line = new SerialLine(clock, { hostBaud: baud, moduleBaud: baud, ...ringsOf(personality) });
  const module = createModule(personality, baud, {
    clock,
    line: line.module,
    network,
    air,
    random: random.fork("module"),
    ...(options.observer !== undefined && { observer: options.observer }),
  });
  const world = new World(clock, random.fork("world"));
  const provisioning = {
    device: options.device,
    ssid,
    wifiPassword,
    baud,
    host: options.host,
    port: options.port,
    user: options.user,
    password: options.password,
    ...(options.otherSettings !== undefined && { others: options.otherSettings }),
    ...(options.pems !== undefined && { pems: options.pems }),
  };
  return { clock, air, line, module, world, provisioning, random };
}

export function createBench(options: BenchOptions): Bench {
  const { clock, air, line, module, world, provisioning, random } = createSite(options);
  const console = new SerialLine(clock, CONSOLE_RINGS);
  const storage = provisionedStorage(provisioning);
  const machine = new Machine({
    clock,
    application: options.application,
    line: line.host,
    console: console.host,
    module,
    world,
    storage,
    random: random.fork("board"),
    ...options.machine,
  });
  return { clock, air, line, console, module, world, storage, machine };
}
