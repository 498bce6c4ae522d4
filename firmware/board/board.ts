/**
 * A board, declared as data: readings, relays, numbers, telemetry and rules by name. What is named in a rule or a
 * field must exist, and its unit must fit, or it does not compile.
 *
 *     export default board({
 *       name: "cold-room",
 *       readings: { temperature: { sensor: tmp36(0), decimals: 1 } },
 *       relays: { compressor: { pin: 2, boot: "off" } },
 *       numbers: { interval: { unit: "s", min: 1, max: 86400, initial: 60 } },
 *       telemetry: { every: "interval", fields: ["seq", "temperature", "compressor"] },
 *       rules: {
 *         warm: {
 *           when: "temperature", above: 8, hysteresis: 1, unit: "°C",
 *           publish: { topic: "alarm", payload: "warm" },
 *         },
 *       },
 *     });
 *
 * Topics, all below `moth/<device>/`: `availability` (retained `online`, and `offline` as the will), `telemetry`, for
 * each relay and number `<name>/set` (command) and `<name>` (retained state), `error`, and what the rules publish.
 */
import { createEspAt } from "../wifi/esp-at";
import { type Application } from "./application";
import { boardOn } from "./board-on";
import { type BoardSpec } from "./spec";
import { type NumberSpec } from "./number";
import { type ReadingSpec } from "./reading";
import { type RelaySpec } from "./relay";

export { hih5030, tmp36 } from "./sensors";

/** An application that runs the board of `spec` at an ESP-AT module. @boot */
export function board<
  const R extends Record<string, ReadingSpec>,
  const L extends Record<string, RelaySpec>,
  const N extends Record<string, NumberSpec>,
>(spec: BoardSpec<R, L, N>): Application {
  return boardOn(createEspAt, spec);
}
