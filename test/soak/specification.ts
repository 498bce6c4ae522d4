/** The sensor board as it is soaked: readings seldom enough for a day to be quick, orders at QoS 2 and at QoS 1. */
import { exactlyOnce } from "../../firmware/board/exactly-once";
import { keptSession } from "../../firmware/board/kept-session";
import { hih5030, tmp36 } from "../../firmware/board/sensors";

/** Pins of the relays that are ordered at QoS 2 and at QoS 1. A Pico has others for its module. */
export const ONCE_PIN = 2;
export const AGAIN_PIN = 8;
/** Where the soak puts the number of the board's life, in °C: each life counts its readings from 1. */
export const LIFE_CHANNEL = 2;

export const specification = {
  name: "soaked",
  // Without it each link begins a clean session, and what waits at the broker is lost with the link.
  session: keptSession({ perMinute: 500 }),
  mqtt: { exactlyOnce: exactlyOnce({ sending: 8, receiving: 60 }) },
  readings: {
    temperature: { sensor: tmp36(0), decimals: 1 },
    humidity: { sensor: hih5030(1), decimals: 1 },
    life: { sensor: tmp36(LIFE_CHANNEL), decimals: 0 },
  },
  relays: { once: { pin: ONCE_PIN, boot: "off" }, again: { pin: AGAIN_PIN, boot: "off" } },
  numbers: { interval: { unit: "s", min: 1, max: 86400, initial: 60 } },
  telemetry: { every: "interval", fields: ["life", "seq", "temperature", "humidity", "once", "uptime"] },
  rules: {},
} as const;
