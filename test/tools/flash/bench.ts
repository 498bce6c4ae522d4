/** A simulated STM32F405 on a simulated line, in virtual time: what `moth flash` opens when it opens its port. */
import { PortError } from "../../../hal/node/port-error";
import type { ControlLines } from "../../../hal/node/serial";
import { type ChipOptions, Stm32Chip } from "../../../sim/boot-loader/chip";
import { SimClock } from "../../../sim/clock";
import type { FlashFailure } from "../../../tools/flash/failure";
import type { Stm32Image } from "../../../tools/flash/image";
import type { Wiring } from "../../../tools/flash/lines";
import type { FlashReport } from "../../../tools/flash/report";
import { flashStm32, type Stm32Result } from "../../../tools/flash/stm32";
import { Interrupted, type Wire, type WireSettings } from "../../../tools/flash/wire";

export const UNWIRED: Wiring = { reset: "none", boot: "none", invertReset: false, invertBoot: false };
const BITS_PER_BYTE = 11;

export interface BenchOptions extends Partial<Omit<ChipOptions, "send" | "after">> {
  /** How the adapter's lines are really wired. Default: not at all. */
  readonly wired?: Wiring;
}

export class Bench {
  readonly clock = new SimClock();
  readonly chip: Stm32Chip;
  readonly opened: WireSettings[] = [];
  /** Everything that `moth flash` sent, and the states that it gave the lines. */
  readonly sent: number[] = [];
  readonly lines: ControlLines[] = [];
  /** How many bytes the chip sent. */
  received = 0;
  /** Operations on the wire so far, and what is thrown at one of them. */
  operations = 0;
  failAt: { readonly operation: number; readonly error: Error } | undefined;
  /** Moments so far at which a person could stop, and the one at which one does. */
  checkpoints = 0;
  stopAt: number | undefined;
  /** How many wires are open. */
  open = 0;
  settings: WireSettings = { baud: 0, parity: "none" };
  readonly incoming: number[] = [];
  private lineFreeAt = 0;

  constructor(readonly options: BenchOptions = {}) {
    this.chip = new Stm32Chip({
      ...options,
      after: (ms, happen) => {
        if (ms === 0) happen();
        else this.clock.after(ms, happen);
      },
      send: (bytes) => this.arrive(bytes),
    });
  }

  get byteTime(): number {
    return (BITS_PER_BYTE * 1000) / this.settings.baud;
  }

  readonly openWire = (settings: WireSettings): Promise<Wire> => {
    this.opened.push(settings);
    this.settings = settings;
    this.open += 1;
    return Promise.resolve(new BenchWire(this));
  };

  private arrive(bytes: Uint8Array): void {
    this.received += bytes.length;
    for (const byte of bytes) {
      this.lineFreeAt = Math.max(this.clock.now, this.lineFreeAt) + this.byteTime;
      this.clock.at(this.lineFreeAt, () => this.incoming.push(byte));
    }
  }
}

class BenchWire implements Wire {
  constructor(private readonly bench: Bench) {}

  async send(bytes: Uint8Array): Promise<void> {
    await this.step();
    const { clock, chip, byteTime, settings, sent } = this.bench;
    for (const byte of bytes) {
      clock.runFor(byteTime);
      sent.push(byte);
      // The boot loader listens with even parity: without it a byte is an error of the frame to it.
      if (chip.running !== "boot loader" || settings.parity === "even") chip.receive(Uint8Array.of(byte));
    }
  }

  async receive(count: number, ms: number): Promise<Uint8Array> {
    await this.step();
    const { clock, incoming } = this.bench;
    const deadline = clock.now + ms;
    while (incoming.length < count && (clock.nextEventAt() ?? Infinity) <= deadline) {
      clock.runUntil(clock.nextEventAt() ?? deadline);
    }
    if (incoming.length < count) clock.runUntil(deadline);
    return Uint8Array.from(incoming.splice(0, count));
  }

  discard(): void {
    this.bench.incoming.length = 0;
  }

  async setLines(lines: ControlLines): Promise<void> {
    await this.step();
    const { chip, options: { wired } } = this.bench;
    this.bench.lines.push(lines);
    if (wired === undefined) throw new PortError("/dev/ttyT0", "unfit", "Inappropriate ioctl for device, cannot set");
    // BOOT0 settles before reset does.
    if (wired.boot !== "none") chip.setBoot0(lines[wired.boot] ? wired.invertBoot : !wired.invertBoot);
    if (wired.reset !== "none") chip.holdReset(lines[wired.reset] ? !wired.invertReset : wired.invertReset);
  }

  async pause(ms: number): Promise<void> {
    await this.step();
    this.bench.clock.runFor(ms);
  }

  checkpoint(): void {
    this.bench.checkpoints += 1;
    if (this.bench.checkpoints === this.bench.stopAt) throw new Interrupted();
  }

  close(): Promise<void> {
    this.bench.open -= 1;
    return Promise.resolve();
  }

  private step(): Promise<void> {
    const { bench } = this;
    bench.operations += 1;
    const { failAt } = bench;
    return failAt?.operation === bench.operations ? Promise.reject(failAt.error) : Promise.resolve();
  }
}

/** Remembers everything it is told. */
export class Notes implements FlashReport {
  readonly texts: string[] = [];
  readonly events: Readonly<Record<string, unknown>>[] = [];
  readonly steps: string[] = [];
  underWay = false;
  private total = 0;

  say(text: string, event: string, values: Readonly<Record<string, unknown>> = {}): void {
    this.texts.push(text);
    this.events.push({ event, ...values });
  }

  begin(step: string, total: number): void {
    this.steps.push(step);
    this.total = total;
    this.underWay = true;
  }

  advance(done: number): void {
    if (done > this.total) throw new RangeError(`${done} of ${this.total}`);
  }

  end(): void {
    this.underWay = false;
  }

  failed({ message }: FlashFailure): void {
    this.texts.push(message);
  }
}

/** A program of `size` bytes for the chip: its vector table, then bytes of which no two neighbours could be swapped unseen. */
export function program(size: number): Uint8Array {
  const bytes = Uint8Array.from({ length: size }, (_, at) => (at * 7 + (at >> 8)) & 0xff);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x20020000, true);
  view.setUint32(4, 0x08000009, true);
  return bytes;
}

export function imageOf(bytes: Uint8Array): Stm32Image {
  return { board: "stm32f405", chip: "stm32f405", path: "build/app-stm32f405.bin", name: "app-stm32f405.bin", bytes };
}

export interface Run {
  readonly result: Stm32Result;
  readonly notes: Notes;
}

export async function flashOn(bench: Bench, bytes: Uint8Array, wiring: Wiring = UNWIRED, baud = 115200): Promise<Run> {
  const notes = new Notes();
  const result = await flashStm32(imageOf(bytes), bench.openWire, { path: "/dev/ttyT0", baud, wiring }, notes);
  return { result, notes };
}

/** The message that flashing ends with. */
export async function complaint(bench: Bench, bytes = program(600), wiring: Wiring = UNWIRED): Promise<string> {
  return flashOn(bench, bytes, wiring).then(
    () => "flashed without a complaint",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}
