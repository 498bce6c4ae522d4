import type { SimClock } from "../../clock";
import { drawArgument, FAULTS, type FaultName, type FaultTarget } from "../../faults";
import type { Random } from "../../random";
import type { ModuleObserver } from "../observer";
import { type FaultBody, type SuddenFault, suddenFaults } from "./sudden";

/** How often chance may have a fault strike that needs no occasion, and how often one is tried that could not yet, in ms. */
const ROLL_EVERY = 60_000;
const TRY_EVERY = 50;

/** Where among several occasions a fault strikes. */
export interface Hit {
  readonly at: number;
  readonly argument: number;
}

const NO_HITS: readonly Hit[] = [];
const always = (): boolean => true;

/** A fault that may strike at each of its occasions. */
interface Chance {
  readonly probability: number;
  /** Undefined: another one each time. */
  readonly argument: number | undefined;
}

/**
 * The faults of one module: those that have been asked for and wait for their occasion, and those that strike by
 * chance. It outlives resets and power cuts. The firmware asks it at the points where something can go wrong.
 */
export class ModuleFaults implements FaultTarget {
  /** Hangs: nothing comes in and nothing goes out until a reset from outside. Set by `module.hang`. */
  hung = false;

  /** Arguments of the faults that wait for their occasion, in the order in which they will strike. */
  private readonly waiting = new Map<FaultName, number[]>();
  private readonly chances = new Map<FaultName, Chance>();
  /** Counts {@link clear}: what was to strike before it does not. */
  private era = 0;

  constructor(
    private readonly clock: SimClock,
    private readonly random: Random,
    private readonly observer: ModuleObserver,
    private readonly body: FaultBody,
  ) {}

  /** Nothing is wrong, and nothing can be: what most points want to know first. */
  get none(): boolean {
    return this.waiting.size === 0 && this.chances.size === 0;
  }

  /**
   * Has a fault strike: at once if it needs no occasion, else at the next one. `argument` as the catalogue says; without
   * it the usual one. One that cannot strike yet (no link is open, the module is without power) does so when it can.
   */
  strike(name: FaultName, argument = FAULTS[name].argument?.usual ?? 0): void {
    const sudden = suddenFaults.get(name);
    if (sudden === undefined) {
      this.waiting.set(name, [...(this.waiting.get(name) ?? []), argument]);
    } else {
      this.act(name, sudden, argument);
    }
  }

  /** Whether a fault may strike at its next occasion: for points at which it is much work to see whether this is one. */
  mayStrike(name: FaultName): boolean {
    return this.waiting.has(name) || this.chances.has(name);
  }

  /**
   * From now on the fault strikes at each of its occasions with this probability (0 to 1; 0 ends it), the same for the
   * same seed of the module. One that needs no occasion gets one a minute. Without `argument` each has its own.
   */
  chance(name: FaultName, probability: number, argument?: number): void {
    if (probability === 0) {
      this.chances.delete(name);
      return;
    }
    const chance = { probability, argument };
    this.chances.set(name, chance);
    const sudden = suddenFaults.get(name);
    if (sudden !== undefined) {
      this.roll(name, sudden, chance);
    }
  }

  /** Takes back whatever has not struck yet, and every chance. */
  clear(): void {
    this.waiting.clear();
    this.chances.clear();
    this.era += 1;
  }

  /**
   * For the firmware at an occasion of the fault: its argument if it strikes now, which is told. `fits` may have one
   * that was asked for wait for a better occasion.
   */
  strikes(name: FaultName, fits: (argument: number) => boolean = always): number | undefined {
    if (!this.mayStrike(name)) {
      return undefined;
    }
    const argument = this.takeWaiting(name, fits) ?? this.takeChance(name);
    return argument === undefined || !fits(argument) ? undefined : this.told(name, argument);
  }

  /**
   * As {@link strikes}, for `count` occasions at once, as the bytes of a piece are: where it strikes, from 0 to `count -
   * 1`, and its arguments. One that was asked for strikes anywhere among them.
   */
  among(name: FaultName, count: number): readonly Hit[] {
    if (count === 0 || !this.mayStrike(name)) {
      return NO_HITS;
    }
    const argument = this.takeWaiting(name);
    const hits: Hit[] = argument === undefined ? [] : [{ at: this.random.int(count), argument: this.told(name, argument) }];
    if (this.chances.has(name)) {
      for (let at = 0; at < count; at += 1) {
        const drawn = this.takeChance(name);
        if (drawn !== undefined) {
          hits.push({ at, argument: this.told(name, drawn) });
        }
      }
    }
    return hits;
  }

  /** As {@link strikes}, for a fault whose argument is none. */
  has(name: FaultName): boolean {
    return this.strikes(name) !== undefined;
  }

  /** A number from 0 to `n - 1`, for where in something a fault strikes. */
  pick(n: number): number {
    return this.random.int(n);
  }

  private told(name: FaultName, argument: number): number {
    this.observer.fault?.(name, FAULTS[name].argument === undefined ? undefined : argument);
    return argument;
  }

  private takeWaiting(name: FaultName, fits: (argument: number) => boolean = always): number | undefined {
    const queue = this.waiting.get(name);
    if (queue === undefined || queue[0] === undefined || !fits(queue[0])) {
      return undefined;
    }
    const [argument, ...rest] = queue;
    if (rest.length === 0) {
      this.waiting.delete(name);
    } else {
      this.waiting.set(name, rest);
    }
    return argument;
  }

  private takeChance(name: FaultName): number | undefined {
    const chance = this.chances.get(name);
    if (chance === undefined || this.random.next() >= chance.probability) {
      return undefined;
    }
    return chance.argument ?? drawArgument(this.random, name) ?? 0;
  }

  private roll(name: FaultName, sudden: SuddenFault, chance: Chance): void {
    this.clock.after(ROLL_EVERY, () => {
      if (this.chances.get(name) !== chance) {
        return;
      }
      const argument = this.takeChance(name);
      if (argument !== undefined) {
        this.act(name, sudden, argument);
      }
      this.roll(name, sudden, chance);
    });
  }

  private act(name: FaultName, sudden: SuddenFault, argument: number, era = this.era): void {
    if (era !== this.era) {
      return;
    }
    if (!sudden.possible(this.body)) {
      this.clock.after(TRY_EVERY, () => this.act(name, sudden, argument, era));
      return;
    }
    sudden.act(this.body, this.told(name, argument));
  }
}
