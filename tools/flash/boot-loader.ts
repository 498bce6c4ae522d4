/**
 * The host's side of the STM32's USART boot loader, as AN3155 describes it: one command at a time, each repeated a few
 * times when the line spoils it. What is repeated, and what bytes came that belong to nothing, is counted.
 */
import { hex } from "./failure";
import type { Wire } from "./wire";

const SYNC = 0x7f;
const ACK = 0x79;
const NACK = 0x1f;

const enum Command {
  Get = 0x00,
  GetId = 0x02,
  ReadMemory = 0x11,
  Go = 0x21,
  WriteMemory = 0x31,
  ExtendedErase = 0x44,
}

/** The most that one read or write moves. */
export const BLOCK = 256;
/** Two of it are no command, and no pause within a write changes the flash because of it. */
const FILLER = 0xff;
/** Enough filler for a boot loader that waits for a whole block and its checksum. */
const MOST_OWED = BLOCK + 2;
const MOST_JUNK = 64;

/** How often a command is repeated. */
const REPEATS = 3;
const SYNC_TRIES = 8;
/** Patience in ms, besides the time that the bytes themselves take. */
const SYNC_PATIENCE = 250;
const ANSWER_PATIENCE = 1000;
const WRITE_PATIENCE = 2000;
const RESYNC_PATIENCE = 100;
const SETTLE = 20;

/** The boot loader said no, also when it was asked again. */
export class Refused extends Error {
  constructor(readonly what: string, /** At the command itself, not at what belongs to it: it is not allowed. */ readonly atCommand: boolean) {
    super(`the boot loader refused ${what}`);
  }
}

/** The boot loader said nothing, or not enough, also when it was asked again. */
export class NoAnswer extends Error {
  constructor(readonly what: string) {
    super(`no answer to ${what}`);
  }
}

/** A write was cut short by the line, and left something else than was meant in flash that cannot be written twice. */
export class HalfWritten extends Error {
  constructor(readonly address: number) {
    super(`half written at ${hex(address, 8)}`);
  }
}

export interface Greeting {
  /** Of the protocol, one digit each: 0x31 is 3.1. */
  readonly version: number;
  readonly commands: readonly number[];
}

export class BootLoader {
  /** Commands that were repeated. */
  repeats = 0;
  /** Bytes that stood where an answer was due. */
  junk = 0;

  /** `baud`: of the line, for the time that bytes take on it. */
  constructor(private readonly wire: Wire, private readonly baud: number) {}

  /** Has the boot loader measure the rate. False when nothing answers. */
  async sync(): Promise<boolean> {
    if (await this.greet(SYNC_TRIES)) return true;
    // One that was left in the middle of a command takes the sync bytes for its remainder.
    await this.wire.send(new Uint8Array(MOST_OWED).fill(SYNC));
    await this.wire.pause(this.lineTime(MOST_OWED) + RESYNC_PATIENCE);
    return this.greet(2);
  }

  /** Version and commands. */
  get(): Promise<Greeting> {
    return this.persist("Get", async () => {
      const [version = 0, ...commands] = await this.list(Command.Get, "Get");
      return { version, commands };
    });
  }

  /** The chip's product id. */
  chipId(): Promise<number> {
    return this.persist("Get ID", async () => {
      const [high = 0, low = 0] = await this.list(Command.GetId, "Get ID");
      return (high << 8) | low;
    });
  }

  /** `count`: 1 to 256 bytes. */
  read(address: number, count: number): Promise<Uint8Array> {
    const what = `reading at ${hex(address, 8)}`;
    return this.persist(what, () => this.readOnce(address, count, what));
  }

  /** Writes 4 to 256 bytes, a multiple of 4, into erased flash. */
  async write(address: number, bytes: Uint8Array): Promise<void> {
    const what = `writing at ${hex(address, 8)}`;
    let tries = 0;
    await this.persist(what, async () => {
      tries += 1;
      // The answer may be what was lost: then it is written already.
      if (tries > 1 && await this.wasWritten(address, bytes, what)) return;
      await this.command(Command.WriteMemory, what);
      await this.checked(bigEndian(address, 4), what);
      await this.checked(Uint8Array.of(bytes.length - 1, ...bytes), what, WRITE_PATIENCE);
    });
  }

  /** Erases one sector, which takes `patience` ms at most. */
  erase(sector: number, patience: number): Promise<void> {
    const what = `erasing sector ${sector}`;
    return this.persist(what, async () => {
      await this.command(Command.ExtendedErase, what);
      await this.checked(Uint8Array.of(0, 0, ...bigEndian(sector, 2)), what, patience + ANSWER_PATIENCE);
    });
  }

