/** What must not compile: names that do not exist, units that do not fit. `tsc` checks the expectations below. */
import { expect, test } from "vitest";
import type { Application } from "../../../firmware/board/application";
import { board, hih5030, tmp36 } from "../../../firmware/board/board";
import { Rig } from "./rig";

const readings = {
  temperature: { sensor: tmp36(0), decimals: 1 },
  humidity: { sensor: hih5030(1), decimals: 0 },
} as const;
const relays = { fan: { pin: 4, boot: "on" } } as const;
const numbers = { every: { unit: "s", min: 1, max: 60, initial: 10 } } as const;
const publish = { topic: "alarm", payload: "warm" };

function problemOf(application: Application): string {
  return new Rig({ application }).start().board.problem;
}

test("a rule must name a reading of the board, in its unit", () => {
  const telemetry = { every: "every", fields: ["seq"] } as const;
  const unknown = board({
    name: "x", readings, relays, numbers, telemetry,
    // @ts-expect-error there is no reading of this name
    rules: { a: { when: "temprature", above: 8, hysteresis: 1, unit: "°C", publish } },
  });
  board({
    name: "x", readings, relays, numbers, telemetry,
    // @ts-expect-error humidity is not measured in degrees
    rules: { a: { when: "humidity", above: 8, hysteresis: 1, unit: "°C", publish } },
  });
  // Whoever silences the compiler is told at boot.
  expect(problemOf(unknown)).toBe("a rule names no reading: temprature");
});

test("telemetry must name fields and an interval of the board", () => {
  // @ts-expect-error there is no field of this name
  const noField = board({ name: "x", readings, relays, numbers, rules: {}, telemetry: { every: "every", fields: ["pressure"] } });
  // @ts-expect-error there is no number of this name
  const noNumber = board({ name: "x", readings, relays, numbers, rules: {}, telemetry: { every: "never", fields: ["seq"] } });
  expect(problemOf(noField)).toBe("telemetry names a field that does not exist");
  expect(problemOf(noNumber)).toBe("telemetry names no number as its interval");
});

test.each([
  ["refuse", { refused: 10, overwritten: 0, replaced: 0 }],
  ["drop oldest", { refused: 0, overwritten: 10, replaced: 0 }],
  ["keep newest", { refused: 0, overwritten: 0, replaced: 41 }],
] as const)("telemetry that finds the outbox full does what the board says: %s", (whenFull, counted) => {
  const application = board({
    name: "own", readings: {}, relays: {}, rules: {},
    numbers: { every: { unit: "s", min: 1, max: 60, initial: 10 } },
    telemetry: { every: "every", fields: ["seq"], whenFull },
  });
  const rig = new Rig({ application });
  rig.broker.stop();
  rig.start();
  rig.seconds(422);
  expect(rig.board.telemetry.count).toBe(42);
  expect(rig.board.client.stats).toMatchObject(counted);
  rig.broker.start({ keep: false });
  rig.seconds(60);
  // Some more may have gone before the board was online again.
  const { overwritten, replaced } = rig.board.client.stats;
  expect(rig.said("telemetry")[0]).toBe(`{"seq":${1 + overwritten + replaced}}`);
});

test("a board of one's own runs with its own names, decimals and boot states", () => {
  const application = board({
    name: "own", readings, relays, numbers,
    telemetry: { every: "every", fields: ["humidity", "fan", "temperature"] },
    rules: { damp: { when: "humidity", above: 80, hysteresis: 5, unit: "%", publish } },
  });
  const rig = new Rig({ application });
  rig.bench.world.set("temperature", 20);
  rig.bench.world.set("humidity", 90);
  rig.start();
  expect(rig.said("telemetry")).toEqual(['{"humidity":90,"fan":true,"temperature":20.0}']);
  expect(rig.bench.world.pinLevel(4)).toBe(true);
  expect(rig.broker.retainedText("moth/t1/fan")).toBe("ON");
  expect(rig.broker.retainedText("moth/t1/every")).toBe("10");
  expect(rig.said("alarm")).toEqual(["warm"]);
  rig.order("fan/set", "OFF");
  expect(rig.bench.world.pinLevel(4)).toBe(false);
});

test.each([
  ["a relay that is called as a topic of the board", { availability: { pin: 2, boot: "off" } }, {},
    "the board itself uses the name availability"],
  ["a relay that is called as a reading", { humidity: { pin: 2, boot: "off" } }, {}, "two parts have the name humidity"],
  ["a name that is no level of a topic", { "a/b": { pin: 2, boot: "off" } }, {},
    "give 1 to 32 letters, digits, _ or - as a name, not: a/b"],
  ["a number that begins outside of its range", {}, { limit: { unit: "s", min: 1, max: 5, initial: 9 } },
    "the number must begin within its range, which is not below 0: limit"],
  ["an interval of nothing", {}, { every: { unit: "s", min: 0, max: 5, initial: 0 } },
    "the interval of telemetry must range within 1 to 2147483 s"],
] as const)("%s is told at boot", (_what, relays, numbers, problem) => {
  const application = board({
    name: "x", readings, relays, rules: {},
    numbers: { every: { unit: "s", min: 1, max: 60, initial: 10 }, ...numbers },
    telemetry: { every: "every", fields: ["seq"] },
  });
  expect(problemOf(application)).toBe(problem);
});
