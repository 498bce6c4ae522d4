/** A terminal on the console of a board, that waits for the port when it is gone and goes on when it is back. */
import { NodeSerial } from "../../hal/node/serial";
import { PortError } from "../../hal/node/port-error";
import { portFailure } from "../run/port-failure";
import { CONSOLE_BAUD } from "../provision/board-console";
import type { LineView } from "./lines";

/** How often a port that is gone is looked for, in ms. */
const LOOK_EVERY = 500;

export class Monitor {
  private serial: NodeSerial | undefined;
  private decoder = new TextDecoder();
  private readonly piece = new Uint8Array(4096);
  private timer: NodeJS.Timeout | undefined;
  private over = false;
  private finish: () => void = () => undefined;

  constructor(
    private readonly path: string,
    private readonly view: LineView,
  ) {}

  /** Runs until {@link stop}. Fails, once, when the port cannot be had at the start: later it may come back. */
  async run(): Promise<void> {
    try {
      await this.connect();
    } catch (error) {
      if (error instanceof PortError) throw portFailure(error);
      throw error;
    }
    this.view.remark(`${this.path} at ${CONSOLE_BAUD} baud; Ctrl-] ends`);
    await new Promise<void>((resolve) => {
      this.finish = resolve;
      if (this.over) resolve();
    });
    clearTimeout(this.timer);
    await this.serial?.close();
  }

  /** Passes on what was typed. While the port is gone it goes nowhere. */
  type(bytes: Uint8Array): void {
    this.serial?.write(bytes, 0, bytes.length);
  }

  stop(): void {
    this.over = true;
    this.finish();
  }

  private async connect(): Promise<void> {
    const serial = await NodeSerial.open({ path: this.path, baud: CONSOLE_BAUD });
    if (this.over) {
      await serial.close();
      return;
    }
    this.serial = serial;
    this.decoder = new TextDecoder();
    serial.onReceive = () => this.take(serial);
    serial.onFailure = (error) => this.lost(serial, error);
    this.take(serial);
  }

  private take(serial: NodeSerial): void {
    for (;;) {
      const count = serial.read(this.piece, 0, this.piece.length);
      if (count === 0) return;
      this.view.take(this.decoder.decode(this.piece.subarray(0, count), { stream: true }));
    }
  }

  private lost(serial: NodeSerial, error: PortError): void {
    if (this.serial !== serial) return;
    this.take(serial);
    this.serial = undefined;
    this.view.remark(`${portFailure(error).message}; waiting for it to come back`);
    void serial.close();
    this.lookLater();
  }

  private lookLater(): void {
    if (!this.over) this.timer = setTimeout(() => void this.look(), LOOK_EVERY);
  }

  private async look(): Promise<void> {
    try {
      await this.connect();
      if (!this.over) this.view.remark(`${this.path} is back`);
    } catch {
      this.lookLater();
    }
  }
}
