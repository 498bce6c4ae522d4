import { describe, expect, it } from "vitest";
import { BootLoader, type BootLoaderOptions } from "../../../sim/boot-loader/boot-loader";
import { TYPICAL } from "../../../sim/boot-loader/faults";
import { SimClock } from "../../../sim/clock";

const ACK = 0x79;
const NACK = 0x1f;
const ALL_COMMANDS = [0x00, 0x01, 0x02, 0x11, 0x21, 0x31, 0x44, 0x63, 0x73, 0x82, 0x92];
const FLASH = [0x08, 0, 0, 0, 0x08];

class Talk {
  readonly clock = new SimClock();
  readonly jumps: number[] = [];
  resets = 0;
  readonly loader: BootLoader;
  private said: number[] = [];

  constructor(options: Partial<BootLoaderOptions> = {}) {
    this.loader = new BootLoader({
      send: (bytes) => this.said.push(...bytes),
      after: (ms, happen) => {
        if (ms === 0) happen();
        else this.clock.after(ms, happen);
      },
      onGo: (address) => this.jumps.push(address),
      onReset: () => {
        this.resets += 1;
        this.loader.start();
      },
      ...options,
    });
    this.loader.start();
  }

  /** What comes back at once. */
  say(...bytes: readonly number[]): number[] {
    this.loader.receive(Uint8Array.from(bytes));
    return this.heard();
  }

  heard(): number[] {
    return this.said.splice(0);
  }
}

/** A boot loader that has measured the rate. */
function talk(options: Partial<BootLoaderOptions> = {}): Talk {
  const talking = new Talk(options);
  expect(talking.say(0x7f)).toEqual([ACK]);
  return talking;
}

function command(code: number): [number, number] {
  return [code, code ^ 0xff];
}

