/** A simulated module on its own, in real time, with real sockets behind it: what `moth module` offers to a program. */
import { AccessPoint } from "../../sim/air";
import { SimClock } from "../../sim/clock";
import { SerialLine } from "../../sim/line";
import type { ModuleObserver } from "../../sim/module/observer";
import type { SimulatedModule } from "../../sim/module/simulated-module";
import { createModule, type ModuleName, ringsOf } from "../../sim/modules";
import { TcpNetwork } from "../../sim/network/tcp";
import { Outside, runPaced } from "../../sim/pace";
import { Random } from "../../sim/random";
import { Failure } from "../failure";
import { applyFault, faultRequest, type FaultRequest } from "../faults";
import { watchModule } from "../sim/module-watch";
import type { Reporter } from "../sim/report";
import type { Client, OutletEvents } from "./outlet";

/** Bytes from the program that wait for the line. */
const RING = 1024;
/** A reset by the pin, in ms. */
const RESET_MS = 100;

export interface ServedModuleOptions {
  readonly personality: ModuleName;
  /** The rate that the module comes up with. */
  readonly baud: number;
  readonly seed: number;
  readonly faults: readonly FaultRequest[];
  /** The network in the air. Without a password it is open. */
  readonly wifi: { readonly ssid: string; readonly password: string };
  /** Every program finds the module as after power-on. */
  readonly resetOnConnect: boolean;
  readonly trace: boolean;
}

export interface ModuleSummary {
  readonly seconds: number;
  /** Programs that had it. */
  readonly clients: number;
  /** Bytes from and to them, and those that the module has lost. */
  readonly fromHost: number;
  readonly toHost: number;
  readonly lost: number;
}

export class ServedModule implements OutletEvents {
  private readonly clock = new SimClock();
  private readonly outside = new Outside(this.clock);
  private readonly end = new AbortController();
  private readonly line: SerialLine;
  private readonly module: SimulatedModule;
  private client: Client | undefined;
  /** From the program, and not yet in the ring of the line. */
  private pending: Uint8Array[] = [];
  private powered = true;
  private clients = 0;
  private fromHost = 0;
  private toHost = 0;
  private failure: Failure | undefined;
  /** The module is to come up at a rate that the program does not know of. */
  private strangeRate = false;

  constructor(
    private readonly options: ServedModuleOptions,
    private readonly reporter: Reporter,
  ) {
    const { clock, outside } = this;
    const { baud, seed, wifi, personality } = options;
    const random = new Random(seed);
    this.line = new SerialLine(clock, {
      hostBaud: baud, moduleBaud: baud, hostTransmitRing: RING, hostReceiveRing: 65_536, ...ringsOf(personality),
    });
    this.module = createModule(personality, baud, {
      clock,
      line: this.line.module,
      network: new TcpNetwork(outside),
      air: new AccessPoint(clock, wifi.ssid, wifi.password),
      random: random.fork("module"),
      observer: this.observer(),
    });
    this.line.host.onWake(() => this.handOver());
    // A program on a socket cannot say which rate it has: it is taken to be the one that it has asked the module for.
    this.line.module.onBaud = (rate) => {
      if (this.module.running) this.line.host.follow(rate);
    };
    this.line.host.onBaud = (baud) => {
      this.reporter.event(clock.now, "host", "rate", `its rate is now ${baud} baud`, { baud });
    };
  }

  /** Runs until {@link stop}. Rejects when the outlet fails. */
  async run(): Promise<ModuleSummary> {
    const { clock, outside, end: { signal }, options } = this;
    for (const fault of options.faults) {
      if (fault.when !== "soon" && "at" in fault.when) clock.at(fault.when.at, () => this.apply(fault));
      else this.apply(fault);
    }
    this.module.powerOn();
    await runPaced(clock, { speed: "real", outside, until: () => false, signal });
    this.module.powerOff();
    if (this.failure !== undefined) throw this.failure;
    const { clients, fromHost, toHost } = this;
    return { seconds: clock.now / 1000, clients, fromHost, toHost, lost: this.line.module.lost };
  }

  stop(): void {
    this.end.abort();
  }

  // --- the program

  connected(client: Client): void {
    this.clients += 1;
    this.outside.run(() => {
      // Only now: what came over the line up to the present was for nobody.
      this.client = client;
      this.tell("connected", `${client.name} has the module`, { client: client.name });
      if (this.options.resetOnConnect) this.powerCycle();
    });
  }

  data(bytes: Uint8Array): void {
    this.outside.run(() => {
      this.fromHost += bytes.length;
      this.pending.push(bytes);
      this.feedLine();
    });
  }

  gone(): void {
    const name = this.client?.name;
    this.client = undefined;
    this.outside.run(() => {
      this.pending = [];
      this.tell("gone", `${name ?? "the program"} has left; the module goes on`, { client: name });
    });
  }

  refused(name: string): void {
    this.outside.run(() => this.tell("refused", `${name} was sent away: one program at a time`, { client: name }));
  }

  failed(message: string): void {
    this.failure = new Failure(message);
    this.stop();
  }

  // --- the keys

  /** Presses the module's reset. */
  reset(): void {
    this.outside.run(() => {
      this.module.setReset(true);
      this.clock.after(RESET_MS, () => this.module.setReset(false));
    });
  }

  togglePower(): void {
    this.outside.run(() => {
      this.powered = !this.powered;
      if (this.powered) this.module.powerOn();
      else this.module.powerOff();
      this.reporter.event(this.clock.now, "power", this.powered ? "power-on" : "power-cut", this.powered ? "on" : "cut");
    });
  }

  fault(text: string): void {
    this.outside.run(() => {
      try {
        const request = faultRequest(text, this.options.personality);
        if (request.when !== "soon" && "at" in request.when) this.clock.after(request.when.at, () => this.apply(request));
        else this.apply(request);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        this.reporter.note(error.message);
      }
    });
  }

  private apply(fault: FaultRequest): void {
    applyFault(this.module.faults, fault);
  }

  private powerCycle(): void {
    this.pending = [];
    this.module.powerOff();
    if (this.powered) this.module.powerOn();
  }

  private tell(event: string, text: string, data: Record<string, unknown>): void {
    this.reporter.event(this.clock.now, "host", event, text, data);
  }

  // --- the line

  /** At the pace of the line: what it does not take waits at the program's. */
  private feedLine(): void {
    const { host } = this.line;
    while (this.pending.length > 0) {
      const [bytes = new Uint8Array(0), ...rest] = this.pending;
      const taken = host.write(bytes);
      if (taken < bytes.length) {
        this.pending[0] = bytes.subarray(taken);
        this.client?.pause();
        this.clock.at(host.freeAt(RING / 2), () => this.feedLine());
        return;
      }
      this.pending = rest;
    }
    this.client?.resume();
  }

  private handOver(): void {
    const { host } = this.line;
    const bytes = new Uint8Array(host.waiting);
    host.read(bytes);
    if (bytes.length === 0) return;
    this.toHost += bytes.length;
    this.client?.write(bytes);
  }

  private observer(): ModuleObserver {
    const { clock, reporter, options } = this;
    const traffic = { open: () => undefined, fromBoard: () => undefined, toBoard: () => undefined };
    const watch = watchModule(clock, reporter, traffic, options.trace, () => false);
    return {
      ...watch,
      fault: (name, argument) => {
        if (name === "module.reset_at_other_baud") this.strangeRate = true;
        watch.fault?.(name, argument);
      },
      ready: () => {
        watch.ready?.();
        if (!this.strangeRate) this.line.host.follow(this.line.module.baud);
        this.strangeRate = false;
      },
    };
  }
}
