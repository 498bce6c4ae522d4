import { describe, expect, test } from "vitest";
import { SimClock } from "../../sim/clock";
import { drawFaults, scheduleFaults } from "../../sim/faults";
import { Random } from "../../sim/random";
import { World } from "../../sim/world";

function setUp(seed = 1): { clock: SimClock; world: World } {
  const clock = new SimClock();
  return { clock, world: new World(clock, new Random(seed)) };
}

describe("the world", () => {
  test("keeps a room's climate for three days, in small steps, warmer by day", () => {
    const { clock, world } = setUp();
    let before = { temperature: world.temperature, humidity: world.humidity };
    const seen: number[] = [];
    for (let minute = 0; minute < 3 * 1440; minute += 1) {
      clock.runFor(60_000);
      const { temperature, humidity } = world;
      expect(temperature).toBeGreaterThanOrEqual(18);
      expect(temperature).toBeLessThanOrEqual(26);
      expect(humidity).toBeGreaterThanOrEqual(35);
      expect(humidity).toBeLessThanOrEqual(60);
      expect(Math.abs(temperature - before.temperature)).toBeLessThan(0.31);
      expect(Math.abs(humidity - before.humidity)).toBeLessThan(1.21);
      before = { temperature, humidity };
      seen.push(temperature);
    }
    expect(Math.max(...seen) - Math.min(...seen)).toBeGreaterThan(2);
    // 16:00 against 04:00 of the second day; the simulation starts at 09:00.
    expect(seen[31 * 60] ?? 0).toBeGreaterThan((seen[19 * 60] ?? 0) + 2);
  });

  test("is the same for the same seed, however often one looks", () => {
    const a = setUp(5);
    const b = setUp(5);
    for (let i = 0; i < 100; i += 1) {
      a.clock.runFor(36_000);
      expect(a.world.temperature).toBeGreaterThan(0);
    }
    b.clock.runFor(3_600_000);
    expect(b.world.temperature).toBe(a.world.temperature);
    expect(setUp(6).world.temperature).toBe(setUp(5).world.temperature);
    const c = setUp(6);
    c.clock.runFor(3_600_000);
    expect(c.world.temperature).not.toBe(a.world.temperature);
  });

  test("holds what was set, and drifts from there once it is released", () => {
    const { clock, world } = setUp();
    world.set("temperature", 31);
    clock.runFor(3_600_000);
    expect(world.temperature).toBe(31);
    world.release("temperature");
    clock.runFor(60_000);
    expect(world.temperature).toBeLessThan(31);
    expect(world.temperature).toBeGreaterThan(30);
    clock.runFor(6 * 3_600_000);
    expect(world.temperature).toBeLessThan(26);
  });

  test("says what is wrong with a name or a value", () => {
    const { world } = setUp();
    expect(() => world.set("pressure", 1)).toThrow(
      'nothing here is called "pressure"; there are: temperature, humidity');
    expect(() => world.set("temperature", 126)).toThrow("temperature must be from -40 to 125 °C, not 126");
    expect(() => world.set("humidity", Number.NaN)).toThrow("humidity must be from 0 to 100 %RH");
    expect(() => world.release("toString")).toThrow('nothing here is called "toString"');
  });

  test("puts on the analog channels what the sensors would, in the converter's steps", () => {
    const { world } = setUp();
    const step = 3_300_000 / 4096;
    world.set("temperature", 25);
    world.set("humidity", 50);
    expect(Math.abs(world.microvolts(0) - 750_000)).toBeLessThanOrEqual(step / 2 + 1);
    expect(Math.abs(world.microvolts(1) - 1_549_350)).toBeLessThanOrEqual(step / 2 + 1);
    for (const channel of [0, 1]) {
      const steps = world.microvolts(channel) / step;
      expect(Math.abs(steps - Math.round(steps))).toBeLessThan(0.001);
      expect(Number.isInteger(world.microvolts(channel))).toBe(true);
    }
    world.set("temperature", 31);
    expect(Math.abs(world.microvolts(0) - 810_000)).toBeLessThanOrEqual(step / 2 + 1);
    expect(world.microvolts(2)).toBe(-1);
  });

  test("shows a pressed button as a low level, and records what the board drives", () => {
    const { clock, world } = setUp();
    expect(world.pinLevel(world.buttonPin)).toBe(true);
    world.pressButton();
    expect(world.pinLevel(world.buttonPin)).toBe(false);
    world.releaseButton();
    world.drivePin(3, false);
    clock.runFor(100);
    world.drivePin(3, true);
    world.drivePin(3, true);
    clock.runFor(100);
    world.releasePins();
    expect(world.pinChanges).toEqual([{ time: 100, pin: 3, high: true }, { time: 200, pin: 3, high: false }]);
  });
});

describe("faults", () => {
  const plan = { from: 1000, to: 86_400_000, meanInterval: 1_800_000 };

  test("are drawn the same for the same seed, about as often as asked for", () => {
    const faults = drawFaults(new Random(4), plan);
    expect(drawFaults(new Random(4), plan)).toEqual(faults);
    expect(drawFaults(new Random(5), plan)).not.toEqual(faults);
    expect(faults.length).toBeGreaterThan(30);
    expect(faults.length).toBeLessThan(70);
    const times = faults.map(({ at }) => at);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    for (const { at, name, argument = 0 } of faults) {
      expect(at).toBeGreaterThanOrEqual(plan.from);
      expect(at).toBeLessThan(plan.to);
      expect(name === "wifi.drop" ? argument >= 2000 && argument <= 60_000 : argument === 4).toBe(true);
    }
    expect(new Set(faults.map(({ name }) => name))).toEqual(new Set(["wifi.drop", "module.reset"]));
  });

  test("strike when their time comes", () => {
    const clock = new SimClock();
    const log: string[] = [];
    scheduleFaults(clock, [{ at: 5, name: "wifi.drop", argument: 9 }, { at: 7, name: "cmd.no_reply", argument: undefined }], {
      strike: (name, argument) => log.push(`${name} ${argument} at ${clock.now}`),
    });
    clock.runFor(10);
    expect(log).toEqual(["wifi.drop 9 at 5", "cmd.no_reply undefined at 7"]);
  });
});
