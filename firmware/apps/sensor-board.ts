/**
 * The board that ships: a room's temperature and humidity, a relay, and a rule that turns the air conditioning down
 * when it gets too warm.
 *
 * Wiring: TMP36 on analog channel 0, HIH-5030 on channel 1, the relay on pin 2.
 */
import { board, hih5030, tmp36 } from "../board/board";

export default board({
  name: "sensor-board",
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
