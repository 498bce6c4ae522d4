/**
 * What a board knows of the feature that has it sleep between its readings, `deep-sleep.ts`, so that a board that never
 * sleeps has nothing of it in its image.
 */
import type { Millis } from "../../hal/hal";
import { type Writer } from "../core/writer";
import { type WifiModule } from "../wifi/module";
import { type Parts } from "./parts";
import { type Field, type Telemetry } from "./telemetry";

/** Makes the feature, once there is a board. */
export interface PowerSpec {
  /** What it cannot do without it says as a problem of `parts`. @boot */
  create(parts: Parts, wifi: WifiModule): Power;
}

export interface Power {
  /** The field `awake` of the telemetry: for how many ms the module was awake the last time, `null` before the first time. @boot */
  field(name: string, first: boolean): Field;
  /** All is put together, and the board is awake. @boot */
  start(now: Millis, telemetry: Telemetry): void;
  /** Comes first in each turn. True while the module sleeps: then neither driver nor client are turned. */
  sleeps(now: Millis): boolean;
  /** How long it can be left alone, in milliseconds. */
  wait(now: Millis): number;
  /** The board stops for good: it says goodbye as any other, if it is awake. */
  stop(): void;
  /** Writes line `step` of what `status` has to say of it. False when there are no more. */
  statusLine(writer: Writer, step: number): boolean;
}
