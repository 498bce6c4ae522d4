/**
 * The boot loader in the STM32F405's system memory, on its USART, as AN3155 describes it (protocol 3.1): bytes in,
 * bytes out. Parity and the rate itself are the line's business and not modelled; that the rate is measured on the
 * first byte is.
 */
import { type BootLoaderFaults, type BootLoaderTimes, INSTANT } from "./faults";
import { ChipMemory } from "./memory";

const SYNC = 0x7f;
const ACK = 0x79;
const NACK = 0x1f;
const VERSION = 0x31;
const MASS_ERASE = 0xffff;
/** Counts from here on are special requests; the F405 has one bank and knows only the mass erase. */
const SPECIAL_ERASE = 0xfff0;

const enum Command {
  Get = 0x00,
  GetVersion = 0x01,
  GetId = 0x02,
  ReadMemory = 0x11,
  Go = 0x21,
  WriteMemory = 0x31,
  ExtendedErase = 0x44,
  WriteProtect = 0x63,
  WriteUnprotect = 0x73,
  ReadoutProtect = 0x82,
  ReadoutUnprotect = 0x92,
}

export interface BootLoaderOptions {
  /** Takes what the chip sends. */
  readonly send: (bytes: Uint8Array) => void;
  /** Lets time pass: calls `happen` in `ms` milliseconds, at once for 0. */
  readonly after: (ms: number, happen: () => void) => void;
  /** The jump of a Go command; the boot loader runs no more. */
  readonly onGo: (address: number) => void;
  /** The chip resets itself: a protection was changed. */
  readonly onReset: () => void;
  readonly memory?: ChipMemory;
  /** Default: 0x413, the STM32F405/407. */
  readonly chipId?: number;
  readonly times?: BootLoaderTimes;
  readonly faults?: BootLoaderFaults;
  /** Readout protection, level 1. */
  readonly readProtected?: boolean;
}

type Take = (frame: Uint8Array) => void;

export class BootLoader {
  readonly memory: ChipMemory;
  readProtected: boolean;
  /** Commands that were heard, since power-on. */
  commands = 0;
  /** Bytes that came before it listened, or while it was busy with the flash, and were not kept. */
  overruns = 0;

  private readonly times: BootLoaderTimes;
  private readonly faults: BootLoaderFaults;
  private received = 0;
  private sent = 0;
  private running = false;
  private starting = false;
  /** What is being waited for: so many bytes, then they are taken. */
  private frame: number[] = [];
  private wanted = 0;
  private take: Take = () => undefined;
  private busy = false;
  /** The USART holds one byte for a program that looks away. */
  private held: number | undefined;
  /** Tells an answer that is due from one of a run that a reset has ended. */
  private run = 0;

  constructor(private readonly options: BootLoaderOptions) {
    this.memory = options.memory ?? new ChipMemory();
    this.times = options.times ?? INSTANT;
    this.faults = options.faults ?? {};
    this.readProtected = options.readProtected ?? false;
  }

  /** Out of reset: listens for the byte that the rate is measured on. */
  start(): void {
    this.stop();
    this.starting = true;
    const run = this.run;
    this.options.after(this.times.startup, () => {
      if (run !== this.run) return;
      this.starting = false;
      this.running = true;
      this.expect(1, ([byte]) => this.measure(byte));
    });
  }

  stop(): void {
    this.run += 1;
    this.running = false;
    this.starting = false;
    this.busy = false;
    this.held = undefined;
    this.frame = [];
  }

  receive(bytes: Uint8Array): void {
    for (const byte of bytes) this.hear(byte);
  }

  private hear(byte: number): void {
    this.received += 1;
    if (this.starting) this.overruns += 1;
    if (!this.running || this.received === this.faults.loseReceived) return;
    if (!this.busy) this.collect(byte);
    else if (this.held === undefined) this.held = byte;
    else this.overruns += 1;
  }

  private collect(byte: number): void {
    this.frame.push(byte);
    if (this.frame.length < this.wanted) return;
    const frame = Uint8Array.from(this.frame);
    this.frame = [];
    this.take(frame);
  }

  private expect(count: number, take: Take): void {
    this.wanted = count;
    this.take = take;
  }

  private measure(byte: number | undefined): void {
    // Any other byte gives a wrong rate, at which nothing is understood until the next reset.
    if (byte !== SYNC) {
      this.running = false;
      return;
    }
    this.answer(ACK);
    this.listen();
  }

  private listen(): void {
    this.expect(2, ([code = 0, complement = 0]) => this.command(code, complement));
  }

  private command(code: number, complement: number): void {
    if ((code ^ complement) !== 0xff) return this.refuse();
    this.commands += 1;
    const { nackCommand, nackFromCommand = Infinity } = this.faults;
    if (this.commands === nackCommand || this.commands >= nackFromCommand) return this.refuse();
    this.obey(code);
  }

  private obey(code: number): void {
    switch (code) {
      case Command.Get:
        return this.tell(commandList.length, VERSION, ...commandList);
      case Command.GetVersion:
        return this.tell(VERSION, 0, 0);
      case Command.GetId: {
        const id = this.options.chipId ?? 0x413;
        return this.tell(1, id >> 8, id & 0xff);
      }
      case Command.ReadoutUnprotect:
        return this.changeProtection(() => {
          if (this.readProtected) this.memory.eraseAll();
          this.readProtected = false;
        });
    }
    if (!commandList.includes(code)) return this.refuse();
    if (this.readProtected) return this.refuse(this.faults.doubleNack === true ? 2 : 1);
    this.answer(ACK);
    this.obeyUnprotected(code);
  }

