/**
 * A board on a battery: wakes every ten minutes, tells the temperature of a meadow and for how long it was awake the last
 * time, obeys what was sent meanwhile, and sleeps on.
 *
 * Wiring: TMP36 on analog channel 0, a valve on pin 2, the module's power-down pin (CH_PD, EN) on the board's reset line.
 */
import { board, tmp36 } from "../board/board";
import { deepSleep } from "../board/deep-sleep";
import { keptSession } from "../board/kept-session";

export default board({
  name: "battery-board",
  power: deepSleep(),
  session: keptSession({ perMinute: 1 }),
  readings: {
    temperature: { sensor: tmp36(0), decimals: 1 },
  },
  relays: {
    valve: { pin: 2, boot: "off" },
  },
  numbers: {
    interval: { unit: "s", min: 60, max: 86400, initial: 600 },
  },
  telemetry: { every: "interval", fields: ["seq", "temperature", "valve", "awake"] },
  rules: {},
});
