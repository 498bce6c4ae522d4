import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ImageFiles } from "../../../tools/emulate/image";
import { addressOf, buildProbe, ProbeBench, temporaryFolder, told } from "./probe";

const folder = temporaryFolder();
let image: ImageFiles;

beforeAll(() => {
  image = buildProbe("basics", folder.path);
});
afterAll(() => folder.remove());

function started(): ProbeBench {
  const bench = new ProbeBench(image);
  bench.chip.powerOn();
  bench.hear("up");
  return bench;
}

describe("time on the Pico", () => {
  test("goes at the rate of the emulated microseconds, with a tick each millisecond", () => {
    const bench = started();
    const before = bench.clock.now;

    const heard = bench.ask("c");

    expect(told(heard, "slept")).toBe(1000);
    expect(told(heard, "ticks")).toBe(1000);
    // The rest is what the console needs to say it.
    expect(bench.clock.now - before).toBeGreaterThan(999);
    expect(bench.clock.now - before).toBeLessThan(1010);
  });

  test("costs a sleeping chip less than half a per cent of its cycles", () => {
    const bench = started();
    const [busy, all] = [bench.chip.busyCycles ?? 0, bench.chip.cycles ?? 0];

    bench.clock.runFor(1000);

    const cycles = (bench.chip.cycles ?? 0) - all;
    expect(cycles).toBeGreaterThan(124e6);
    expect(cycles).toBeLessThan(126e6);
    expect(((bench.chip.busyCycles ?? 0) - busy) / cycles).toBeLessThan(0.005);
  });
});

describe("pins of the Pico", () => {
  test("are the program's, but for those that the board needs itself", () => {
    const bench = started();

    const heard = bench.ask("p");

    expect(told(heard, "console pin")).toBe(0);
    expect(told(heard, "module pin")).toBe(0);
    expect(told(heard, "reset pin")).toBe(0);
    expect(told(heard, "no pin")).toBe(0);
    expect(told(heard, "relay")).toBe(1);
  });

  test("drive the world and feel its button, and read what they are driven to", () => {
    const bench = started();
    bench.world.pressButton();

    const heard = bench.ask("p");

    expect(told(heard, "relay reads")).toBe(1);
    expect(bench.world.pinChanges.map(({ pin, high }) => [pin, high])).toEqual([[2, true], [2, false]]);
    expect(told(heard, "button reads")).toBe(0);
    expect(told(heard, "floating pull-up")).toBe(1);
  });

  test("wake the chip when an input changes", () => {
    const bench = started();
    bench.type("b");
    bench.hear("ready");
    bench.clock.runFor(1020);
    bench.world.pressButton();

    const heard = bench.hear("ok");

    expect(told(heard, "woke after")).toBeGreaterThan(990);
    expect(told(heard, "woke after")).toBeLessThan(1010);
    expect(told(heard, "level")).toBe(0);
  });

  test("hold the module in reset and let it go, without ever driving the line high", () => {
    const bench = started();
    bench.clock.runFor(1000);
    expect(bench.module.running).toBe(true);

    expect(told(bench.ask("l"), "present")).toBe(1);

    expect(bench.module.running).toBe(false);
    bench.clock.runFor(1000);
    expect(bench.module.running).toBe(true);
    expect(bench.world.pinChanges.filter(({ pin }) => pin === 3)).toEqual([]);
  });
});

describe("the converter of the Pico", () => {
  test("reads channels 0 to 2 and the chip's sensor in microvolts, and no other", () => {
    const bench = started();
    bench.world.set("temperature", 25);
    bench.world.set("humidity", 50);

    const heard = bench.ask("a");

    const channels = [...heard.matchAll(/uV=(-?\d+)/g)].map(([, value]) => Number(value));
    const step = 3_300_000 / 4096;
    expect(channels[0]).toBe(-1);
    expect(Math.abs((channels[1] ?? 0) - 750_000)).toBeLessThanOrEqual(step);
    expect(Math.abs((channels[2] ?? 0) - 3_300_000 * (0.00636 * 50 + 0.1515))).toBeLessThanOrEqual(step);
    expect(channels[3]).toBe(0);
    expect(channels[4]).toBe(-1);
    expect(Math.abs((channels[5] ?? 0) - 706_000)).toBeLessThanOrEqual(step);
    expect(channels[6]).toBe(-1);
  });

  test("has lost a channel whose pin became a digital one", () => {
    expect(told(started().ask("d"), "uV")).toBe(-1);
  });
});

describe("the chip itself", () => {
  test("knows its flash's 64-bit number", () => {
    const bench = started();

    const heard = bench.ask("i");

    const number = bench.chip.flash.id.map((byte) => byte.toString(16).padStart(2, "0")).join("");
    expect(told(heard, "length")).toBe(8);
    expect(heard).toContain(`${number}\n`);
  });

  test("draws a different number each time", () => {
    const drawn = started().ask("n").split("\n").slice(0, 4);

    expect(new Set(drawn).size).toBe(4);
    expect(drawn.every((number) => /^[0-9a-f]{8}$/.test(number))).toBe(true);
  });

  test("starts from power with noise in what is not initialised", () => {
    const heard = started().ask("r");

    expect(told(heard, "cause")).toBe(0);
    expect(heard).not.toContain("12345678\n");
  });

  test("keeps what is not initialised over a restart, and loses it with the power", () => {
    const bench = started();
    bench.type("k");
    bench.hear("up");

    const heard = bench.ask("r");

    expect(bench.resets).toEqual(["restart"]);
    expect(told(heard, "cause")).toBe(1);
    expect(heard).toContain("12345678\n");

    bench.chip.cutPower();
    bench.clock.runFor(10);
    bench.chip.powerOn();
    bench.hear("up");
    const afterPower = bench.ask("r");
    expect(told(afterPower, "cause")).toBe(0);
    expect(afterPower).not.toContain("12345678\n");
  });

  test("hands a fault its place, and starts anew", () => {
    const bench = started();
    bench.type("f");
    bench.hear("up");

    const heard = bench.ask("r");

    const [, , pc] = heard.split("\n");
    expect(heard).toContain("600df00d\n");
    expect(parseInt(pc ?? "", 16)).toBe(addressOf(image, "planted_fault"));
    expect(told(heard, "cause")).toBe(1);
  });

  test("is brought back by its watchdog when a fault leaves it no stack to save itself on", () => {
    const bench = started();
    bench.type("s");

    bench.hear("up");

    expect(bench.resets).toEqual(["watchdog"]);
    expect(told(bench.ask("r"), "cause")).toBe(2);
  });

  test("is reset by its watchdog when it hangs, and not while it feeds it", () => {
    const bench = started();
    bench.type("w");
    bench.hear("fed");
    expect(bench.resets).toEqual([]);
    const hungAt = bench.clock.now;

    bench.hear("up");

    expect(bench.resets).toEqual(["watchdog"]);
    // It was fed a moment before it said so.
    expect(bench.clock.now - hungAt).toBeGreaterThan(290);
    expect(bench.clock.now - hungAt).toBeLessThan(310);
    expect(told(bench.ask("r"), "cause")).toBe(2);
  });

  test("leaves for the boot loader through the boot ROM", () => {
    const bench = started();
    bench.type("u");
    bench.clock.runFor(100);

    expect(bench.bootLoaders).toBe(1);
    expect(() => bench.hear("ok", 100)).toThrow();
  });
});
