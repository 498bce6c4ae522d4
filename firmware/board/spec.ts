/** What an application declares, and how its names and units are held together. */
import { type NumberSpec } from "./number";
import { type ReadingSpec } from "./reading";
import { type RelaySpec } from "./relay";
import { type RuleSpec } from "./rule";

/** A board as an application declares it. */
export interface BoardSpec<
  R extends Record<string, ReadingSpec>,
  L extends Record<string, RelaySpec>,
  N extends Record<string, NumberSpec>,
> {
  /** What the application is called: letters, digits and hyphens. */
  readonly name: string;
  readonly readings: R;
  readonly relays: L;
  readonly numbers: N;
  readonly telemetry: {
    /** The number that is the interval, in seconds. */
    readonly every: keyof N & string;
    /** The fields of the JSON object, in their order. */
    readonly fields: readonly FieldName<R, L>[];
  };
  readonly rules: Readonly<Record<string, RuleSpec<R>>>;
}

/** A reading, a relay, `seq` (which counts the messages since power-on) or `uptime` (seconds since power-on). */
export type FieldName<R, L> = (keyof R & string) | (keyof L & string) | "seq" | "uptime";
