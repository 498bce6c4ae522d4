/** Soaks as tests: the same seeds in every run, spread over the modules. `npm run soak` draws another seed each time. */
import { expect, test } from "vitest";
import type { ModuleName } from "../../sim/modules";
import { type Figures, soak } from "./soak";

const SEEDS = 10;
/**
 * Days of each seed, and of the one whose turn it is, another each day of the month. Thirty of all ten take a small machine
 * four minutes on both of its cores: MOTH_SOAK_DAYS=30 has them.
 */
const SHORT = 3;
const LONG = 30;
const ASKED = process.env["MOTH_SOAK_DAYS"];

function daysOf(seed: number): number {
  if (ASKED !== undefined) return Number(ASKED);
  return seed % SEEDS === new Date().getUTCDate() % SEEDS ? LONG : SHORT;
}

const ROUNDS_A_DAY = 12;
/** No simulated day takes so long on any machine, in ms. */
const PATIENCE = 30_000;

const GENERATIONS: readonly ModuleName[] = ["nonos-1.7", "esp-at-2.2", "esp-at-5"];

/** The generation of ESP-AT that a seed is for. */
export function generationOf(seed: number): ModuleName {
  return GENERATIONS[seed % GENERATIONS.length] ?? "esp-at-5";
}

/** A test for each seed that the board is never stuck in its days. */
export function neverStuck(seeds: readonly number[]): void {
  for (const seed of seeds) neverStuckIn(daysOf(seed), seed, generationOf(seed));
}

export function neverStuckIn(days: number, seed: number, personality: ModuleName): void {
  test(`a board at ${personality}, seed ${seed}, is never stuck in ${days} days at a site a hundred times worse than a bad one`, () => {
    const { figures, failure } = soak({ days, seed, personality });
    expect(failure).toBeUndefined();
    expectAllDone(figures, days);
  }, 60_000 + days * PATIENCE);
}

/** That a soak which found nothing wrong was one. */
export function expectAllDone(figures: Figures, days: number): void {
  const { faults, arrived, givenUp, onceGiven } = figures;
  const struck = Object.values(faults).reduce((sum, count) => sum + count, 0);
  expect(figures).toMatchObject({ calms: Math.round(days * ROUNDS_A_DAY), made: arrived + givenUp, onceObeyed: onceGiven });
  expect(struck).toBeGreaterThan(400 * days);
  expect(onceGiven).toBeGreaterThan(60 * days);
}
