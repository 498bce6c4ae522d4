/** The QEMU process that runs the processor, and the lines to it. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../failure";
import { findTool } from "../../system-tools.mjs";
import { Gdb } from "./gdb";

const MACHINE = "netduinoplus2";
/** QEMU's serial lines are the chip's UARTs 1 to 6, in order. */
const UARTS = 6;
/** Patience with its start, ms of real time: a busy machine takes a second. */
const START_PATIENCE = 20_000;
const SET_PENDING = 0xe000e200;
/** What it calls a part that it does not have, and a line about it. */
const MISSING_PART = /^(.+): unimplemented device (write|read) +\(size (\d), offset 0x([0-9a-f]+)(?:, value 0x([0-9a-f]+))?\)$/;

/** An access to a part that QEMU does not have. */
export interface MissingPartAccess {
  /** QEMU's name for it. */
  readonly part: string;
  readonly offset: number;
  /** Undefined for a read, which gave 0. */
  readonly written: number | undefined;
}

export interface QemuOptions {
  /** All of the flash. */
  readonly flash: Uint8Array;
  /** Numbers of the UARTs whose bytes are wanted. */
  readonly uarts: readonly number[];
  readonly onMissingPart: (access: MissingPartAccess) => void;
  readonly onUart: (uart: number, bytes: Uint8Array) => void;
  /** The chip was reset, by itself or by {@link Qemu.reset}. */
  readonly onReset: () => void;
  /** QEMU has ended without having been asked to. */
  readonly onExit: (reason: string) => void;
}

/** Where QEMU is. Throws a Failure that says what to install. */
export function findQemu(): string {
  const program = findTool({ program: "qemu-system-arm" });
  if (program === undefined) {
    throw new Failure('qemu-system-arm is not installed: run "apt-get install qemu-system-arm" or "npm run setup"');
  }
  return program;
}

export class Qemu {
  private readonly folder = mkdtempSync(join(tmpdir(), "moth-qemu-"));
  private readonly servers: Server[] = [];
  private readonly sockets = new Map<string, Socket>();
  private child: ChildProcess | undefined;
  private stderr = "";
  private complaint = "";
  private ended = false;
  /** It would outlive a program that leaves without a word. */
  private readonly atExit = (): void => void this.child?.kill("SIGKILL");
  /** Who waits for an answer of the test channel, in order. */
  private readonly asked: ((answer: string) => void)[] = [];

  constructor(private readonly options: QemuOptions) {}

  /** Starts it; the processor stands before its first instruction. Rejects with a Failure. */
  async start(): Promise<Gdb> {
    const names = ["gdb", "qmp", "qtest", ...this.options.uarts.map((uart) => `uart${uart}`)];
    const connected = Promise.all(names.map((name) => this.listen(name)));
    const image = join(this.folder, "flash.bin");
    writeFileSync(image, this.options.flash);
    this.spawn(image);
    await within(START_PATIENCE, connected, () => `QEMU did not start: ${this.complaint}`);
    this.attach();
    const gdb = new Gdb(this.socket("gdb"));
    await gdb.start();
    return gdb;
  }

  /** Sends bytes to a UART. They wait until the program has room for them. */
  toUart(uart: number, bytes: Uint8Array): void {
    this.socket(`uart${uart}`).write(bytes);
  }

  /** Makes an interrupt pending, as its part would. */
  interrupt(number: number): void {
    void this.setRegister(SET_PENDING + 4 * (number >> 5), (1 << (number & 31)) >>> 0);
  }

  /** Writes a register of a part that QEMU has. Fulfilled when it is done; the processor may run. */
  async setRegister(address: number, value: number): Promise<void> {
    await this.ask(`writel 0x${address.toString(16)} 0x${value.toString(16)}`);
  }

  /** Bytes of the chip's memory. The processor may run. */
  async memoryAt(address: number, count: number): Promise<Uint8Array> {
    const answer = await this.ask(`read 0x${address.toString(16)} 0x${count.toString(16)}`);
    return Buffer.from(answer.replace(/^OK 0x/, ""), "hex");
  }

