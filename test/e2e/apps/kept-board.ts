/**
 * The sensor board with its session kept and with QoS 2, as a board is declared that may lose neither a reading nor an
 * order over a power cut.
 */
import { board, hih5030, tmp36 } from "../../../firmware/board/board";
import { exactlyOnce } from "../../../firmware/board/exactly-once";
import { keptSession } from "../../../firmware/board/kept-session";

export default board({
  name: "kept-board",
  session: keptSession({ perMinute: 2000 }),
  mqtt: { exactlyOnce: exactlyOnce({ sending: 8, receiving: 120 }) },
  readings: {
    temperature: { sensor: tmp36(0), decimals: 1 },
    humidity: { sensor: hih5030(1), decimals: 1 },
  },
  relays: { relay: { pin: 2, boot: "off" } },
  numbers: { interval: { unit: "s", min: 1, max: 86400, initial: 1 } },
  telemetry: { every: "interval", fields: ["seq", "temperature", "humidity", "relay", "uptime"], whenFull: "refuse" },
  rules: {},
});
