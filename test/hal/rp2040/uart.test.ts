import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { ImageFiles } from "../../../tools/emulate/image";
import { buildProbe, ProbeBench, temporaryFolder, told } from "./probe";

const folder = temporaryFolder();
let image: ImageFiles;

beforeAll(() => {
  image = buildProbe("echo", folder.path);
});
afterAll(() => folder.remove());

function started(): ProbeBench {
  const bench = new ProbeBench(image);
  bench.chip.powerOn();
  bench.hear("up");
  return bench;
}

/** Bytes that repeat only after 251, so that one that is lost or doubled shows. */
function pattern(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_byte, index) => (index * 31) % 251);
}

/** Sends from the far end and gives what came back once the line is silent. */
function exchange(bench: ProbeBench, bytes: Uint8Array): Uint8Array {
  const back: number[] = [];
  let silent = 0;
  let sent = 0;
  const room = new Uint8Array(4096);
  while (silent < 50) {
    sent += bench.far.write(bytes, sent);
    bench.clock.runFor(1);
    const count = bench.far.read(room);
    back.push(...room.subarray(0, count));
    silent = count === 0 && sent === bytes.length ? silent + 1 : 0;
  }
  return Uint8Array.from(back);
}

test("the module's UART carries 20,000 bytes both ways at once at 115200 without loss", () => {
  const bench = started();
  const bytes = pattern(20_000);
  const before = bench.clock.now;

  const back = exchange(bench, bytes);

  expect(back).toEqual(bytes);
  const heard = bench.ask("t");
  expect(told(heard, "received")).toBe(20_000);
  expect(told(heard, "lost")).toBe(0);
  // 1736 ms of bytes, and the 50 ms of silence that end the exchange.
  expect(bench.clock.now - before).toBeLessThan(1830);
});

test("a program that looks at its rings every 5 ms loses nothing", () => {
  const bench = started();
  bench.ask("b");
  const bytes = pattern(10_000);

  expect(exchange(bench, bytes)).toEqual(bytes);
  expect(told(bench.ask("t"), "lost")).toBe(0);
});

test("the interrupts gather bytes: a saturated line wakes the program less than 1,000 times a second", () => {
  const bench = started();
  const before = told(bench.ask("t"), "turns");

  exchange(bench, pattern(11_520));

  expect(told(bench.ask("t"), "turns") - before).toBeLessThan(1000);
});

test("a program that is away for 300 ms has lost what passed the ring, and says how many bytes", () => {
  const bench = started();
  const bytes = pattern(3000);
  bench.type("d");
  bench.clock.runFor(1);

  bench.far.write(bytes);
  bench.hear("ok");
  const back = exchange(bench, new Uint8Array(0));
  const heard = bench.ask("t");

  expect(told(heard, "lost")).toBeGreaterThan(1000);
  expect(told(heard, "received") + told(heard, "lost")).toBe(3000);
  expect(back).toHaveLength(told(heard, "received"));
  expect(back.subarray(0, 1024)).toEqual(bytes.subarray(0, 1024));
});

test("an overrun of the hardware is counted, and the clock catches up with what it missed", () => {
  const bench = started();
  const bytes = pattern(200);
  bench.type("m");
  bench.clock.runFor(0.5);
  bench.far.write(bytes);

  const heard = bench.hear("ok");
  bench.clock.runFor(50);
  const counted = bench.ask("t");

  expect(told(heard, "clock")).toBeGreaterThanOrEqual(5);
  expect(told(counted, "lost")).toBeGreaterThan(0);
  expect(told(counted, "received")).toBeLessThan(200);
});

test("the rate changes once everything has left, and both ends understand each other again", () => {
  const bench = started();
  expect(told(bench.ask("e"), "baud taken")).toBe(0);
  bench.clock.runFor(50);
  bench.far.read(new Uint8Array(100));

  expect(told(bench.ask("1"), "baud taken")).toBe(1);
  bench.far.setBaud(460_800);
  const before = bench.clock.now;
  expect(exchange(bench, pattern(10_000))).toEqual(pattern(10_000));
  expect(bench.clock.now - before).toBeLessThan(300);

  expect(told(bench.ask("2"), "baud taken")).toBe(1);
  bench.far.setBaud(9600);
  expect(exchange(bench, pattern(100))).toEqual(pattern(100));
});

test("a rate that the divider cannot come near is refused", () => {
  const bench = started();

  expect(told(bench.ask("3"), "baud taken")).toBe(1);
  expect(told(bench.ask("4"), "baud taken")).toBe(0);
  expect(told(bench.ask("5"), "baud taken")).toBe(0);
});

test("a board with flow control and without a reset line is built from the same sources", () => {
  const own = temporaryFolder();
  onTestFinished(() => own.remove());
  const bench = new ProbeBench(buildProbe("echo", own.path, { FLOW_CONTROL: 1, MODULE_RESET_PIN: -1 }));
  bench.chip.powerOn();
  bench.hear("up");

  expect(exchange(bench, pattern(3000))).toEqual(pattern(3000));
});

test("a byte that comes at any moment around the sleep wakes the program at once", () => {
  const bench = started();
  for (let turn = 0; turn < 300; turn += 1) {
    // Steps that share no divisor with the millisecond, so that every phase of the tick is met.
    bench.clock.runFor(3.0137);
    const sentAt = bench.clock.now;
    bench.far.write(Uint8Array.of(turn & 0xff));
    let back = 0;
    while (back === 0 && bench.clock.now < sentAt + 5) {
      bench.clock.runFor(0.05);
      back = bench.far.waiting;
    }
    // Two bytes on the wire, and 32 bits of silence before the hardware tells of a single byte.
    expect(bench.clock.now - sentAt).toBeLessThan(0.7);
    expect(bench.far.read(new Uint8Array(8))).toBe(1);
  }
});
