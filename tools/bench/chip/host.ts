/**
 * Counts the x86 instructions of each case on the host runtime, under valgrind's callgrind: it writes what it has
 * counted whenever a pin is driven, so every second file is a case.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Failure } from "../../failure";
import { findTool } from "../../system-tools.mjs";
import { CASES, ROUNDS } from "./cases";

/** The whole run takes some ten seconds. */
const PATIENCE_MS = 180_000;

/** Instructions that callgrind counted up to a dump; undefined while it is not written. */
function countIn(file: string): number | undefined {
  if (!existsSync(file)) return undefined;
  const totals = /^totals: (\d+)$/m.exec(readFileSync(file, "latin1"));
  return totals === null ? undefined : Number(totals[1]);
}

async function waitFor(file: string, ended: () => string | undefined): Promise<number> {
  const end = performance.now() + PATIENCE_MS;
  while (performance.now() < end) {
    await wait(50);
    const count = countIn(file);
    if (count !== undefined) return count;
    const reason = ended();
    if (reason !== undefined) throw new Failure(`valgrind ended before its time: ${reason}`);
  }
  throw new Failure(`nothing was counted within ${PATIENCE_MS / 1000} s`);
}

/** Instructions a round of each case, the loop's own taken off. */
export async function instructionsOf(program: string, cases = CASES): Promise<number[]> {
  const valgrind = findTool({ program: "valgrind" });
  if (valgrind === undefined) throw new Failure("valgrind is not installed: run npm run setup");
  const folder = mkdtempSync(join(tmpdir(), "moth-bench-"));
  const out = join(folder, "callgrind.out");
  // The length of the environment moves the stack, and with it nothing that is counted; a fixed one all the same.
  const child = spawn(
    valgrind,
    ["--tool=callgrind", "--dump-before=port_pin_write", `--callgrind-out-file=${out}`, program, "--no-watchdog", "--seed", "1"],
    { stdio: ["ignore", "ignore", "pipe"], env: { PATH: process.env["PATH"] ?? "" } },
  );
  let said = "";
  let reason: string | undefined;
  child.stderr.on("data", (bytes: Buffer) => (said = (said + bytes.toString()).slice(-2000)));
  child.on("exit", () => (reason = said.trim().split("\n").at(-1) ?? "it said nothing"));
  try {
    const counts: number[] = [];
    // The first dump ends at the first rise of the pin, the next one at its fall, and so on.
    for (let each = 0; each < cases; each += 1) counts.push(await waitFor(`${out}.${2 + 2 * each}`, () => reason));
    const [loop = 0, ...measured] = counts;
    return measured.map((count) => Math.round((count - loop) / ROUNDS));
  } finally {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}
