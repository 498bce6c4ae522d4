/** A {@link Wire} over a serial port of this computer. */
import { PortError } from "../../hal/node/port-error";
import { type ControlLines, NodeSerial } from "../../hal/node/serial";
import { Interrupted, type Wire, type WireSettings } from "./wire";

/** The largest piece either way is a block of 256 bytes with what belongs to it. */
const RING = 4096;

export class SerialWire implements Wire {
  private failure: PortError | undefined;
  private wake: () => void = () => undefined;

  /** Rejects with a `PortError`. `signal`: a person asks to stop. */
  static async open(path: string, settings: WireSettings, signal: AbortSignal): Promise<SerialWire> {
    const serial = await NodeSerial.open({ path, ...settings, sendRing: RING, receiveRing: RING });
    return new SerialWire(path, serial, signal);
  }

  private constructor(
    private readonly path: string,
    private readonly serial: NodeSerial,
    private readonly signal: AbortSignal,
  ) {
    serial.onReceive = () => this.wake();
    serial.onFailure = (error) => {
      this.failure = error;
      this.wake();
    };
  }

  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.check();
      if (this.serial.write(bytes, 0, bytes.length) < bytes.length) {
        throw new PortError(this.path, "unfit", "it takes no more bytes");
      }
      resolve();
    });
  }

  async receive(count: number, ms: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count);
    const deadline = performance.now() + ms;
    let have = 0;
    for (;;) {
      have += this.serial.read(bytes, have, count - have);
      if (have === count) return bytes;
      this.check();
      const left = deadline - performance.now();
      if (left <= 0) return bytes.subarray(0, have);
      await this.news(left);
    }
  }

  discard(): void {
    const piece = new Uint8Array(RING);
    while (this.serial.read(piece, 0, RING) > 0);
  }

  async setLines(lines: ControlLines): Promise<void> {
    this.check();
    await this.serial.setLines(lines);
  }

  async pause(ms: number): Promise<void> {
    const deadline = performance.now() + ms;
    for (let left = ms; left > 0; left = deadline - performance.now()) {
      await this.news(left);
      this.check();
    }
  }

  checkpoint(): void {
    if (this.signal.aborted) throw new Interrupted();
  }

  async close(): Promise<void> {
    await this.serial.close();
  }

  private check(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  /** Until something comes or fails, at most `ms`. */
  private async news(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
