/** What a simulated day with faults costs in real time, and how it ended. */
import sensorBoard from "../../firmware/apps/sensor-board";
import { liveThroughADay } from "../../sim/day";
import type { Report } from "./bench";

const SEEDS = [1, 2, 3];

export function measure(): Report {
  const rows = SEEDS.map((seed) => {
    const begin = performance.now();
    const day = liveThroughADay(sensorBoard, seed);
    const seconds = (performance.now() - begin) / 1000;
    const delivered = new Set(day.arrived).size;
    return { seed, seconds, faults: day.faults.length, made: day.made, delivered, connected: day.connected };
  });
  const lines = rows.map(
    ({ seed, seconds, faults, made, delivered, connected }) =>
      `seed ${seed}: ${seconds.toFixed(1)} s for a day with ${faults} faults; ${delivered} of ${made} messages ` +
      `delivered, ${connected ? "connected" : "not connected"} at the end`,
  );
  return { figures: rows, lines };
}
