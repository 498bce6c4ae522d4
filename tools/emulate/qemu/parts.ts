/** All of the parts that QEMU's STM32F405 lacks, by their addresses. */
import type { SimClock } from "../../../sim/clock";
import { Clocks } from "./clocks";
import { FlashController, type FlashSectors } from "./flash-controller";
import type { MissingPartAccess } from "./qemu";
import { type Part, PlainRegisters } from "./part";
import { PinPort, type PinWiring } from "./pins";
import { IndependentWatchdog } from "./watchdog";

export interface PartsOptions {
  readonly clock: SimClock;
  /** Undefined: nothing is soldered where the crystal belongs. */
  readonly crystalHz: number | undefined;
  readonly sectors: FlashSectors;
  /** What the sectors hold. */
  readonly contents: Uint8Array;
  readonly flashChanged: (at: number, count: number) => void;
  readonly wiring: PinWiring;
  readonly watchdogBites: () => void;
  readonly random: () => number;
  /** The voltage on a channel of the converter, in microvolts. */
  readonly microvolts: (channel: number) => number;
}

/** What a register belongs to, and where in it it lies. */
interface Place {
  readonly part: Part;
  readonly offset: number;
}

/** Random words, always ready. */
class RandomNumbers extends PlainRegisters {
  constructor(private readonly random: () => number) {
    super();
  }

  override read(offset: number): number {
    return offset === 0x04 ? 1 : offset === 0x08 ? this.random() >>> 0 : super.read(offset);
  }
}

const REFERENCE_UV = 3_300_000;
const STEPS = 4096;
const SR = 0x00;
const DR = 0x4c;
const END_OF_CONVERSION = 2;

/**
 * The converter: QEMU has one, but it gives random numbers. Writes go there unseen, so what channel is asked for has
 * to be told.
 */
class Converter extends PlainRegisters {
  channel = 0;

  constructor(private readonly microvolts: (channel: number) => number) {
    super();
  }

  override read(offset: number): number {
    if (offset === SR) return END_OF_CONVERSION;
    return offset === DR ? this.code() : super.read(offset);
  }

  private code(): number {
    const code = Math.round((this.microvolts(this.channel) / REFERENCE_UV) * STEPS);
    return Math.min(Math.max(code, 0), STEPS - 1);
  }
}

const PART_SIZE = 0x400;
const RANDOM = 0x50060800;
const FLASH_ORIGIN = 0x08000000;
const FLASH_END = 0x08100000;
/** What this chip has for its unique number, 12 bytes. */
const UNIQUE_ID = 0x1fff7a10;
const ID_WORDS = [0x003a0041, 0x3336510f, 0x31383239];
/** Where the boot loader in ROM keeps its stack pointer and its entry. */
export const BOOT_LOADER = 0x1fff0000;

/** Where the parts are that QEMU knows by name. It calls the watchdog after its neighbour. */
const BASES: ReadonlyMap<string, number> = new Map([
  ["I2S2ext", 0x40003000],
  ["PWR", 0x40007000],
  ["GPIOA", 0x40020000],
  ["GPIOB", 0x40020400],
  ["GPIOC", 0x40020800],
  ["RCC", 0x40023800],
  ["Flash Int", 0x40023c00],
  ["RNG", 0x50060800],
]);

export class Parts {
  readonly clocks: Clocks;
  readonly flash: FlashController;
  readonly watchdog: IndependentWatchdog;
  private readonly converter: Converter;
  private readonly byBase: ReadonlyMap<number, Part>;

  constructor(options: PartsOptions) {
    this.clocks = new Clocks(options.crystalHz);
    this.flash = new FlashController(
      options.sectors, options.contents, () => options.clock.now, options.flashChanged,
    );
    this.watchdog = new IndependentWatchdog(options.clock, options.watchdogBites);
    this.converter = new Converter(options.microvolts);
    this.byBase = new Map<number, Part>([
      [0x40003000, this.watchdog],
      [0x40007000, new PlainRegisters()],
      [0x40012000, this.converter],
      [0x40020000, new PinPort(0, options.wiring)],
      [0x40020400, new PinPort(1, options.wiring)],
      [0x40020800, new PinPort(2, options.wiring)],
      [0x40023800, this.clocks],
      [0x40023c00, this.flash],
      [RANDOM & ~(PART_SIZE - 1), new RandomNumbers(options.random)],
    ]);
  }

  /** What the program reads; undefined when no part of ours is there. */
  read(address: number): number | undefined {
    const id = (address - UNIQUE_ID) / 4;
    if (id >= 0 && id < ID_WORDS.length) return ID_WORDS[id];
    const place = this.at(address);
    return place?.part.read(place.offset);
  }

  /** The program has written to a part that QEMU does not have. False: nor have we. */
  write(access: MissingPartAccess): boolean {
    const base = BASES.get(access.part);
    const place = base === undefined ? undefined : this.at(base + access.offset);
    if (place === undefined || access.written === undefined) return false;
    place.part.write(place.offset, access.written);
    return true;
  }

  /** The program has stored a word to memory by way of the port's own function. */
  store(address: number, word: number): void {
    if (address >= FLASH_ORIGIN && address < FLASH_END) this.flash.program(address, word);
  }

  /** Whether what will be read depends on a register that only QEMU has seen. */
  needsChannel(address: number): boolean {
    return address === 0x40012000 + DR;
  }

  selectChannel(sequence: number): void {
    this.converter.channel = sequence & 31;
  }

  reset(): void {
    for (const part of this.byBase.values()) part.reset();
  }

  private at(address: number): Place | undefined {
    const base = address & ~(PART_SIZE - 1);
    const part = this.byBase.get(base);
    if (part === undefined) return undefined;
    return { part, offset: address - (base === (RANDOM & ~(PART_SIZE - 1)) ? RANDOM : base) };
  }
}
