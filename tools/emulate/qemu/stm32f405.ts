/**
 * An emulated STM32F405: the image as it is flashed, in QEMU, which has the processor, its timer and interrupts, and the
 * UARTs. What else the chip has is supplied here, at its registers: the program reads them by a function of the port,
 * `part_read`, at which QEMU stops and we answer; its writes QEMU logs as "unimplemented". While QEMU is stopped, the
 * program's clock stands still: some 0.4 ms each time.
 *
 * QEMU runs in real time, and so has the simulation around it.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { boardNamed } from "../../build/board-file";
import { Failure, reasonOf } from "../../failure";
import type { ChipOptions, EmulatedChip, Surroundings } from "../chip";
import type { ImageFiles } from "../image";
import { ResetCause } from "./clocks";
import { type Elf, readElf } from "./elf";
import type { FlashSectors } from "./flash-controller";
import type { Gdb } from "./gdb";
import { BOOT_LOADER, Parts } from "./parts";
import { findQemu, type MissingPartAccess, Qemu } from "./qemu";
import { UartPace } from "./uart-pace";

export interface Stm32f405Options extends ChipOptions {
  /** What board.json says of the board the image was built for. Default: that of the board "stm32f405". */
  readonly config?: Readonly<Record<string, string | number>>;
  /** What is soldered to the chip, in Hz. Default: what the image expects; 0 for nothing. */
  readonly crystalHz?: number;
}

const FLASH_ORIGIN = 0x08000000;
const FLASH_SIZE = 0x100000;
const SECTORS: FlashSectors = { first: 10, count: 2, size: 0x20000, address: 0x080c0000 };
const STORAGE_AT = SECTORS.address - FLASH_ORIGIN;
/** The rate of QEMU's SysTick, and of its timers. They cannot be changed. */
const QEMU_HZ = 168_000_000;
const QEMU_TIMER_HZ = 1_000_000_000;
const TIMER_PRESCALER = 0x40000028;
/** Where the port lets an emulator in: see hal/stm32f405/parts.h. */
const BOUNDARY = ["part_read", "part_store", "part_divide"];
/** Bytes: what a terminal sends in a little less than a millisecond. */
const TYPED_AT_ONCE = 8;
const SEQUENCE_REGISTER = 0x40012034;
const TEMPERATURE_CHANNEL = 16;
/** The chip is a little warmer than the room. */
const SELF_HEATING = 5;
const UV_PER_DEGREE = 2500;

interface UartPlace {
  readonly number: number;
  readonly base: number;
  readonly irq: number;
  readonly bus: 1 | 2;
}

const UARTS: readonly UartPlace[] = [
  { number: 1, base: 0x40011000, irq: 37, bus: 2 },
  { number: 2, base: 0x40004400, irq: 38, bus: 1 },
  { number: 3, base: 0x40004800, irq: 39, bus: 1 },
  { number: 6, base: 0x40011400, irq: 71, bus: 2 },
];
const SR = 0x00;
const BRR = 0x08;
const TRANSMISSION_COMPLETE = 1 << 6;
const TRANSMIT_EMPTY = 1 << 7;

/**
 * Puts an image into a chip. Its ELF file is what is read: it names the functions where the emulator comes in. Throws a
 * Failure when the image or the flash file cannot be used, or QEMU is not installed.
 */
export function createStm32f405(
  image: Pick<ImageFiles, "elf">, surroundings: Surroundings, options: Stm32f405Options = {},
): Stm32f405 {
  findQemu();
  return new Stm32f405(loadElf(image.elf), surroundings, {
    ...options, config: options.config ?? boardNamed("stm32f405").config,
  });
}

/** What the storage sectors held when the run before ended; undefined when there was none. */
function loadStorage(file: string): Uint8Array | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const bytes = readFileSync(file);
    if (bytes.length !== SECTORS.count * SECTORS.size) throw new RangeError("it has not the size of an STM32F405's storage");
    return bytes;
  } catch (error) {
    throw new Failure(`${file}: cannot be used as flash: ${error instanceof RangeError ? error.message : reasonOf(error)}`);
  }
}

function saveStorage(file: string, storage: Uint8Array): void {
  try {
    writeFileSync(file, storage);
  } catch (error) {
    throw new Failure(`${file}: the flash cannot be kept there: ${reasonOf(error)}`);
  }
}

