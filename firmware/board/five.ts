/**
 * A board that can speak MQTT 5.0, `mqtt: { five: five({}) }` in its declaration: it does when its setting
 * `mqtt.protocol` says `5`.
 */
import { type Five } from "../mqtt/five";
import { createFive } from "../mqtt/five/create";
import { type FiveOptions } from "../mqtt/five/state";

/** @boot */
export function five(options: FiveOptions): (this: void) => Five {
  /** @boot */
  function create(this: void): Five {
    return createFive(options);
  }
  return create;
}
