/**
 * The host runtime in the place of a chip: the image is a program of this computer. Its UARTs, and the channel on which
 * it tells of its pins and is told of voltages (hal/host/control.h), are sockets between it and us.
 *
 * It runs in real time, and so has the simulation around it. The line has the rate of the module: a channel of the host
 * has none.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ChipOptions, EmulatedChip, Surroundings } from "./chip";
import type { ImageFiles } from "./image";

/** How often the world is looked at, in ms. What is different from last time is told. */
const LOOK_EVERY = 100;
/** What has a voltage in the world. */
const CHANNELS = [0, 1];
/** The descriptors that the program is started with, besides input, output and errors. */
const MODULE = 3;
const CONTROL = 4;

export interface HostOptions extends ChipOptions {
  /** Of the board's random numbers. Default: another each time. */
  readonly seed?: number | undefined;
}

export function createHost(image: Pick<ImageFiles, "elf">, surroundings: Surroundings, options: HostOptions = {}): HostBoard {
  return new HostBoard(image.elf, surroundings, options);
}

/** One power-on: the program and the sockets to it. */
interface Run {
  readonly child: ChildProcess;
  readonly module: Socket;
  readonly control: Socket;
}

export class HostBoard implements EmulatedChip {
  readonly busyCycles = undefined;
  readonly cycles = undefined;
  private run: Run | undefined;
  /** Of this board alone; removed with it. */
  private readonly folder = mkdtempSync(join(tmpdir(), "moth-host-"));
  /** What the program was told last, by what it is about. */
  private readonly told = new Map<string, number>();
  /** Sent by the program, and not yet on the line. */
  private readonly leaving: number[] = [];
  private control = "";
  private complaint = "";
  /** It would outlive a program that leaves without a word. */
  private readonly atExit = (): void => void this.run?.child.kill("SIGKILL");

  constructor(
    private readonly program: string,
    private readonly surroundings: Surroundings,
    private readonly options: HostOptions,
  ) {
    surroundings.line.followsPeer = true;
    surroundings.line.onWake(() => this.hearModule());
    surroundings.line.setPowered(false);
  }

  get on(): boolean {
    return this.run !== undefined;
  }

  powerOn(): void {
    if (this.run !== undefined) return;
    const { line, module } = this.surroundings;
    this.run = this.start();
    process.once("exit", this.atExit);
    module.powerOn();
    line.setPowered(true);
    this.lookAtWorld(this.run);
  }

  cutPower(): void {
    const { run } = this;
    if (run === undefined) return;
    this.run = undefined;
    process.off("exit", this.atExit);
    run.child.kill("SIGKILL");
    this.halt();
    this.surroundings.line.setPowered(false);
    this.surroundings.module.powerOff();
  }

  type(bytes: Uint8Array): void {
    this.run?.child.stdin?.write(bytes.slice());
  }

  async peek(address: number, count: number): Promise<Uint8Array> {
    const pid = this.run?.child.pid;
    if (pid === undefined) throw new Error("a board without power has no memory to look at");
    // The program lies where its symbols say: it is linked to be (hal/host/board.json).
    const memory = await open(`/proc/${pid}/mem`);
    try {
      const { bytesRead, buffer } = await memory.read(Buffer.alloc(count), 0, count, address);
      return buffer.subarray(0, bytesRead);
    } finally {
      await memory.close();
    }
  }

  close(): Promise<void> {
    this.cutPower();
    rmSync(this.folder, { recursive: true, force: true });
    return Promise.resolve();
  }

