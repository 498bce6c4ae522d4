/** Orders to the board, and what it makes of them: at QoS 2 each is to be obeyed once, at QoS 1 at least once. */
import type { SimClock } from "../../sim/clock";
import type { ScriptedBroker } from "../../sim/network/broker";
import type { Random } from "../../sim/random";
import type { World } from "../../sim/world";
import { AGAIN_PIN, ONCE_PIN } from "./specification";

/** From one order to the next, in ms. */
const SOONEST = 30_000;
const LATEST = 600_000;

export class Orders {
  onceGiven = 0;
  onceObeyed = 0;
  againGiven = 0;
  againObeyed = 0;
  /** The first order at QoS 2 that was obeyed out of turn: the one before it is lost, or it came twice. */
  outOfTurn: string | undefined;
  /** The program runs: what drives a pin is an order, and no boot and no power cut. */
  running = false;
  private again = false;

  constructor(
    private readonly clock: SimClock,
    private readonly broker: ScriptedBroker,
    private readonly random: Random,
    private readonly device: string,
  ) {}

  /** Sees every order obeyed, also one that switches nothing because it came twice. */
  watch(world: World): void {
    const drive = world.drivePin.bind(world);
    world.drivePin = (pin, high) => {
      drive(pin, high);
      if (!this.running) return;
      if (pin === ONCE_PIN) this.obeyedOnce(high);
      if (pin === AGAIN_PIN) {
        this.againObeyed += 1;
        this.again = high;
      }
    };
  }

  /** Gives one now and then, until `end`. */
  giveUntil(end: number): void {
    this.clock.after(this.random.between(SOONEST, LATEST), () => {
      if (this.clock.now >= end) return;
      if (this.random.int(2) === 0) this.orderOnce();
      else this.orderAgain();
      this.giveUntil(end);
    });
  }

  orderOnce(): void {
    this.onceGiven += 1;
    this.broker.publish(`moth/${this.device}/once/set`, isOn(this.onceGiven) ? "ON" : "OFF", { qos: 2 });
  }

  orderAgain(): void {
    this.againGiven += 1;
    this.broker.publish(`moth/${this.device}/again/set`, isOn(this.againGiven) ? "ON" : "OFF", { qos: 1 });
  }

  /** The broker has nothing more to do for the board. */
  get handedOver(): boolean {
    return this.broker.pendingFor(this.device) === 0;
  }

  /** What is wrong, when everything has been handed over; undefined when nothing is. */
  get problem(): string | undefined {
    if (this.outOfTurn !== undefined) return this.outOfTurn;
    if (this.onceObeyed !== this.onceGiven) return `${this.onceObeyed} of ${this.onceGiven} orders at QoS 2 were obeyed, though all are acknowledged`;
    if (this.againObeyed < this.againGiven) return `${this.againObeyed} of ${this.againGiven} orders at QoS 1 were obeyed, though all are acknowledged`;
    if (this.again !== isOn(this.againGiven)) return "the last order at QoS 1 is acknowledged and was not obeyed";
    return undefined;
  }

  /**
   * Of a board of which only changes of its pins are seen, the power has failed: what was ON is OFF, as if an order had
   * been given and obeyed.
   */
  powerHasFailed(): void {
    if (!isOn(this.onceObeyed)) return;
    this.onceGiven += 1;
    this.onceObeyed += 1;
  }

  /** The power has failed between the save that an order is known and its handler: nobody does it (`keep.ts`). */
  forgive(): void {
    this.onceGiven -= 1;
  }

  private obeyedOnce(high: boolean): void {
    this.onceObeyed += 1;
    if (high !== isOn(this.onceObeyed) || this.onceObeyed > this.onceGiven) {
      this.outOfTurn ??= `order ${this.onceObeyed} at QoS 2 was obeyed out of turn: one is lost, or was obeyed twice`;
    }
  }
}

/** Every other one is ON, so that one that is missing shows. */
function isOn(order: number): boolean {
  return order % 2 === 1;
}
