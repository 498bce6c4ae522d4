/**
 * Simulated days of a board at a site a hundred times worse than a bad one, in virtual time: see {@link soak}. The same
 * seed gives the same days, byte by byte.
 */
import type { Board } from "../../firmware/board/application";
import { ClientState } from "../../firmware/mqtt/client-state";
import { type Bench, createBench } from "../../sim/bench";
import { SimClock } from "../../sim/clock";
import { drawFaults, faultsOf, scheduleFaults } from "../../sim/faults";
import type { ModuleName } from "../../sim/modules";
import { ScriptedBroker } from "../../sim/network/broker";
import { MemoryNetwork } from "../../sim/network/memory";
import { Random } from "../../sim/random";
import application from "./application";
import ism43362Application from "./ism43362-application";
import { Orders } from "./orders";
import { PowerCuts } from "./power-cuts";
import { Readings } from "./readings";
import { BABBLE, BACK_WITHIN, LEFT_OUT, MEAN_INTERVAL, UNREADABLE } from "./site";
import { LIFE_CHANNEL } from "./specification";
import { Trace } from "./trace";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Faults strike for so long, then they are taken back and none strikes for so long. Twelve such rounds are a day. */
const STORM = 110 * MINUTE;
const CALM = 10 * MINUTE;
/** And it must be so again at the end of the calm, when the last order is this old. */
const LAST_ORDER = 10_000;
const LOOK_EVERY = 1000;
const DEVICE = "t1";

export interface SoakOptions {
  /** From a twelfth up. */
  readonly days: number;
  readonly seed: number;
  readonly personality: ModuleName;
  /** After each day, and at the end. */
  readonly dayOver?: (figures: Figures) => void;
  /** Before power-on: for a test that does to the board what a soak has to notice. */
  readonly meddle?: (soaked: Meddled) => void;
}

export interface Meddled {
  readonly bench: Bench;
  readonly broker: ScriptedBroker;
}

/** What the days have come to so far. */
export interface Figures {
  readonly days: number;
  /** Faults that struck, by name. */
  readonly faults: Readonly<Record<string, number>>;
  readonly calms: number;
  /** The longest time from the end of the faults until everything was as it should be, in ms. */
  readonly longestReturn: number;
  /** Telemetry messages that the board made, that arrived, that came again, and that had to go for newer ones. */
  readonly made: number;
  readonly arrived: number;
  readonly copies: number;
  readonly givenUp: number;
  /** Times that the broker hung up because a module had put something else than MQTT into the stream. */
  readonly unreadable: number;
  /** Orders at QoS 2 and at QoS 1. */
  readonly onceGiven: number;
  readonly onceObeyed: number;
  readonly againGiven: number;
  readonly againObeyed: number;
  /** The counters of the driver and of the client, of all lives of the board together. */
  readonly wifi: Counters;
  readonly client: Counters;
}

type Counters = Readonly<Record<string, number>>;

/** What the driver counts. The rest of its status is how things stand. */
const WIFI_COUNTERS = [
  "resets", "reboots", "timeouts", "resyncs", "escapes", "hunts", "holdOffs", "raises", "fallbacks", "busy", "joins",
  "joinFailures", "wifiLosses", "opens", "openFailures", "sends", "sentBytes", "receives", "receivedBytes", "damaged",
] as const;

/** What a board has counted in its life, and in those before. */
interface Sums {
  readonly made: number;
  readonly wifi: Counters;
  readonly client: Counters;
}

const NOTHING: Sums = { made: 0, wifi: {}, client: {} };

function countersOf(board: Board): Sums {
  const wifi = Object.fromEntries(WIFI_COUNTERS.map((name) => [name, board.wifi.status[name]]));
  return { made: board.telemetry.count, wifi, client: { ...board.client.stats } };
}

function plus(a: Counters, b: Counters): Counters {
  return Object.fromEntries(Object.keys({ ...a, ...b }).map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)]));
}

/** What the board did wrong, and what came before. */
export interface Failure {
  readonly problem: string;
  /** ms of simulated time. */
  readonly at: number;
  readonly trace: readonly string[];
}

