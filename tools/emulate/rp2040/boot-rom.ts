/**
 * What the firmware finds of the boot ROM: its tables, and the routines in them. Each routine is a BKPT, at which
 * `rp2040js` calls back, and a return.
 */
import type { Bus } from "./bus";
import { Unlike } from "./fault";
import { FLASH_SIZE, type FlashChip } from "./flash-chip";
import type { Ssi } from "./ssi";

const STACK = 0x20042000;
const BOOT2_IN_RAM = 0x20041f00;
const BOOT2_SIZE = 256;

const MAGIC = 0x01754d;
const TABLE = 0x100;
const ROUTINES = 0x200;
const ROUTINE_SIZE = 4;
const LOOK_UP = 0;
const BKPT = 0xbe00;
const BX_LR = 0x4770;
const FLASH_SECTOR = 0x1000;
/** flash_exit_xip waits for the pulls on the flash's lines to settle. */
const EXIT_XIP_MS = 0.1;

/** In the order of their numbers, from 1. */
const NAMES = ["IF", "EX", "RE", "RP", "FC", "CX", "UB"] as const;

export interface RomCalls {
  /** The processor is busy for `ms` with what the routine does; `then` it is done. */
  stall(ms: number, then: () => void): void;
  /** reset_usb_boot was called. */
  bootLoader(): void;
}

export class BootRom {
  constructor(
    private readonly bus: Bus,
    private readonly flash: FlashChip,
    private readonly ssi: Ssi,
    private readonly calls: RomCalls,
  ) {
    const halfWords = new Uint16Array(bus.bootrom.buffer);
    halfWords.fill(0);
    halfWords.set([STACK & 0xffff, STACK >>> 16, 0x41, 0], 0);
    halfWords.set([MAGIC & 0xffff, MAGIC >>> 16, TABLE, TABLE, ROUTINES | 1], 0x10 / 2);
    const table = NAMES.flatMap((name, index) => [codeOf(name), ((ROUTINES + (index + 1) * ROUTINE_SIZE) | 1)]);
    halfWords.set([...table, 0], TABLE / 2);
    const routines = [LOOK_UP, ...NAMES.keys()].flatMap((_name, number) => [BKPT | number, BX_LR]);
    halfWords.set(routines, ROUTINES / 2);
  }

  /** Copies the second stage to RAM, checks it and enters it. Gives why it cannot, as a sentence; else undefined. */
  boot(): string | undefined {
    const { bus, flash } = this;
    this.ssi.leaveReading();
    const stage = flash.bytes.slice(0, BOOT2_SIZE);
    const written = new DataView(stage.buffer).getUint32(BOOT2_SIZE - 4, true);
    const sum = bootSum(stage.subarray(0, BOOT2_SIZE - 4));
    if (sum !== written) {
      const [is, says] = [sum, written].map((value) => value.toString(16).padStart(8, "0"));
      return `the second stage of the boot has the sum ${is}, but says ${says}: the boot ROM does not start it`;
    }
    bus.sram.set(stage, BOOT2_IN_RAM - 0x20000000);
    bus.core.SP = STACK;
    bus.core.LR = 0;
    bus.core.PC = BOOT2_IN_RAM;
    return undefined;
  }

  /** The processor is at the BKPT of a routine. False when it is none of the ROM's. */
  call(number: number): boolean {
    const { registers, PC } = this.bus.core;
    if (PC < ROUTINES || PC > ROUTINES + (NAMES.length + 1) * ROUTINE_SIZE) return false;
    const [a = 0, b = 0, c = 0, d = 0] = registers;
    if (number === LOOK_UP) {
      registers[0] = this.lookUp(b);
      return true;
    }
    switch (NAMES[number - 1]) {
      case "IF":
        return true;
      case "EX":
        this.ssi.leaveReading();
        this.calls.stall(EXIT_XIP_MS, () => undefined);
        return true;
      case "RE":
        this.eraseRange(a, b, c, d & 0xff);
        return true;
      case "RP":
        this.programRange(a, b, c);
        return true;
      case "FC":
        this.ssi.flushCache();
        return true;
      case "CX":
        this.ssi.readPlainly();
        return true;
      case "UB":
        this.calls.bootLoader();
        return true;
      default:
        return false;
    }
  }

  private lookUp(code: number): number {
    const index = NAMES.findIndex((name) => codeOf(name) === code);
    return index < 0 ? 0 : (ROUTINES + (index + 1) * ROUTINE_SIZE) | 1;
  }

  private eraseRange(at: number, count: number, blockSize: number, command: number): void {
    if (at + count > FLASH_SIZE || at % FLASH_SECTOR !== 0) throw new Unlike("flash_range_erase: no such range");
    if (count <= 0) return;
    const whole = at % blockSize === 0 && count >= blockSize;
    if (whole && blockSize !== (command === 0x52 ? 0x8000 : 0x10000)) {
      throw new Unlike(`flash_range_erase: command 0x${command.toString(16)} does not erase ${blockSize} bytes`);
    }
    const size = whole ? blockSize : FLASH_SECTOR;
    this.calls.stall(this.flash.erase(this.now, at, size), () => {
      this.flash.finish();
      this.eraseRange(at + size, count - size, blockSize, command);
    });
  }

  private programRange(at: number, from: number, count: number): void {
    if (at + count > FLASH_SIZE || count % 256 !== 0) throw new Unlike("flash_range_program: no such range");
    if (count <= 0) return;
    const page = Uint8Array.from({ length: 256 }, (_byte, index) => this.bus.readUint8(from + index));
    this.calls.stall(this.flash.program(this.now, at, page), () => {
      this.flash.finish();
      this.programRange(at + 256, from + 256, count - 256);
    });
  }

  private get now(): number {
    return this.bus.clock.nanos;
  }
}

function codeOf(name: string): number {
  return name.charCodeAt(0) | (name.charCodeAt(1) << 8);
}

/** The boot ROM's CRC-32: not reflected, begun with ones, not inverted at the end. */
export function bootSum(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte << 24;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum << 1) ^ (sum < 0 ? 0x04c11db7 : 0);
  }
  return sum >>> 0;
}
