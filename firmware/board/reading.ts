/** A reading: the latest value of a sensor, as a whole number of steps of 10^-decimals, or that there is none. */
import type { Analog } from "../../hal/hal";
import { div } from "#native";
import { type Sensor, type Unit } from "./sensors";

/** A reading as an application declares it. */
export interface ReadingSpec {
  readonly sensor: Sensor<Unit>;
  /** How many decimals are kept and published. */
  readonly decimals: 0 | 1 | 2;
}

export interface Reading {
  readonly sensor: Sensor<Unit>;
  readonly decimals: number;
  /** Steps in one unit: 10^decimals. */
  readonly scale: number;
  /** False until the first good sample, and after a bad one. */
  valid: boolean;
  value: number;
}

/** @boot */
export function createReading(spec: ReadingSpec): Reading {
  let scale = 1;
  for (let i = 0; i < spec.decimals; i++) scale *= 10;
  return { sensor: spec.sensor, decimals: spec.decimals, scale, valid: false, value: 0 };
}

/** Takes a sample. */
export function sampleReading(reading: Reading, analog: Analog): void {
  const sensor = reading.sensor;
  const microvolts = analog.read(sensor.channel);
  // Rounded to the nearest step: twice the quotient, plus one, halved downwards.
  const steps = div(div((microvolts - sensor.zero) * 2 * reading.scale, sensor.perUnit) + 1, 2);
  reading.valid =
    microvolts >= 0 && steps >= sensor.lowest * reading.scale && steps <= sensor.highest * reading.scale;
  if (reading.valid) reading.value = steps;
}
