/** A driver on a simulated module, of whatever family, over a line that takes its time: what the benches have in common. */
import { createEspAt } from "../../../firmware/wifi/esp-at";
import { createIsm43362 } from "../../../firmware/wifi/ism43362/ism43362";
import { DEAF, type WifiFamily, type WifiModule, type WifiOptions } from "../../../firmware/wifi/module";
import type { Bytes, Entropy, Hal } from "../../../hal/hal";
import { computerSystem, deadConsole } from "../../../hal/node/computer";
import { view } from "../../../hal/node/view";
import { AccessPoint } from "../../../sim/air";
import { SimClock, type Timer } from "../../../sim/clock";
import { SerialLine } from "../../../sim/line";
import type { ModuleObserver } from "../../../sim/module/observer";
import { DEFAULT_PERSONALITY } from "../../../sim/module/personalities";
import type { SimulatedModule } from "../../../sim/module/simulated-module";
import { createModule, type ModuleName, ringsOf } from "../../../sim/modules";
import { MemoryNetwork } from "../../../sim/network/memory";
import { Random } from "../../../sim/random";

const TURN_MS = 0.1;

/** What is done to a byte on its way: it goes on as these. */
export type Meddle = (byte: number) => readonly number[];

export interface SimulatedOptions {
  /** Default 1. */
  readonly seed?: number;
  /** What the module is. Default: the newest ESP-AT. */
  readonly personality?: ModuleName;
  /** Makes the driver. Default: the plain one of the module's family. */
  readonly family?: WifiFamily;
  readonly baud?: number;
  /** When the board begins, in ms; the module has power from the first. Default 20. */
  readonly startAfter?: number;
  /** Whether the reset pin does what the board thinks it does. Default true. */
  readonly resetConnected?: boolean;
  readonly resetLine?: boolean;
  /** The board's receive ring. Default 1024. */
  readonly receiveRing?: number;
  /** Most bytes that the serial port hands over at a time; the next ones in the next turn. Default: all that it has. */
  readonly readAtMost?: number;
  readonly driver?: Partial<WifiOptions>;
  /** Networks that the board knows besides the one that is there. */
  readonly otherNetworks?: WifiOptions["networks"];
  /** How long the board's program does other things in a turn, in ms. Default 0.1. */
  readonly turnTime?: number;
  readonly ssid?: string;
  readonly password?: string;
  /** Sees what the module does, besides its commands. */
  readonly observer?: ModuleObserver;
}

/** Who has the link, and a turn between the two halves of the driver's. */
export interface LinkHolder {
  poll(now: number): void;
  wait(now: number): number;
}

/** The drivers, and the window and the receives that suit them. */
function familyOf(name: ModuleName): { readonly create: WifiFamily } & Pick<WifiOptions, "window" | "maxReceive"> {
  if (name === "ism43362") return { create: createIsm43362, window: 512, maxReceive: 1024 };
  return { create: createEspAt, window: 1024, maxReceive: 512 };
}

/** Asked anew for each byte, as the meddling may end with any. */
function meddledWith(meddle: Meddle | undefined, byte: number): readonly number[] {
  return meddle === undefined ? [byte] : meddle(byte);
}

export abstract class SimulatedBoard {
  readonly clock = new SimClock();
  readonly random: Random;
  readonly entropy: Entropy;
  readonly air: AccessPoint;
  readonly line: SerialLine;
  readonly network = new MemoryNetwork(this.clock);
  readonly module: SimulatedModule;
  readonly wifi: WifiModule;
  readonly commands: string[] = [];
  /** What the application was told. */
  readonly told: string[] = [];
  turns = 0;
  /** The board's clock stood so many milliseconds more than it has gone since: days in which nothing happened. */
  skipped = 0;
  /** What happens to bytes on the line; undefined: they arrive. */
  toHost: Meddle | undefined;
  toModule: Meddle | undefined;

  private readonly turnTime: number;
  private readonly readAtMost: number;
  /** What may still be read in this turn. */
  private readable = 0;
  private next: Timer | undefined;
  private turnedAt = 0;
  /** Bytes that {@link toHost} has made more of than there was room for. */
  private surplus: number[] = [];

