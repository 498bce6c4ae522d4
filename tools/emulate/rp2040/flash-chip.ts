/** A W25Q16JV: 2 MB of flash behind four data lines, which understands commands one at a time. */
import { Random } from "../../../sim/random";
import { Unlike } from "./fault";

export const FLASH_SIZE = 0x200000;
const PAGE = 256;

const WRITE_STATUS2 = 0x31;
const READ_STATUS2 = 0x35;
const READ_ID = 0x4b;
const VOLATILE_WRITE_ENABLE = 0x50;
const READ_JEDEC_ID = 0x9f;
const QUAD_READ = 0xeb;
const QUAD_ENABLE = 0x02;
/** Where the number begins in the answer to {@link READ_ID}. */
const ID_AT = 5;
const JEDEC_ID = [0xef, 0x40, 0x15];

/** How long it takes, in ms: the data sheet's typical times. */
const PROGRAM_MS = 0.5;
const ERASE_MS = new Map([
  [0x1000, 45],
  [0x8000, 120],
  [0x10000, 150],
]);

interface Operation {
  /** Both in ns on the chip's clock. */
  readonly begin: number;
  readonly end: number;
  /** Leaves the memory as it is after a share of the operation, 0 to 1. */
  readonly leaveAt: (share: number) => void;
}

export class FlashChip {
  readonly bytes = new Uint8Array(FLASH_SIZE).fill(0xff);
  readonly view = new DataView(this.bytes.buffer);
  /** Reads come without a command, as quad address and mode. Without power it is forgotten. */
  continuous = false;
  /** How often each 4 KB were erased. */
  readonly erasures = new Uint32Array(FLASH_SIZE / 0x1000);

  private status2 = 0;
  private volatileWrite = false;
  private selected = false;
  private command: number[] = [];
  private operation: Operation | undefined;

  /** `id`: 8 bytes that no other flash chip has. */
  constructor(readonly id: readonly number[]) {}

  /** Chip-select goes low. */
  select(): void {
    this.selected = true;
    this.command = [];
  }

  deselect(): void {
    if (!this.selected) return;
    this.selected = false;
    const [command, value] = this.command;
    if (command === WRITE_STATUS2 && value !== undefined && this.volatileWrite) this.status2 = value;
    this.volatileWrite = command === VOLATILE_WRITE_ENABLE;
  }

  /** One byte in each direction, on one line each. */
  exchange(byte: number): number {
    if (this.continuous) throw new Unlike("the flash was given a plain command while it expects quad reads");
    const at = this.command.length;
    this.command.push(byte);
    if (at === 0) return 0;
    switch (this.command[0]) {
      case READ_STATUS2:
        return this.status2;
      case READ_ID:
        return this.id[at - ID_AT] ?? 0;
      case READ_JEDEC_ID:
        return JEDEC_ID[at - 1] ?? 0;
      case WRITE_STATUS2:
      case VOLATILE_WRITE_ENABLE:
        return 0;
      default:
        throw new Unlike(`the flash was given the command 0x${(this.command[0] ?? 0).toString(16)}, which is not emulated`);
    }
  }

  /** A read by command; the last 8 bits of `addressAndMode` say how the next one comes. */
  quadRead(command: number, addressAndMode: number): void {
    if (command !== QUAD_READ) throw new Unlike(`the flash was given the quad command 0x${command.toString(16)}`);
    if ((this.status2 & QUAD_ENABLE) === 0) throw new Unlike("the flash was read on four lines without its QE bit");
    this.continuous = (addressAndMode & 0x30) === 0x20;
  }

  /** Sets ones to zeros in one page. Gives how long it takes in ms. `now`: ns. */
  program(now: number, at: number, from: Uint8Array): number {
    if (at % PAGE !== 0 || from.length !== PAGE) throw new Unlike("the flash is programmed in pages of 256 bytes");
    const before = this.bytes.slice(at, at + PAGE);
    return this.begin(now, PROGRAM_MS, (share) => {
      const noise = new Random(at);
      before.forEach((byte, index) => {
        const spared = share === 1 ? 0 : bitsOf(noise, 1 - share);
        this.bytes[at + index] = byte & ((from[index] ?? 0xff) | spared);
      });
    });
  }

  /** Sets a block to ones: 4, 32 or 64 KB. Gives how long it takes in ms. `now`: ns. */
  erase(now: number, at: number, size: number): number {
    const duration = ERASE_MS.get(size);
    if (duration === undefined || at % size !== 0) throw new Unlike(`the flash cannot erase ${size} bytes at ${at}`);
    const before = this.bytes.slice(at, at + size);
    return this.begin(now, duration, (share) => {
      const noise = new Random(at);
      before.forEach((byte, index) => {
        this.bytes[at + index] = share === 1 ? 0xff : byte | bitsOf(noise, share);
      });
      for (let sector = at / 0x1000; sector < (at + size) / 0x1000; sector += 1) {
        this.erasures[sector] = (this.erasures[sector] ?? 0) + 1;
      }
    });
  }

  /** The operation that runs has had its time. */
  finish(): void {
    this.operation?.leaveAt(1);
    this.operation = undefined;
  }

  /** The supply is gone: what was half done stays half done, and every bit of it may be the old or the new one. */
  losePower(now: number): void {
    if (this.operation !== undefined) {
      const { begin, end, leaveAt } = this.operation;
      leaveAt(Math.min((now - begin) / (end - begin), 0.999));
    }
    this.operation = undefined;
    this.continuous = false;
    this.status2 = 0;
    this.volatileWrite = false;
    this.selected = false;
  }

  private begin(now: number, ms: number, leaveAt: (share: number) => void): number {
    if (this.continuous) throw new Unlike("the flash was to be written while it expects quad reads");
    this.operation = { begin: now, end: now + ms * 1e6, leaveAt };
    return ms;
  }
}

/** 8 bits, each a one with the chance `share`. */
function bitsOf(random: Random, share: number): number {
  let bits = 0;
  for (let bit = 0; bit < 8; bit += 1) bits = (bits << 1) | (random.next() < share ? 1 : 0);
  return bits;
}