function loadElf(image: string): Elf {
  try {
    const elf = readElf(readFileSync(image));
    for (const name of BOUNDARY) {
      if (!elf.symbols.has(name)) throw new RangeError(`it has no function ${name}: it is no image for an STM32F405`);
    }
    return elf;
  } catch (error) {
    const reason = error instanceof RangeError ? error.message : reasonOf(error);
    throw new Failure(`${image}: cannot be emulated: ${reason}`);
  }
}

/** One power-on: QEMU and what belongs to it. */
interface Run {
  readonly qemu: Qemu;
  gdb: Gdb | undefined;
  /** Typed before it was ready. */
  readonly typed: Uint8Array[];
}

export class Stm32f405 implements EmulatedChip {
  readonly busyCycles = undefined;
  readonly cycles = undefined;
  readonly parts: Parts;
  private readonly flash = new Uint8Array(FLASH_SIZE).fill(0xff);
  /** The functions of the port that QEMU stops at, by their addresses. */
  private readonly functions: ReadonlyMap<number, string>;
  private readonly module: UartPlace;
  private readonly console: UartPlace;
  /** Pins that go to the module and to the header's supply, and not out into the world. */
  private readonly resetPin: number;
  private readonly powerPin: number;
  private readonly modulePace: UartPace;
  private readonly consolePace: UartPace;
  private readonly consoleTyped: UartPace;
  /** Sent by the image, and not yet on the line. */
  private readonly leaving: number[] = [];
  /** Ranges of the flash that QEMU does not know yet. */
  private readonly changes: { readonly at: number; readonly count: number }[] = [];
  private run: Run | undefined;
  private bitten = false;

  constructor(
    elf: Elf,
    private readonly surroundings: Surroundings,
    private readonly options: Required<Pick<Stm32f405Options, "config">> & Stm32f405Options,
  ) {
    const { clock, line, world } = surroundings;
    const number = (key: string): number => Number(options.config[key]);
    this.functions = new Map(BOUNDARY.map((name) => [elf.symbols.get(name) ?? 0, name]));
    this.module = uartNumbered(number("MODULE_UART"));
    this.console = uartNumbered(number("CONSOLE_UART"));
    this.modulePace = new UartPace(clock, () => this.run?.qemu.interrupt(this.module.irq));
    this.consolePace = new UartPace(clock, () => this.run?.qemu.interrupt(this.console.irq));
    this.consoleTyped = new UartPace(clock, () => undefined);
    for (const { address, bytes } of elf.segments) this.flash.set(bytes, address - FLASH_ORIGIN);
    const kept = options.flashFile === undefined ? undefined : loadStorage(options.flashFile);
    if (kept !== undefined) this.flash.set(kept, STORAGE_AT);
    const crystalHz = options.crystalHz ?? number("HSE_HZ");
    this.resetPin = number("MODULE_RESET_PIN");
    this.powerPin = number("HEADER_POWER_PIN");
    this.parts = new Parts({
      clock,
      crystalHz: crystalHz === 0 ? undefined : crystalHz,
      sectors: SECTORS,
      contents: this.flash.subarray(STORAGE_AT, STORAGE_AT + SECTORS.count * SECTORS.size),
      flashChanged: (at, count) => this.changes.push({ at, count }),
      wiring: {
        drive: (pin, level) => this.drive(pin, level),
        level: (pin) => (pin === world.buttonPin ? world.pinLevel(pin) : undefined),
      },
      watchdogBites: () => {
        this.bitten = true;
        this.run?.qemu.reset();
      },
      random: () => randomBytes(4).readUInt32LE(0),
      microvolts: (channel) => this.microvolts(channel),
    });
    line.onWake(() => this.hearModule());
    line.setPowered(false);
  }

  get on(): boolean {
    return this.run !== undefined;
  }

  /** What the storage sectors hold. Changed by the program; a copy. */
  get storage(): Uint8Array {
    return this.flash.slice(STORAGE_AT, STORAGE_AT + SECTORS.count * SECTORS.size);
  }

