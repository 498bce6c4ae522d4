/** What a board on this computer senses and switches: it has no sensors and no relay, so the simulator's world has them. */
import type { Analog, Pins } from "../../hal/hal";
import { SimClock } from "../../sim/clock";
import { WorldPins } from "../../sim/machine";
import { Random } from "../../sim/random";
import { type PinChange, World } from "../../sim/world";
import { Failure } from "../failure";

export class Surroundings {
  readonly pins: Pins;
  readonly analog: Analog;
  private readonly clock = new SimClock();
  private readonly world: World;

  /** `now`: milliseconds since the start. `set`: what is held where. */
  constructor(
    private readonly now: () => number,
    set: readonly (readonly [string, number])[],
    onPinChange: (change: PinChange) => void,
  ) {
    this.world = new World(this.clock, new Random(Date.now()));
    this.world.onPinChange = onPinChange;
    for (const [name, value] of set) this.set(name, value);
    this.pins = new WorldPins(this.world);
    this.analog = {
      read: (channel) => {
        this.clock.runUntil(this.now());
        return this.world.microvolts(channel);
      },
    };
  }

  private set(name: string, value: number): void {
    try {
      this.world.set(name, value);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new Failure(error.message);
    }
  }
}
