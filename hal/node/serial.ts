import { realpathSync } from "node:fs";
import { access } from "node:fs/promises";
import { SerialPort as Device } from "serialport";
import type { Bytes, SerialPort } from "../hal";
import { ByteRing } from "./byte-ring";
import { openingTrouble, PortError } from "./port-error";
import { view } from "./view";

const RECEIVE_RING = 4096;
const SEND_RING = 1024;
/** What adapters and their drivers can make of a rate, in bits per second. */
const LEAST_BAUD = 300;
const MOST_BAUD = 5_000_000;
/** How often to look whether the port is still there, in ms. */
const WATCH_EVERY = 1000;

export interface NodeSerialOptions {
  /** `/dev/ttyUSB0`, `COM3`, or a link to such a thing. */
  readonly path: string;
  /** Bits per second. */
  readonly baud: number;
  /** Default: none. */
  readonly parity?: "none" | "even";
  /** Ring sizes in bytes. Defaults: 4096 in, 1024 out. */
  readonly receiveRing?: number;
  readonly sendRing?: number;
}

/** The modem lines that an adapter brings out: true is asserted, which is 0 V at most adapters' pins. */
export interface ControlLines {
  readonly rts: boolean;
  readonly dtr: boolean;
}

/** A serial port of this computer. */
export class NodeSerial implements SerialPort {
  /** Called after bytes have come into the receive ring. */
  onReceive: (() => void) | undefined;
  /** Called once when the port has failed: what is left in the receive ring may be read, nothing more comes or goes. */
  onFailure: ((error: PortError) => void) | undefined;

  private readonly incoming: ByteRing;
  private readonly outgoing: ByteRing;
  /** What the operating system is given to send; one piece at a time. */
  private readonly packet: Buffer;
  private readonly watch: NodeJS.Timeout;
  private lostBytes = 0;
  private fullest = 0;
  private sending = false;
  private draining = 0;
  private changingBaud = false;
  private over = false;

  /**
   * Opens a port, for this program alone. Rejects with a {@link PortError}. Opening asserts RTS and DTR, which resets
   * some boards.
   */
  static async open(options: NodeSerialOptions): Promise<NodeSerial> {
    const { path, baud, parity = "none" } = options;
    const file = fileOf(path);
    const device = new Device({ path, baudRate: baud, parity, autoOpen: false });
    await new Promise<void>((resolve, reject) => {
      device.open((error) => {
        if (error === null) resolve();
        else reject(new PortError(path, openingTrouble(error.message), error.message.replace(/^Error:? /, "")));
      });
    });
    return new NodeSerial(device, options, file);
  }

  private constructor(
    private readonly device: Device,
    private readonly options: NodeSerialOptions,
    /** The device file behind the path; undefined where ports are no files. */
    private readonly file: string | undefined,
  ) {
    this.incoming = new ByteRing(options.receiveRing ?? RECEIVE_RING);
    this.outgoing = new ByteRing(options.sendRing ?? SEND_RING);
    this.packet = Buffer.alloc(this.outgoing.capacity);
    device.on("data", (chunk: Buffer) => this.take(chunk));
    device.on("error", (error: Error) => this.fail(error.message));
    device.on("close", (error: Error | null | undefined) => this.fail(error?.message ?? "closed"));
    this.watch = setInterval(() => this.look(), WATCH_EVERY).unref();
  }

  /** Size of the receive ring in bytes, and the most that was in it at any time. */
  get ringSize(): number {
    return this.incoming.capacity;
  }

  get highWater(): number {
    return this.fullest;
  }

  read(into: Bytes, at: number, room: number): number {
    return this.incoming.take(range(into, at, room), 0, room);
  }

  write(from: Bytes, at: number, count: number): number {
    const bytes = range(from, at, count);
    if (this.over) return 0;
    const taken = this.outgoing.push(bytes, 0, count);
    this.send();
    return taken;
  }

  /** Bytes that found the receive ring full. What the operating system or the adapter loses, nobody can count. */
  lost(): number {
    return this.lostBytes;
  }

  /**
   * As the contract says, but the operating system makes the change a moment later: what is written meanwhile waits
   * for it, and a rate that turns out to be impossible is a failure of the port.
   */
  setBaud(baud: number): boolean {
    if (this.over || this.leaving || this.changingBaud || !(baud >= LEAST_BAUD && baud <= MOST_BAUD)) return false;
    this.changingBaud = true;
    this.device.update({ baudRate: baud }, (error) => {
      this.changingBaud = false;
      if (error === null) this.send();
      else this.fail(`${baud} bits per second: ${error.message}`, "unfit");
    });
    return true;
  }

  /** Drives the modem lines. Rejects with a {@link PortError} when the port has none, or is gone. */
  setLines(lines: ControlLines): Promise<void> {
    return new Promise((resolve, reject) => {
      this.device.set({ ...lines }, (error) => {
        if (error === null) resolve();
        else reject(new PortError(this.options.path, "unfit", error.message));
      });
    });
  }

  /** Gives the port back. What was written and has not left is dropped. A second call does nothing. */
  async close(): Promise<void> {
    this.end();
    if (!this.device.isOpen) return;
    await new Promise<void>((resolve) => this.device.close(() => resolve()));
  }

  private get leaving(): boolean {
    return this.outgoing.count > 0 || this.sending || this.draining > 0;
  }

  private take(chunk: Uint8Array): void {
    const kept = this.incoming.push(chunk, 0, chunk.length);
    this.lostBytes += chunk.length - kept;
    this.fullest = Math.max(this.fullest, this.incoming.count);
    this.onReceive?.();
  }

  /** Hands on what waits in the ring, one piece after the other. */
  private send(): void {
    if (this.over || this.sending || this.changingBaud) return;
    const count = this.outgoing.take(this.packet, 0, this.packet.length);
    if (count === 0) return;
    this.sending = true;
    this.device.write(this.packet.subarray(0, count), (error) => {
      this.sending = false;
      if (error !== null && error !== undefined) return;
      if (this.outgoing.count > 0) this.send();
      else this.drain();
    });
  }

  /** Bytes that the operating system has are still leaving. */
  private drain(): void {
    if (this.over) return;
    this.draining += 1;
    this.device.drain(() => {
      this.draining -= 1;
    });
  }

  /**
   * Most often the system says by itself that a port is gone. But a reader that was busy with bytes in that moment only
   * reads nothing, for ever; that the device file is gone is seen all the same.
   */
  private look(): void {
    if (this.file === undefined) return;
    access(this.file).catch(() => {
      this.fail("its device file is gone");
      this.device.close(() => undefined);
    });
  }

  private fail(message: string, trouble: "gone" | "unfit" = "gone"): void {
    if (this.over) return;
    this.end();
    this.onFailure?.(new PortError(this.options.path, trouble, message));
  }

  private end(): void {
    this.over = true;
    clearInterval(this.watch);
  }
}

function fileOf(path: string): string | undefined {
  if (process.platform === "win32") return undefined;
  try {
    return realpathSync(path);
  } catch {
    throw new PortError(path, "missing", "no such file");
  }
}

function range(bytes: Bytes, at: number, count: number): Uint8Array {
  if (at < 0 || count < 0 || at + count > bytes.length) {
    throw new RangeError(`${count} bytes at ${at} are outside a buffer of ${bytes.length}`);
  }
  return view(bytes).subarray(at, at + count);
}
