/** Measures on an emulated Pico: the cases in cycles, and the sensor board in its surroundings. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSite, type Site } from "../../../sim/bench";
import { SimClock } from "../../../sim/clock";
import { ScriptedBroker } from "../../../sim/network/broker";
import { MemoryNetwork } from "../../../sim/network/memory";
import { Outside } from "../../../sim/pace";
import { settingsText } from "../../../sim/provisioning";
import { boardNamed } from "../../build/board-file";
import { ConsoleUser } from "../../emulate/console-user";
import type { ImageFiles } from "../../emulate/image";
import { createRp2040, type EmulatedPico } from "../../emulate/rp2040";
import { Failure } from "../../failure";
import { CASES, MARK_PIN, ROUNDS } from "./cases";

const MHZ = 125;
const DEVICE = "bench";
const TELEMETRY = `moth/${DEVICE}/telemetry`;

interface PicoOnBench {
  readonly site: Site;
  readonly broker: ScriptedBroker;
  readonly pico: EmulatedPico;
  /** Runs until something holds; fails when it does not within so many ms. */
  readonly until: (what: string, ms: number, holds: () => boolean) => void;
}

/** A Pico with its module and a broker, in virtual time. A person at the console gives it its settings. */
function onBench(image: ImageFiles, flashFile?: string): PicoOnBench {
  const clock = new SimClock();
  const network = new MemoryNetwork(clock);
  const broker = new ScriptedBroker(clock);
  broker.listen(network, "broker", 1883);
  const site = createSite({ clock, network, device: DEVICE, host: "broker", port: 1883, seed: 1 });
  const user = new ConsoleUser({ settings: settingsText(site.provisioning) }, {
    type: (text) => pico.type(Buffer.from(text)),
    line: () => undefined,
    refused: (message) => {
      throw new Failure(message);
    },
  });
  const pico = createRp2040(image, {
    clock,
    outside: new Outside(clock),
    line: site.line.host,
    module: site.module,
    world: site.world,
    onConsole: (bytes) => user.hear(bytes),
    onReset: () => user.boardStarted(),
    onFailure: (message) => {
      throw new Failure(message);
    },
  }, { resetPin: Number(boardNamed("pico").config["MODULE_RESET_PIN"]), flashFile });
  const until = (what: string, ms: number, holds: () => boolean): void => {
    const end = clock.now + ms;
    while (!holds()) {
      if (clock.now >= end) throw new Failure(`the emulated Pico did not ${what} within ${ms / 1000} s`);
      clock.runUntil(Math.min(end, clock.nextEventAt() ?? end));
    }
  };
  return { site, broker, pico, until };
}

/** Cycles a round of each case, the loop's own taken off. */
export function cyclesOf(image: ImageFiles, cases = CASES): number[] {
  const { site, pico, until } = onBench(image);
  const edges: number[] = [];
  site.world.onPinChange = ({ pin }) => {
    if (pin === MARK_PIN) edges.push(pico.busyCycles ?? 0);
  };
  pico.powerOn();
  until("finish the cases", 600_000, () => edges.length >= 2 * cases);
  pico.cutPower();
  const counts = Array.from({ length: cases }, (_, each) => (edges[2 * each + 1] ?? 0) - (edges[2 * each] ?? 0));
  const [loop = 0, ...measured] = counts;
  return measured.map((count) => Math.round((count - loop) / ROUNDS));
}

export interface BoardFigures {
  /** From power-on of a board that has its settings to its first telemetry at the broker, in ms. Most is the module's. */
  readonly bootToFirstPublishMs: number;
  /** From the last byte of a command on the wire to the change of the pin, in ms: the longest of ten. */
  readonly commandToPinMs: number;
  /** Share of the processor's time at one publish a second. */
  readonly busyAtOneASecond: number;
}

function published(broker: ScriptedBroker): number {
  return broker.received.filter(({ packet }) => packet.cmd === "publish" && packet.topic === TELEMETRY).length;
}

/** The longest time from an order's last byte to the pin, of ten. The line is quiet but for them. */
function commandToPin({ site, broker, until }: PicoOnBench): number {
  let longest = 0;
  for (let order = 0; order < 10; order += 1) {
    const changes = site.world.pinChanges.length;
    let last = 0;
    // The bytes leave the module one after another: the last one before the pin changes is the order's last.
    site.line.module.tap = () => (last = site.line.module.idleAt());
    broker.publish(`moth/${DEVICE}/relay/set`, order % 2 === 0 ? "ON" : "OFF");
    until("switch its relay", 5000, () => site.world.pinChanges.length > changes);
    const change = site.world.pinChanges.at(-1);
    if (change !== undefined) longest = Math.max(longest, change.time - last);
    site.line.module.tap = undefined;
    until("come to rest", 5000, () => site.clock.now > (change?.time ?? 0) + 700);
  }
  return longest;
}

export function boardFigures(image: ImageFiles): BoardFigures {
  const bench = onBench(image);
  const { site: { clock }, broker, pico, until } = bench;
  pico.powerOn();
  until("come online", 60_000, () => published(broker) > 0);
  pico.cutPower();
  clock.runFor(5000);

  const [before, begin] = [published(broker), clock.now];
  pico.powerOn();
  until("publish", 60_000, () => published(broker) > before);
  const bootToFirstPublishMs = clock.now - begin;

  broker.publish(`moth/${DEVICE}/interval/set`, "1");
  clock.runFor(5000);
  const [busy, all] = [pico.busyCycles ?? 0, pico.cycles ?? 0];
  clock.runFor(30_000);
  const busyAtOneASecond = ((pico.busyCycles ?? 0) - busy) / ((pico.cycles ?? 0) - all);

  broker.publish(`moth/${DEVICE}/interval/set`, "3600");
  // Past the moment when the new interval is written into the flash: that takes the board some milliseconds.
  clock.runFor(8000);
  const commandToPinMs = commandToPin(bench);
  pico.cutPower();
  return { bootToFirstPublishMs, commandToPinMs, busyAtOneASecond };
}

export interface SaturatedFigures {
  readonly bytesPerSecond: number;
  readonly busy: number;
}

/**
 * The flood application with the line full: how much of the processor that takes. It has no console, so it is flashed
 * to a board that got its settings as a sensor board.
 */
export function saturatedFigures(flood: ImageFiles, sensorBoard: ImageFiles): SaturatedFigures {
  const folder = mkdtempSync(join(tmpdir(), "moth-bench-"));
  try {
    const flashFile = join(folder, "flash");
    const first = onBench(sensorBoard, flashFile);
    first.pico.powerOn();
    first.until("come online", 60_000, () => published(first.broker) > 0);
    first.pico.cutPower();
    return fullLine(onBench(flood, flashFile));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function fullLine({ site: { clock }, broker, pico, until }: PicoOnBench): SaturatedFigures {
  const bytes = (): number => broker.received.reduce((sum, { packet }) => sum + 2 + (packet.length ?? 0), 0);
  pico.powerOn();
  until("come online", 60_000, () => broker.received.some(({ packet }) => packet.cmd === "publish"));
  clock.runFor(2000);
  const [busy, all, before] = [pico.busyCycles ?? 0, pico.cycles ?? 0, bytes()];
  clock.runFor(10_000);
  const figures = {
    bytesPerSecond: Math.round((bytes() - before) / 10),
    busy: ((pico.busyCycles ?? 0) - busy) / ((pico.cycles ?? 0) - all),
  };
  pico.cutPower();
  return figures;
}

export const PICO_MHZ = MHZ;
