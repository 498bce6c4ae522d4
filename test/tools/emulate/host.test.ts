import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { AccessPoint } from "../../../sim/air";
import { SimClock } from "../../../sim/clock";
import { type LineEnd, SerialLine } from "../../../sim/line";
import { EspAtModule } from "../../../sim/module/esp-at";
import { MemoryNetwork } from "../../../sim/network/memory";
import { Outside, runPaced } from "../../../sim/pace";
import { Random } from "../../../sim/random";
import { World } from "../../../sim/world";
import { buildForBoard } from "../../../tools/build/board-build";
import { lineOf } from "../../../tools/build/problem";
import { Emulation } from "../../../tools/emulate/emulation";
import { createHost, type HostBoard } from "../../../tools/emulate/host";

const folder = mkdtempSync(join(tmpdir(), "moth-host-board-"));
let elf = "";

beforeAll(() => {
  const result = buildForBoard("test/tools/emulate/host-probe.ts", "host", { outDir: folder });
  if ("problems" in result) throw new Error(result.problems.map(lineOf).join("\n"));
  elf = result.report.files["elf"] ?? "";
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The probe on this computer. The test is the far end of its line, of its console and of its pins. */
class HostBench {
  readonly clock = new SimClock();
  readonly outside = new Outside(this.clock);
  readonly world = new World(this.clock, new Random(1));
  readonly peer: LineEnd;
  readonly board: HostBoard;
  readonly resets: string[] = [];
  said = "";
  failure = "";

  constructor(flashFile?: string) {
    const { clock, outside, world } = this;
    const line = new SerialLine(clock, { hostTransmitRing: 64 });
    this.peer = line.module;
    const module = new EspAtModule({
      clock, line: new SerialLine(clock).module, network: new MemoryNetwork(clock), air: new AccessPoint(clock, "a", "b"),
      random: new Random(1),
    });
    this.board = createHost({ elf }, {
      clock, outside, line: line.host, module, world,
      onConsole: (bytes) => (this.said += Buffer.from(bytes).toString("latin1")),
      onReset: (cause) => this.resets.push(cause),
      onFailure: (message) => (this.failure = message),
    }, { flashFile });
  }

  async until(done: () => boolean): Promise<void> {
    const end = performance.now() + 20_000;
    await runPaced(this.clock, { speed: "real", outside: this.outside, until: () => done() || performance.now() > end });
    if (!done()) throw new Error(`nothing came of it; the board says: ${this.said} ${this.failure}`);
  }

  /** Waits until the board has said `text`, and forgets it. */
  async heard(text: string): Promise<void> {
    await this.until(() => this.said.includes(text));
    this.said = this.said.slice(this.said.indexOf(text) + text.length);
  }

  async ask(letter: string, answer: string): Promise<void> {
    this.type(letter);
    await this.heard(`${answer}\n`);
  }

  type(letter: string): void {
    this.outside.run(() => this.board.type(Buffer.from(letter)));
  }

  async powerOn(): Promise<void> {
    this.outside.run(() => this.board.powerOn());
    await this.heard("kept=");
  }
}

let bench: HostBench;

beforeEach(() => {
  bench = new HostBench();
});
afterEach(() => bench.board.close());

test("the program reads the voltages and the button of the world, and hears when they change", async () => {
  await bench.powerOn();
  bench.outside.run(() => bench.world.set("temperature", 25));
  bench.world.pressButton();
  // It is looked at ten times a second.
  await bench.until(() => bench.clock.now > 300);
  await bench.ask("a", String(bench.world.microvolts(0)));
  await bench.ask("b", "button=0");
  bench.world.releaseButton();
  bench.outside.run(() => bench.world.set("temperature", 31));
  const warm = bench.clock.now + 300;
  await bench.until(() => bench.clock.now > warm);
  await bench.ask("a", `analog=${bench.world.microvolts(0)}`);
  await bench.ask("b", "button=1");
});

test("it drives the world's pins, lets them go when it starts anew, and then knows the world at once", async () => {
  await bench.powerOn();
  bench.type("h");
  await bench.until(() => bench.world.pinLevel(2));
  bench.type("r");
  await bench.heard("kept=");
  expect(bench.resets).toEqual(["restart"]);
  expect(bench.world.pinLevel(2)).toBe(false);
  await bench.ask("b", "button=1");
});

test("it hears the module, and what it sends takes its time on the line", async () => {
  await bench.powerOn();
  bench.outside.run(() => bench.peer.write(Uint8Array.of(200)));
  await bench.heard("module=200\n");
  const begin = bench.clock.now;
  bench.type("m");
  const sent = 24 * "to the module ".length;
  let heard = "";
  await bench.until(() => {
    const bytes = new Uint8Array(bench.peer.waiting);
    bench.peer.read(bytes);
    heard += Buffer.from(bytes).toString("latin1");
    return heard.length >= sent;
  });
  expect(heard).toBe("to the module ".repeat(24));
  expect(bench.clock.now - begin).toBeGreaterThan((sent * 10 * 1000) / 115_200);
});

test("a power cut ends the program and leaves what is in flash", async () => {
  await bench.powerOn();
  await bench.ask("s", "saved=1");
  bench.type("h");
  await bench.until(() => bench.world.pinLevel(2));
  bench.outside.run(() => bench.board.cutPower());
  expect(bench.board.on).toBe(false);
  expect(bench.world.pinLevel(2)).toBe(false);
  await expect(bench.board.peek(0, 1)).rejects.toThrow("without power");
  await bench.powerOn();
  await bench.heard("77\n");
  expect(bench.resets).toEqual([]);
});

test("a program that ends by itself is a failure, in its own words", async () => {
  const flashFile = join(folder, "short");
  writeFileSync(flashFile, "x");
  await bench.board.close();
  bench = new HostBench(flashFile);
  bench.outside.run(() => bench.board.powerOn());
  await bench.until(() => bench.failure !== "");
  expect(bench.failure).toMatch(/host-probe-host\.elf has ended: moth-host: --storage .*short: not a storage file/);
  expect(bench.board.on).toBe(false);
});

test("it is not run faster than real time", async () => {
  const broker = { host: "127.0.0.1", port: 1883, user: undefined, password: undefined };
  const emulation = Emulation.create({ elf }, broker, {
    broker: undefined, port: undefined, device: "h1", settings: new Map(), pems: new Map(), seconds: 1, speed: "max", baud: 115200,
    personality: "esp-at-5", faults: [], seed: 1,
    set: [], trace: undefined, json: true, board: "host", flashFile: undefined,
  }, { event: () => undefined, note: () => undefined });
  await expect(emulation).rejects.toThrow("--speed max: a program of this computer knows real time only: leave it out");
});
