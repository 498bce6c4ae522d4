/**
 * Minutes of a soak on an emulated Pico, in virtual time: the same application, faults, orders and account as in Node,
 * with a broker in memory. What is known of the board is what it shows: at the broker, on its pins, on its console.
 */
import { createSite, type Site } from "../../sim/bench";
import { SimClock } from "../../sim/clock";
import { drawFaults, faultsOf, scheduleFaults } from "../../sim/faults";
import type { PersonalityName } from "../../sim/module/personalities";
import { ScriptedBroker } from "../../sim/network/broker";
import { MemoryNetwork } from "../../sim/network/memory";
import { Outside } from "../../sim/pace";
import { settingsText } from "../../sim/provisioning";
import { Random } from "../../sim/random";
import { boardNamed } from "../../tools/build/board-file";
import { ConsoleUser } from "../../tools/emulate/console-user";
import type { ImageFiles } from "../../tools/emulate/image";
import { createRp2040, type EmulatedPico } from "../../tools/emulate/rp2040";
import { Orders } from "./orders";
import { Readings } from "./readings";
import { BABBLE, BACK_WITHIN, LEFT_OUT, MEAN_INTERVAL, UNREADABLE } from "./site";
import { LIFE_CHANNEL } from "./specification";
import { Trace } from "./trace";

const MINUTE = 60_000;
const DEVICE = "t1";
const LOOK_EVERY = 100;
/** From one order to the next, and from power to no power, at the soonest and at the latest. */
const ORDER_EVERY = [2_000, 20_000] as const;
const LIFE = [60_000, 240_000] as const;
/** How long after an order the power fails: before, while and after it is obeyed. */
const LATEST_CUT = 250;
const OFF = [50, 5_000] as const;

export interface PicoFigures {
  readonly faults: Readonly<Record<string, number>>;
  readonly cuts: number;
  readonly arrived: number;
  readonly copies: number;
  readonly gaps: number;
  readonly onceGiven: number;
  readonly onceObeyed: number;
  /** Orders that a power cut struck between the save and the handler. */
  readonly forgiven: number;
  /** What the board counts since power came on last, and what it should have counted. */
  readonly counted: number;
  readonly due: number;
}

export interface PicoSoaked {
  readonly figures: PicoFigures;
  readonly problem: string | undefined;
  readonly trace: readonly string[];
}

export interface PicoSoakOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly personality: PersonalityName;
  /** Before power-on: for a test that does to the board what a soak has to notice. */
  readonly meddle?: (site: Site) => void;
}

