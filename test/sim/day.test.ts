import { describe, expect, test } from "vitest";
import sensorBoard from "../../firmware/apps/sensor-board";
import { liveThroughADay } from "../../sim/day";

/** New ones each run, shown in the test's name: run the one that failed again with MOTH_SEED. */
const seeds = process.env["MOTH_SEED"] !== undefined
  ? [Number(process.env["MOTH_SEED"])]
  : [1, Math.floor(Math.random() * 2 ** 31)];

describe.each(seeds)("a simulated day with seed %i", (seed) => {
  test("ends connected with every telemetry message delivered, and nothing refused", () => {
    const day = liveThroughADay(sensorBoard, seed);
    expect(day.faults.length).toBeGreaterThan(20);
    expect(day.connected).toBe(true);
    expect(day.broker.faults).toEqual([]);
    const client = day.bench.machine.board?.client;
    expect(client?.stats).toMatchObject({ refused: 0, violations: 0 });
    // One every 5 s from the moment that the board was first online.
    expect(day.made).toBeGreaterThan(17_200);
    const delivered = new Set(day.arrived);
    const missing = Array.from({ length: day.made }, (_, index) => index + 1).filter((seq) => !delivered.has(seq));
    // What was made in the last moment may still be on its way.
    expect(missing.filter((seq) => seq < day.made)).toEqual([]);
    // First arrivals come in order, whatever was repeated.
    const firsts = [...delivered];
    expect(firsts).toEqual([...firsts].sort((a, b) => a - b));
  }, 60_000);
});

test("the same seed gives the same day", () => {
  const [one, other] = [liveThroughADay(sensorBoard, 7), liveThroughADay(sensorBoard, 7)];
  expect(one.broker.received).toEqual(other.broker.received);
  expect(one.bench.machine.board?.wifi.status).toEqual(other.bench.machine.board?.wifi.status);
}, 60_000);
