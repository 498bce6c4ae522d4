import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { readElf } from "../../../tools/emulate/qemu/elf";
import { buildProbe, type Probe, ProbeBoard } from "./probe-board";

let probe: Probe;
let board: ProbeBoard;
let symbols: ReadonlyMap<string, number>;

beforeAll(() => {
  probe = buildProbe("fault");
  ({ symbols } = readElf(readFileSync(probe.elf)));
});
afterAll(() => probe.remove());
afterEach(() => board.cutPower());

interface Told {
  readonly pc: number;
  readonly lr: number;
  readonly status: number;
}

async function faultOn(order: string): Promise<Told> {
  board = new ProbeBoard(probe);
  board.powerOn();
  await board.heard("ready\n");
  board.type(`${order}\n`);
  const said = await board.heard("ready\n");
  expect(board.resets).toEqual(["restart"]);
  const value = (name: string): number => Number(new RegExp(`${name}=(\\d+)`).exec(said)?.[1]);
  return { pc: value("pc"), lr: value("lr"), status: value("status") };
}

function isWithin(address: number, name: string, size: number): boolean {
  const start = symbols.get(name) ?? NaN;
  return address >= start && address < start + size;
}

test("a store to nowhere is reported with the address of the program, its caller and the bus fault", async () => {
  const { pc, lr, status } = await faultOn("n");
  expect(isWithin(pc, "touch_nothing", 16)).toBe(true);
  expect(isWithin(lr, "runtime_main", 512)).toBe(true);
  expect(status & 0xff00).not.toBe(0);
});

test("an instruction that is none is reported as a usage fault", async () => {
  const { pc, status } = await faultOn("u");
  expect(pc).toBe(symbols.get("run_no_code"));
  expect(status).toBe(1 << 16);
});

test("a fault of a program that uses the FPU is reported alike", async () => {
  const { pc } = await faultOn("f");
  expect(isWithin(pc, "touch_nothing", 16)).toBe(true);
});

test("a stack that overflows leaves the memory: a fault that says so, and RAM that is whole", async () => {
  const { pc, status } = await faultOn("s");
  // Stacking failed, so nothing is known of the program; or the very store that overflowed is.
  expect(pc === 0 || isWithin(pc, "recurse", 64)).toBe(true);
  expect(status & 0xff00).not.toBe(0);
});
