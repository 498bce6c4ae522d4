/**
 * An emulated Raspberry Pi Pico: the core of `rp2040js`, driven by the simulation's clock. The chip follows the clock:
 * at each event it runs up to the moment that it is, and its next event is when it will have to do something.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { GPIOPinState } from "rp2040js";
import type { Timer } from "../../sim/clock";
import { Random } from "../../sim/random";
import { Failure, reasonOf } from "../failure";
import type { ChipOptions, EmulatedChip, Surroundings } from "./chip";
import { type ImageFiles, readImage } from "./image";
import { hex } from "./rp2040/bus";
import { ChipClock } from "./rp2040/chip-clock";
import { BusFault, Unlike } from "./rp2040/fault";
import { FLASH_SIZE, FlashChip } from "./rp2040/flash-chip";
import { createPico, type Pico, type PicoWires } from "./rp2040/pico";
import type { Kept } from "./rp2040/watchdog";

const FLASH_ORIGIN = 0x10000000;
const RAM_ORIGIN = 0x20000000;
const NANOS = 1e6;
/** How far the chip runs at once while it is busy, in ms. What it sends comes out late by at most so much. */
const SLICE_MS = 0.05;
/** A chip that sleeps without an alarm is looked at this often, in ms: its pins may change. */
const NAP_MS = 10;
const CONSOLE_BAUD = 115200;
const BITS_PER_BYTE = 10;
const HARD_FAULT = 3;
const NMI_AND_FAULTS = new Set([2, HARD_FAULT]);
/** 27 °C at 706 mV and -1.721 mV per °C. */
const CHIP_SENSOR_CHANNEL = 4;
const CHIP_SENSOR_MICROVOLTS = 706_000;

export interface Rp2040Options extends ChipOptions {
  /** The GPIO that pulls the module's reset line low; undefined: not wired. */
  readonly resetPin?: number | undefined;
  /** For the noise in RAM at power-on, for the ring oscillator and for the flash's number. Default 1. */
  readonly seed?: number;
}

/** What the tests look at, beyond what every emulated chip has. */
export interface EmulatedPico extends EmulatedChip {
  /** The contents of the flash, alive. */
  readonly flash: FlashChip;
  /** The chip as it runs now; undefined without power. */
  readonly pico: Pico | undefined;
}

export function createRp2040(image: ImageFiles, surroundings: Surroundings, options: Rp2040Options = {}): EmulatedPico {
  return new Rp2040Chip(image, surroundings, options);
}

class Rp2040Chip implements EmulatedPico, PicoWires {
  readonly flash: FlashChip;
  pico: Pico | undefined;
  readonly console = { send: (byte: number) => void this.said.push(byte), rate: () => undefined };
  readonly module = { send: (byte: number) => void this.sent.push(byte), rate: (baud: number) => void (this.lineRate = baud) };

  private readonly random: Random;
  private time = new ChipClock();
  private typing = this.time.createAlarm(() => this.typeOne());
  private kept: Kept = { reason: 0, scratch: new Uint32Array(8) };
  private poweredAt = 0;
  private nanosPerCycle = 8;
  private slept = 0;
  private busy = 0;
  private timer: Timer | undefined;
  /** The processor is busy in a routine of the ROM until then, in ns. */
  private stalledUntil = 0;
  private afterStall: () => void = () => undefined;
  private lockedUp = false;
  private left = false;
  private resetCause: "restart" | "watchdog" | undefined;
  private readonly said: number[] = [];
  private readonly sent: number[] = [];
  private readonly typed: number[] = [];
  private lineRate: number | undefined;
  private buttonLevel: boolean | undefined;

  constructor(
    image: ImageFiles,
    private readonly surroundings: Surroundings,
    private readonly options: Rp2040Options,
  ) {
    this.random = new Random(options.seed ?? 1);
    const number = this.random.fork("flash number");
    this.flash = new FlashChip(Array.from({ length: 8 }, () => number.int(256)));
    this.loadFlashFile();
    for (const { address, bytes } of readImage(image, FLASH_ORIGIN)) {
      if (address < FLASH_ORIGIN || address + bytes.length > FLASH_ORIGIN + FLASH_SIZE) {
        throw new Failure(`${image.uf2 ?? image.bin}: has something for ${hex(address)}, which is not in a Pico's flash`);
      }
      this.flash.bytes.set(bytes, address - FLASH_ORIGIN);
    }
    surroundings.line.onByte(() => this.receive());
    surroundings.line.setPowered(false);
  }

  get on(): boolean {
    return this.pico !== undefined;
  }

  get busyCycles(): number {
    return this.busy;
  }

  get cycles(): number {
    return this.busy + this.slept;
  }

  powerOn(): void {
    if (this.on) return;
    const { clock, module } = this.surroundings;
    module.powerOn();
    this.poweredAt = clock.now;
    this.time = new ChipClock();
    this.kept = { reason: 0, scratch: new Uint32Array(8) };
    this.busy = 0;
    this.slept = 0;
    const noise = this.random.fork("ram");
    this.start((ram) => {
      for (let at = 0; at < ram.length; at += 1) ram[at] = noise.int(256);
    });
  }

