/** A part of the soak on the emulated Pico: fifteen minutes, with flash that takes its time when the power fails. */
import { expect, test } from "vitest";
import type { PersonalityName } from "../../sim/module/personalities";
import type { ImageFiles } from "../../tools/emulate/image";
import { Images } from "../e2e/boards/bench";
import { type PicoFigures, soakPico } from "./pico";
import { ONCE_PIN } from "./specification";

/** Of each, in simulated minutes: one takes about a second. MOTH_SOAK_MINUTES has more. */
const MINUTES = Number(process.env["MOTH_SOAK_MINUTES"] ?? 5);
const SOAKS: readonly (readonly [PersonalityName, number])[] = [["nonos-1.7", 3], ["esp-at-2.2", 2], ["esp-at-5", 1]];

const images = new Images();

function image(): ImageFiles {
  const { elf, bin, uf2 } = images.of("test/soak/application.ts", "pico");
  if (bin === undefined) throw new Error(`${elf} has no .bin beside it`);
  return { elf, bin, uf2 };
}

test.each(SOAKS)(`an emulated Pico at %s, seed %i, is never stuck in ${MINUTES} minutes`, (personality, seed) => {
  const { figures, problem, trace } = soakPico(image(), { minutes: MINUTES, seed, personality });
  expect(problem, trace.slice(-100).join("\n")).toBeUndefined();
  expect(figures).toMatchObject<Partial<PicoFigures>>({ gaps: 0, onceObeyed: figures.onceGiven, counted: figures.due });
  expect(figures.cuts).toBeGreaterThanOrEqual(Math.floor(MINUTES / 5));
  expect(figures.forgiven).toBeLessThanOrEqual(1);
  expect(figures.onceGiven).toBeGreaterThan(3 * MINUTES);
}, 60_000 + MINUTES * 30_000);

test("a soak of the Pico notices an order that is obeyed twice", () => {
  const { problem } = soakPico(image(), {
    minutes: 1, seed: 1, personality: "esp-at-5",
    meddle: ({ clock, world }) => {
      clock.at(40_000, () => world.drivePin(ONCE_PIN, world.pinLevel(ONCE_PIN)));
    },
  });
  expect(problem).toMatch(/was obeyed out of turn/);
}, 120_000);
