import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { buildProbe, type Probe, ProbeBoard } from "./probe-board";

let probe: Probe;
let board: ProbeBoard;

beforeAll(() => {
  probe = buildProbe("chip");
});
afterAll(() => probe.remove());
afterEach(() => board.cutPower());

async function booted(): Promise<ProbeBoard> {
  board = new ProbeBoard(probe);
  board.powerOn();
  await board.heard("ready\n");
  return board;
}

async function answer(order: string): Promise<string> {
  board.type(`${order}\n`);
  return (await board.heard("\n")).trimEnd();
}

function numberIn(text: string): number {
  return Number(/=(\d+)/.exec(text)?.[1]);
}

test("the chip boots at 168 MHz from its crystal, and says why it started", async () => {
  await booted();
  expect(board.chip.parts.clocks.coreHz).toBe(168_000_000);
  expect(board.resets).toEqual([]);
});

test("without a crystal it boots at 168 MHz from its internal oscillator", async () => {
  board = new ProbeBoard(probe, { crystalHz: 0 });
  board.powerOn();
  expect(await board.heard("ready\n")).toContain("cause=0");
  expect(board.chip.parts.clocks.coreHz).toBe(168_000_000);
});

test("its milliseconds are the world's", async () => {
  await booted();
  const first = numberIn(await answer("m"));
  const began = board.clock.now;
  await board.until(() => board.clock.now > began + 2000);
  const passed = numberIn(await answer("m")) - first;
  expect(passed / (board.clock.now - began)).toBeGreaterThan(0.97);
  expect(passed / (board.clock.now - began)).toBeLessThan(1.03);
});

test("idle lasts as long as was asked, and a byte ends it at once", async () => {
  await booted();
  const slept = numberIn(await answer("d300"));
  expect(slept).toBeGreaterThanOrEqual(300);
  expect(slept).toBeLessThan(400);
  board.type("d10000\n");
  await board.until(() => false, 300).catch(() => undefined);
  const typed = board.clock.now;
  board.type("x\n");
  expect(numberIn(await board.heard("\n"))).toBeLessThan(2000);
  expect(board.clock.now - typed).toBeLessThan(200);
});

test("an output drives the world's pin and starts low; the level can be read back", async () => {
  await booted();
  expect(await answer("o2")).toBe("output=1");
  expect(await answer("h2")).toBe("level=1");
  expect(board.world.pinLevel(2)).toBe(true);
  expect(await answer("l2")).toBe("level=0");
  expect(board.world.pinChanges.map(({ pin, high }) => [pin, high])).toEqual([[2, true], [2, false]]);
});

test("the board's own pins are not the world's: the header's supply is on, and nobody sees it", async () => {
  await booted();
  expect(await answer("r18")).toBe("level=1");
  expect(board.world.pinChanges).toEqual([]);
});

test("a pin that is no output is not driven", async () => {
  await booted();
  expect(await answer("h19")).toBe("level=0");
  expect(board.world.pinChanges).toEqual([]);
});

test("an input hears the world, and its pull-up where nothing is connected", async () => {
  await booted();
  expect(await answer("i15")).toBe("input=1");
  expect(await answer("r15")).toBe("level=1");
  board.world.pressButton();
  expect(await answer("r15")).toBe("level=0");
  expect(await answer("i20")).toBe("input=1");
  expect(await answer("r20")).toBe("level=1");
  expect(await answer("f20")).toBe("floating=1");
  expect(await answer("r20")).toBe("level=0");
});

test("pins that the board uses itself, and pins that there are not, are refused", async () => {
  await booted();
  const refused = [38, 39, 22, 23, 24, 18, 13, 14, 11, 12, 46, 47, 48, 1000];
  for (const pin of refused) expect([pin, await answer(`o${pin}`)]).toEqual([pin, "output=0"]);
});

test("the converter gives the world's voltages, and the chip's own temperature on channel 16", async () => {
  await booted();
  board.world.set("temperature", 25);
  board.world.set("humidity", 50);
  expect(numberIn(await answer("a0"))).toBe(board.world.microvolts(0));
  expect(numberIn(await answer("a1"))).toBe(board.world.microvolts(1));
  const chip = 25 + (numberIn(await answer("a16")) - 760_000) / 2500;
  expect(chip).toBeGreaterThan(29);
  expect(chip).toBeLessThan(31);
  expect(numberIn(await answer("a17"))).toBe(2 ** 32 - 1);
});

test("a pin that is an output, or the board's own, is no channel", async () => {
  await booted();
  expect(await answer("o4")).toBe("output=1");
  expect(numberIn(await answer("a4"))).toBe(2 ** 32 - 1);
});

test("the reset line holds the module and lets it go", async () => {
  await booted();
  await board.until(() => board.module.running);
  expect(await answer("R1")).toBe("held=1");
  expect(board.module.running).toBe(false);
  expect(await answer("R0")).toBe("held=0");
  await board.until(() => board.module.running);
});

test("a restart keeps what is in .noinit and says that it was one", async () => {
  await booted();
  await answer("k12345");
  board.type("S\n");
  const hello = await board.heard("ready\n");
  expect(hello).toContain("cause=1");
  expect(hello).toContain("kept=12345");
  expect(board.resets).toEqual(["restart"]);
});

test("a power cut forgets .noinit", async () => {
  await booted();
  await answer("k12345");
  board.cutPower();
  expect(board.chip.on).toBe(false);
  board.console = "";
  board.powerOn();
  const hello = await board.heard("ready\n");
  expect(hello).toContain("cause=0");
  expect(hello).not.toContain("kept=12345");
});

test("the watchdog leaves a program alone that feeds it", async () => {
  await booted();
  await answer("w400");
  expect(await answer("F2000")).toBe("fed=2000");
  expect(board.resets).toEqual([]);
});

test("the watchdog resets a program that hangs, in time, and the program learns of it", async () => {
  await booted();
  await answer("k77");
  await answer("w500");
  const began = board.clock.now;
  board.type("H\n");
  const hello = await board.heard("ready\n");
  expect(hello).toContain("cause=2");
  expect(hello).toContain("kept=77");
  expect(board.resets).toEqual(["watchdog"]);
  expect(board.clock.now - began).toBeGreaterThan(500);
  expect(board.clock.now - began).toBeLessThan(2000);
  // The chip keeps its flags until they are cleared.
  board.type("S\n");
  expect(await board.heard("ready\n")).toContain("cause=1");
});

test("random numbers differ, and the unique number is the chip's", async () => {
  await booted();
  expect(await answer("?")).not.toBe(await answer("?"));
  expect(await answer("I")).toBe("313832393336510f003a0041");
});

test("who asks for the boot loader in ROM gets there by way of a reset", async () => {
  await booted();
  board.type("B\n");
  await board.until(() => board.inBootLoader);
  expect(board.resets).toEqual(["restart"]);
});
