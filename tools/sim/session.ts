/** Plays with one board until told to stop: power, keys, orders, and what is told of it. It does not know what runs on the board. */
import { SimClock } from "../../sim/clock";
import type { ModuleObserver } from "../../sim/module/observer";
import type { FaultStage } from "../../sim/module/simulated-module";
import { Outside, runPaced } from "../../sim/pace";
import type { World } from "../../sim/world";
import { Failure } from "../failure";
import { applyFault, faultRequest, isOfStart } from "../faults";
import type { EmbeddedBroker } from "./broker";
import { KEY_HELP, type Player } from "./keys";
import { watchModule } from "./module-watch";
import { MqttWatch } from "./mqtt-watch";
import type { SimOptions } from "./options";
import { printable, type Reporter } from "./report";

/** The board has so long for a clean stop, in simulated ms, before its power is cut. */
const STOP_PATIENCE = 10_000;
const BUTTON_PRESS = 200;

export interface Broker {
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

/** The board that is played with, and the world that it is in. */
export interface Stage {
  readonly world: World;
  /** Of its Wi-Fi module. */
  readonly faults: FaultStage;
  readonly on: boolean;
  powerOn(): void;
  cutPower(): void;
  /** Asks for a stop in good order. */
  stop(): void;
  /** Whether it has come to that. */
  readonly stopped: boolean;
}

export abstract class Session implements Player {
  protected readonly clock = new SimClock();
  protected readonly outside = new Outside(this.clock);
  /** Tells of the module and of what goes through it. */
  protected readonly observer: ModuleObserver;
  protected abstract readonly stage: Stage;
  private wasOnline = false;
  private orderedOn = false;
  private stopping = false;
  private stoppedByHand = false;
  private over = false;
  private failure: Failure | undefined;

  constructor(
    broker: Broker,
    protected readonly options: SimOptions,
    protected readonly reporter: Reporter,
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
      online: () => this.cameOnline(),
      refused: (_code, reason) => {
        // Later it may be the broker's mood; the very first time it is what the user typed.
        if (!this.wasOnline) this.fail(`the broker at ${broker.host}:${broker.port} refused: ${reason}`);
      },
    });
    this.observer = watchModule(clock, reporter, mqtt, traces.includes("at"), () => !this.stopping && this.stage.on);
  }

  /** The stage stands: its pins are told of, and the world is as the options have it. Called once. */
  protected setTheScene(): void {
    const { clock, options, reporter, stage: { world, faults } } = this;
    world.onPinChange = ({ pin, high }) => {
      reporter.event(clock.now, "pin", "pin", `pin ${pin} ${high ? "high" : "low"}`, { pin, high });
    };
    for (const fault of options.faults) {
      const { name, when } = fault;
      if (when !== "soon" && "at" in when) clock.at(when.at, () => applyFault(faults, fault));
      else if (when !== "soon" || isOfStart(name)) applyFault(faults, fault);
    }
    for (const [name, value] of options.set) {
      try {
        this.set(name, value);
      } catch (error) {
        throw error instanceof Failure ? new Failure(`--set ${name}=${value}: ${error.message}`) : error;
      }
    }
  }

  /** Plays until the end. Fails when the board could not be brought online at all. */
  protected async playOut(): Promise<void> {
    const { clock, options } = this;
    this.power(true);
    if (options.seconds !== undefined) clock.at(options.seconds * 1000, () => this.beginStop());
    try {
      await runPaced(clock, { speed: options.speed, outside: this.outside, until: () => this.isOver() });
    } finally {
      this.stage.cutPower();
    }
    if (this.failure !== undefined) throw this.failure;
    if (!this.wasOnline && !this.stoppedByHand) {
      throw new Failure(`the board never came online: ${this.trouble ?? "try --trace all, or a longer --for"}`);
    }
  }

  warmer(degrees: number): void {
    this.play(() => this.set("temperature", Math.round(this.stage.world.temperature + degrees)));
  }

  moister(percent: number): void {
    this.play(() => this.set("humidity", Math.round(this.stage.world.humidity + percent)));
  }

  release(): void {
    this.play(() => {
      this.stage.world.release("temperature");
      this.stage.world.release("humidity");
      this.reporter.event(this.clock.now, "world", "drift", "temperature and humidity drift again");
    });
  }

  pressButton(): void {
    this.play(() => {
      this.stage.world.pressButton();
      this.reporter.event(this.clock.now, "world", "button", "button pressed");
      this.clock.after(BUTTON_PRESS, () => this.stage.world.releaseButton());
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
    this.play(() => this.power(!this.stage.on));
  }

  fault(text: string): void {
    this.play(() => {
      const request = faultRequest(text, this.options.personality);
      const { when } = request;
      if (when !== "soon" && "at" in when) this.clock.after(when.at, () => applyFault(this.stage.faults, request));
      else applyFault(this.stage.faults, request);
    });
  }

  help(): void {
    this.reporter.note(KEY_HELP);
  }

  /** A clean stop: `offline` is published and the broker is left in good order. A second call does not wait for it. */
  stop(): void {
    this.stoppedByHand = true;
    this.play(() => this.beginStop());
  }

  /** Why the board is not online, if it knows. */
  protected get trouble(): string | undefined {
    return undefined;
  }

  private beginStop(): void {
    if (this.stopping) {
      this.over = true;
      return;
    }
    this.stopping = true;
    this.stage.stop();
    this.clock.after(STOP_PATIENCE, () => (this.over = true));
  }

  private cameOnline(): void {
    if (this.wasOnline) return;
    this.wasOnline = true;
    for (const fault of this.options.faults) {
      if (fault.when === "soon" && !isOfStart(fault.name)) applyFault(this.stage.faults, fault);
    }
  }

  private isOver(): boolean {
    return this.over || this.failure !== undefined || (this.stopping && (!this.stage.on || this.stage.stopped));
  }

  private power(on: boolean): void {
    const text = on ? "on" : "cut: no DISCONNECT, the broker has to notice";
    this.reporter.event(this.clock.now, "power", on ? "power-on" : "power-cut", text);
    // Without power every relay is off.
    this.orderedOn = false;
    if (on) this.stage.powerOn();
    else this.stage.cutPower();
  }

  private set(name: string, value: number): void {
    try {
      this.stage.world.set(name, value);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new Failure(error.message);
    }
    this.reporter.event(this.clock.now, "world", "set", `${name} is ${value}`, { name, value });
  }

  /** Keys and signals come from outside of simulated time. A key that asks for the impossible is told so. */
  protected play(happening: () => void): void {
    this.outside.run(() => {
      try {
        happening();
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        this.reporter.note(error.message);
      }
    });
  }

  /** Ends the session with this as its failure. */
  protected fail(message: string): void {
    this.failure ??= new Failure(message);
  }
}