  private obeyUnprotected(code: number): void {
    switch (code) {
      case Command.ReadMemory:
        return this.expectAddress((address) => this.readMemory(address));
      case Command.Go:
        return this.expectAddress((address) => this.go(address));
      case Command.WriteMemory:
        return this.expectAddress((address) => this.writeMemory(address));
      case Command.ExtendedErase:
        return this.expect(2, (count) => this.extendedErase(count));
      case Command.WriteProtect:
        return this.expect(1, (count) => this.writeProtect(count));
      case Command.WriteUnprotect:
        return this.resetAfter(() => this.memory.protectedSectors.clear());
      case Command.ReadoutProtect:
        return this.resetAfter(() => (this.readProtected = true));
    }
  }

  private expectAddress(use: (address: number) => void): void {
    this.expect(5, (frame) => {
      const address = new DataView(frame.buffer).getUint32(0);
      if (xor(frame) !== 0 || !this.memory.reaches(address)) return this.refuse();
      this.answer(ACK);
      use(address);
    });
  }

  private readMemory(address: number): void {
    this.expect(2, ([last = 0, complement = 0]) => {
      if ((last ^ complement) !== 0xff || !this.memory.reaches(address, last + 1)) return this.refuse();
      this.answer(ACK, ...this.memory.read(address, last + 1));
      this.listen();
    });
  }

  private go(address: number): void {
    this.stop();
    this.options.onGo(address);
  }

  private writeMemory(address: number): void {
    this.expect(1, ([last = 0]) => {
      this.expect(last + 2, (frame) => {
        const data = frame.subarray(0, last + 1);
        const whole = address % 4 === 0 && data.length % 4 === 0 && this.memory.reaches(address, data.length);
        if ((xor(frame) ^ last) !== 0 || !whole) return this.refuse();
        this.busyFor(this.times.program * data.length, () => {
          this.memory.write(address, data);
          this.finish();
        });
      });
    });
  }

  private extendedErase(count: Uint8Array): void {
    const sectors = u16(count, 0);
    if (sectors >= SPECIAL_ERASE) {
      return this.expect(1, (checksum) => {
        if (sectors !== MASS_ERASE || (xor(count) ^ xor(checksum)) !== 0) return this.refuse();
        this.eraseAll([...this.memory.sectors.keys()]);
      });
    }
    this.expect(2 * (sectors + 1) + 1, (frame) => {
      const codes = Array.from({ length: sectors + 1 }, (_, index) => u16(frame, 2 * index));
      const known = codes.every((code) => code < this.memory.sectors.length);
      if ((xor(count) ^ xor(frame)) !== 0 || !known) return this.refuse();
      this.eraseAll(codes);
    });
  }

  private eraseAll(sectors: readonly number[]): void {
    const time = sectors.reduce((sum, sector) => sum + this.eraseTime(sector), 0);
    this.busyFor(time, () => {
      for (const sector of sectors) this.memory.erase(sector);
      this.finish();
    });
  }

  private eraseTime(sector: number): number {
    const [small, middle, large] = this.times.erase;
    if (sector < 4) return small;
    return sector === 4 ? middle : large;
  }

  private writeProtect(count: Uint8Array): void {
    const sectors = (count[0] ?? 0) + 1;
    this.expect(sectors + 1, (frame) => {
      if ((xor(count) ^ xor(frame)) !== 0) return this.refuse();
      this.resetAfter(() => {
        for (const sector of frame.subarray(0, sectors)) this.memory.protectedSectors.add(sector);
      });
    });
  }

  /** A protection command without data: one ACK that it is heard, a second one that it is done, then a reset. */
  private changeProtection(change: () => void): void {
    this.answer(ACK);
    this.resetAfter(change);
  }

  private resetAfter(change: () => void): void {
    change();
    this.answer(ACK);
    this.options.onReset();
  }

  private tell(...bytes: readonly number[]): void {
    this.answer(ACK, ...bytes);
    this.finish();
  }

  private finish(): void {
    this.answer(ACK);
    this.listen();
  }

  private refuse(times = 1): void {
    for (let time = 0; time < times; time += 1) this.answer(NACK);
    this.listen();
  }

  /** Deaf while the flash is at work: the processor stands still then. */
  private busyFor(ms: number, then: () => void): void {
    const run = this.run;
    this.busy = true;
    this.options.after(ms, () => {
      if (run !== this.run) return;
      this.busy = false;
      then();
      const held = this.held;
      this.held = undefined;
      if (held !== undefined) this.collect(held);
    });
  }

  private answer(first: number, ...data: readonly number[]): void {
    const { silentFromCommand = Infinity, junkBeforeAck = [], loseSent } = this.faults;
    if (this.commands >= silentFromCommand) return;
    const bytes = [...(first === ACK ? junkBeforeAck : []), first, ...data];
    const kept = bytes.filter((_, index) => this.sent + index + 1 !== loseSent);
    this.sent += bytes.length;
    this.options.send(Uint8Array.from(kept));
  }
}

const commandList: readonly number[] = [
  Command.Get,
  Command.GetVersion,
  Command.GetId,
  Command.ReadMemory,
  Command.Go,
  Command.WriteMemory,
  Command.ExtendedErase,
  Command.WriteProtect,
  Command.WriteUnprotect,
  Command.ReadoutProtect,
  Command.ReadoutUnprotect,
];

function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function xor(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum ^ byte, 0);
}
