/** One thing that a client does in its life. */
import { createWorld, type World, type WorldOptions, wrongs } from "./world";

export interface Scenario {
  readonly name: string;
  readonly options?: WorldOptions;
  run(world: World): void;
  /** What else must be true in the end. */
  readonly holds?: (world: World) => boolean;
}

/** The same in MQTT 5.0. */
export function inFive(scenario: Scenario): Scenario {
  return { ...scenario, name: `${scenario.name}, in MQTT 5.0`, options: { ...scenario.options, level: 5 } };
}

export function perform(scenario: Scenario, arrange: (world: World) => void): World {
  const world = createWorld(scenario.options);
  arrange(world);
  scenario.run(world);
  return world;
}

/** What is wrong after a run; nothing when all promises were kept. */
export function outcome(scenario: Scenario, arrange: (world: World) => void): string[] {
  const world = perform(scenario, arrange);
  const found = wrongs(world);
  return scenario.holds?.(world) === false ? [...found, "does not end as it should"] : found;
}
