import { describe, expect, test } from "vitest";
import { SimClock } from "../../sim/clock";
import { Random } from "../../sim/random";

describe("the clock", () => {
  test("runs events in the order of their times, and those of one moment in the order of scheduling", () => {
    const clock = new SimClock();
    const ran: string[] = [];
    clock.after(5, () => ran.push("b1"));
    clock.after(2, () => ran.push("a"));
    clock.after(5, () => ran.push("b2"));
    clock.after(5.5, () => ran.push("c"));
    clock.runUntil(5);
    expect(ran).toEqual(["a", "b1", "b2"]);
    expect(clock.now).toBe(5);
    expect(clock.nextEventAt()).toBe(5.5);
  });

  test("runs what an event schedules within the same run", () => {
    const clock = new SimClock();
    const at: number[] = [];
    const tick = (): void => {
      at.push(clock.now);
      clock.after(10, tick);
    };
    clock.after(0, tick);
    clock.runFor(35);
    expect(at).toEqual([0, 10, 20, 30]);
  });

  test("never goes back, and runs overdue events now", () => {
    const clock = new SimClock();
    clock.runUntil(100);
    clock.runUntil(50);
    expect(clock.now).toBe(100);
    let at = -1;
    clock.at(20, () => (at = clock.now));
    clock.runFor(0);
    expect(at).toBe(100);
  });

  test("forgets a cancelled event and no other", () => {
    const clock = new SimClock();
    const random = new Random(7);
    const ran: number[] = [];
    const timers = Array.from({ length: 2000 }, (_, id) => {
      const time = random.int(300);
      return { time, id, timer: clock.at(time, () => ran.push(id)), cancelled: random.int(3) === 0 };
    });
    for (const { timer, cancelled } of timers) {
      if (cancelled) {
        timer.cancel();
        timer.cancel();
      }
    }
    const wanted = timers.filter(({ cancelled }) => !cancelled);
    clock.runUntil(300);
    wanted.sort((a, b) => a.time - b.time || a.id - b.id);
    expect(ran).toEqual(wanted.map(({ id }) => id));
  });

  test("can be driven from outside only", () => {
    const clock = new SimClock();
    clock.after(1, () => clock.runFor(1));
    expect(() => clock.runFor(2)).toThrow("already running");
    expect(clock.running).toBe(false);
  });

  test("runs two million events in under three seconds", () => {
    const clock = new SimClock();
    let count = 0;
    const tick = (): void => {
      count += 1;
      clock.after(86.4, tick);
    };
    tick();
    tick();
    const began = performance.now();
    clock.runUntil(86_400_000);
    expect(count).toBeGreaterThan(1_999_990);
    expect(performance.now() - began).toBeLessThan(3_000);
  });
});

describe("chance", () => {
  test("repeats for one seed, and differs for another", () => {
    const draw = (seed: number): number[] => {
      const random = new Random(seed);
      return [random.next(), random.int(1000), random.between(5, 6)];
    };
    expect(draw(3)).toEqual(draw(3));
    expect(draw(3)).not.toEqual(draw(4));
  });

  test("gives a part its own stream, whatever else was drawn", () => {
    const a = new Random(9);
    const b = new Random(9);
    b.next();
    expect(a.fork("wifi").next()).toBe(b.fork("wifi").next());
    expect(a.fork("wifi").next()).not.toBe(a.fork("world").next());
  });

  test("stays within its bounds and is spread evenly", () => {
    const random = new Random(1);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 40_000; i += 1) {
      const n = random.int(4);
      counts[n] = (counts[n] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(9_500);
    expect(counts.reduce((sum, n) => sum + n)).toBe(40_000);
  });
});
