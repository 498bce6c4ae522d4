import { espAt2 } from "./personalities/esp-at-2";
import { espAt5 } from "./personalities/esp-at-5";
import { nonos } from "./personalities/nonos";
import type { Personality } from "./personality";

/** The firmware generations that the simulated module can be, by the names that users write. */
export const PERSONALITIES = {
  "nonos-1.7": nonos,
  "esp-at-2.2": espAt2,
  "esp-at-5": espAt5,
} as const satisfies Record<string, Personality>;

export type PersonalityName = keyof typeof PERSONALITIES;

export const DEFAULT_PERSONALITY = "esp-at-5";

export function isPersonalityName(name: string): name is PersonalityName {
  return Object.hasOwn(PERSONALITIES, name);
}

/** A module that was set up for another rate, as AT+UART_DEF does and AT+RESTORE does not undo. */
export function atBaud(personality: Personality, baud: number): Personality {
  return { ...personality, limits: { ...personality.limits, defaultBaud: baud } };
}
