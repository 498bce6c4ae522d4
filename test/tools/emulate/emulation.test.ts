import { join } from "node:path";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { buildForBoard } from "../../../tools/build/board-build";
import { lineOf } from "../../../tools/build/problem";
import { openConsolePort } from "../../../tools/emulate/console-port";
import { Emulation, type EmulationOptions, type EmulationSummary } from "../../../tools/emulate/emulation";
import type { ImageFiles } from "../../../tools/emulate/image";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../../tools/sim/broker";
import type { Reporter } from "../../../tools/sim/report";
import type { Broker } from "../../../tools/sim/session";
import { Mosquitto } from "../../e2e/mosquitto";
import { freePort } from "../../e2e/processes";
import { temporaryFolder } from "../../hal/rp2040/probe";

const folder = temporaryFolder();
let image: ImageFiles;

beforeAll(() => {
  const result = buildForBoard("firmware/apps/sensor-board.ts", "pico", { outDir: folder.path });
  if ("problems" in result) throw new Error(result.problems.map(lineOf).join("\n"));
  const { elf = "", bin = "", uf2 } = result.report.files;
  image = { elf, bin, uf2 };
}, 120_000);
afterAll(() => folder.remove());

interface Told {
  readonly time: number;
  readonly event: string;
  readonly text: string;
}

/** Remembers what it is told, and lets a test act on it. */
class Memory implements Reporter {
  readonly told: Told[] = [];
  onEvent: ((told: Told) => void) | undefined;

  event(time: number, topic: string, event: string, text: string): void {
    const told = { time, event: `${topic} ${event}`, text };
    this.told.push(told);
    this.onEvent?.(told);
  }

  note(): void {
    // Notes are about the simulation, not in it.
  }

  texts(event: string): string[] {
    return this.told.filter((told) => told.event === event).map(({ text }) => text);
  }
}

interface Run {
  readonly memory: Memory;
  readonly summary: EmulationSummary;
}

const OPTIONS: EmulationOptions = {
  broker: undefined, port: undefined, device: "pico-1", settings: new Map(), pems: new Map(), seconds: 12, speed: "max", baud: 115200,
  personality: "esp-at-5", faults: [], seed: 5, set: [], trace: undefined, json: true, board: "pico", flashFile: undefined,
};

async function run(
  broker: Broker, options: Partial<EmulationOptions>, embedded?: EmbeddedBroker,
  act?: (told: Told, emulation: Emulation) => void,
): Promise<Run> {
  const memory = new Memory();
  const emulation = await Emulation.create(image, broker, { ...OPTIONS, ...options }, memory, embedded);
  memory.onEvent = (told) => act?.(told, emulation);
  return { memory, summary: await emulation.run() };
}

async function withOwnBroker(): Promise<{ readonly broker: Broker; readonly embedded: EmbeddedBroker }> {
  const embedded = await startEmbeddedBroker(await freePort());
  onTestFinished(() => embedded.close());
  return { broker: { host: "127.0.0.1", port: embedded.port, user: undefined, password: undefined }, embedded };
}

test("a new Pico is given its settings at its console, joins, and publishes its telemetry", async () => {
  const { broker, embedded } = await withOwnBroker();

  const { memory, summary } = await run(broker, {}, embedded);

  expect(memory.texts("console line")).toContain("moth> set device=pico-1");
  expect(memory.texts("wifi joined")).toEqual([expect.stringContaining("joined bench")]);
  expect(memory.texts("send publish").filter((text) => text.startsWith("moth/pico-1/telemetry {\"seq\":"))).toHaveLength(2);
  expect(memory.texts("console line").join("\n")).not.toContain("not a secret");
  expect(summary).toMatchObject({ powerOns: 1, restarts: 1, watchdogResets: 0, sessions: 1 });
  expect(summary.acknowledged).toBeGreaterThanOrEqual(4);
  expect((summary.busyCycles ?? Infinity) / (summary.cycles ?? 1)).toBeLessThan(0.05);
}, 60_000);

test("a Pico obeys an order from a real Mosquitto, and its power cut is told by its last will", async () => {
  const mosquitto = await Mosquitto.start();
  const subscriber = await mosquitto.subscribe("moth/#");
  const broker = { host: "127.0.0.1", port: mosquitto.port, user: undefined, password: undefined };

  let switched = false;
  const { memory, summary } = await run(broker, { seconds: 60 }, undefined, ({ event, text }, emulation) => {
    if (event === "mqtt subscribed") mosquitto.publish("moth/pico-1/relay/set", "ON");
    switched ||= event === "pin pin";
    // Its state after boot is acknowledged too, before anything is switched.
    if (switched && event === "ack acknowledged" && text.startsWith("moth/pico-1/relay")) emulation.stop();
  });

  expect(memory.texts("pin pin")[0]).toBe("pin 2 high");
  expect(summary.received).toBeGreaterThanOrEqual(1);
  await subscriber.until("moth/pico-1/relay", "ON");
  await subscriber.until("moth/pico-1/availability", "offline");
}, 60_000);

test("a Pico whose flash is kept knows its settings in the next run, and is not asked to start anew", async () => {
  const { broker, embedded } = await withOwnBroker();
  const flashFile = join(folder.path, "kept.flash");
  const first = await run(broker, { flashFile, seconds: 4 }, embedded);
  expect(first.summary.restarts).toBe(1);

  const second = await run(broker, { flashFile, seconds: 4 }, embedded);

  expect(second.summary.restarts).toBe(0);
  expect(second.memory.texts("console line").filter((text) => text.startsWith("moth> set "))).toEqual([]);
  expect(second.summary.sessions).toBe(1);
}, 60_000);

test("a Pico comes back after a power cut with the settings that it had", async () => {
  const { broker, embedded } = await withOwnBroker();
  let cuts = 0;

  const { memory, summary } = await run(broker, { seconds: 16 }, embedded, ({ event, text }, emulation) => {
    if (event !== "send publish" || !text.startsWith("moth/pico-1/telemetry") || cuts > 0) return;
    cuts += 1;
    // An event must not cut the power of the chip that is in the middle of it.
    setImmediate(() => {
      emulation.togglePower();
      emulation.togglePower();
    });
  });

  expect(summary).toMatchObject({ powerOns: 2, sessions: 2 });
  expect(memory.texts("broker heard")).toContain("every subscriber hears moth/pico-1/availability offline");
}, 60_000);

test("a setting that the board refuses ends the emulation with the board's own words", async () => {
  const { broker } = await withOwnBroker();

  await expect(run(broker, { device: "not a device" })).rejects.toThrow(/the board refuses "set device": error: /);
}, 60_000);

test("the console is offered to programs as a TCP port, in both directions", async () => {
  const port = await freePort();
  const typed: string[] = [];
  const console = await openConsolePort(port, (bytes) => typed.push(Buffer.from(bytes).toString()));
  onTestFinished(() => console.close());
  const socket = connect(port, "127.0.0.1");
  const heard = new Promise<string>((resolve) => socket.once("data", (bytes) => resolve(bytes.toString())));
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.write("status\r");
  while (typed.length === 0) await new Promise((resolve) => setImmediate(resolve));

  console.say(Buffer.from("moth> "));

  expect(typed.join("")).toBe("status\r");
  expect(await heard).toBe("moth> ");
  await expect(openConsolePort(port, () => undefined)).rejects.toThrow(/another program listens there/);
});