  cutPower(): void {
    if (this.pico === undefined) return;
    this.run();
    this.halt();
    this.flash.losePower(this.time.nanos);
    this.typed.length = 0;
    this.surroundings.module.powerOff();
    this.saveFlashFile();
  }

  type(bytes: Uint8Array): void {
    if (this.pico === undefined) return;
    const waits = this.typed.length > 0;
    this.typed.push(...bytes);
    if (waits) return;
    this.run();
    this.typing.schedule((1e9 * BITS_PER_BYTE) / CONSOLE_BAUD);
    this.expect();
  }

  peek(address: number, count: number): Promise<Uint8Array> {
    const at = address - RAM_ORIGIN;
    if (this.pico === undefined) return Promise.reject(new Error("a board without power has no memory to look at"));
    return Promise.resolve(this.pico.bus.sram.slice(at, at + count));
  }

  close(): Promise<void> {
    this.cutPower();
    return Promise.resolve();
  }

  // What the chip's parts call.

  stall(ms: number, then: () => void): void {
    this.stalledUntil = this.time.nanos + ms * NANOS;
    this.afterStall = then;
  }

  bootLoader(): void {
    this.left = true;
    this.surroundings.onBootLoader?.();
  }

  reset(cause: "restart" | "watchdog"): void {
    this.resetCause = cause;
  }

  microvolts(channel: number): number {
    if (channel === CHIP_SENSOR_CHANNEL) return CHIP_SENSOR_MICROVOLTS;
    return this.surroundings.world.microvolts(channel);
  }

  pin(pin: number, state: GPIOPinState): void {
    const { module, world } = this.surroundings;
    const driven = state === GPIOPinState.High || state === GPIOPinState.Low;
    const high = state === GPIOPinState.High;
    if (pin === this.options.resetPin) {
      module.setReset(driven && !high);
      return;
    }
    world.drivePin(pin, high);
    if (pin === world.buttonPin && !driven) this.pico?.bus.gpio[pin]?.setInputValue(world.pinLevel(pin));
    else this.pico?.bus.gpio[pin]?.setInputValue(driven ? high : state === GPIOPinState.InputPullUp);
  }

  // Between power and reset.

  private start(fill: (ram: Uint8Array) => void): void {
    const { line } = this.surroundings;
    this.typing = this.time.createAlarm(() => this.typeOne());
    const pico = createPico(this.time, this.flash, this.kept, this.random.fork("oscillator"), this);
    const { bus, rom } = pico;
    fill(bus.sram);
    bus.onBreak = (number) => {
      if (!rom.call(number)) throw new BusFault(`BKPT or UDF ${number}`);
    };
    this.pico = pico;
    this.nanosPerCycle = 1e9 / bus.clkSys;
    bus.addClockListener((hertz) => (this.nanosPerCycle = 1e9 / hertz));
    this.lineRate = undefined;
    this.buttonLevel = undefined;
    line.setPowered(true);
    const problem = rom.boot();
    if (problem !== undefined) {
      this.fail(problem);
      return;
    }
    if (this.typed.length > 0) this.typing.schedule(0);
    this.expect();
  }

  private halt(): void {
    const { line, module, world } = this.surroundings;
    this.pico = undefined;
    this.timer?.cancel();
    this.stalledUntil = 0;
    this.afterStall = () => undefined;
    this.lockedUp = false;
    this.left = false;
    this.resetCause = undefined;
    this.said.length = 0;
    this.sent.length = 0;
    line.setPowered(false);
    world.releasePins();
    module.setReset(false);
  }

  private startAnew(cause: "restart" | "watchdog", ram: Uint8Array): void {
    const { nanos } = this.time;
    this.flash.losePower(nanos);
    this.halt();
    // A new set of alarms; the chip's time goes on.
    this.time = new ChipClock();
    this.time.nanos = nanos;
    this.surroundings.onReset(cause);
    this.start((into) => into.set(ram));
  }

  private fail(message: string): void {
    this.halt();
    this.surroundings.module.powerOff();
    this.surroundings.onFailure(message);
  }

  // As time goes by.

  /** Runs up to now, lets out what came out, and sees to it that the next event comes in time. */
  private run(): void {
    const { pico } = this;
    if (pico === undefined) return;
    this.feelButton(pico);
    try {
      this.runUntil(pico, (this.surroundings.clock.now - this.poweredAt) * NANOS);
    } catch (error) {
      if (!(error instanceof Unlike)) throw error;
      this.letOut();
      this.fail(`${error.message} (at ${hex(pico.bus.core.PC)})`);
      return;
    }
    this.letOut();
    if (this.resetCause !== undefined) this.startAnew(this.resetCause, pico.bus.sram);
    else this.expect();
  }