export interface Soaked {
  readonly figures: Figures;
  readonly failure: Failure | undefined;
}

/**
 * Lives through the days, or until the board does something wrong: is not back within {@link BACK_WITHIN} of the end of
 * the faults, has lost a telemetry message that it did not have to give up, obeys an order at QoS 2 twice or never,
 * one at QoS 1 never, breaks the protocol, is reset by its watchdog, or throws.
 */
export function soak(options: SoakOptions): Soaked {
  const life = new Life(options);
  let failure: Failure | undefined;
  try {
    life.live();
  } catch (error) {
    const problem = error instanceof Wrong ? error.message : `threw ${error instanceof Error ? error.stack ?? error.message : String(error)}`;
    failure = { problem, at: life.clock.now, trace: life.trace.lines };
  }
  return { figures: life.figures, failure };
}

class Wrong extends Error {}

class Life {
  readonly clock = new SimClock();
  readonly trace = new Trace(this.clock);

  private readonly network = new MemoryNetwork(this.clock);
  private readonly broker: ScriptedBroker;
  private readonly random: Random;
  private readonly orders: Orders;
  private readonly bench: Bench;
  private readonly cuts: PowerCuts;
  private readonly readings = new Readings();
  /** Of the lives that are over. */
  private past = NOTHING;
  private readonly struck: Record<string, number> = {};
  private calms = 0;
  private longestReturn = 0;
  private hung = false;
  private struckAt = -Infinity;
  private unreadable = 0;

  constructor(private readonly options: SoakOptions) {
    const { seed, personality } = options;
    const { clock, network, trace } = this;
    this.broker = new ScriptedBroker(clock, {
      onPacket: (direction, { packet }) => {
        trace.packet(direction, packet);
        if (direction === "in" && packet.cmd === "publish" && packet.topic === `moth/${DEVICE}/telemetry`) this.readings.take(packet.payload.toString());
      },
    });
    this.broker.listen(network, "broker", 1883);
    this.random = new Random(seed).fork(`soak ${personality}`);
    this.orders = new Orders(clock, this.broker, this.random.fork("orders"), DEVICE);
    this.bench = createBench({
      clock, network, device: DEVICE, host: "broker", port: 1883, seed, personality,
      application: personality === "ism43362" ? ism43362Application : application,
      observer: {
        ...trace.observer,
        fault: (name, argument) => {
          this.strikes(name);
          trace.observer.fault?.(name, argument);
        },
      },
      machine: {
        onBoot: () => {
          this.readings.life += 1;
          this.orders.running = true;
        },
        onWatchdog: () => {
          this.hung = true;
        },
      },
    });
    this.orders.watch(this.bench.world);
    const { world } = this.bench;
    const measure = world.microvolts.bind(world);
    world.microvolts = (channel) => (channel === LIFE_CHANNEL ? this.readings.microvolts : measure(channel));
    this.cuts = new PowerCuts(clock, this.random.fork("power"), () => this.bench.machine, (cut) => {
      this.strikes(cut);
      trace.note(`FAULT ${cut}`);
      this.lifeEnds();
    });
  }

  private strikes(name: string): void {
    this.struck[name] = (this.struck[name] ?? 0) + 1;
    this.struckAt = this.clock.now;
  }

  /** What the board has counted goes with it. */
  private lifeEnds(): void {
    this.past = this.sums;
    this.orders.running = false;
  }

  live(): void {
    const rounds = Math.max(1, Math.round((this.options.days * DAY) / (STORM + CALM)));
    this.options.meddle?.({ bench: this.bench, broker: this.broker });
    this.bench.machine.powerOn();
    for (let round = 1; round <= rounds; round++) {
      this.storm(round);
      this.calm();
      if (round % 12 === 0 || round === rounds) this.options.dayOver?.(this.figures);
    }
  }

  private storm(round: number): void {
    const from = this.clock.now;
    const to = from + STORM;
    const { personality } = this.options;
    const names = faultsOf(personality).filter((name) => !LEFT_OUT.includes(name));
    const faults = drawFaults(this.random.fork(`faults ${round}`), { from, to, meanInterval: MEAN_INTERVAL, names });
    scheduleFaults(this.clock, faults, this.bench.module.faults);
    this.orders.giveUntil(to);
    this.cuts.begin();
    while (this.clock.now < to) {
      this.clock.runFor(LOOK_EVERY);
      this.check();
    }
    this.bench.module.faults.clear();
    this.cuts.end();
    this.trace.note("no more faults");
  }

