/**
 * What the client and the sensor board cost on a chip: x86 instructions on the host runtime, cycles on an emulated Pico.
 * Both count alike in every run, so the figures are kept in `chip/figures.json`, and a test fails when one gets worse
 * by more than 3 % unless that file is changed (`--keep`) along with the code.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BoardReport, buildForBoard } from "../build/board-build";
import { withMemory } from "../build/memory";
import { lineOf } from "../build/problem";
import type { ImageFiles } from "../emulate/image";
import { Failure } from "../failure";
import type { Report } from "./bench";
import { EXACT_CASES } from "./chip/cases";
import { instructionsOf } from "./chip/host";
import { boardFigures, cyclesOf, saturatedFigures } from "./chip/pico";

const keptFigures = new URL("chip/figures.json", import.meta.url);

/** How much worse a figure may get by chance of a compiler's mood. */
const TOLERANCE = 0.03;

/** One measured number. For all of them, less is better. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** What the issue asks for. */
  readonly goal?: number;
}

/** What others need for the same work, in x86 instructions a message: 62 bytes on a topic of 29. */
const PEERS = [
  "coreMQTT in C 556 (QoS 0), 1,306 (QoS 1 with PUBACK), 598 (receive)",
  "luamqtt on Lua 5.4 48,900, 87,500, 31,800, and 713 to 1,346 bytes allocated for each",
  "umqtt on MicroPython about 45,000, and 128 to 608 bytes",
];

const CASE_NAMES = [
  "publish at QoS 0", "publish at QoS 1 with PUBACK", "receive at QoS 0", "receive at QoS 1 with PUBACK",
  "write and publish at QoS 0",
];
/** QoS 2, which an application carries that wants it: in a program of its own. */
const EXACT_NAMES = ["publish at QoS 2 to PUBCOMP", "receive at QoS 2 with PUBREL"];
/**
 * Of the three works that the peers' figures are of: a publish at QoS 0, one at QoS 1 with its PUBACK, and a message that
 * is received, which asks for nothing in return. One received at QoS 1 is received and has a packet sent for it.
 */
const INSTRUCTION_GOALS = [5000, 10_000, 5000];

function source(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

function built(app: string, board: string, folder: string): BoardReport {
  const result = buildForBoard(app, board, { outDir: folder });
  if ("problems" in result) throw new Failure(result.problems.map(lineOf).join("\n"));
  return result.report;
}

function imageOf({ files }: BoardReport): ImageFiles {
  const { elf, bin, uf2 } = files;
  if (elf === undefined || bin === undefined) throw new Failure("the board's image has no .bin");
  return { elf, bin, uf2 };
}

function caseFigures(
  where: string,
  unit: string,
  counts: readonly number[],
  goals: readonly number[] = [],
  names: readonly string[] = CASE_NAMES,
): Figure[] {
  return counts.map((value, each) => {
    const goal = goals[each];
    return { name: `${where}: ${names[each] ?? ""}`, unit, value, ...(goal !== undefined && { goal }) };
  });
}

async function measureIn(folder: string): Promise<Figure[]> {
  const client = source("chip/application.ts");
  const host = built(client, "host", folder).files["elf"] ?? "";
  const exact = source("chip/exactly-once.ts");
  const exactHost = built(exact, "host", folder).files["elf"] ?? "";
  const sensorBoard = built(source("../../firmware/apps/sensor-board.ts"), "pico", folder);
  const { memory } = await withMemory(sensorBoard);
  const board = boardFigures(imageOf(sensorBoard));
  const saturated = saturatedFigures(imageOf(built(source("chip/saturate.ts"), "pico", folder)), imageOf(sensorBoard));
  return [
    ...caseFigures("host", "instructions", await instructionsOf(host), INSTRUCTION_GOALS),
    ...caseFigures("host", "instructions", await instructionsOf(exactHost, EXACT_CASES), [], EXACT_NAMES),
    ...caseFigures("pico", "cycles", cyclesOf(imageOf(built(client, "pico", folder)))),
    ...caseFigures("pico", "cycles", cyclesOf(imageOf(built(exact, "pico", folder)), EXACT_CASES), [], EXACT_NAMES),
    { name: "pico: last byte of a command to the pin", unit: "us", value: Math.round(board.commandToPinMs * 1000), goal: 1000 },
    { name: "pico: boot to first publish", unit: "ms", value: Math.round(board.bootToFirstPublishMs) },
    { name: "pico: busy at one publish a second", unit: "per mille", value: Math.round(board.busyAtOneASecond * 10_000) / 10 },
    { name: "pico: busy with the line full at 115200", unit: "per mille", value: Math.round(saturated.busy * 1000), goal: 50 },
    { name: "pico: flash", unit: "bytes", value: sensorBoard.size?.flash ?? 0, goal: 196_608 },
    { name: "pico: RAM", unit: "bytes", value: memory?.ram ?? 0, goal: 49_152 },
  ];
}

function isFigure(value: unknown): value is Figure {
  return typeof value === "object" && value !== null && "name" in value && "unit" in value && "value" in value;
}

/** The figures that were kept when the code was last changed on purpose. */
export function readKept(): Figure[] {
  const kept: unknown = JSON.parse(readFileSync(keptFigures, "utf8"));
  if (!Array.isArray(kept)) throw new Failure("tools/bench/chip/figures.json: is no list of figures");
  return kept.filter(isFigure);
}

/** Makes the figures the ones that later ones are held against. */
export function keep({ figures }: Report): void {
  writeFileSync(keptFigures, `${JSON.stringify(figures, undefined, 2)}\n`);
}

/** What has got worse, in words. */
export function worseThan(kept: readonly Figure[], now: readonly Figure[]): string[] {
  return now.flatMap(({ name, unit, value }) => {
    const before = kept.find((figure) => figure.name === name)?.value;
    if (before === undefined) return [`${name}: ${value} ${unit}, and no figure is kept for it`];
    if (value <= before * (1 + TOLERANCE)) return [];
    return [`${name}: ${value} ${unit}, ${((100 * value) / before - 100).toFixed(1)} % more than the ${before} that are kept`];
  });
}

export async function measureFigures(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "moth-chip-"));
  try {
    return await measureIn(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function row({ name, unit, value, goal }: Figure): string {
  const number = value.toLocaleString("en").padStart(10);
  const verdict = goal === undefined ? "" : value <= goal ? `  goal ${goal.toLocaleString("en")}: met` : `  goal ${goal.toLocaleString("en")}: missed`;
  return `  ${name.padEnd(46)}${number} ${unit}${verdict}`;
}

export async function measure(): Promise<Report> {
  const figures = await measureFigures();
  const worse = worseThan(readKept(), figures);
  return {
    figures,
    lines: [
      "62 bytes of payload on a topic of 29; instructions of an x86 under callgrind, cycles of an emulated RP2040 at 125 MHz",
      ...figures.map(row),
      "the same work elsewhere, in x86 instructions:",
      ...PEERS.map((peer) => `  ${peer}`),
      worse.length === 0 ? "nothing is worse than what is kept in tools/bench/chip/figures.json" : "worse than what is kept:",
      ...worse.map((each) => `  ${each}`),
    ],
  };
}
