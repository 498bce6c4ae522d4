/**
 * A meter in the device runtime, killed at random moments while it publishes to and is commanded by a real Mosquitto that
 * keeps sessions: no reading that was accepted is lost, no command either, and nothing at QoS 2 comes twice.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Random } from "../../sim/random";
import { buildForBoard } from "../../tools/build/board-build";
import { lineOf } from "../../tools/build/problem";
import { requireTool } from "../system";
import { Mosquitto } from "./mosquitto";
import { Program } from "./processes";

const KILLS = Number(process.env["MOTH_KILLS"] ?? 40);
/** The longest life between two kills, in ms. */
const LONGEST_LIFE = 250;
const COMMANDS_A_LIFE = 20;

const folder = mkdtempSync(join(tmpdir(), "moth-kept-session-"));
let program = "";

beforeAll(() => {
  const result = buildForBoard("test/e2e/apps/kept-meter.ts", "host", { outDir: folder });
  if ("problems" in result) throw new Error(result.problems.map(lineOf).join("\n"));
  program = result.report.files["elf"] ?? "";
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Run 0 is the last one; each other has a number of its own. */
function start(broker: Mosquitto, run: number): Program {
  return new Program(program, [
    "--module", `tcp:127.0.0.1:${broker.port}`, "--storage", join(folder, "flash"), "--clock", String(run * 1_000_000),
    "--no-watchdog",
  ]);
}

/**
 * The commands from `from` to `to`, each a message, of which the even ones go at QoS 1 and the odd ones at QoS 2. Nothing
 * may stand still meanwhile: the broker writes its log into a pipe that is read here.
 */
async function command(broker: Mosquitto, from: number, to: number): Promise<void> {
  for (const [topic, qos] of [["meter/once", 1], ["meter/exactly", 2]] as const) {
    const numbers = Array.from({ length: to - from }, (_, i) => from + i).filter((number) => number % 2 === qos - 1);
    const publish = `${requireTool("mosquitto_pub")} -h 127.0.0.1 -p ${broker.port} -q ${qos} -t ${topic} -l`;
    expect(await new Program("sh", ["-c", `printf '${numbers.join("\\n")}\\n' | ${publish}`]).ended).toBe(0);
  }
}

function timesOf(items: readonly string[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const item of items) times.set(item, (times.get(item) ?? 0) + 1);
  return times;
}

test(`${KILLS} kills at random moments lose nothing, and QoS 2 comes once`, async () => {
  const seed = Number(process.env["MOTH_SEED"] ?? Date.now() % 1_000_000);
  const random = new Random(seed);
  const broker = await Mosquitto.start({ persistent: true });
  const listener = new Program("stdbuf", [
    "-oL", requireTool("mosquitto_sub"), "-h", "127.0.0.1", "-p", String(broker.port), "-q", "2", "-t", "reading/#", "-F", "> %t %p", "-d",
  ]);
  await listener.until("the subscription", (line) => (line.startsWith("Subscribed") ? true : undefined));

  const accepted: string[] = [];
  let commands = 0;
  for (let run = 1; run <= KILLS; run++) {
    const meter = start(broker, run);
    if (run === 1) await meter.until("readings", (line) => (line.startsWith("+") ? true : undefined));
    const commanded = command(broker, commands, commands + COMMANDS_A_LIFE);
    commands += COMMANDS_A_LIFE;
    await wait(random.int(LONGEST_LIFE));
    meter.kill("SIGKILL");
    await commanded;
    await meter.ended;
    // The last line may be half of one.
    accepted.push(...meter.lines.filter((line) => /^\+ \d+\.\d+$/.test(line)).map((line) => line.slice(2)));
  }

  const last = start(broker, 0);
  await last.until("the end of everything that was kept", (line) => (line === "held 0" ? true : undefined), 30_000);
  await wait(500);
  last.kill("SIGKILL");
  await last.ended;
  const reader = start(broker, 0);
  await reader.until("its counts", (line) => (line.startsWith("restored") ? true : undefined));
  const counts = reader.lines.filter((line) => line.startsWith("= ")).map((line) => line.split(" ")[2] ?? "").join("");

  const arrived = listener.lines.filter((line) => line.startsWith("> ")).map((line) => line.slice(2));
  const times = timesOf(arrived.map((line) => line.split(" ")[1] ?? ""));
  const twice = [...timesOf(arrived.filter((line) => line.startsWith("reading/exactly")))].filter(([, count]) => count > 1);
  const numbers = Array.from({ length: commands }, (_, number) => Number(counts[number]));
  const restored = reader.lines.concat(last.lines).filter((line) => line.startsWith("restored"));
  const said = { seed, accepted: accepted.length, arrived: arrived.length, commands, restored };
  expect({ ...said, lost: accepted.filter((reading) => !times.has(reading)) }).toEqual({ ...said, lost: [] });
  expect({ ...said, twice }).toEqual({ ...said, twice: [] });
  expect({ ...said, more: numbers.filter((count, number) => number % 2 === 1 && count > 1) }).toEqual({ ...said, more: [] });
  expect({ ...said, never: numbers.filter((count, number) => number % 2 === 0 && count === 0) }).toEqual({ ...said, never: [] });
  // A kill between the write of the identifier and that of the count takes the command with it: see keep.ts.
  const unobeyed = numbers.filter((count, number) => number % 2 === 1 && count === 0).length;
  expect({ ...said, unobeyed: unobeyed > 2 ? unobeyed : "few" }).toEqual({ ...said, unobeyed: "few" });
  expect(accepted.length).toBeGreaterThan(KILLS);
  console.info(`seed ${seed}: ${accepted.length} readings, ${arrived.length} arrivals, ${commands} commands, ${unobeyed} not obeyed`);
}, 240_000);
