/** Runs one board on the bench until it is told to stop: what `moth sim` does once its options are clear. */
import type { Application, Board } from "../../firmware/board/application";
import { type Bench, createBench } from "../../sim/bench";
import { SimClock } from "../../sim/clock";
import { TcpNetwork } from "../../sim/network/tcp";
import { Outside, runPaced } from "../../sim/pace";
import { Failure } from "../failure";
import type { EmbeddedBroker } from "./broker";
import { KEY_HELP, type Player } from "./keys";
import { watchModule } from "./module-watch";
import { MqttWatch } from "./mqtt-watch";
import type { SimOptions } from "./options";
import { printable, type Reporter } from "./report";
import { summarise, type Summary } from "./summary";

/** The board has so long for a clean stop, in simulated ms, before its power is cut. */
const STOP_PATIENCE = 10_000;
const BUTTON_PRESS = 200;

export interface Broker {
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

export class Simulation implements Player {
  private readonly clock = new SimClock();
  private readonly outside = new Outside(this.clock);
  private readonly bench: Bench;
  private readonly boards: Board[] = [];
  private wasOnline = false;
  private orderedOn = false;
  private stopping = false;
  private stoppedByHand = false;
  private over = false;
  private failure: Failure | undefined;

  constructor(
    application: Application,
    broker: Broker,
    private readonly options: SimOptions,
    private readonly reporter: Reporter,
    private readonly embedded?: EmbeddedBroker,
  ) {
    const { clock } = this;
    const availability = `moth/${options.device}/availability`;
    embedded?.watch(availability, (payload) => this.play(() => {
      const text = `every subscriber hears ${availability} ${printable(payload)}`;
      reporter.event(clock.now, "broker", "heard", text, { name: availability, payload });
    }));
    const traces = options.trace === undefined ? [] : options.trace === "all" ? ["at", "mqtt"] : [options.trace];
    // A broker's answer may come in pieces, tens of milliseconds apart: time that runs ahead waits for all of it.
    const answers = {};
    const mqtt = new MqttWatch(clock, reporter, traces.includes("mqtt"), {
      answersOwed: (owed) => (owed ? this.outside.awaitAnswer(answers) : this.outside.settled(answers)),
      online: () => (this.wasOnline = true),
      refused: (_code, reason) => {
        // Later it may be the broker's mood; the very first time it is what the user typed.
        if (!this.wasOnline) this.fail(`the broker at ${broker.host}:${broker.port} refused: ${reason}`);
      },
    });
    this.bench = createBench({
      clock,
      network: new TcpNetwork(this.outside),
      application,
      device: options.device,
      host: broker.host,
      port: broker.port,
      user: broker.user,
      password: broker.password,
      seed: options.seed,
      baud: options.baud,
      observer: watchModule(clock, reporter, mqtt, traces.includes("at"), () => !this.stopping && this.bench.machine.on),
      machine: {
        onBoot: (board) => this.booted(board),
        onWatchdog: () => reporter.event(clock.now, "power", "watchdog", "reset by the watchdog"),
      },
    });
    const { world } = this.bench;
    world.onPinChange = ({ pin, high }) => {
      reporter.event(clock.now, "pin", "pin", `pin ${pin} ${high ? "high" : "low"}`, { pin, high });
    };
    for (const [name, value] of options.set) {
      try {
        this.set(name, value);
      } catch (error) {
        throw error instanceof Failure ? new Failure(`--set ${name}=${value}: ${error.message}`) : error;
      }
    }
  }

  /** Runs until the end. Fails when the board could not be brought online at all. */
  async run(): Promise<Summary> {
    const { clock, bench, options } = this;
    this.power(true);
    if (options.seconds !== undefined) clock.at(options.seconds * 1000, () => this.beginStop());
    try {
      await runPaced(clock, { speed: options.speed, outside: this.outside, until: () => this.isOver() });
    } finally {
      bench.machine.cutPower();
    }
    if (this.failure !== undefined) throw this.failure;
    if (!this.wasOnline && !this.stoppedByHand) {
      throw new Failure("the board never came online: try --trace all, or a longer --for");
    }
    return summarise(clock.now / 1000, this.boards, bench.line);
  }

  warmer(degrees: number): void {
    this.play(() => this.set("temperature", Math.round(this.bench.world.temperature + degrees)));
  }

  moister(percent: number): void {
    this.play(() => this.set("humidity", Math.round(this.bench.world.humidity + percent)));
  }

  release(): void {
    this.play(() => {
      this.bench.world.release("temperature");
      this.bench.world.release("humidity");
      this.reporter.event(this.clock.now, "world", "drift", "temperature and humidity drift again");
    });
  }

  pressButton(): void {
    this.play(() => {
      this.bench.world.pressButton();
      this.reporter.event(this.clock.now, "world", "button", "button pressed");
      this.clock.after(BUTTON_PRESS, () => this.bench.world.releaseButton());
    });
  }

  orderRelay(): void {
    this.play(() => {
      if (this.embedded === undefined) {
        throw new Failure(`only its own broker takes orders from here: publish to moth/${this.options.device}/relay/set`);
      }
      this.orderedOn = !this.orderedOn;
      const [topic, payload] = [`moth/${this.options.device}/relay/set`, this.orderedOn ? "ON" : "OFF"];
      this.reporter.event(this.clock.now, "broker", "order", `somebody publishes ${topic} ${payload}`, {
        name: topic, payload,
      });
      this.embedded.publish(topic, payload);
    });
  }

  togglePower(): void {
    this.play(() => this.power(!this.bench.machine.on));
  }

  help(): void {
    this.reporter.note(KEY_HELP);
  }

  /** A clean stop: `offline` is published and the broker is left in good order. A second call does not wait for it. */
  stop(): void {
    this.stoppedByHand = true;
    this.play(() => this.beginStop());
  }

  private beginStop(): void {
    if (this.stopping) {
      this.over = true;
      return;
    }
    this.stopping = true;
    this.bench.machine.stop();
    this.clock.after(STOP_PATIENCE, () => (this.over = true));
  }

  private isOver(): boolean {
    const { board, on } = this.bench.machine;
    return this.over || this.failure !== undefined || (this.stopping && (!on || board === undefined || board.stopped()));
  }

  private power(on: boolean): void {
    const { machine } = this.bench;
    const text = on ? "on" : "cut: no DISCONNECT, the broker has to notice";
    this.reporter.event(this.clock.now, "power", on ? "power-on" : "power-cut", text);
    // Without power every relay is off.
    this.orderedOn = false;
    if (on) machine.powerOn();
    else machine.cutPower();
  }

  private booted(board: Board): void {
    this.boards.push(board);
    if (board.problem !== "") this.fail(board.problem);
  }

  private set(name: string, value: number): void {
    try {
      this.bench.world.set(name, value);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new Failure(error.message);
    }
    this.reporter.event(this.clock.now, "world", "set", `${name} is ${value}`, { name, value });
  }

  /** Keys and signals come from outside of simulated time. A key that asks for the impossible is told so. */
  private play(happening: () => void): void {
    this.outside.run(() => {
      try {
        happening();
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        this.reporter.note(error.message);
      }
    });
  }

  private fail(message: string): void {
    this.failure ??= new Failure(message);
  }
}