  private start(): Run {
    const { flashFile = join(this.folder, "flash"), seed } = this.options;
    const child = spawn(this.program, [
      "--module", `fd:${MODULE}`, "--control", `fd:${CONTROL}`, "--console", "stdio", "--storage", flashFile,
      ...(seed === undefined ? [] : ["--seed", String(seed)]),
    ], { stdio: ["pipe", "pipe", "pipe", "pipe", "pipe"] });
    const run = { child, module: socketAt(child, MODULE), control: socketAt(child, CONTROL) };
    const { outside } = this.surroundings;
    const inTime = <T extends readonly unknown[]>(happen: (...values: T) => void) => (...values: T): void => {
      if (this.run === run) outside.run(() => happen(...values));
    };
    run.control.on("data", inTime((bytes: Buffer) => this.hearControl(bytes)));
    // That the program has started anew is told on the control channel: it is to be known before what it says then.
    const afterControl = (take: (bytes: Buffer) => void) => (bytes: Buffer): void => void setImmediate(inTime(() => take(bytes)));
    run.module.on("data", afterControl((bytes) => this.sent(bytes)));
    child.stdout.on("data", afterControl((bytes) => this.surroundings.onConsole(Uint8Array.from(bytes))));
    this.complaint = "";
    child.stderr.on("data", (bytes: Buffer) => (this.complaint = (this.complaint + bytes.toString()).slice(-4000)));
    for (const stream of [child.stdin, run.module, run.control]) stream.on("error", () => undefined);
    child.on("error", inTime((error) => this.fail(error.message)));
    child.on("close", inTime((code, signal) => this.fail(this.complaint.trim() || `it ended with ${signal ?? code ?? "nothing"}`)));
    return run;
  }

  private fail(reason: string): void {
    this.cutPower();
    this.surroundings.onFailure(`${this.program} has ended: ${reason}`);
  }

  /** Without program, by reset or by want of power. */
  private halt(): void {
    this.leaving.length = 0;
    this.told.clear();
    this.control = "";
    this.surroundings.world.releasePins();
    this.surroundings.module.setReset(false);
  }

  // --- the line to the module

  private sent(bytes: Uint8Array): void {
    this.leaving.push(...bytes);
    this.feedLine();
  }

  /** The program may be ahead of the line by as much as it likes: there is no ring that fills. */
  private feedLine(): void {
    const { clock, line } = this.surroundings;
    const taken = line.write(Uint8Array.from(this.leaving));
    this.leaving.splice(0, taken);
    if (this.leaving.length > 0) clock.at(line.idleAt(), () => this.feedLine());
  }

  private hearModule(): void {
    const { line } = this.surroundings;
    const bytes = new Uint8Array(line.waiting);
    line.read(bytes);
    if (bytes.length > 0) this.run?.module.write(bytes);
  }

  // --- pins and voltages

  private hearControl(bytes: Uint8Array): void {
    this.control += Buffer.from(bytes).toString("latin1");
    const lines = this.control.split("\n");
    this.control = lines.pop() ?? "";
    for (const line of lines) this.obey(line.split(" "));
  }

  private obey([what, first, second]: readonly string[]): void {
    const { world, module } = this.surroundings;
    if (what === "pin") world.drivePin(Number(first), second === "1");
    else if (what === "reset") module.setReset(first === "1");
    else if (what === "restart") this.startedAnew(first === "watchdog" ? "watchdog" : "restart");
  }

  private startedAnew(cause: "restart" | "watchdog"): void {
    const { run } = this;
    this.halt();
    this.surroundings.line.reset();
    this.surroundings.onReset(cause);
    if (run !== undefined) this.tellWorld(run);
  }

  private lookAtWorld(run: Run): void {
    if (this.run !== run) return;
    this.tellWorld(run);
    this.surroundings.clock.after(LOOK_EVERY, () => this.lookAtWorld(run));
  }

  private tellWorld(run: Run): void {
    const { world } = this.surroundings;
    for (const channel of CHANNELS) this.tell(run, `analog ${channel}`, world.microvolts(channel));
    this.tell(run, `pin ${world.buttonPin}`, world.pinLevel(world.buttonPin) ? 1 : 0);
  }

  private tell(run: Run, what: string, value: number): void {
    if (this.told.get(what) === value) return;
    this.told.set(what, value);
    run.control.write(`${what} ${value}\n`);
  }
}

/** Node makes a pair of sockets of every "pipe" that is not one of the first three descriptors, too. */
function socketAt(child: ChildProcess, descriptor: number): Socket {
  const socket = child.stdio[descriptor];
  if (!(socket instanceof Socket)) throw new Error(`there is no socket at descriptor ${descriptor} of the program`);
  return socket;
}
