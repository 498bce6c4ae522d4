import { SimulatedBench, type SimulatedOptions } from "../simulated-bench";

/** A bench with an ISM43362 on it. */
export function ism43362(options: SimulatedOptions = {}): SimulatedBench {
  return new SimulatedBench({ personality: "ism43362", ...options });
}

/** One whose link is up. */
export function linked(options: SimulatedOptions = {}): SimulatedBench {
  return SimulatedBench.linked({ personality: "ism43362", ...options });
}
