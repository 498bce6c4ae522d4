/** Builds small C programs against the RP2040 port and runs them on an emulated Pico. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AccessPoint } from "../../../sim/air";
import { SimClock } from "../../../sim/clock";
import { type LineEnd, SerialLine } from "../../../sim/line";
import { EspAtModule } from "../../../sim/module/esp-at";
import { MemoryNetwork } from "../../../sim/network/memory";
import { Outside } from "../../../sim/pace";
import { Random } from "../../../sim/random";
import { World } from "../../../sim/world";
import type { ImageFiles } from "../../../tools/emulate/image";
import { createRp2040, type EmulatedPico } from "../../../tools/emulate/rp2040";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const PORT = join(ROOT, "hal/rp2040");

interface Board {
  readonly flags: readonly string[];
  readonly sources: readonly string[];
  readonly linkerScript: string;
  readonly config: Readonly<Record<string, number>>;
}

export function readBoard(): Board {
  const board: unknown = JSON.parse(readFileSync(join(PORT, "board.json"), "utf8"));
  if (!isBoard(board)) throw new Error("board.json is not what it was");
  return board;
}

function isBoard(value: unknown): value is Board {
  return typeof value === "object" && value !== null && "flags" in value && "sources" in value && "config" in value;
}

/** A folder that is gone when the tests are over. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "moth-rp2040-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Compiles `probes/NAME.c` with the port. `config`: what is to differ from `board.json`. */
export function buildProbe(name: string, folder: string, config: Readonly<Record<string, number>> = {}): ImageFiles {
  const board = readBoard();
  const elf = join(folder, `${name}.elf`);
  const bin = join(folder, `${name}.bin`);
  const settings = Object.entries({ ...board.config, ...config }).map(([key, value]) => `-DBOARD_${key}=${value}`);
  execFileSync("arm-none-eabi-gcc", [
    ...board.flags, ...settings, "-std=c11", "-Os", "-ffunction-sections", "-fdata-sections", "-Wall", "-Wextra", "-Werror",
    "-Wconversion", "-ffreestanding", "-nostartfiles", "-Wl,--gc-sections", `-I${join(ROOT, "hal/lua")}`,
    "-T", join(PORT, board.linkerScript), ...board.sources.map((source) => join(PORT, source)),
    fileURLToPath(new URL(`probes/${name}.c`, import.meta.url)), "-o", elf,
  ]);
  execFileSync("arm-none-eabi-objcopy", ["-O", "binary", elf, bin]);
  return { elf, bin };
}

/** The address of a symbol in an image. */
export function addressOf(image: ImageFiles, symbol: string): number {
  const line = execFileSync("arm-none-eabi-nm", [image.elf], { encoding: "utf8" })
    .split("\n").find((candidate) => candidate.endsWith(` ${symbol}`));
  if (line === undefined) throw new Error(`${image.elf} has no symbol ${symbol}`);
  return parseInt(line, 16);
}

export interface ProbeOptions {
  readonly flashFile?: string;
}

/** An emulated Pico with a probe in it; the tests are the other end of its line, of its console and of its pins. */
export class ProbeBench {
  readonly clock = new SimClock();
  readonly world: World;
  readonly module: EspAtModule;
  readonly chip: EmulatedPico;
  /** The far end of the chip's UART to the module. */
  readonly far: LineEnd;
  readonly resets: string[] = [];
  readonly failures: string[] = [];
  bootLoaders = 0;
  /** What the console has said since it was last asked. */
  private said = "";

  constructor(image: ImageFiles, options: ProbeOptions = {}) {
    const { clock } = this;
    const random = new Random(7);
    const line = new SerialLine(clock);
    const idle = new SerialLine(clock);
    const air = new AccessPoint(clock, "bench", "secret");
    this.far = line.module;
    this.world = new World(clock, random);
    this.module = new EspAtModule({ clock, line: idle.module, network: new MemoryNetwork(clock), air, random });
    this.chip = createRp2040(image, {
      clock,
      outside: new Outside(clock),
      line: line.host,
      module: this.module,
      world: this.world,
      onConsole: (bytes) => (this.said += Buffer.from(bytes).toString("latin1")),
      onReset: (cause) => this.resets.push(cause),
      onBootLoader: () => (this.bootLoaders += 1),
      onFailure: (message) => this.failures.push(message),
    }, { resetPin: 3, ...options });
  }

  type(text: string): void {
    this.chip.type(Buffer.from(text, "latin1"));
  }

  /** Runs until the console has said a line, at most `ms`. Gives everything said up to and with it. */
  hear(line: string, ms = 10_000): string {
    const end = this.clock.now + ms;
    while (!this.said.includes(`${line}\n`)) {
      if (this.failures.length > 0) throw new Error(`the chip failed: ${this.failures.join("; ")}`);
      if (this.clock.now >= end) throw new Error(`the console did not say "${line}" within ${ms} ms but: ${this.said}`);
      this.clock.runFor(1);
    }
    const heard = this.said;
    this.said = "";
    return heard;
  }

  /** Types a command and gives what is said up to `ok`. */
  ask(command: string, ms?: number): string {
    this.type(command);
    return this.hear("ok", ms);
  }
}

/** The number after `name=` in what a probe said. */
export function told(heard: string, name: string): number {
  const found = new RegExp(`^${name}=(-?\\d+)$`, "m").exec(heard)?.[1];
  if (found === undefined) throw new Error(`nothing was told of ${name}: ${heard}`);
  return Number(found);
}
