/**
 * A PL011 as the chip's program sees it: 32 bytes of FIFO each way, bytes that take their time, interrupts at the
 * levels that were set, an overrun that shows. The one of `rp2040js` sends at once and interrupts at every byte.
 */
import { BasePeripheral } from "rp2040js";
import type { Bus } from "./bus";
import type { ChipClock } from "./chip-clock";

const DR = 0x00;
const FR = 0x18;
const IBRD = 0x24;
const FBRD = 0x28;
const LCR_H = 0x2c;
const CR = 0x30;
const IFLS = 0x34;
const IMSC = 0x38;
const RIS = 0x3c;
const MIS = 0x40;
const ICR = 0x44;

const FR_BUSY = 1 << 3;
const FR_RX_EMPTY = 1 << 4;
const FR_TX_FULL = 1 << 5;
const FR_RX_FULL = 1 << 6;
const FR_TX_EMPTY = 1 << 7;
const FIFO_ON = 1 << 4;
const UART_ON = 1 << 0;
const TX_ON = 1 << 8;
const RX_ON = 1 << 9;
const INT_RX = 1 << 4;
const INT_TX = 1 << 5;
const INT_RX_TIMEOUT = 1 << 6;
const INT_OVERRUN = 1 << 10;
const DR_OVERRUN = 1 << 11;

const FIFO_DEPTH = 32;
/** Bytes in the FIFO for each setting of IFLS: 1/8, 1/4, 1/2, 3/4, 7/8. */
const LEVELS = [4, 8, 16, 24, 28];
const BITS_PER_BYTE = 10;
/** Silence after which what is in the receive FIFO is announced, in bits. */
const TIMEOUT_BITS = 32;

export interface UartWires {
  /** A byte begins to leave. */
  send(byte: number): void;
  /** The rate was set, in bits per second. */
  rate(baud: number): void;
}

export class Uart extends BasePeripheral {
  private readonly toSend: number[] = [];
  private readonly received: number[] = [];
  private readonly sent;
  private readonly silence;
  private shifting = false;
  private overrun = false;
  private divider = 0;
  private lineControl = 0;
  private control = TX_ON | RX_ON;
  private levels = 0x12;
  private mask = 0;
  private raw = 0;

  constructor(
    private readonly bus: Bus,
    name: string,
    private readonly irq: number,
    clock: ChipClock,
    private readonly wires: UartWires,
  ) {
    super(bus, name);
    this.sent = clock.createAlarm(() => this.shifted());
    this.silence = clock.createAlarm(() => this.raise(INT_RX_TIMEOUT));
  }

  /** Bits per second; 0 while no rate is set or the clock of the block stands still. */
  get baud(): number {
    return this.divider === 0 ? 0 : (4 * this.bus.clocks.periFreq) / this.divider;
  }

  /** A byte has come in whole. */
  receive(byte: number): void {
    const on = UART_ON | RX_ON;
    if ((this.control & on) !== on || this.baud === 0) return;
    if (this.received.length >= this.depth) {
      this.overrun = true;
      this.raise(INT_OVERRUN);
      return;
    }
    this.received.push(byte | (this.overrun ? DR_OVERRUN : 0));
    this.overrun = false;
    this.silence.schedule(this.nanosFor(TIMEOUT_BITS));
    if (this.received.length >= this.receiveLevel) this.raise(INT_RX);
  }

  override readUint32(offset: number): number {
    switch (offset & 0xfff) {
      case DR:
        return this.take();
      case FR:
        return this.flags;
      case IBRD:
        return this.divider >> 6;
      case FBRD:
        return this.divider & 63;
      case LCR_H:
        return this.lineControl;
      case CR:
        return this.control;
      case IFLS:
        return this.levels;
      case IMSC:
        return this.mask;
      case RIS:
        return this.raw;
      case MIS:
        return this.raw & this.mask;
      default:
        return super.readUint32(offset);
    }
  }

  override writeUint32(offset: number, value: number): void {
    switch (offset) {
      case DR:
        this.put(value & 0xff);
        return;
      case IBRD:
        this.divider = ((value & 0xffff) << 6) | (this.divider & 63);
        return;
      case FBRD:
        this.divider = (this.divider & ~63) | (value & 63);
        return;
      case LCR_H:
        this.lineControl = value;
        if (this.baud > 0) this.wires.rate(this.baud);
        return;
      case CR:
        this.control = value;
        this.load();
        return;
      case IFLS:
        this.levels = value;
        return;
      case IMSC:
        this.mask = value;
        this.tell();
        return;
      case ICR:
        this.raw &= ~value;
        this.tell();
        return;
      default:
        super.writeUint32(offset, value);
    }
  }

  private get depth(): number {
    return (this.lineControl & FIFO_ON) === 0 ? 1 : FIFO_DEPTH;
  }

  private get receiveLevel(): number {
    return this.depth === 1 ? 1 : (LEVELS[(this.levels >> 3) & 7] ?? FIFO_DEPTH);
  }

  private get sendLevel(): number {
    return this.depth === 1 ? 0 : (LEVELS[this.levels & 7] ?? 0);
  }

  private get flags(): number {
    return (
      (this.shifting || this.toSend.length > 0 ? FR_BUSY : 0) |
      (this.toSend.length === 0 ? FR_TX_EMPTY : 0) |
      (this.toSend.length >= this.depth ? FR_TX_FULL : 0) |
      (this.received.length === 0 ? FR_RX_EMPTY : 0) |
      (this.received.length >= this.depth ? FR_RX_FULL : 0)
    );
  }

  private nanosFor(bits: number): number {
    return (1e9 * bits) / this.baud;
  }

  private take(): number {
    const byte = this.received.shift() ?? 0;
    if (this.received.length < this.receiveLevel) this.raw &= ~INT_RX;
    if (this.received.length === 0) {
      this.raw &= ~INT_RX_TIMEOUT;
      this.silence.cancel();
    }
    this.tell();
    return byte;
  }

  /** A byte for which there is no room is lost, as on the chip. */
  private put(byte: number): void {
    if (this.toSend.length >= this.depth) return;
    this.toSend.push(byte);
    if (this.toSend.length > this.sendLevel) this.raw &= ~INT_TX;
    this.tell();
    this.load();
  }

  /** The interrupt comes when the FIFO falls to its level, not while it is below it. */
  private load(): void {
    const on = UART_ON | TX_ON;
    if (this.shifting || (this.control & on) !== on || this.baud === 0) return;
    const byte = this.toSend.shift();
    if (byte === undefined) return;
    this.shifting = true;
    this.wires.send(byte);
    this.sent.schedule(this.nanosFor(BITS_PER_BYTE));
    if (this.toSend.length === this.sendLevel) this.raise(INT_TX);
  }

  private shifted(): void {
    this.shifting = false;
    this.load();
  }

  private raise(interrupt: number): void {
    this.raw |= interrupt;
    this.tell();
  }

  private tell(): void {
    this.bus.setInterrupt(this.irq, (this.raw & this.mask) !== 0);
  }
}
