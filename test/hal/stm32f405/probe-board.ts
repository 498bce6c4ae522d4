/** An emulated board: with a small C program instead of the runtime, to try the port's functions one by one, or whole. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SimClock } from "../../../sim/clock";
import { AccessPoint } from "../../../sim/air";
import { type LineEnd, SerialLine } from "../../../sim/line";
import { EspAtModule } from "../../../sim/module/esp-at";
import { MemoryNetwork } from "../../../sim/network/memory";
import { TcpNetwork } from "../../../sim/network/tcp";
import { Outside, runPaced } from "../../../sim/pace";
import { Random } from "../../../sim/random";
import { World } from "../../../sim/world";
import { boardNamed } from "../../../tools/build/board-file";
import { createStm32f405, type Stm32f405, type Stm32f405Options } from "../../../tools/emulate/qemu/stm32f405";
import { requireTool } from "../../system";

const port = fileURLToPath(new URL("../../../hal/stm32f405", import.meta.url));
const runtime = fileURLToPath(new URL("../../../hal/lua", import.meta.url));
const probes = fileURLToPath(new URL("probes", import.meta.url));

/** Patience with a probe, ms: a busy machine lets QEMU wait. */
const PATIENCE = 20_000;

export interface Probe {
  readonly elf: string;
  /** What it was built for. */
  readonly config: Readonly<Record<string, string | number>>;
  readonly remove: () => void;
}

/** Builds probes/NAME.c with the port for the board, as the image is built. `changes`: to the board's configuration. */
export function buildProbe(name: string, board = "stm32f405", changes: Probe["config"] = {}): Probe {
  const { flags, compiler, sources, linkerScript, config: usual } = boardNamed(board);
  const config = { ...usual, ...changes };
  const folder = mkdtempSync(join(tmpdir(), "moth-probe-"));
  const elf = join(folder, `${name}.elf`);
  const result = spawnSync(requireTool(compiler), [
    ...flags, "-std=gnu11", "-Os", "-g", "-ffunction-sections", "-fdata-sections", "-ffreestanding", "-fno-common",
    "-Wall", "-Wextra", "-Werror", "-Wconversion",
    ...Object.entries(config).map(([key, value]) => `-DBOARD_${key}=${value}`),
    "-I", runtime, "-I", port, "-I", probes,
    ...sources.map((source) => join(port, source)), join(probes, `${name}.c`), join(probes, "say.c"),
    "-nostartfiles", "-Wl,--gc-sections", `-Wl,-T,${join(port, linkerScript ?? "")}`, "-o", elf,
  ], { encoding: "utf8" });
  if (result.status !== 0) throw new Error(result.stderr);
  return { elf, config, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export interface BoardOptions extends Stm32f405Options {
  /** The module is on the board's line and has this machine's network. Default: the line's far end is the test's. */
  readonly withModule?: boolean;
}

export const SSID = "probe";
export const WIFI_PASSWORD = "no secret";

export class ProbeBoard {
  readonly clock = new SimClock();
  readonly outside = new Outside(this.clock);
  readonly world: World;
  readonly chip: Stm32f405;
  /** The far end of the line that the module would be on. */
  readonly peer: LineEnd;
  /** What came over the console so far. */
  console = "";
  readonly resets: string[] = [];
  failure = "";
  inBootLoader = false;
  readonly module: EspAtModule;

  constructor(image: { readonly elf: string; readonly config?: Probe["config"] }, options: BoardOptions = {}) {
    const { clock } = this;
    const random = new Random(1);
    const { withModule = false } = options;
    const wide = { hostReceiveRing: 65536, moduleReceiveRing: 65536, moduleTransmitRing: 65536 };
    const line = new SerialLine(clock, withModule ? {} : wide);
    this.peer = line.module;
    this.module = new EspAtModule({
      clock,
      line: withModule ? line.module : new SerialLine(clock).module,
      network: withModule ? new TcpNetwork(this.outside) : new MemoryNetwork(clock),
      air: new AccessPoint(clock, SSID, WIFI_PASSWORD),
      random,
    });
    this.world = new World(clock, random);
    this.chip = createStm32f405(image, {
      clock,
      outside: this.outside,
      line: line.host,
      module: this.module,
      world: this.world,
      onConsole: (bytes) => (this.console += Buffer.from(bytes).toString("latin1")),
      onReset: (cause) => this.resets.push(cause),
      onBootLoader: () => (this.inBootLoader = true),
      onFailure: (message) => (this.failure = message),
    }, { ...(image.config !== undefined && { config: image.config }), ...options });
  }

  /** Lets time pass until `done`. Throws what the chip failed with, or after so many ms. */
  async until(done: () => boolean, patience = PATIENCE): Promise<void> {
    const end = performance.now() + patience;
    await runPaced(this.clock, {
      speed: "real",
      outside: this.outside,
      until: () => this.failure !== "" || done() || performance.now() > end,
    });
    if (this.failure !== "") throw new Error(this.failure);
    if (!done()) throw new Error(`nothing came of it; the console says: ${this.console}`);
  }

  /** Waits until the console has said `text`. Gives what was said up to its end, and forgets that. */
  async heard(text: string): Promise<string> {
    await this.until(() => this.console.includes(text));
    const end = this.console.indexOf(text) + text.length;
    const said = this.console.slice(0, end);
    this.console = this.console.slice(end);
    return said;
  }

  type(text: string): void {
    this.outside.run(() => this.chip.type(Buffer.from(text)));
  }

  powerOn(): void {
    this.outside.run(() => this.chip.powerOn());
  }

  cutPower(): void {
    this.outside.run(() => this.chip.cutPower());
  }
}
