/** Runs an image on an emulated chip until it is told to stop: what `moth emulate` does once its options are clear. */
import { createSite, type Site } from "../../sim/bench";
import { TcpNetwork } from "../../sim/network/tcp";
import { settingsText } from "../../sim/provisioning";
import { boardNamed } from "../build/board-file";
import { Failure } from "../failure";
import type { EmbeddedBroker } from "../sim/broker";
import type { SimOptions } from "../sim/options";
import { printable, type Reporter, type Topic } from "../sim/report";
import { type Broker, Session, type Stage } from "../sim/session";
import { wifiOf } from "../sim/simulate";
import type { EmulatedChip, Surroundings } from "./chip";
import { ConsoleUser } from "./console-user";
import type { BuiltFiles } from "./image";

export interface EmulationOptions extends SimOptions {
  readonly board: string;
  /** Keeps the flash between runs. */
  readonly flashFile: string | undefined;
}

/** What `moth emulate` says at its end. */
export interface EmulationSummary {
  /** Simulated seconds, and how often the chip started: by power, by itself, by its watchdog. */
  readonly seconds: number;
  readonly powerOns: number;
  readonly restarts: number;
  readonly watchdogResets: number;
  readonly sessions: number;
  readonly published: number;
  readonly acknowledged: number;
  readonly received: number;
  /** Since power last came on; undefined where the emulator does not count. */
  readonly cycles: number | undefined;
  readonly busyCycles: number | undefined;
}

/** Counts what it hands on. */
class CountingReporter implements Reporter {
  private readonly counts = new Map<string, number>();

  constructor(private readonly reporter: Reporter) {}

  event(time: number, topic: Topic, event: string, text: string, data?: Record<string, unknown>): void {
    const name = `${topic} ${event}`;
    this.counts.set(name, this.count(name) + 1);
    this.reporter.event(time, topic, event, text, data);
  }

  note(text: string): void {
    this.reporter.note(text);
  }

  count(name: string): number {
    return this.counts.get(name) ?? 0;
  }
}

/** Makes the chip that a board's port is for. */
async function createChip(options: EmulationOptions, image: BuiltFiles, surroundings: Surroundings): Promise<EmulatedChip> {
  const { folder, config } = boardNamed(options.board);
  const { flashFile, seed } = options;
  if (folder.endsWith("rp2040")) {
    const { createRp2040 } = await import("./rp2040");
    const { elf, bin, uf2 } = image;
    if (bin === undefined) throw new Failure(`${elf}: there is no .bin beside it, which is what is flashed: build it anew`);
    const resetPin = Number(config["MODULE_RESET_PIN"]);
    return createRp2040({ elf, bin, uf2 }, surroundings, { flashFile, seed, resetPin: resetPin < 0 ? undefined : resetPin });
  }
  if (folder.endsWith("stm32f405")) {
    requireRealTime(options, "QEMU, which runs this chip,");
    const { createStm32f405 } = await import("./qemu/stm32f405");
    return createStm32f405(image, surroundings, { config, flashFile });
  }
  if (folder.endsWith("host")) {
    requireRealTime(options, "a program of this computer");
    const { createHost } = await import("./host");
    return createHost(image, surroundings, { flashFile, seed });
  }
  throw new Failure(`no emulator for the board ${options.board}: choose pico, stm32f405 or host`);
}

function requireRealTime({ speed }: EmulationOptions, what: string): void {
  if (speed === "max") throw new Failure(`--speed max: ${what} knows real time only: leave it out`);
}

export class Emulation extends Session {
  protected readonly stage: Stage;
  /** What the chip says on its console, as it comes. */
  onConsole: ((bytes: Uint8Array) => void) | undefined;
  /** What surrounds the board. Whoever changes something in it does so within {@link happen}. */
  readonly site: Site;
  private readonly user: ConsoleUser;
  private readonly counting: CountingReporter;
  private chip: EmulatedChip | undefined;

  static async create(
    image: BuiltFiles, broker: Broker, options: EmulationOptions, reporter: Reporter, embedded?: EmbeddedBroker,
  ): Promise<Emulation> {
    const emulation = new Emulation(broker, options, new CountingReporter(reporter), embedded);
    emulation.chip = await createChip(options, image, emulation.surroundings());
    return emulation;
  }