/** Lives through the minutes, or until the board does something wrong. */
export function soakPico(image: ImageFiles, options: PicoSoakOptions): PicoSoaked {
  const life = new PicoLife(image, options);
  let problem: string | undefined;
  try {
    life.live();
  } catch (error) {
    problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  return { figures: life.figures, problem, trace: life.trace.lines };
}

class PicoLife {
  readonly trace: Trace;
  private readonly clock = new SimClock();
  private readonly broker: ScriptedBroker;
  private readonly site: Site;
  private readonly pico: EmulatedPico;
  private readonly random: Random;
  private readonly orders: Orders;
  private readonly readings = new Readings();
  private readonly struck: Record<string, number> = {};
  private readonly said: string[] = [];
  private struckAt = -Infinity;
  private cuts = 0;
  private obeyedBefore = 0;
  private counted = 0;
  private forgiven = 0;

  constructor(image: ImageFiles, private readonly options: PicoSoakOptions) {
    const { clock } = this;
    const { seed, personality } = options;
    this.trace = new Trace(clock);
    const { trace } = this;
    const network = new MemoryNetwork(clock);
    this.broker = new ScriptedBroker(clock, {
      onPacket: (direction, { packet }) => {
        trace.packet(direction, packet);
        // Whatever drives a pin before is the boot.
        if (packet.cmd === "connect") this.orders.running = true;
        if (direction === "in" && packet.cmd === "publish" && packet.topic === `moth/${DEVICE}/telemetry`) this.readings.take(packet.payload.toString());
      },
    });
    this.broker.listen(network, "broker", 1883);
    this.random = new Random(seed).fork(`pico ${personality}`);
    this.orders = new Orders(clock, this.broker, this.random.fork("orders"), DEVICE);
    this.site = createSite({
      clock, network, device: DEVICE, host: "broker", port: 1883, seed, personality,
      observer: {
        ...trace.observer,
        fault: (name, argument) => {
          this.struck[name] = (this.struck[name] ?? 0) + 1;
          this.struckAt = clock.now;
          trace.observer.fault?.(name, argument);
        },
      },
    });
    const { world } = this.site;
    const measure = world.microvolts.bind(world);
    world.microvolts = (channel) => (channel === LIFE_CHANNEL ? this.readings.microvolts : measure(channel));
    this.orders.watch(world);
    const user = new ConsoleUser({ settings: settingsText(this.site.provisioning) }, {
      type: (text) => this.pico.type(Buffer.from(text)),
      line: (line) => this.said.push(line),
      refused: (message) => {
        throw new Error(message);
      },
    });
    this.pico = createRp2040(image, {
      clock,
      outside: new Outside(clock),
      line: this.site.line.host,
      module: this.site.module,
      world,
      onConsole: (bytes) => user.hear(bytes),
      onReset: (cause) => {
        if (cause === "watchdog") throw new Error("was reset by its watchdog");
        this.begins();
        user.boardStarted();
      },
      onFailure: (message) => {
        throw new Error(message);
      },
    }, { seed, resetPin: Number(boardNamed("pico").config["MODULE_RESET_PIN"]) });
  }

  live(): void {
    const { clock, random } = this;
    const { minutes, personality } = this.options;
    this.options.meddle?.(this.site);
    this.powerOn();
    this.until(() => this.readings.arrived > 0, BACK_WITHIN, "came online at first");
    const from = clock.now;
    const to = from + minutes * MINUTE;
    const names = faultsOf(personality).filter((name) => !LEFT_OUT.includes(name));
    scheduleFaults(clock, drawFaults(random.fork("faults"), { from, to, meanInterval: MEAN_INTERVAL, names }), this.site.module.faults);
    let cutAt = from + random.between(...LIFE);
    while (clock.now < to) {
      this.run(random.between(...ORDER_EVERY));
      this.orders.orderOnce();
      // With an order for ON only: whether it is obeyed before the cut, or after it, its pin shows it.
      if (clock.now >= cutAt && this.orders.onceGiven % 2 === 1 && this.orders.onceObeyed === this.orders.onceGiven - 1) {
        this.powerFails();
        cutAt = clock.now + random.between(...LIFE);
      }
    }
    this.site.module.faults.clear();
    this.trace.note("no more faults");
    this.calm();
  }

  /** In the middle of an order. */
  private powerFails(): void {
    const { random, orders, broker } = this;
    this.run(random.int(LATEST_CUT));
    const open = orders.onceGiven - orders.onceObeyed;
    this.cutPower();
    this.run(random.between(...OFF));
    orders.powerHasFailed();
    this.powerOn();
    this.until(() => broker.clients.length === 1 && orders.handedOver, 2 * BACK_WITHIN, "is back after the power");
    this.run(1000);
    if (open === 1 && orders.onceObeyed < orders.onceGiven && orders.handedOver) {
      this.forgiven += 1;
      orders.forgive();
    }
  }

  /** Without faults: everything is as it should be, and goes on. */
  private calm(): void {
    const { orders, readings, broker } = this;
    this.until(() => broker.clients.length === 1 && orders.handedOver && orders.problem === undefined, BACK_WITHIN, "is back");
    const { arrived } = readings;
    this.until(() => readings.arrived > arrived && readings.gaps === 0, 2 * MINUTE, "has all readings delivered");
    this.said.length = 0;
    this.pico.type(Buffer.from("status\r"));
    this.until(() => this.said.includes("ok"), 5000, "says its status");
    this.counted = Number(/^commands=(\d+)$/m.exec(this.said.join("\n"))?.[1]);
    if (this.counted !== this.due) throw new Error(`has obeyed ${this.counted} orders since power came on, and ${this.due} were given`);
  }

  /** The program begins, from the start or anew. */
  private begins(): void {
    this.readings.life += 1;
    this.obeyedBefore = this.orders.onceObeyed;
    this.orders.running = false;
  }

  private powerOn(): void {
    this.pico.powerOn();
    this.begins();
  }

  private cutPower(): void {
    this.cuts += 1;
    this.struckAt = this.clock.now;
    this.trace.note("power cut");
    this.orders.running = false;
    this.pico.cutPower();
  }

  private run(ms: number): void {
    const end = this.clock.now + ms;
    while (this.clock.now < end) {
      this.clock.runUntil(Math.min(this.clock.now + LOOK_EVERY, end));
      this.check();
    }
  }

  private until(holds: () => boolean, ms: number, what: string): void {
    const end = this.clock.now + ms;
    while (!holds()) {
      if (this.clock.now >= end) throw new Error(`not within ${ms / 1000} s: the board ${what}; ${JSON.stringify(this.figures)} ${this.orders.problem ?? ""}`);
      this.run(LOOK_EVERY);
    }
  }

  /** What must never be, whatever strikes. */
  private check(): void {
    for (const fault of this.broker.faults.splice(0)) {
      if (!fault.includes(UNREADABLE) || this.clock.now > this.struckAt + BABBLE) throw new Error(`breaks the protocol: ${fault}`);
    }
    if (this.orders.outOfTurn !== undefined) throw new Error(this.orders.outOfTurn);
  }

  private get due(): number {
    return this.orders.onceObeyed - this.obeyedBefore;
  }

  get figures(): PicoFigures {
    const { struck: faults, cuts, forgiven, counted, due } = this;
    const { arrived, copies, gaps } = this.readings;
    const { onceGiven, onceObeyed } = this.orders;
    return { faults, cuts, arrived, copies, gaps, onceGiven, onceObeyed, forgiven, counted, due };
  }
}
