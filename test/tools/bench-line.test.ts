/** That `npm run bench -- line` has a row for all that it is to measure, and that the goals at 115200 baud are met. */
import { beforeAll, describe, expect, it } from "vitest";
import { type LineFigures, linesOf, measureFigures } from "../../tools/bench/line";

const RATES = [115_200, 460_800, 921_600, 2_000_000];
const COMBINATIONS = RATES.flatMap((baud) =>
  ["publish", "receive"].flatMap((way) =>
    [0, 1].flatMap((qos) => ["16", "64", "256", "1,024"].map((payload) => ({ baud, way, qos, payload })))));
const MINUTE = 60_000;
/** Simulated time, so that the figures are the same on every computer. */
const SHORT_MS = 4_000;

describe("npm run bench -- line", () => {
  let figures: LineFigures;
  let lines: string[];
  beforeAll(() => {
    figures = measureFigures(SHORT_MS);
    lines = linesOf(figures);
  }, MINUTE);

  it("has a row with figures for every rate, way, QoS and size", () => {
    for (const { baud, way, qos, payload } of COMBINATIONS) {
      const row = new RegExp(String.raw`^ +${baud}  ${way}  ${qos} +${payload} +[1-9][\d.]* +[1-9][\d,]* +[1-9][\d,]* +[1-9]\d?\.\d %`);
      expect(lines.filter((line) => row.test(line)), String(row)).toHaveLength(1);
    }
    expect(figures.rows).toHaveLength(COMBINATIONS.length);
  });

  it("carries at no rate more than the line can", () => {
    for (const { share, payloadBytesPerSecond, mqttBytesPerSecond } of figures.rows) {
      expect(share).toBeLessThan(1);
      expect(payloadBytesPerSecond).toBeLessThan(mqttBytesPerSecond);
    }
  });

  it("fills 90 % of the line at QoS 0 and 80 % at QoS 1 with payloads of 256 bytes and up, at 115200 baud", () => {
    const verdicts = lines.filter((line) => line.includes("goal 90 %:") || line.includes("goal 80 %:"));
    expect(verdicts).toHaveLength(4);
    expect(verdicts.filter((line) => !line.endsWith(": met"))).toEqual([]);
  });

  it("carries eight times as much when packets share a send, with payloads of 16 bytes", () => {
    const verdicts = lines.filter((line) => line.includes("goal 8 times:"));
    expect(verdicts).toHaveLength(2);
    expect(verdicts.filter((line) => !line.endsWith(": met"))).toEqual([]);
  });

  it("tells for every rate how long it takes from power-on to the first acknowledged reading", () => {
    expect(figures.starts.map(({ baud }) => baud)).toEqual(RATES);
    for (const { milliseconds } of figures.starts) expect(milliseconds).toBeGreaterThan(1000);
    expect(lines.filter((line) => /^ {2}line at +\d+: \d,\d\d\d ms$/.test(line))).toHaveLength(RATES.length);
  });
});