  powerOn(): void {
    if (this.run !== undefined) return;
    const { outside, onFailure } = this.surroundings;
    const inTime = <T extends readonly unknown[]>(happen: (...values: T) => void) => (...values: T): void => {
      if (this.run === run) outside.run(() => happen(...values));
    };
    const qemu = new Qemu({
      flash: this.flash,
      uarts: [this.console.number, this.module.number],
      onMissingPart: inTime((access) => this.missed(access)),
      onUart: inTime((uart, bytes) => this.sent(uart, bytes)),
      onReset: inTime(() => this.wasReset()),
      onExit: inTime((reason) => this.fail(`QEMU has ended: ${reason}`)),
    });
    const run: Run = { qemu, gdb: undefined, typed: [] };
    this.run = run;
    this.start(run).catch((error: unknown) => {
      if (this.run === run) outside.run(() => onFailure(error instanceof Error ? error.message : String(error)));
    });
  }

  cutPower(): void {
    const { run } = this;
    if (run === undefined) return;
    this.run = undefined;
    run.qemu.kill();
    this.parts.flash.powerGone();
    this.halt();
    this.surroundings.line.setPowered(false);
    this.surroundings.module.powerOff();
    if (this.options.flashFile !== undefined) saveStorage(this.options.flashFile, this.storage);
  }

  type(bytes: Uint8Array): void {
    const { run } = this;
    if (run === undefined) return;
    if (run.gdb === undefined) run.typed.push(bytes.slice());
    else this.typeInto(run, bytes.slice());
  }

  peek(address: number, count: number): Promise<Uint8Array> {
    if (this.run?.gdb === undefined) return Promise.reject(new Error("a board without power has no memory to look at"));
    return this.run.qemu.memoryAt(address, count);
  }

  close(): Promise<void> {
    this.cutPower();
    return Promise.resolve();
  }

  private async start(run: Run): Promise<void> {
    const gdb = await run.qemu.start();
    for (const address of this.functions.keys()) await gdb.breakAt(address);
    if (this.run !== run) return;
    run.gdb = gdb;
    gdb.onStop = () => this.stopped(run, gdb);
    this.surroundings.outside.run(() => {
      this.changes.length = 0;
      this.parts.reset();
      this.parts.clocks.note(ResetCause.Power);
      this.surroundings.module.powerOn();
      this.surroundings.line.setPowered(true);
      for (const bytes of run.typed) this.typeInto(run, bytes);
      gdb.resume();
    });
  }

  /** The program asks for a register, or programs a word. What it did before is still on its way to us: let it come. */
  private stopped(run: Run, gdb: Gdb): void {
    setImmediate(() => {
      this.answer(run, gdb).catch((error: unknown) => this.fail(error instanceof Error ? error.message : String(error)));
    });
  }

  private async answer(run: Run, gdb: Gdb): Promise<void> {
    const { outside } = this.surroundings;
    const { address, first, second } = await gdb.call();
    if (this.run !== run) return;
    switch (this.functions.get(address)) {
      case "part_read":
        if (first === BOOT_LOADER) this.leave();
        else this.finish(run, gdb, await this.registerAt(gdb, first));
        break;
      case "part_store":
        outside.run(() => this.parts.store(first, second));
        this.finish(run, gdb, 0);
        break;
      case "part_divide":
        await run.qemu.setRegister(first, this.dividerFor(first, second));
        this.finish(run, gdb, 0);
        break;
      default:
        this.fail(`the program stands at 0x${address.toString(16)} for no reason`);
    }
  }

  /** The program looks up where the boot loader begins. That is in ROM, and not emulated: the processor stays here. */
  private leave(): void {
    this.surroundings.outside.run(() => {
      this.halt();
      this.surroundings.onBootLoader?.();
    });
  }

  /** What the program reads at `address`. What no part of ours has is QEMU's. */
  private async registerAt(gdb: Gdb, address: number): Promise<number> {
    if (this.parts.needsChannel(address)) this.parts.selectChannel(await gdb.wordAt(SEQUENCE_REGISTER));
    let value: number | undefined;
    this.surroundings.outside.run(() => {
      value = this.uartStatus(address) ?? this.parts.read(address);
    });
    return value ?? gdb.wordAt(address);
  }

