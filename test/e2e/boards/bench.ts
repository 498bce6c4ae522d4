/** The boards that the same scenarios run on, and one of them at a broker: `moth emulate`, in the test's own process. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, onTestFinished } from "vitest";
import { buildForBoard } from "../../../tools/build/board-build";
import { boardNamed } from "../../../tools/build/board-file";
import { lineOf } from "../../../tools/build/problem";
import { Emulation, type EmulationSummary } from "../../../tools/emulate/emulation";
import type { BuiltFiles } from "../../../tools/emulate/image";
import type { Pems } from "../../../tools/provision/pem-files";
import type { Reporter } from "../../../tools/sim/report";
import { requireTool } from "../../system";
import { Account } from "../account";
import type { Mosquitto } from "../mosquitto";

export type BoardName = "host" | "pico" | "stm32f405";

export const DEVICE = "b1";

/** On this computer, the runtime says at once when it oversteps. */
const SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

/** How long an event may take in real time, ms: a busy machine starts QEMU in seconds. */
const PATIENCE = 60_000;

export interface Image extends BuiltFiles {
  readonly board: BoardName;
  /** Where the build left the source map that a crash is decoded with. */
  readonly folder: string;
}

/** Builds applications for boards, each once a test file. */
export class Images {
  readonly folder = mkdtempSync(join(tmpdir(), "moth-boards-"));
  private readonly built = new Map<string, Image>();

