/** SSI, the serial interface between the bus and the flash, as far as a second stage and a flash driver use it. */
import { BasePeripheral } from "rp2040js";
import type { Bus } from "./bus";
import type { FlashChip } from "./flash-chip";
import { Unlike } from "./fault";
import type { PlainRegisters } from "./registers";

const CTRLR0 = 0x00;
const SSIENR = 0x08;
const TXFLR = 0x20;
const RXFLR = 0x24;
const SR = 0x28;
const DR0 = 0x60;
const SPI_CTRLR0 = 0xf4;
/** Registers that are kept and change nothing here: transfers take no time. */
const KEPT = [0x04, 0x10, 0x14, 0xf0];
const BAUDR = 0x14;
/** Clocks of the flash for 8 bytes: address, mode and silence on four lines, or command and address on one. */
const QUAD_CLOCKS = 8 + 4 + 16;
const PLAIN_CLOCKS = 32 + 64;

const SR_ALL_SENT_ROOM = 0x6;
const SR_RECEIVED = 0x8;
const FIFO_DEPTH = 16;

/** CTRLR0: frames of 8 bits on one line; words of 32 bits received on one line, and on four. */
const PLAIN_BYTES = 0x00070000;
const PLAIN_WORDS = 0x001f0300;
const QUAD_WORDS = 0x005f0300;
/** SPI_CTRLR0: EBh by command; EBh without one; 03h by command. */
const QUAD_COMMAND = 0x00002221;
const QUAD_AGAIN = 0xa0002022;
const PLAIN_READ = 0x03000218;

/** CTRL of the chip-select pin, which a program may force high or low. */
const SS_CTRL = 0x0c;
const FORCED = 0x300;
const FORCED_LOW = 0x200;

export class Ssi extends BasePeripheral {
  private readonly kept = new Map(KEPT.map((offset) => [offset, 0]));
  private readonly received: number[] = [];
  private on = false;
  private control = 0;
  private spiControl = PLAIN_READ;
  /** A burst of frames is on its way: chip-select stays low between them. */
  private inBurst = false;
  private quadCommand: number | undefined;

  constructor(
    private readonly bus: Bus,
    private readonly flash: FlashChip,
    private readonly pins: PlainRegisters,
  ) {
    super(bus, "SSI");
  }

  /** Whether a read on the bus becomes one that the flash answers. */
  private get readable(): boolean {
    if (!this.on) return false;
    if (this.control === QUAD_WORDS) return this.spiControl >>> 0 === QUAD_AGAIN && this.flash.continuous;
    return this.control === PLAIN_WORDS && this.spiControl === PLAIN_READ && !this.flash.continuous;
  }

  /** What the boot ROM's routines leave: the flash takes commands, one byte at a time. */
  leaveReading(): void {
    this.flash.continuous = false;
    this.control = PLAIN_BYTES;
    this.setOn(true);
  }

  /** The boot ROM's flash_flush_cache: it also gives the chip-select pin back to the interface. */
  flushCache(): void {
    this.pins.writeUint32(SS_CTRL, 0);
    this.endBurst();
    this.bus.cache.flush();
  }

  /** What the boot ROM's flash_enter_cmd_xip leaves. */
  readPlainly(): void {
    this.control = PLAIN_WORDS;
    this.spiControl = PLAIN_READ;
    this.setOn(true);
  }

  override readUint32(offset: number): number {
    const register = offset & 0xfff;
    const kept = this.kept.get(register);
    if (kept !== undefined) return kept;
    switch (register) {
      case CTRLR0:
        return this.control;
      case SSIENR:
        return this.on ? 1 : 0;
      case TXFLR:
        return 0;
      case RXFLR:
        return this.received.length;
      case SR:
        this.endBurst();
        return SR_ALL_SENT_ROOM | (this.received.length > 0 ? SR_RECEIVED : 0);
      case DR0:
        return this.received.shift() ?? 0;
      case SPI_CTRLR0:
        return this.spiControl;
      default:
        return super.readUint32(offset);
    }
  }

  override writeUint32(offset: number, value: number): void {
    if (offset === SSIENR) this.setOn((value & 1) !== 0);
    else if (offset === DR0) this.transfer(value);
    else if (this.on) throw new Unlike("the flash's interface was set up while it is on: it would not notice");
    else if (offset === CTRLR0) this.control = value;
    else if (offset === SPI_CTRLR0) this.spiControl = value;
    else if (this.kept.has(offset)) this.kept.set(offset, value);
    else super.writeUint32(offset, value);
  }

  private setOn(on: boolean): void {
    this.endBurst();
    this.on = on;
    this.received.length = 0;
    this.quadCommand = undefined;
    this.bus.flashReadable = this.readable;
    this.bus.cache.missCycles = (this.kept.get(BAUDR) ?? 0) * (this.control === QUAD_WORDS ? QUAD_CLOCKS : PLAIN_CLOCKS);
  }

  private transfer(value: number): void {
    if (!this.on) throw new Unlike("the flash's interface was used while it is off");
    if (this.control === PLAIN_BYTES) this.transferByte(value & 0xff);
    else if (this.control === QUAD_WORDS && this.spiControl === QUAD_COMMAND) this.transferQuad(value);
    else throw new Unlike(`the flash's interface is set up in a way that is not emulated: CTRLR0 ${this.control.toString(16)}`);
  }

  private transferByte(byte: number): void {
    const forced = this.pins.readUint32(SS_CTRL) & FORCED;
    if (forced !== 0 && forced !== FORCED_LOW) throw new Unlike("the flash was talked to while it is not selected");
    if (!this.inBurst) this.flash.select();
    this.inBurst = true;
    this.take(this.flash.exchange(byte));
  }

  private transferQuad(value: number): void {
    if (this.quadCommand === undefined) this.quadCommand = value & 0xff;
    else {
      this.flash.quadRead(this.quadCommand, value);
      this.quadCommand = undefined;
      this.take(0xffffffff);
    }
  }

  private take(word: number): void {
    if (this.received.length >= FIFO_DEPTH) throw new Unlike("the receive FIFO of the flash's interface ran over");
    this.received.push(word);
  }

  /** Everything was sent: chip-select goes up, unless the pin is forced low. */
  private endBurst(): void {
    if (!this.inBurst || (this.pins.readUint32(SS_CTRL) & FORCED) === FORCED_LOW) return;
    this.inBurst = false;
    this.flash.deselect();
  }
}