  private calm(): void {
    const { clock } = this;
    const from = clock.now;
    this.orders.orderOnce();
    this.orders.orderAgain();
    while (this.lacking() !== "") {
      if (clock.now >= from + BACK_WITHIN) throw new Wrong(`is not back ${BACK_WITHIN / 1000} s after the last fault: ${this.lacking()}`);
      clock.runFor(LOOK_EVERY);
      this.check();
    }
    this.calms += 1;
    this.longestReturn = Math.max(this.longestReturn, clock.now - from);
    clock.runUntil(from + CALM - LAST_ORDER);
    this.orders.orderOnce();
    this.orders.orderAgain();
    clock.runUntil(from + CALM);
    this.check();
    // A reading that was made in the last moment is on its way.
    if (this.lacking() !== "") clock.runFor(LOOK_EVERY);
    if (this.lacking() !== "") throw new Wrong(`was back, and at the end of ${CALM / MINUTE} min without a fault is not: ${this.lacking()}`);
    // Thirty days of packets are of no more use.
    this.broker.received.length = 0;
    this.broker.sent.length = 0;
    this.bench.world.pinChanges.length = 0;
  }

  /** What is not as it should be without faults; empty when nothing is. */
  private lacking(): string {
    const { board } = this.bench.machine;
    const { missing } = this;
    if (board?.client.state !== ClientState.Online) return `the client is in state ${board?.client.state}`;
    if (this.broker.clients.length !== 1) return `${this.broker.clients.length} clients are connected`;
    if (!this.orders.handedOver) return "the broker has messages for it";
    const problem = this.orders.problem;
    if (problem !== undefined) return problem;
    return missing > 0 ? `${missing} telemetry messages are missing` : "";
  }

  /** Telemetry that has neither arrived nor been given up for newer messages. */
  private get missing(): number {
    const { made, arrived, givenUp } = this.figures;
    return made - arrived - givenUp;
  }

  /** What must never be, whatever strikes. */
  private check(): void {
    const { board } = this.bench.machine;
    if (this.hung) throw new Wrong("was reset by its watchdog");
    if (board !== undefined && board.problem !== "") throw new Wrong(board.problem);
    for (const fault of this.broker.faults.length === 0 ? [] : this.broker.faults.splice(0)) {
      if (!fault.includes(UNREADABLE) || this.clock.now > this.struckAt + BABBLE) throw new Wrong(`breaks the protocol: ${fault}`);
      this.unreadable += 1;
    }
    if (this.orders.outOfTurn !== undefined) throw new Wrong(this.orders.outOfTurn);
    const stats = board?.client.stats;
    if (stats !== undefined && stats.violations > 0) throw new Wrong("took what came for a breach of the protocol: the stream is damaged");
    if (board !== undefined && board.commands.rejected > 0) throw new Wrong("did not understand an order: the stream is damaged");
  }

  /** Of all lives up to now. */
  private get sums(): Sums {
    const { past, bench: { machine: { board } } } = this;
    const now = board === undefined ? NOTHING : countersOf(board);
    return { made: past.made + now.made, wifi: plus(past.wifi, now.wifi), client: plus(past.client, now.client) };
  }

  get figures(): Figures {
    const { made, wifi, client } = this.sums;
    const { overwritten = 0, refused = 0 } = client;
    const { arrived, copies } = this.readings;
    const { onceGiven, onceObeyed, againGiven, againObeyed } = this.orders;
    return {
      days: this.clock.now / DAY,
      faults: { ...this.struck },
      calms: this.calms,
      longestReturn: this.longestReturn,
      made,
      arrived,
      copies,
      givenUp: overwritten + refused,
      unreadable: this.unreadable,
      onceGiven,
      onceObeyed,
      againGiven,
      againObeyed,
      wifi,
      client,
    };
  }
}
