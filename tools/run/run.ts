/** Runs the firmware on this computer, over a real module, until it is told to stop: `moth run` once its options are clear. */
import type { Application, Board } from "../../firmware/board/application";
import { Desktop } from "../../hal/node/desktop";
import { PortError } from "../../hal/node/port-error";
import { ModemResetLine } from "../../hal/node/reset-line";
import { NodeSerial } from "../../hal/node/serial";
import type { Storage } from "../../hal/hal";
import { Failure } from "../failure";
import type { Reporter } from "../sim/report";
import { summarise, type Summary } from "../sim/summary";
import { BoardWatch } from "./board-watch";
import type { RunOptions } from "./options";
import { portFailure } from "./port-failure";
import { Surroundings } from "./surroundings";

/** The board has so long for a clean stop, in ms. */
const STOP_PATIENCE = 10_000;

/** A serial port, and the module's reset as it is wired to it. */
export interface ModulePort {
  readonly serial: NodeSerial;
  readonly reset: ModemResetLine;
}

/** Opens the port that the module hangs on. Fails in one line. */
export async function openModulePort(path: string, { baud, reset }: RunOptions): Promise<ModulePort> {
  let serial: NodeSerial | undefined;
  try {
    serial = await NodeSerial.open({ path, baud });
    return { serial, reset: await ModemResetLine.on(serial, reset) };
  } catch (error) {
    await serial?.close();
    if (!(error instanceof PortError)) throw error;
    if (serial !== undefined) throw new Failure(`${path}: it has no ${reset} line (${error.message}): use --reset none`);
    throw portFailure(error);
  }
}

/** One run of one board. */
export class DesktopRun {
  private readonly begin = performance.now();
  private readonly desktop: Desktop;
  private readonly board: Board;
  private readonly watch: BoardWatch;
  private finish: () => void = () => undefined;
  private failed: (reason: unknown) => void = () => undefined;
  private stopping = false;
  private readonly timers: NodeJS.Timeout[] = [];

  constructor(
    application: Application,
    private readonly port: ModulePort,
    storage: Storage,
    private readonly options: RunOptions,
    reporter: Reporter,
  ) {
    const now = (): number => performance.now() - this.begin;
    const around = new Surroundings(now, options.set, ({ pin, high }) => {
      reporter.event(now(), "pin", "pin", `pin ${pin} ${high ? "high" : "low"}`, { pin, high });
    });
    this.desktop = new Desktop({
      serial: port.serial,
      reset: port.reset,
      storage,
      pins: around.pins,
      analog: around.analog,
      onHang: (ms) => {
        const text = `the program hung for ${ms} ms: on a board the watchdog would have reset it`;
        reporter.event(now(), "power", "watchdog", text, { milliseconds: ms });
      },
    });
    this.board = application.boot(this.desktop.hal);
    this.watch = new BoardWatch(this.board, now, reporter);
  }

  /** Runs until the end; the port stays open. Fails when the port fails, or when the board could not be brought online at all. */
  async run(): Promise<Summary> {
    const { port, board, options, watch } = this;
    try {
      if (board.problem !== "") throw new Failure(board.problem);
      await new Promise<void>((resolve, reject) => {
        this.finish = resolve;
        this.failed = reject;
        port.serial.onFailure = (error) => reject(portFailure(error));
        if (options.seconds !== undefined) this.later(options.seconds * 1000, () => this.stop());
        this.desktop.start(() => this.turn());
      });
    } finally {
      this.desktop.stop();
      for (const timer of this.timers) clearTimeout(timer);
    }
    if (!watch.wasOnline) throw new Failure(`the board never came online: ${watch.trouble ?? "it had too little time"}`);
    const { highWater, ringSize } = port.serial;
    const host = { highWater, ringSize, lost: port.serial.lost() };
    return summarise((performance.now() - this.begin) / 1000, [board], { host });
  }

  /** A clean stop: `offline` is published and the broker is left in good order. A second call does not wait for it. */
  stop(): void {
    if (this.stopping) {
      this.finish();
      return;
    }
    this.stopping = true;
    this.board.stop();
    this.later(STOP_PATIENCE, this.finish);
    this.desktop.take();
  }

  private turn(): void {
    try {
      this.board.poll();
      this.watch.look();
    } catch (error) {
      this.failed(error);
      return;
    }
    if (this.stopping && this.board.stopped()) this.finish();
    const { refusal, wasOnline } = this.watch;
    // Later it may be the broker's mood; the very first time it is what the user typed.
    if (refusal !== undefined && !wasOnline) {
      const { host, port } = this.options.broker;
      this.failed(new Failure(`the broker at ${host}:${port} refused: ${refusal}`));
    }
  }

  private later(ms: number, happen: () => void): void {
    this.timers.push(setTimeout(happen, ms));
  }
}