  private constructor(
    broker: Broker, options: EmulationOptions, reporter: CountingReporter, embedded: EmbeddedBroker | undefined,
  ) {
    super(broker, options, reporter, embedded);
    const { clock, outside, observer } = this;
    this.counting = reporter;
    this.site = createSite({
      clock,
      network: new TcpNetwork(outside),
      device: options.device,
      host: broker.host,
      port: broker.port,
      user: broker.user,
      password: broker.password,
      ...wifiOf(options.settings),
      pems: options.pems,
      seed: options.seed,
      baud: options.baud,
      personality: options.personality,
      observer,
    });
    this.user = new ConsoleUser({ settings: settingsText(this.site.provisioning), pems: options.pems }, {
      type: (text) => this.chip?.type(Buffer.from(text)),
      line: (text) => reporter.event(clock.now, "console", "line", printable(text), { text }),
      refused: (message) => this.fail(message),
    });
    const isOn = (): boolean => this.chip?.on === true;
    this.stage = {
      world: this.site.world,
      faults: this.site.module.faults,
      get on() {
        return isOn();
      },
      // The firmware on a chip has no end: stopping it is cutting its power.
      get stopped() {
        return !isOn();
      },
      powerOn: () => {
        this.user.boardStarted();
        this.chip?.powerOn();
      },
      cutPower: () => this.chip?.cutPower(),
      stop: () => this.chip?.cutPower(),
    };
    this.setTheScene();
  }

  /** Runs until the end. Fails when the board could not be brought online at all. */
  async run(): Promise<EmulationSummary> {
    let cycles: Pick<EmulationSummary, "cycles" | "busyCycles">;
    try {
      await this.playOut();
    } finally {
      cycles = { cycles: this.chip?.cycles, busyCycles: this.chip?.busyCycles };
      await this.chip?.close();
    }
    const { counting } = this;
    return {
      seconds: this.clock.now / 1000,
      powerOns: counting.count("power power-on"),
      restarts: counting.count("power restart"),
      watchdogResets: counting.count("power watchdog"),
      sessions: counting.count("mqtt online"),
      published: counting.count("send publish"),
      acknowledged: counting.count("ack acknowledged"),
      received: counting.count("receive message"),
      ...cycles,
    };
  }

  /** Something happens to the board, from outside of simulated time. */
  happen(happening: () => void): void {
    this.play(happening);
  }

  /** Bytes of the board's memory: see {@link EmulatedChip.peek}. */
  async peek(address: number, count: number): Promise<Uint8Array> {
    if (this.chip === undefined) throw new Error("there is no board yet");
    return this.chip.peek(address, count);
  }

  /** Somebody types on the console. Nobody can while the board is given its settings. */
  type(bytes: Uint8Array): void {
    this.play(() => {
      if (this.user.satisfied) this.chip?.type(bytes);
    });
  }

  private surroundings(): Surroundings {
    const { clock, outside, reporter, site: { line, module, world } } = this;
    return {
      clock,
      outside,
      line: line.host,
      module,
      world,
      onConsole: (bytes) => {
        this.onConsole?.(bytes);
        this.user.hear(bytes);
      },
      onReset: (cause) => {
        reporter.event(clock.now, "power", cause, cause === "watchdog" ? "reset by the watchdog" : "the board starts anew");
        this.user.boardStarted();
      },
      onBootLoader: () => {
        reporter.event(clock.now, "power", "boot-loader", "left for the boot loader: cut the power to get it back");
      },
      onFailure: (message) => this.fail(message),
    };
  }
}

export function inWords(summary: EmulationSummary): string {
  const { seconds, powerOns, restarts, watchdogResets, sessions, published, acknowledged, received, cycles, busyCycles } = summary;
  const share = cycles === undefined || busyCycles === undefined || cycles === 0
    ? []
    : [`  processor   ${(busyCycles / 1e6).toFixed(1)} million cycles, ${((100 * busyCycles) / cycles).toFixed(2)} % of its time`];
  return [
    `after ${seconds.toFixed(1)} s`,
    `  published   ${published}, acknowledged ${acknowledged}, received ${received}`,
    `  sessions    ${sessions}, power-ons ${powerOns}, restarts ${restarts}, watchdog resets ${watchdogResets}`,
    ...share,
  ].join("\n");
}
