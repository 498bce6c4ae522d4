import { describe, expect, test } from "vitest";
import { Bench } from "../bench";

const OK = "\r\nOK\r\n";
const ERROR = "\r\nERROR\r\n";

/** A module whose faults are written down as they strike. */
function watched(seed = 1): { bench: Bench; struck: [string, number | undefined][] } {
  const struck: [string, number | undefined][] = [];
  return { bench: Bench.ready(seed, { fault: (name, argument) => struck.push([name, argument]) }), struck };
}

describe("faults of a module", () => {
  test("are told when they strike, not when they are asked for, with their argument", () => {
    const { bench, struck } = watched();
    bench.module.faults.strike("cmd.error_spurious");
    bench.module.faults.strike("cmd.late_ok");
    bench.wait(60_000);
    expect(struck).toEqual([]);
    bench.ask("AT");
    bench.ask("AT", 6000);
    expect(struck).toEqual([["cmd.error_spurious", undefined], ["cmd.late_ok", 5000]]);
  });

  test("strike as often as they are asked for, in turn", () => {
    const { bench, struck } = watched();
    bench.module.faults.strike("cmd.busy_then_ok", 10);
    bench.module.faults.strike("cmd.busy_then_ok", 20);
    for (let count = 0; count < 3; count += 1) bench.ask("AT");
    expect(struck).toEqual([["cmd.busy_then_ok", 10], ["cmd.busy_then_ok", 20]]);
  });

  test("survive a reset and a power cut", () => {
    const { bench } = watched();
    bench.module.faults.strike("cmd.error_spurious");
    bench.module.crash();
    bench.wait(600);
    bench.module.powerOff();
    bench.module.powerOn();
    bench.wait(600);
    expect(bench.ask("ATE0")).toContain(ERROR);
    expect(bench.ask("ATE0")).toContain(OK);
  });

  test("strike by chance about as often as asked for, the same ones for the same seed, till the chance ends", () => {
    const [first, second, other] = [1, 1, 2].map((seed) => {
      const { bench } = watched(seed);
      bench.module.faults.chance("cmd.error_spurious", 0.05);
      const answers = Array.from({ length: 2000 }, () => bench.ask("AT", 10));
      bench.module.faults.chance("cmd.error_spurious", 0);
      expect(Array.from({ length: 200 }, () => bench.ask("AT", 10))).not.toContain(ERROR);
      return answers.flatMap((answer, index) => (answer === ERROR ? [index] : []));
    });
    expect(first).toEqual(second);
    expect(first).not.toEqual(other);
    expect(first?.length).toBeGreaterThan(70);
    expect(first?.length).toBeLessThan(130);
  });

  test("have another argument each time by chance, or the one that was asked for", () => {
    const { bench, struck } = watched();
    bench.module.faults.chance("cmd.busy_then_ok", 1);
    for (let count = 0; count < 5; count += 1) bench.ask("AT", 5000);
    expect(new Set(struck.map(([, argument]) => argument)).size).toBe(5);
    bench.module.faults.chance("cmd.busy_then_ok", 1, 33);
    bench.ask("AT");
    expect(struck.at(-1)).toEqual(["cmd.busy_then_ok", 33]);
  });

  test("that need no occasion have one a minute by chance", () => {
    const { bench, struck } = watched();
    bench.module.faults.chance("module.reset", 0.5);
    bench.wait(100 * 60_000);
    expect(struck.length).toBeGreaterThan(30);
    expect(struck.length).toBeLessThan(70);
    bench.module.faults.chance("module.reset", 0);
    struck.length = 0;
    bench.wait(100 * 60_000);
    expect(struck).toEqual([]);
  });

  test("can be taken back, those too that wait for a state", () => {
    const { bench, struck } = watched();
    bench.module.faults.strike("cmd.error_spurious");
    bench.module.faults.strike("link.half_open");
    bench.module.faults.chance("cmd.busy_p", 1);
    bench.module.faults.chance("module.reset", 1);
    bench.module.faults.clear();
    bench.ask("AT+CWMODE=1");
    bench.ask('AT+CWJAP="moth","12345678"', 5000);
    expect(bench.ask('AT+CIPSTART="TCP","peer",7', 600_000)).toBe(`CONNECT\r\n${OK}`);
    expect(struck).toEqual([]);
  });
});