function address(value: number): number[] {
  const bytes = [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
  return [...bytes, bytes.reduce((sum, byte) => sum ^ byte)];
}

function block(...data: readonly number[]): number[] {
  const bytes = [data.length - 1, ...data];
  return [...bytes, bytes.reduce((sum, byte) => sum ^ byte)];
}

describe("the simulated boot loader", () => {
  it("measures the rate on 0x7F, once", () => {
    const { loader } = new Talk();
    expect(loader.commands).toBe(0);
    const talking = talk();
    // Now it is half a command, and the whole is none.
    expect(talking.say(0x7f)).toEqual([]);
    expect(talking.say(0x7f)).toEqual([NACK]);
    expect(talking.say(...command(0x02))[0]).toBe(ACK);
  });

  it("is deaf until the next reset when another byte comes first", () => {
    const talking = new Talk();
    expect(talking.say(0x55, 0x7f, 0x7f, 0x7f)).toEqual([]);
    talking.loader.start();
    expect(talking.say(0x7f)).toEqual([ACK]);
  });

  it("tells its version, its commands and its chip", () => {
    const talking = talk();
    expect(talking.say(...command(0x00))).toEqual([ACK, 11, 0x31, ...ALL_COMMANDS, ACK]);
    expect(talking.say(...command(0x01))).toEqual([ACK, 0x31, 0, 0, ACK]);
    expect(talking.say(...command(0x02))).toEqual([ACK, 1, 0x04, 0x13, ACK]);
    expect(talk({ chipId: 0x419 }).say(...command(0x02))).toEqual([ACK, 1, 0x04, 0x19, ACK]);
  });

  it.each([
    ["a command whose complement is wrong", [0x02, 0xfc]],
    ["a command that it does not know", command(0x55)],
    ["the erase command of older chips", command(0x43)],
  ])("refuses %s, and goes on", (_, bytes) => {
    const talking = talk();
    expect(talking.say(...bytes)).toEqual([NACK]);
    expect(talking.say(...command(0x02))[0]).toBe(ACK);
  });

  it("reads 1 to 256 bytes of flash", () => {
    const talking = talk();
    talking.loader.memory.flash.set([1, 2, 3]);
    expect(talking.say(...command(0x11))).toEqual([ACK]);
    expect(talking.say(...FLASH)).toEqual([ACK]);
    expect(talking.say(2, 0xfd)).toEqual([ACK, 1, 2, 3]);
    talking.say(...command(0x11), ...FLASH);
    expect(talking.say(255, 0)).toHaveLength(257);
  });

  it.each([
    ["in no memory", 0x07ffffff],
    ["in its own RAM", 0x20002ffc],
    ["behind the flash", 0x08100000],
  ])("refuses an address %s", (_, at) => {
    const talking = talk();
    expect(talking.say(...command(0x11), ...address(at))).toEqual([ACK, NACK]);
    expect(talking.say(...command(0x31), ...address(at))).toEqual([ACK, NACK]);
  });

  it("refuses an address with a wrong checksum, a wrong count, and to read past the end", () => {
    const talking = talk();
    expect(talking.say(...command(0x11), 0x08, 0, 0, 0, 0x09)).toEqual([ACK, NACK]);
    expect(talking.say(...command(0x11), ...FLASH, 3, 3)).toEqual([ACK, ACK, NACK]);
    expect(talking.say(...command(0x11), ...address(0x080ffffe), 3, 0xfc)).toEqual([ACK, ACK, NACK]);
  });

  it("writes words, and only clears bits of what was not erased", () => {
    const talking = talk();
    const { flash } = talking.loader.memory;
    expect(talking.say(...command(0x31), ...FLASH, ...block(0xf0, 1, 2, 3))).toEqual([ACK, ACK, ACK]);
    expect(flash.subarray(0, 4)).toEqual(Uint8Array.of(0xf0, 1, 2, 3));
    talking.say(...command(0x31), ...FLASH, ...block(0x3c, 0xff, 0, 4));
    expect(flash.subarray(0, 4)).toEqual(Uint8Array.of(0x30, 1, 0, 0));
  });

  it("writes RAM as it is", () => {
    const talking = talk();
    const at = address(0x20003000);
    talking.say(...command(0x31), ...at, ...block(1, 2, 3, 4));
    talking.say(...command(0x31), ...at, ...block(9, 8, 7, 6));
    expect(talking.say(...command(0x11), ...at, 3, 0xfc).slice(-4)).toEqual([9, 8, 7, 6]);
  });

  it.each([
    ["with a wrong checksum", FLASH, [3, 1, 2, 3, 4, 0]],
    ["at half a word", address(0x08000002), block(1, 2, 3, 4)],
    ["of half a word", FLASH, block(1, 2)],
    ["past the end", address(0x080ffffc), block(1, 2, 3, 4, 5, 6, 7, 8)],
  ])("refuses a write %s, and writes nothing", (_, at, data) => {
    const talking = talk();
    expect(talking.say(...command(0x31), ...at, ...data).at(-1)).toBe(NACK);
    expect(talking.loader.memory.flash.every((byte) => byte === 0xff)).toBe(true);
  });

  it("erases the sectors of a list", () => {
    const talking = talk();
    talking.loader.memory.flash.fill(0);
    const list = [0, 1, 0, 1, 0, 4];
    expect(talking.say(...command(0x44), ...list, 1 ^ 1 ^ 4)).toEqual([ACK, ACK]);
    expect(talking.loader.memory.erases).toEqual([0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    const { flash } = talking.loader.memory;
    expect([0x3fff, 0x4000, 0x7fff, 0x8000, 0xffff, 0x10000, 0x1ffff, 0x20000].map((at) => flash[at])).toEqual(
      [0, 0xff, 0xff, 0, 0, 0xff, 0xff, 0],
    );
  });

  it("erases everything at 0xFFFF, and knows no banks", () => {
    const talking = talk();
    talking.loader.memory.flash.fill(0);
    expect(talking.say(...command(0x44), 0xff, 0xfe, 0x01)).toEqual([ACK, NACK]);
    expect(talking.say(...command(0x44), 0xff, 0xff, 0x01)).toEqual([ACK, NACK]);
    expect(talking.loader.memory.flash[0]).toBe(0);
    expect(talking.say(...command(0x44), 0xff, 0xff, 0x00)).toEqual([ACK, ACK]);
    expect(talking.loader.memory.flash.every((byte) => byte === 0xff)).toBe(true);
  });

  it("refuses to erase a sector that is not there, or with a wrong checksum", () => {
    const talking = talk();
    expect(talking.say(...command(0x44), 0, 0, 0, 12, 12)).toEqual([ACK, NACK]);
    expect(talking.say(...command(0x44), 0, 0, 0, 1, 2)).toEqual([ACK, NACK]);
    expect(talking.loader.memory.erases.every((count) => count === 0)).toBe(true);
  });

  it("is deaf while it erases, but for one byte", () => {
    const talking = talk({ times: { ...TYPICAL, startup: 0 } });
    expect(talking.say(...command(0x44), 0, 0, 0, 4, 4)).toEqual([ACK]);
    talking.clock.runFor(1199);
    expect(talking.say(0x02, 0xfd, 0x02)).toEqual([]);
    talking.clock.runFor(1);
    expect(talking.heard()).toEqual([ACK]);
    expect(talking.loader.overruns).toBe(2);
    expect(talking.say(0xfd)).toEqual([ACK, 1, 0x04, 0x13, ACK]);
  });

  it("does not listen before it has started", () => {
    const talking = new Talk({ times: TYPICAL });
    talking.clock.runFor(84);
    expect(talking.say(0x7f)).toEqual([]);
    expect(talking.loader.overruns).toBe(1);
    talking.loader.start();
    talking.clock.runFor(84);
    expect(talking.say(0x7f)).toEqual([]);
    talking.clock.runFor(1);
    expect(talking.say(0x7f)).toEqual([ACK]);
  });

  it("forgets an erasure that a reset has cut", () => {
    const talking = talk({ times: { ...TYPICAL, startup: 0 } });
    talking.loader.memory.flash.fill(0);
    talking.say(...command(0x44), 0, 0, 0, 0, 0);
    talking.clock.runFor(200);
    talking.loader.start();
    expect(talking.say(0x7f)).toEqual([ACK]);
    talking.clock.runFor(1000);
    expect(talking.heard()).toEqual([]);
    expect(talking.loader.memory.flash[0]).toBe(0);
  });

  it("jumps to a program, and is gone", () => {
    const talking = talk();
    expect(talking.say(...command(0x21), ...address(0x08000000))).toEqual([ACK, ACK]);
    expect(talking.jumps).toEqual([0x08000000]);
    expect(talking.say(0x7f, ...command(0x02))).toEqual([]);
  });

  it("protects sectors from writing, without a word when they are written, and unprotects them", () => {
    const talking = talk();
    const { flash } = talking.loader.memory;
    expect(talking.say(...command(0x63), 1, 0, 2, 1 ^ 0 ^ 2)).toEqual([ACK, ACK]);
    expect(talking.resets).toBe(1);
    talking.say(0x7f);
    expect(talking.say(...command(0x31), ...FLASH, ...block(1, 2, 3, 4))).toEqual([ACK, ACK, ACK]);
    expect(talking.say(...command(0x31), ...address(0x08004000), ...block(1, 2, 3, 4))).toEqual([ACK, ACK, ACK]);
    expect([flash[0], flash[0x4000]]).toEqual([0xff, 1]);
    flash[0x10] = 7;
    expect(talking.say(...command(0x44), 0, 1, 0, 0, 0, 1, 0)).toEqual([ACK, ACK]);
    expect([flash[0x10], flash[0x4000]]).toEqual([7, 0xff]);
    flash[0x10] = 0xff;
    expect(talking.say(...command(0x73))).toEqual([ACK, ACK]);
    talking.say(0x7f);
    talking.say(...command(0x31), ...FLASH, ...block(1, 2, 3, 4));
    expect(flash[0]).toBe(1);
  });

  it("protects everything from reading, and empties itself when that is lifted", () => {
    const talking = talk();
    const { flash } = talking.loader.memory;
    flash.fill(7);
    expect(talking.say(...command(0x82))).toEqual([ACK, ACK]);
    talking.say(0x7f);
    for (const code of [0x11, 0x21, 0x31, 0x44, 0x63, 0x73, 0x82]) expect(talking.say(...command(code))).toEqual([NACK]);
    expect(talking.say(...command(0x02))).toEqual([ACK, 1, 0x04, 0x13, ACK]);
    expect(flash[0]).toBe(7);
    expect(talking.say(...command(0x92))).toEqual([ACK, ACK]);
    expect(talking.say(0x7f)).toEqual([ACK]);
    expect(flash.every((byte) => byte === 0xff)).toBe(true);
  });
});

describe("faults of the simulated boot loader", () => {
  it("are junk before an ACK", () => {
    const talking = new Talk({ faults: { junkBeforeAck: [0] } });
    expect(talking.say(0x7f)).toEqual([0, ACK]);
    expect(talking.say(...command(0x55))).toEqual([NACK]);
  });

  it("are bytes that are lost, either way", () => {
    const deaf = talk({ faults: { loseReceived: 3 } });
    expect(deaf.say(...command(0x02))).toEqual([]);
    expect(deaf.say(0xfd)).toEqual([ACK, 1, 0x04, 0x13, ACK]);
    const dumb = talk({ faults: { loseSent: 3 } });
    expect(dumb.say(...command(0x02))).toEqual([ACK, 0x04, 0x13, ACK]);
  });

  it("are commands that are refused, and silence", () => {
    const moody = talk({ faults: { nackCommand: 2 } });
    expect([1, 2, 3].map(() => moody.say(...command(0x02))[0])).toEqual([ACK, NACK, ACK]);
    const sulking = talk({ faults: { nackFromCommand: 2 } });
    expect([1, 2, 3].map(() => sulking.say(...command(0x02))[0])).toEqual([ACK, NACK, NACK]);
    const silent = talk({ faults: { silentFromCommand: 2 } });
    expect([1, 2, 3].map(() => silent.say(...command(0x02))[0])).toEqual([ACK, undefined, undefined]);
    expect(new Talk({ faults: { silentFromCommand: 0 } }).say(0x7f)).toEqual([]);
    expect(talk({ readProtected: true, faults: { doubleNack: true } }).say(...command(0x11))).toEqual([NACK, NACK]);
  });

  it("are bits of the flash that do not hold", () => {
    const talking = talk();
    talking.loader.memory.breakBits(0x08000001, 0x01);
    talking.say(...command(0x31), ...FLASH, ...block(8, 8, 8, 8));
    expect(talking.say(...command(0x11), ...FLASH, 3, 0xfc).slice(-4)).toEqual([8, 9, 8, 8]);
  });
});