  /** Resets the chip; its RAM keeps what it holds. */
  reset(): void {
    this.socket("qmp").write('{"execute":"system_reset"}\n');
  }

  /** Ends it on the spot, as if its power had gone. */
  kill(): void {
    if (this.ended) return;
    this.ended = true;
    process.off("exit", this.atExit);
    this.child?.kill("SIGKILL");
    for (const socket of this.sockets.values()) socket.destroy();
    for (const server of this.servers) server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private ask(request: string): Promise<string> {
    return new Promise((resolve) => {
      this.asked.push(resolve);
      this.socket("qtest").write(`${request}\n`);
    });
  }

  private path(name: string): string {
    return join(this.folder, name);
  }

  /** QEMU connects to us rather than the other way round, so nobody has to wait and try again. */
  private listen(name: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const server = createServer((socket) => {
        this.sockets.set(name, socket);
        socket.on("error", () => undefined);
        resolve();
      });
      server.on("error", reject);
      server.listen(this.path(name));
      this.servers.push(server);
    });
  }

  private spawn(image: string): void {
    const serial = Array.from({ length: UARTS }, (_, i) => {
      const wanted = this.options.uarts.includes(i + 1);
      return ["-serial", wanted ? `unix:${this.path(`uart${i + 1}`)}` : "null"];
    });
    const child = spawn(findQemu(), [
      "-M", MACHINE, "-kernel", image, "-S", "-display", "none", "-monitor", "none", "-d", "unimp",
      "-gdb", `unix:${this.path("gdb")}`,
      "-qmp", `unix:${this.path("qmp")}`,
      "-qtest", `unix:${this.path("qtest")}`, "-qtest-log", "none",
      ...serial.flat(),
    ], { stdio: ["ignore", "ignore", "pipe"] });
    this.child = child;
    process.once("exit", this.atExit);
    child.stderr.setEncoding("latin1");
    child.stderr.on("data", (text: string) => this.hear(text));
    child.on("error", (error) => this.exited(error.message));
    child.on("close", (code, signal) => this.exited(this.complaint || `it ended with ${signal ?? code ?? "nothing"}`));
  }

  private attach(): void {
    let answers = "";
    this.socket("qtest").setEncoding("latin1").on("data", (text: string) => {
      answers += text;
      const lines = answers.split("\n");
      answers = lines.pop() ?? "";
      for (const line of lines) this.asked.shift()?.(line);
    });
    const qmp = this.socket("qmp");
    let received = "";
    qmp.setEncoding("utf8");
    qmp.on("data", (text: string) => {
      received += text;
      const lines = received.split("\n");
      received = lines.pop() ?? "";
      for (const line of lines) if (/"event": *"RESET"/.test(line)) this.options.onReset();
    });
    qmp.write('{"execute":"qmp_capabilities"}\n');
    for (const uart of this.options.uarts) {
      this.socket(`uart${uart}`).on("data", (bytes) => {
        if (!this.ended) this.options.onUart(uart, bytes);
      });
    }
  }

  private socket(name: string): Socket {
    const socket = this.sockets.get(name);
    if (socket === undefined) throw new Error(`QEMU has no line "${name}"`);
    return socket;
  }

  private hear(text: string): void {
    this.stderr += text;
    const lines = this.stderr.split("\n");
    this.stderr = lines.pop() ?? "";
    for (const line of lines) this.hearLine(line);
  }

  private hearLine(line: string): void {
    const [, part, , , offset, value] = MISSING_PART.exec(line) ?? [];
    if (part === undefined || offset === undefined) {
      this.complaint ||= line;
    } else if (!this.ended) {
      this.options.onMissingPart({
        part,
        offset: parseInt(offset, 16),
        written: value === undefined ? undefined : parseInt(value, 16),
      });
    }
  }

  private exited(reason: string): void {
    if (this.ended) return;
    this.kill();
    this.options.onExit(reason);
  }
}

async function within<T>(ms: number, promise: Promise<T>, complaint: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Failure(complaint())), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
