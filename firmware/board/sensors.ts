/**
 * Analog sensors: how a voltage becomes a value. All of these are linear: `zero` microvolts at 0, `perUnit` microvolts
 * more for each unit. A reading outside the sensor's range is a broken wire or a short, not a value.
 */

/** The units that readings have. A rule names the unit of its limit, and the compiler compares. */
export type Unit = "°C" | "%" | "V";

export interface Sensor<U extends Unit> {
  readonly unit: U;
  /** The channel of the analog-to-digital converter. */
  readonly channel: number;
  readonly zero: number;
  readonly perUnit: number;
  /** The range of the sensor, in units. */
  readonly lowest: number;
  readonly highest: number;
}

/** Analog Devices TMP36: 500 mV at 0 °C, 10 mV more for each degree. @boot */
export function tmp36(channel: number): Sensor<"°C"> {
  return { unit: "°C", channel, zero: 500000, perUnit: 10000, lowest: -40, highest: 125 };
}

/** Honeywell HIH-5030 at 3.3 V: 3.3 V × (0.1515 + 0.00636 for each % of relative humidity). @boot */
export function hih5030(channel: number): Sensor<"%"> {
  return { unit: "%", channel, zero: 499950, perUnit: 20988, lowest: 0, highest: 100 };
}
