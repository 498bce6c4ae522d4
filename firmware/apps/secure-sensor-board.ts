/**
 * The sensor board of `sensor-board.ts`, which with the setting `mqtt.tls=on` speaks TLS with its broker and checks the
 * broker's certificate. An application of its own: with TLS the image is larger than what a sensor board may take.
 */
import { boardOn } from "../board/board-on";
import { hih5030, tmp36 } from "../board/sensors";
import { brokerTls } from "../board/tls";
import { createSecureEspAt } from "../wifi/esp-at-tls";

export default boardOn(createSecureEspAt, {
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
}, brokerTls);