  private expect(): void {
    const { clock } = this.surroundings;
    const { pico, time } = this;
    if (pico === undefined) return;
    this.timer?.cancel();
    const asleep = this.asleep(pico);
    const stalled = time.nanos < this.stalledUntil;
    let next = clock.now + (asleep || stalled ? NAP_MS : SLICE_MS);
    if (asleep || stalled) next = Math.min(next, this.momentOf(time.due));
    if (stalled) next = Math.min(next, this.momentOf(this.stalledUntil));
    this.timer = clock.at(next, () => this.run());
  }

  /** A hair late, so that floating point cannot put it before the moment and have the same event come for ever. */
  private momentOf(nanos: number): number {
    return this.poweredAt + (nanos + 1) / NANOS;
  }

  private asleep(pico: Pico): boolean {
    return this.lockedUp || this.left || (pico.bus.core.waiting && !pico.bus.interruptWaits);
  }

  private runUntil(pico: Pico, target: number): void {
    const { time } = this;
    while (time.nanos < target && this.resetCause === undefined) {
      if (time.nanos < this.stalledUntil) this.passStall(target);
      else if (this.asleep(pico)) this.passSleep(target);
      else this.runAwake(pico, target);
    }
  }

  /** Time passes while a routine of the ROM works. */
  private passStall(target: number): void {
    const { time } = this;
    const until = Math.min(this.stalledUntil, target, time.due);
    this.busy += Math.round((until - time.nanos) / this.nanosPerCycle);
    time.nanos = until;
    if (until >= this.stalledUntil) this.afterStall();
    if (until >= time.due) time.ring();
  }

  private passSleep(target: number): void {
    const { time } = this;
    const until = Math.min(target, time.due);
    this.slept += Math.round((until - time.nanos) / this.nanosPerCycle);
    time.nanos = until;
    if (until >= time.due) time.ring();
  }

  private runAwake(pico: Pico, target: number): void {
    const { bus, bus: { core } } = pico;
    bus.wake();
    let pc = core.PC;
    try {
      const { time } = this;
      while (time.nanos < target && !core.waiting && this.resetCause === undefined && time.nanos >= this.stalledUntil) {
        pc = core.PC;
        const cycles = core.executeInstruction() + bus.cache.takeWaited();
        this.busy += cycles;
        time.nanos += cycles * this.nanosPerCycle;
        if (time.nanos >= time.due) time.ring();
        if (this.left) return;
      }
    } catch (error) {
      if (!(error instanceof BusFault)) throw error;
      this.hardFault(pico, pc, error);
    }
  }

  /** A fault in the handler of a fault, or while the frame is stacked, stops the processor until it is reset. */
  private hardFault(pico: Pico, pc: number, cause: BusFault): void {
    const { core } = pico.bus;
    core.PC = pc;
    const inHandler = NMI_AND_FAULTS.has(core.IPSR);
    try {
      if (inHandler) throw cause;
      core.exceptionEntry(HARD_FAULT);
    } catch (error) {
      if (!(error instanceof BusFault)) throw error;
      this.lockedUp = true;
      if (!pico.watchdog.running) throw new Unlike(`the processor has locked up: ${cause.message}`);
    }
  }

  // What comes in and goes out.

  private receive(): void {
    this.run();
    const { line } = this.surroundings;
    const bytes = new Uint8Array(line.waiting);
    line.read(bytes, 0, bytes.length);
    for (const byte of bytes) this.pico?.module.receive(byte);
    this.expect();
  }

  private typeOne(): void {
    const byte = this.typed.shift();
    if (byte !== undefined) this.pico?.console.receive(byte);
    if (this.typed.length > 0) this.typing.schedule((1e9 * BITS_PER_BYTE) / CONSOLE_BAUD);
  }

  private letOut(): void {
    const { line, onConsole } = this.surroundings;
    if (this.lineRate !== undefined && line.setBaud(Math.round(this.lineRate))) this.lineRate = undefined;
    if (this.sent.length > 0) line.write(Uint8Array.from(this.sent.splice(0)));
    if (this.said.length > 0) onConsole(Uint8Array.from(this.said.splice(0)));
  }

  private feelButton(pico: Pico): void {
    const { world } = this.surroundings;
    const level = world.pinLevel(world.buttonPin);
    if (level === this.buttonLevel) return;
    this.buttonLevel = level;
    pico.bus.gpio[world.buttonPin]?.setInputValue(level);
  }

  private loadFlashFile(): void {
    const { flashFile } = this.options;
    if (flashFile === undefined || !existsSync(flashFile)) return;
    try {
      const bytes = readFileSync(flashFile);
      if (bytes.length !== FLASH_SIZE) throw new Failure(`${flashFile}: is no Pico's flash: it must have ${FLASH_SIZE} bytes`);
      this.flash.bytes.set(bytes);
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw new Failure(`${flashFile}: cannot be read: ${reasonOf(error)}`);
    }
  }

  private saveFlashFile(): void {
    const { flashFile } = this.options;
    if (flashFile === undefined) return;
    try {
      writeFileSync(flashFile, this.flash.bytes);
    } catch (error) {
      throw new Failure(`${flashFile}: cannot be written: ${reasonOf(error)}`);
    }
  }
}
