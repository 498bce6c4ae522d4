import type { Application } from "../firmware/board/application";
import { AccessPoint } from "./air";
import type { SimClock } from "./clock";
import { SerialLine } from "./line";
import { Machine, type MachineOptions } from "./machine";
import { EspAtModule } from "./module/esp-at";
import type { ModuleObserver } from "./module/observer";
import { espAt5C3 } from "./module/personality";
import type { Network } from "./network/network";
import { provisionedStorage } from "./provisioning";
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
  /** Any integer: the same seed gives the same drift, jitter and backoff. */
  readonly seed: number;
  /** Rate of the serial line at both ends. Default 115200. */
  readonly baud?: number;
  readonly observer?: ModuleObserver;
  readonly machine?: Partial<MachineOptions>;
}

/** A board on the bench: everything that a simulation is made of, wired up and without power. */
export interface Bench {
  readonly clock: SimClock;
  readonly air: AccessPoint;
  readonly line: SerialLine;
  readonly module: EspAtModule;
  readonly world: World;
  readonly storage: SimStorage;
  readonly machine: Machine;
}

/** The Wi-Fi of the bench. Nobody else hears it, so its password is none. */
const SSID = "bench";
const WIFI_PASSWORD = "not a secret";

export function createBench(options: BenchOptions): Bench {
  const { clock, network, application, baud = 115200 } = options;
  const random = new Random(options.seed);
  const air = new AccessPoint(clock, SSID, WIFI_PASSWORD);
  const line = new SerialLine(clock, { hostBaud: baud, moduleBaud: baud });
  const module = new EspAtModule({
    clock,
    line: line.module,
    network,
    air,
    random: random.fork("module"),
    personality: { ...espAt5C3, limits: { ...espAt5C3.limits, defaultBaud: baud } },
    ...(options.observer !== undefined && { observer: options.observer }),
  });
  const world = new World(clock, random.fork("world"));
  const storage = provisionedStorage({
    device: options.device,
    ssid: SSID,
    wifiPassword: WIFI_PASSWORD,
    baud,
    host: options.host,
    port: options.port,
    user: options.user,
    password: options.password,
  });
  const machine = new Machine({
    clock,
    application,
    line: line.host,
    module,
    world,
    storage,
    random: random.fork("board"),
    ...options.machine,
  });
  return { clock, air, line, module, world, storage, machine };
}
