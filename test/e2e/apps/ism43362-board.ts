/** The sensor board of `firmware/apps` at another module: all that differs is the family. */
import { boardOn } from "../../../firmware/board/board-on";
import { hih5030, tmp36 } from "../../../firmware/board/sensors";
import { createIsm43362 } from "../../../firmware/wifi/ism43362/ism43362";

export default boardOn(createIsm43362, {
  name: "ism43362-board",
  readings: {
    temperature: { sensor: tmp36(0), decimals: 1 },
    humidity: { sensor: hih5030(1), decimals: 1 },
  },
  relays: {
    relay: { pin: 2, boot: "off" },
  },
  numbers: {
    interval: { unit: "s", min: 1, max: 86400, initial: 5 },
  },
  telemetry: { every: "interval", fields: ["seq", "temperature", "humidity", "relay", "uptime"] },
  rules: {
    tooWarm: {
      when: "temperature",
      above: 28,
      hysteresis: 1,
      unit: "°C",
      publish: { topic: "ac/set", payload: '{"setpoint":26}' },
    },
  },
});