  /**
   * Leaves the boot loader for the program at `address`. False when it fell silent without saying that it goes: then it
   * is gone, or the line is.
   */
  async go(address: number): Promise<boolean> {
    const what = `the jump to ${hex(address, 8)}`;
    let asked = 0;
    try {
      await this.persist(what, async () => {
        await this.command(Command.Go, what);
        asked += 1;
        await this.checked(bigEndian(address, 4), what);
      });
      return true;
    } catch (error) {
      if (asked > 0 && error instanceof NoAnswer) return false;
      throw error;
    }
  }

  private async greet(tries: number): Promise<boolean> {
    for (let left = tries; left > 0; left -= 1) {
      this.wire.checkpoint();
      this.wire.discard();
      await this.wire.send(Uint8Array.of(SYNC));
      const answer = await this.answer(SYNC_PATIENCE);
      // A NACK comes from one that had measured the rate before.
      if (answer !== undefined) return true;
    }
    return false;
  }

  private async readOnce(address: number, count: number, what: string): Promise<Uint8Array> {
    await this.command(Command.ReadMemory, what);
    await this.checked(bigEndian(address, 4), what);
    await this.wire.send(Uint8Array.of(count - 1, (count - 1) ^ 0xff));
    await this.acknowledged(what);
    return this.data(count, what);
  }

  private async wasWritten(address: number, bytes: Uint8Array, what: string): Promise<boolean> {
    const found = await this.readOnce(address, bytes.length, what);
    if (same(found, bytes)) return true;
    if (found.every((byte) => byte === 0xff)) return false;
    throw new HalfWritten(address);
  }

  /** Does `action`, and does it again when the line or the boot loader did not like it. */
  private async persist<T>(what: string, action: () => Promise<T>): Promise<T> {
    for (let left = REPEATS; ; left -= 1) {
      this.wire.checkpoint();
      try {
        this.wire.discard();
        return await action();
      } catch (error) {
        if (!(error instanceof NoAnswer || error instanceof Refused) || left === 0) throw error;
        this.repeats += 1;
        // What was refused may have a remainder that is under way, and is taken for commands.
        if (error instanceof Refused) await this.wire.pause(SETTLE);
        if (!(await this.resync())) throw new NoAnswer(what);
      }
    }
  }

  /** Brings a boot loader that waits for the rest of something back to where it waits for a command. */
  private async resync(): Promise<boolean> {
    for (let round = 0; round < 2; round += 1) {
      for (let fillers = 4; fillers > 0; fillers -= 1) {
        this.wire.discard();
        await this.wire.send(Uint8Array.of(FILLER));
        if (await this.answer(RESYNC_PATIENCE + this.lineTime(1)) === NACK) return true;
      }
      await this.wire.send(new Uint8Array(MOST_OWED).fill(FILLER));
      await this.wire.pause(this.lineTime(MOST_OWED) + RESYNC_PATIENCE);
    }
    return false;
  }

  private async command(code: Command, what: string): Promise<void> {
    await this.wire.send(Uint8Array.of(code, code ^ 0xff));
    await this.acknowledged(what, ANSWER_PATIENCE, true);
  }

  /** Sends bytes and their checksum. */
  private async checked(bytes: Uint8Array, what: string, patience = ANSWER_PATIENCE): Promise<void> {
    await this.wire.send(Uint8Array.of(...bytes, bytes.reduce((sum, byte) => sum ^ byte, 0)));
    await this.acknowledged(what, patience + this.lineTime(bytes.length));
  }

  /** A command that is answered with a list: its length less one, the list, an ACK. */
  private async list(code: Command, what: string): Promise<Uint8Array> {
    await this.command(code, what);
    const [last = 0] = await this.data(1, what);
    const bytes = await this.data(last + 1, what);
    await this.acknowledged(what);
    return bytes;
  }

  private async data(count: number, what: string): Promise<Uint8Array> {
    const bytes = await this.wire.receive(count, ANSWER_PATIENCE + this.lineTime(count));
    if (bytes.length < count) throw new NoAnswer(what);
    return bytes;
  }

  private async acknowledged(what: string, patience = ANSWER_PATIENCE, atCommand = false): Promise<void> {
    const answer = await this.answer(patience);
    if (answer === undefined) throw new NoAnswer(what);
    if (answer === NACK) throw new Refused(what, atCommand);
  }

  /** The next ACK or NACK; undefined if there is none within `ms`. What is neither is skipped. */
  private async answer(ms: number): Promise<number | undefined> {
    for (let left = MOST_JUNK; left > 0; left -= 1) {
      const [byte] = await this.wire.receive(1, ms);
      if (byte === undefined || byte === ACK || byte === NACK) return byte;
      this.junk += 1;
    }
    return undefined;
  }

  /** How long `count` bytes take on the line, in ms: 11 bits each, and the way there and back through an adapter. */
  private lineTime(count: number): number {
    return Math.ceil((count * 11 * 1000) / this.baud);
  }
}

export function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function bigEndian(value: number, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => value >>> (8 * (size - 1 - index)));
}
