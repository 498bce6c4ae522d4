import type { SimClock } from "./clock";
import type { Random } from "./random";

/** What faults act on. Narrower than the parts themselves, so that a test can hand in its own. */
export interface FaultTargets {
  readonly air: { drop(ms: number): void };
  readonly module: { crash(): void };
}

/** One kind of fault: how a random one is drawn, and what it does. */
interface FaultSwitch {
  /** How long a random one lasts in ms; 0 for one that is over at once. */
  duration(random: Random): number;
  strike(targets: FaultTargets, duration: number): void;
}

/** Every fault there is, by name. A new one is a new entry. */
const CATALOGUE = {
  "wifi.drop": {
    duration: (random) => Math.round(random.between(2_000, 60_000)),
    strike: ({ air }, duration) => air.drop(duration),
  },
  "module.reset": {
    duration: () => 0,
    strike: ({ module }) => module.crash(),
  },
} satisfies Record<string, FaultSwitch>;

export type FaultName = keyof typeof CATALOGUE;

export interface Fault {
  /** When it strikes, in ms of simulated time. */
  readonly at: number;
  readonly name: FaultName;
  /** How long it lasts, in ms. */
  readonly duration: number;
}

export interface FaultPlan {
  /** The span in which faults strike, in ms of simulated time. */
  readonly from: number;
  readonly to: number;
  /** Mean time from one fault to the next in ms; the intervals are exponentially distributed. */
  readonly meanInterval: number;
  /** What may happen, each alike. Default: a Wi-Fi drop of 2 to 60 s, or a module that resets by itself. */
  readonly names?: readonly FaultName[];
}

/** The faults of one span, drawn from `random`: the same list for the same seed, sorted by time. */
export function drawFaults(random: Random, plan: FaultPlan): Fault[] {
  const names = plan.names ?? (["wifi.drop", "module.reset"] as const);
  const faults: Fault[] = [];
  for (let at = plan.from; ; ) {
    at += -Math.log(1 - random.next()) * plan.meanInterval;
    const name = names[random.int(names.length)];
    if (at >= plan.to || name === undefined) {
      return faults;
    }
    faults.push({ at: Math.round(at), name, duration: CATALOGUE[name].duration(random) });
  }
}

/** Has the faults strike when their time comes. */
export function scheduleFaults(clock: SimClock, faults: readonly Fault[], targets: FaultTargets): void {
  for (const fault of faults) {
    clock.at(fault.at, () => CATALOGUE[fault.name].strike(targets, fault.duration));
  }
}