  constructor(options: SimulatedOptions = {}) {
    const { seed = 1, baud = 115200, ssid = "home", password = "secret99", personality = DEFAULT_PERSONALITY } = options;
    const { clock, network } = this;
    this.random = new Random(seed);
    this.turnTime = options.turnTime ?? TURN_MS;
    this.readAtMost = options.readAtMost ?? Infinity;
    this.air = new AccessPoint(clock, ssid, password);
    this.line = new SerialLine(clock, {
      hostBaud: baud,
      moduleBaud: baud,
      hostReceiveRing: options.receiveRing ?? 1024,
      ...ringsOf(personality),
    });
    this.module = createModule(personality, baud, {
      clock,
      line: this.line.module,
      network,
      air: this.air,
      random: this.random.fork("module"),
      observer: { ...options.observer, command: (line) => this.commands.push(line) },
    });
    const entropy = this.random.fork("entropy");
    this.entropy = { next: () => entropy.int(0x80000000) };
    const { create, window, maxReceive } = familyOf(personality);
    this.wifi = (options.family ?? create)(
      this.hal(options),
      {
        networks: [{ ssid, password }, ...(options.otherNetworks ?? [])],
        baud,
        maxBaud: baud,
        window,
        maxSend: 2048,
        maxReceive,
        pollEvery: 2000,
        security: undefined,
        ...options.driver,
      },
      {
        ...DEAF,
        joined: (_now, name) => this.told.push(`joined ${name}`),
        joinFailed: (_now, name, reason) => this.told.push(`not joined ${name} ${reason}`),
        wifiLost: (_now, name) => this.told.push(`lost ${name}`),
      },
    );
    const { host } = this.line;
    host.setPowered(true);
    this.module.powerOn();
    this.next = clock.after(options.startAfter ?? 20, () => {
      host.onWake(() => this.schedule(clock.now));
      this.turn();
    });
  }

  protected abstract readonly holder: LinkHolder;

  get now(): number {
    return (Math.floor(this.clock.now) + this.skipped) | 0;
  }

  turn(): void {
    this.turns++;
    const now = this.now;
    this.readable = this.readAtMost;
    this.wifi.receive(now);
    this.holder.poll(now);
    this.wifi.pump(now);
    const wait = Math.min(this.wifi.wait(now), this.holder.wait(now));
    if (wait < 0) throw new Error(`the board asks for a wait of ${wait} ms`);
    this.turnedAt = this.clock.now;
    const more = this.surplus.length > 0 || (this.readable === 0 && this.line.host.waiting > 0);
    this.schedule(more ? 0 : Math.floor(this.clock.now) + wait);
  }

  /** Lets time pass until something holds. Gives whether it came to that. */
  until(holds: () => boolean, ms: number): boolean {
    const end = this.clock.now + ms;
    while (!holds() && this.clock.now < end) this.clock.runFor(10);
    return holds();
  }

  /** The next turn comes at `due`, and never sooner than a turn takes. */
  private schedule(due: number): void {
    this.next?.cancel();
    this.next = this.clock.at(Math.max(due, this.turnedAt + this.turnTime), () => this.turn());
  }

  private hal(options: SimulatedOptions): Hal {
    const { host } = this.line;
    const present = options.resetLine ?? true;
    const connected = present && (options.resetConnected ?? true);
    return {
      clock: { now: () => this.now },
      serial: {
        read: (into: Bytes, at: number, room: number) => this.read(view(into), at, room),
        write: (from: Bytes, at: number, count: number) => this.write(view(from), at, count),
        lost: () => host.lost,
        setBaud: (rate: number) => host.setBaud(rate),
      },
      console: deadConsole,
      system: computerSystem(() => undefined),
      reset: {
        present,
        hold: (held: boolean) => {
          if (connected) this.module.setReset(held);
        },
      },
      pins: { configure: () => false, write: () => undefined, read: () => false },
      analog: { read: () => -1 },
      entropy: this.entropy,
      storage: { load: () => 0, save: () => false },
      watchdog: { start: () => undefined, feed: () => undefined },
      idle: () => undefined,
    };
  }

  private read(into: Uint8Array, at: number, room: number): number {
    if (room < 1) throw new Error("the driver reads without room");
    if (at < 0 || at + room > into.length) throw new RangeError(`the driver reads ${room} bytes to ${at} of ${into.length}`);
    if (this.toHost === undefined && this.surplus.length === 0) {
      const read = this.line.host.read(into, at, Math.min(room, this.readable));
      this.readable -= read;
      return read;
    }
    const came = new Uint8Array(room);
    const count = this.line.host.read(came, 0, room);
    this.surplus.push(...[...came.subarray(0, count)].flatMap((byte) => meddledWith(this.toHost, byte)));
    const piece = this.surplus.splice(0, room);
    into.set(piece, at);
    return piece.length;
  }

  private write(from: Uint8Array, at: number, count: number): number {
    const { host } = this.line;
    if (at < 0 || at + count > from.length) throw new RangeError(`the driver sends ${count} bytes at ${at} of ${from.length}`);
    if (this.toModule === undefined) return host.write(from, at, count);
    // A byte of room is left for one that comes twice.
    const taken = Math.max(Math.min(count, host.transmitRingSize - host.leaving - 1), 0);
    for (const byte of from.subarray(at, at + taken)) host.write(Uint8Array.from(meddledWith(this.toModule, byte)));
    return taken;
  }
}
