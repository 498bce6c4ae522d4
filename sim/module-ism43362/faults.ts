import type { AccessPoint } from "../air";
import type { SimClock } from "../clock";
import { drawArgument, FAULTS, type FaultName } from "../faults";
import type { ModuleObserver } from "../module/observer";
import type { FaultStage } from "../module/simulated-module";
import type { Random } from "../random";

/** How often chance may have a fault strike, in ms. */
const ROLL_EVERY = 60_000;

/** What the faults act on. */
export interface FaultBody {
  readonly clock: SimClock;
  readonly air: AccessPoint;
  readonly random: Random;
  readonly observer: ModuleObserver;
  crash(): void;
  hang(): void;
}

/** Those of the catalogue that this module knows: none needs an occasion. The others do nothing. */
export class Ism43362Faults implements FaultStage {
  private readonly chances = new Map<FaultName, number>();

  constructor(private readonly body: FaultBody) {}

  strike(name: FaultName, argument = FAULTS[name].argument?.usual ?? 0): void {
    const { air, observer } = this.body;
    switch (name) {
      case "wifi.drop":
        air.drop(argument);
        break;
      case "module.reset":
        this.body.crash();
        break;
      case "module.hang":
        this.body.hang();
        break;
      default:
        return;
    }
    observer.fault?.(name, FAULTS[name].argument === undefined ? undefined : argument);
  }

  chance(name: FaultName, probability: number, argument?: number): void {
    const rolling = this.chances.has(name);
    this.chances.set(name, probability);
    if (!rolling) this.roll(name, argument);
  }

  clear(): void {
    for (const name of this.chances.keys()) this.chances.set(name, 0);
  }

  private roll(name: FaultName, argument: number | undefined): void {
    const { clock, random } = this.body;
    clock.after(ROLL_EVERY, () => {
      if (random.next() < (this.chances.get(name) ?? 0)) this.strike(name, argument ?? drawArgument(random, name));
      this.roll(name, argument);
    });
  }
}
