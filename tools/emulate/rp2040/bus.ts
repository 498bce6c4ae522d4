/**
 * The chip of `rp2040js` behind a bus that knows what a real one refuses: `rp2040js` reads 0xffffffff from nowhere,
 * lets words lie across boundaries, and runs code from a flash that nobody has set up.
 */
import { RP2040 } from "rp2040js";
import { FlashCache } from "./flash-cache";
import type { ChipClock } from "./chip-clock";
import { BusFault, Unlike } from "./fault";

const ROM_SIZE = 0x4000;
const FLASH = 0x10000000;
const FLASH_END = 0x14000000;
/** A W25Q16 has 2 MB; higher address bits go nowhere. */
const FLASH_MASK = 0x1fffff;
const RAM = 0x20000000;
const RAM_SIZE = 264 * 1024;

/** Blocks that come up held in reset, by where they are; and the bit in RESETS that holds each. */
const RESET_BITS = new Map([
  [0x4004c, 0],
  [0x40014, 5],
  [0x4001c, 8],
  [0x40028, 12],
  [0x4002c, 13],
  [0x40054, 21],
  [0x40034, 22],
  [0x40038, 23],
]);

export class Bus extends RP2040 {
  /** Whether reads of the flash are turned into commands that it understands now. */
  flashReadable = false;
  /** What of the flash can be read without waiting for it. */
  readonly cache = new FlashCache();
  /** Whether RESETS holds the block of a bit. Undefined while the constructor of `rp2040js` resets itself. */
  isHeld: ((bit: number) => boolean) | undefined;

  /** `memory`: what the flash chip holds, 2 MB. Whoever changes it, the bus sees it. */
  constructor(
    clock: ChipClock,
    private readonly memory: DataView,
  ) {
    super(clock);
    this.logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: (part, message) => refuse(part, message),
      error: (part, message) => refuse(part, message),
    };
  }

  override readUint32(address: number): number {
    address >>>= 0;
    if ((address & 3) !== 0) throw new BusFault(`a word was read at ${hex(address)}, which is no multiple of 4`);
    if (address >= FLASH && address < FLASH_END) return this.flashAt(address, 4).getUint32(address & FLASH_MASK, true);
    const inRam = address - RAM;
    if (inRam >= 0 && inRam < RAM_SIZE) return this.sramView.getUint32(inRam, true);
    this.checkPlace(address);
    return super.readUint32(address);
  }

  override readUint16(address: number): number {
    address >>>= 0;
    if ((address & 1) !== 0) throw new BusFault(`a half-word was read at ${hex(address)}, which is odd`);
    if (address >= FLASH && address < FLASH_END) return this.flashAt(address, 2).getUint16(address & FLASH_MASK, true);
    const inRam = address - RAM;
    if (inRam >= 0 && inRam < RAM_SIZE) return this.sramView.getUint16(inRam, true);
    this.checkPlace(address);
    return super.readUint16(address);
  }

  override readUint8(address: number): number {
    address >>>= 0;
    if (address >= FLASH && address < FLASH_END) return this.flashAt(address, 1).getUint8(address & FLASH_MASK);
    const inRam = address - RAM;
    if (inRam >= 0 && inRam < RAM_SIZE) return this.sramView.getUint8(inRam);
    this.checkPlace(address);
    return super.readUint8(address);
  }

  override writeUint32(address: number, value: number): void {
    address >>>= 0;
    if ((address & 3) !== 0) throw new BusFault(`a word was written at ${hex(address)}, which is no multiple of 4`);
    const inRam = address - RAM;
    if (inRam >= 0 && inRam < RAM_SIZE) this.sramView.setUint32(inRam, value, true);
    else {
      this.checkWritable(address);
      super.writeUint32(address, value);
    }
  }

  override writeUint16(address: number, value: number): void {
    address >>>= 0;
    if ((address & 1) !== 0) throw new BusFault(`a half-word was written at ${hex(address)}, which is odd`);
    const inRam = address - RAM;
    if (inRam >= 0 && inRam < RAM_SIZE) this.sramView.setUint16(inRam, value, true);
    else {
      this.checkWritable(address);
      super.writeUint16(address, value);
    }
  }

  override writeUint8(address: number, value: number): void {
    address >>>= 0;
    const inRam = address - RAM;
    if (inRam >= 0 && inRam < RAM_SIZE) this.sram[inRam] = value;
    else {
      this.checkWritable(address);
      super.writeUint8(address, value);
    }
  }

  /** `rp2040js` enters the exception from here even when interrupts are masked, and forgets one that came before WFI. */
  override setInterrupt(irq: number, value: boolean): void {
    const { core } = this;
    if (value) {
      core.pendingInterrupts |= 1 << irq;
      core.interruptsUpdated = true;
    } else {
      core.pendingInterrupts &= ~(1 << irq);
    }
  }

  /** Whether something waits that ends a sleep, whether or not interrupts are masked. */
  get interruptWaits(): boolean {
    const { core } = this;
    return (core.pendingInterrupts & core.enabledInterrupts) !== 0 || core.pendingSystick || core.pendingPendSV;
  }

  /** Ends a sleep. */
  wake(): void {
    this.core.waiting = false;
  }

  private flashAt(address: number, size: number): DataView {
    if (!this.flashReadable) {
      throw new Unlike(`${size} bytes of flash were read at ${hex(address)} while the flash was away`);
    }
    this.cache.read(address & FLASH_MASK);
    return this.memory;
  }

  private checkPlace(address: number): void {
    if (address < ROM_SIZE || address >>> 28 === 0xd || address >>> 12 === 0xe000e) return;
    const block = (address >>> 14) << 2;
    if (!(block in this.peripherals)) throw new BusFault(`there is nothing at ${hex(address)}`);
    const bit = RESET_BITS.get(block);
    if (bit !== undefined && this.isHeld?.(bit) === true) {
      throw new Unlike(`the register at ${hex(address)} was used while its block is held in reset`);
    }
  }

  private checkWritable(address: number): void {
    if (address < ROM_SIZE) throw new BusFault(`the boot ROM was written at ${hex(address)}`);
    if (address >= FLASH && address < FLASH_END) throw new BusFault(`the flash was written at ${hex(address)} like RAM`);
    this.checkPlace(address);
  }
}

/** `rp2040js` only warns of what it does not know. */
function refuse(part: string, message: string): never {
  if (part === "CortexM0Core") throw new BusFault(message);
  throw new Unlike(`${part}: ${message}`);
}

export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, "0")}`;
}