  constructor() {
    afterAll(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  of(app: string, board: BoardName): Image {
    const known = this.built.get(`${app} ${board}`);
    if (known !== undefined) return known;
    const extraFlags = board === "host" ? SANITIZERS : [];
    const result = buildForBoard(app, board, { outDir: this.folder, extraFlags });
    if ("problems" in result) throw new Error(result.problems.map(lineOf).join("\n"));
    const { elf = "", bin, uf2 } = result.report.files;
    const image = { board, folder: this.folder, elf, bin, uf2 };
    this.built.set(`${app} ${board}`, image);
    return image;
  }
}

export interface Told {
  /** Simulated ms. */
  readonly time: number;
  /** Topic and name: `pin pin`, `console line`. */
  readonly event: string;
  readonly text: string;
}

/** A board with its module, at a broker. It ends with its test. */
export class BoardAtWork implements Reporter {
  private readonly account = new Account<Told>();
  private emulation: Emulation | undefined;
  private running: Promise<EmulationSummary> | undefined;
  private failure: Error | undefined;

  /** Switches on a new board with this image. Somebody at its console gives it its settings. */
  static async start(
    image: Image, broker: Pick<Mosquitto, "port">, tls: { readonly pems?: Pems; readonly host?: string } = {},
  ): Promise<BoardAtWork> {
    const board = new BoardAtWork();
    const { pems = new Map(), host = "127.0.0.1" } = tls;
    const settings = new Map(pems.size === 0 ? [] : [["mqtt.tls", "on"]]);
    const address = { host, port: broker.port, user: undefined, password: undefined };
    board.emulation = await Emulation.create(image, address, {
      // Only the emulator that counts cycles knows another time than the real one.
      speed: image.board === "pico" ? "max" : "real",
      broker: undefined, port: undefined, device: DEVICE, settings, pems, seconds: undefined, baud: 115200,
      personality: "esp-at-5", faults: [], seed: 5,
      set: [], trace: undefined, json: true, board: image.board, flashFile: undefined,
    }, board);
    board.running = board.emulation.run();
    board.running.catch((error: unknown) => {
      board.failure = error instanceof Error ? error : new Error(String(error));
      board.account.close();
    });
    onTestFinished(() => board.stop().then(() => undefined, () => undefined));
    return board;
  }

  event(time: number, topic: string, event: string, text: string): void {
    this.account.add({ time, event: `${topic} ${event}`, text });
  }

  note(): void {
    // Notes are about the simulation, not in it.
  }

  get told(): readonly Told[] {
    return this.account.items;
  }

  /** A mark for the `from` of {@link until}: what is told from now on. */
  get now(): number {
    return this.told.length;
  }

  /** What was told of an event, oldest first. */
  texts(event: string, from = 0): string[] {
    return this.told.slice(from).filter((told) => told.event === event).map(({ text }) => text);
  }

  /** Waits for an event whose text begins with, or matches, `text`. Fails when the board does, or after `patience` ms. */
  until(event: string, text: string | RegExp = "", from = 0, patience = PATIENCE): Promise<Told> {
    const fits = (told: Told): boolean => {
      return told.event === event && (typeof text === "string" ? told.text.startsWith(text) : text.test(told.text));
    };
    const find = (told: Told): Told | undefined => (fits(told) ? told : undefined);
    return this.account.until(find, from, patience, () => {
      return this.failure ?? new Error(`no event "${event}" ${text}; so far:\n${this.toldSoFar()}`);
    });
  }

  /** Lets so many simulated ms go by. */
  elapse(ms: number): Promise<void> {
    return new Promise((resolve) => this.happen(({ site: { clock } }) => clock.after(ms, resolve)));
  }

  /** Something happens to the board or around it. */
  happen(happening: (emulation: Emulation) => void): void {
    const { emulation } = this;
    emulation?.happen(() => happening(emulation));
  }

  cutPower(): void {
    this.emulation?.togglePower();
  }

  powerOn(): void {
    this.emulation?.togglePower();
  }

  type(text: string): void {
    this.emulation?.type(Buffer.from(text));
  }

  pinLevel(pin: number): boolean {
    return this.emulation?.site.world.pinLevel(pin) ?? false;
  }

  peek(address: number, count: number): Promise<Uint8Array> {
    if (this.emulation === undefined) throw new Error("there is no board");
    return this.emulation.peek(address, count);
  }

  /** Cuts its power for good. Fails with whatever the board failed with. */
  async stop(): Promise<EmulationSummary> {
    this.emulation?.stop();
    if (this.running === undefined) throw new Error("there is no board");
    return this.running;
  }

  private toldSoFar(): string {
    return this.told.map(({ time, event, text }) => `${(time / 1000).toFixed(3)}  ${event}  ${text}`).join("\n");
  }
}

/** The state of Lua's arena: `hal/lua/arena.h`, read from the board's memory. */
export interface Arena {
  readonly sealed: boolean;
  /** Bytes. */
  readonly size: number;
  readonly used: number;
  readonly peak: number;
  /** Blocks that were ever handed out or grown. */
  readonly allocations: number;
}

export async function arenaOf(image: Image, board: BoardAtWork): Promise<Arena> {
  const wide = image.board === "host";
  const [stats, sealed] = [variable(image, "stats"), variable(image, "sealed")];
  const memory = Buffer.from(await board.peek(stats, 5 * (wide ? 8 : 4)));
  const word = (index: number): number => (wide ? Number(memory.readBigUInt64LE(8 * index)) : memory.readUInt32LE(4 * index));
  const [flag] = await board.peek(sealed, 1);
  return { sealed: flag === 1, size: word(0), used: word(1), peak: word(2), allocations: word(4) };
}

/** A variable of the runtime that is a 32-bit number. */
export async function wordOf(image: Image, board: BoardAtWork, symbol: string): Promise<number> {
  return Buffer.from(await board.peek(variable(image, symbol), 4)).readUInt32LE(0);
}

/** The address of a variable of the image, as its ELF file has it. Fails when it is not there exactly once. */
function variable({ elf, board }: Image, symbol: string): number {
  const nm = requireTool(boardNamed(board).compiler).replace(/gcc$/, "nm");
  const lines = execFileSync(nm, [elf], { encoding: "utf8" }).split("\n");
  const found = lines.filter((line) => new RegExp(` [bBdD] ${symbol}$`).test(line));
  if (found.length !== 1) throw new Error(`${elf} has ${found.length} variables called ${symbol}`);
  return parseInt(found[0] ?? "", 16);
}
