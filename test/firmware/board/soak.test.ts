/** Two hours of a soak in every generation, on both executors; test/soak has longer ones. */
import { expect, test } from "vitest";
import type { PersonalityName } from "../../../sim/module/personalities";
import { soak } from "../../soak/soak";

const GENERATIONS: readonly PersonalityName[] = ["nonos-1.7", "esp-at-2.2", "esp-at-5"];

test.each(GENERATIONS)("a board with %s survives a fault every 144 s", (personality) => {
  const { figures, failure } = soak({ days: 1 / 12, seed: 31, personality });
  expect(failure).toBeUndefined();
  expect(figures).toMatchObject({ calms: 1, made: figures.arrived + figures.givenUp, onceObeyed: figures.onceGiven });
});