  /** The program divides a clock. Gives what QEMU's part is to divide its own by. */
  private dividerFor(address: number, value: number): number {
    const { clocks } = this.parts;
    if (clocks.coreHz !== QEMU_HZ) {
      this.fail(`the program runs the chip at ${clocks.coreHz / 1e6} MHz, and QEMU's timer knows 168 MHz only`);
    }
    if (address === TIMER_PRESCALER) return Math.round((value + 1) * (QEMU_TIMER_HZ / clocks.timerHz)) - 1;
    const uart = [this.module, this.console].find(({ base }) => address === base + BRR);
    if (uart !== undefined) this.surroundings.outside.run(() => this.setBaud(uart, clocks.busHz(uart.bus) / value));
    return value;
  }

  private finish(run: Run, gdb: Gdb, value: number): void {
    if (this.run !== run) return;
    for (const { at, count } of this.changes) {
      gdb.write(SECTORS.address + at, this.flash.subarray(STORAGE_AT + at, STORAGE_AT + at + count));
    }
    this.changes.length = 0;
    gdb.returnFromCall(value);
  }

  private missed(access: MissingPartAccess): void {
    if (this.parts.write(access)) return;
    const what = access.written === undefined ? "reads" : "writes";
    this.fail(`the program ${what} a register that is not emulated: ${access.part} + 0x${access.offset.toString(16)}`);
  }

  private wasReset(): void {
    const cause = this.bitten ? "watchdog" : "restart";
    this.bitten = false;
    this.halt();
    this.surroundings.line.reset();
    this.parts.clocks.note(cause === "watchdog" ? ResetCause.Watchdog : ResetCause.Restart);
    this.surroundings.onReset(cause);
  }

  /** Without program, by reset or by want of power: the parts are as they come, the pins let go. */
  private halt(): void {
    this.parts.reset();
    this.modulePace.reset();
    this.leaving.length = 0;
    this.consolePace.reset();
    this.surroundings.world.releasePins();
  }

  private fail(message: string): void {
    if (this.run === undefined) return;
    this.cutPower();
    this.surroundings.onFailure(message);
  }

  // --- UARTs

  private sent(uart: number, bytes: Uint8Array): void {
    if (uart === this.console.number) {
      this.consolePace.sent(bytes.length);
      this.surroundings.onConsole(bytes.slice());
    } else {
      this.leaving.push(...bytes);
      this.modulePace.sent(bytes.length);
      this.feedLine();
    }
  }

  /** The image may be ahead of the line by more than the line's ring: every interrupt lets it send. */
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
    if (this.run?.gdb !== undefined && bytes.length > 0) this.run.qemu.toUart(this.module.number, bytes);
  }

  /** A person's terminal sends no faster than the line is. */
  private typeInto(run: Run, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += TYPED_AT_ONCE) {
      const piece = bytes.subarray(at, at + TYPED_AT_ONCE);
      this.consoleTyped.sent(piece.length);
      this.surroundings.clock.at(this.consoleTyped.idle, () => {
        if (this.run === run) run.qemu.toUart(this.console.number, piece);
      });
    }
  }

  private uartStatus(address: number): number | undefined {
    const pace = address === this.module.base + SR ? this.modulePace
      : address === this.console.base + SR ? this.consolePace
      : undefined;
    if (pace === undefined) return undefined;
    const sending = pace.sending || (pace === this.modulePace && this.surroundings.line.leaving > 0);
    return TRANSMIT_EMPTY | (sending ? 0 : TRANSMISSION_COMPLETE);
  }

  private setBaud(uart: UartPlace, baud: number): void {
    (uart === this.module ? this.modulePace : this.consolePace).baud = baud;
    if (uart === this.module) this.surroundings.line.setBaud(baud);
  }

  // --- pins and converter

  private drive(pin: number, level: boolean | undefined): void {
    const { module, world } = this.surroundings;
    if (pin === this.resetPin) module.setReset(level === false);
    else if (pin !== this.powerPin) world.drivePin(pin, level ?? false);
  }

  private microvolts(channel: number): number {
    const { world } = this.surroundings;
    if (channel !== TEMPERATURE_CHANNEL) return Math.max(world.microvolts(channel), 0);
    return 760_000 + UV_PER_DEGREE * (world.temperature + SELF_HEATING - 25);
  }
}

function uartNumbered(number: number): UartPlace {
  const uart = UARTS.find((each) => each.number === number);
  if (uart === undefined) throw new Failure(`there is no UART ${number} for the emulated STM32F405: 1, 2, 3 or 6`);
  return uart;
}
