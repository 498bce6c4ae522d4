import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { buildProbe, type Probe, ProbeBoard } from "./probe-board";

let probe: Probe;
let board: ProbeBoard;

beforeAll(() => {
  probe = buildProbe("flash");
});
afterAll(() => probe.remove());
afterEach(() => board.cutPower());

async function booted(): Promise<void> {
  board = new ProbeBoard(probe);
  board.powerOn();
  expect(await board.heard("ready\n")).toContain("size=131072");
}

async function answer(order: string): Promise<string> {
  board.type(`${order}\n`);
  return (await board.heard("\n")).trimEnd();
}

test("a chip's storage comes erased", async () => {
  await booted();
  expect(await answer("r0")).toBe("255,255,255,255,255,255,255,255");
  expect(await answer("r131064")).toBe("255,255,255,255,255,255,255,255");
});

test("what was programmed is there, also after a restart and after a power cut, and an erase takes it away", async () => {
  await booted();
  expect(await answer("p8")).toBe("programmed=1");
  expect(await answer("r8")).toBe("1,2,3,4,5,6,7,8");
  board.type("S\n");
  await board.heard("ready\n");
  expect(await answer("r8")).toBe("1,2,3,4,5,6,7,8");
  board.cutPower();
  board.console = "";
  board.powerOn();
  await board.heard("ready\n");
  expect(await answer("r8")).toBe("1,2,3,4,5,6,7,8");
  expect(await answer("e0")).toBe("erased=1");
  expect(await answer("r8")).toBe("255,255,255,255,255,255,255,255");
});

test("an erase takes one area and leaves the other", async () => {
  await booted();
  await answer("p0");
  await answer("q0");
  const [first, second] = [await answer("s0"), await answer("s1")];
  expect(await answer("e0")).toBe("erased=1");
  expect(await answer("s0")).not.toBe(first);
  expect(await answer("s1")).toBe(second);
  expect(await answer("e2")).toBe("erased=0");
});

test("ones cannot be programmed where zeros are: it is noticed", async () => {
  await booted();
  await answer("p0");
  expect(await answer("z0")).toBe("programmed=0");
});

test("programming off the step of 8 bytes, or past the end, is refused", async () => {
  await booted();
  for (const at of [4, 131_064, 131_072, 4_000_000_000]) expect(await answer(`p${at}`)).toBe("programmed=0");
  expect(await answer("p131056")).toBe("programmed=1");
});

test("an error that the controller reports fails the operation, and the next one works", async () => {
  await booted();
  board.chip.parts.flash.failNext = 1 << 4;
  expect(await answer("e0")).toBe("erased=0");
  expect(await answer("e0")).toBe("erased=1");
  board.chip.parts.flash.failNext = 1 << 7;
  expect(await answer("p0")).toBe("programmed=0");
  expect(await answer("p0")).toBe("programmed=1");
});

test("an erase feeds the watchdog, and bytes that come meanwhile are not lost", async () => {
  await booted();
  await answer("w300");
  board.peer.write(new Uint8Array(400).fill(0x55));
  // Fifteen erases take longer than the watchdog waits.
  for (let i = 0; i < 15; i += 1) expect(await answer("e1")).toBe("erased=1");
  expect(await answer("m")).toBe("module=400");
  expect(board.resets).toEqual([]);
});

test("a power cut in the middle of an erase leaves a chip that can erase again", async () => {
  await booted();
  await answer("p0");
  board.type("e0\n");
  const began = board.clock.now;
  await board.until(() => board.clock.now > began + 25);
  board.cutPower();
  board.powerOn();
  await board.heard("ready\n");
  expect(await answer("e0")).toBe("erased=1");
  expect(await answer("r131064")).toBe("255,255,255,255,255,255,255,255");
});
