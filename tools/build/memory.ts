/**
 * What a booted board uses of its RAM. Only running it tells: the image boots in the board's emulator, and the arena's
 * counters are read from its memory as soon as the arena is sealed.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createSite } from "../../sim/bench";
import { SimClock } from "../../sim/clock";
import { MemoryNetwork } from "../../sim/network/memory";
import { Outside } from "../../sim/pace";
import { readElf } from "../emulate/qemu/elf";
import { createRp2040 } from "../emulate/rp2040";
import { Failure } from "../failure";
import { findTool } from "../system-tools.mjs";
import { boardNamed } from "./board-file";
import { type BoardReport, type Memory, overBudget } from "./board-build";

/** A board boots within a fraction of that, in ms of its own time or of ours. */
const PATIENCE_MS = 10_000;

/** What hal/lua/arena.c calls its counters, and the flag that they are final. */
const COUNTERS = "stats";
const SEALED = "sealed";

type Arena = Memory["arena"];

function addressesIn(elf: string): { counters: number; sealed: number } {
  const { symbols } = readElf(readFileSync(elf));
  const [counters, sealed] = [symbols.get(COUNTERS), symbols.get(SEALED)];
  if (counters === undefined || sealed === undefined) throw new Failure(`${elf}: has no symbols of the arena`);
  return { counters, sealed };
}

function arenaOnPico({ elf, bin, uf2 }: Readonly<Record<string, string>>): Arena {
  if (elf === undefined || bin === undefined) throw new Failure("the build left no image to boot");
  const { counters, sealed } = addressesIn(elf);
  const clock = new SimClock();
  const site = createSite({ clock, network: new MemoryNetwork(clock), device: "size", host: "broker", port: 1883, seed: 1 });
  const pico = createRp2040({ elf, bin, uf2 }, {
    clock,
    outside: new Outside(clock),
    line: site.line.host,
    module: site.module,
    world: site.world,
    onConsole: () => undefined,
    onReset: () => undefined,
    onFailure: (message) => {
      throw new Failure(`the image does not boot in the emulator: ${message}`);
    },
  });
  const ramOrigin = 0x20000000;
  const memory = (): DataView => {
    const ram = pico.pico?.bus.sram ?? new Uint8Array(0);
    return new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
  };
  pico.powerOn();
  for (let at = 10; memory().getUint8(sealed - ramOrigin) !== 1 || clock.now < 100; at += 10) {
    if (at > PATIENCE_MS) throw new Failure("the image did not boot in the emulator");
    clock.runUntil(at);
  }
  const word = (each: number): number => memory().getUint32(counters - ramOrigin + 4 * each, true);
  const arena = { size: word(0), used: word(1), peak: word(2) };
  pico.cutPower();
  return arena;
}

/** Asks QEMU's monitor again and again until the flag is up. */
function arenaInQemu(elf: string): Promise<Arena> {
  const qemu = findTool({ program: "qemu-system-arm" });
  if (qemu === undefined) throw new Failure("qemu-system-arm is not installed: run npm run setup");
  const { counters, sealed } = addressesIn(elf);
  const child = spawn(qemu, [
    "-M", "netduinoplus2", "-kernel", elf, "-display", "none", "-serial", "null", "-serial", "null", "-monitor", "stdio",
  ], { stdio: ["pipe", "pipe", "ignore"] });
  return new Promise((resolve, reject) => {
    let said = "";
    const ask = setInterval(() => {
      child.stdin.write(`xp /1xb 0x${sealed.toString(16)}\nxp /3xw 0x${counters.toString(16)}\n`);
    }, 100);
    const end = setTimeout(() => finish(() => reject(new Failure("the image did not boot in QEMU"))), PATIENCE_MS);
    const finish = (then: () => void): void => {
      clearInterval(ask);
      clearTimeout(end);
      child.kill("SIGKILL");
      then();
    };
    child.on("error", (error) => finish(() => reject(new Failure(`cannot run ${qemu}: ${error.message}`))));
    child.stdout.on("data", (bytes: Buffer) => {
      said = (said + bytes.toString("latin1")).slice(-4000);
      const answer = /: 0x01\s[\s\S]*?: 0x([0-9a-f]{8}) 0x([0-9a-f]{8}) 0x([0-9a-f]{8})/.exec(said);
      if (answer === null) return;
      const [size = 0, used = 0, peak = 0] = answer.slice(1).map((word) => parseInt(word, 16));
      finish(() => resolve({ size, used, peak }));
    });
  });
}

/** The report with what the booted board uses. A computer's runtime has all the memory it wants: it stays as it is. */
export async function withMemory(report: BoardReport): Promise<BoardReport> {
  const board = boardNamed(report.board);
  if (report.size === undefined) return report;
  const arena = board.folder.endsWith("rp2040")
    ? arenaOnPico(report.files)
    : await arenaInQemu(report.files["elf"] ?? "");
  const ram = report.size.ram - arena.size + arena.used;
  return { ...report, memory: { arena, ram }, warnings: [...report.warnings, ...overBudget("ram", ram, board)] };
}
