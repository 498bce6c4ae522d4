/** A power cut at every single write of the flash leaves the old record or the new one, whole, in every slot. */
import { createRequire } from "node:module";
import { beforeAll, describe, expect, test } from "vitest";
import { storageAddon } from "../harness/addon";

/** storage/flash.c. */
interface StorageAddon {
  start(flash: Uint8Array, cutAt: number, style: number): number;
  save(slot: number, record: Uint8Array): number;
  load(slot: number, into: Uint8Array): number;
  writes(): number;
  overwritten(): number;
}

function isStorage(addon: unknown): addon is StorageAddon {
  return typeof addon === "object" && addon !== null && "save" in addon && "overwritten" in addon;
}

const FLASH_SIZE = 2 * 16384;
const SLOTS = 66;
/** They have their room whatever the others hold. */
const SETTING_SLOTS = 8;
/** What the others have together, of an area of 16 KB; and what a record takes. */
const ROOM = 16384 - 2048 - 16 - SETTING_SLOTS * (8 + 1024);
const CUT = -1;

function sizeOf(length: number): number {
  return 8 + Math.ceil(length / 8) * 8;
}

interface Save {
  readonly slot: number;
  readonly record: Uint8Array;
}

/**
 * Saves of all lengths into all slots, each of which is emptied at times, until the log has moved to the other area and
 * back.
 */
const scenario: readonly Save[] = Array.from({ length: 260 }, (_, i) => {
  const slot = i % 2 === 0 ? ((i / 2) * 3) % SETTING_SLOTS : SETTING_SLOTS + ((i * 3) % (SLOTS - SETTING_SLOTS));
  const lengths = slot < SETTING_SLOTS ? [0, 1, 7, 8, 9, 62, 200, 1024, 1023, 333, 500] : [0, 96, 1, 40, 0, 8, 95];
  const record = new Uint8Array(lengths[(i * 5) % lengths.length] ?? 0).fill(i + 1);
  return { slot, record };
});

describe("a power cut", () => {
  let storage: StorageAddon;

  beforeAll(() => {
    const addon: unknown = createRequire(import.meta.url)(storageAddon());
    if (!isStorage(addon)) throw new Error("this is no storage");
    storage = addon;
  }, 300_000);

  /** The addon keeps only the address of it. */
  const flash = new Uint8Array(FLASH_SIZE);

  function newFlash(): Uint8Array {
    return flash.fill(0xff);
  }

  const room = new Uint8Array(1024);

  function held(slot: number): Uint8Array | "damaged" {
    const length = storage.load(slot, room);
    return length < 0 ? "damaged" : room.slice(0, length);
  }

  /** What every slot holds once the first `count` saves are through. */
  function expectedAfter(count: number): Uint8Array[] {
    const slots: Uint8Array[] = Array.from({ length: SLOTS }, () => new Uint8Array(0));
    for (const { slot, record } of scenario.slice(0, count)) slots[slot] = record;
    return slots;
  }

  function slots(): (Uint8Array | "damaged")[] {
    return Array.from({ length: SLOTS }, (_, slot) => held(slot));
  }

  /** Thousands of times faster than a comparison that could say what differs. */
  function isHeld(expected: readonly Uint8Array[]): boolean {
    return expected.every((record, slot) => {
      const now = held(slot);
      return now !== "damaged" && Buffer.compare(record, now) === 0;
    });
  }

  /** Saves on from `first`. Gives the number of the save in which the power failed; the scenario's length for none. */
  function saveFrom(first: number): number {
    for (let i = first; i < scenario.length; i++) {
      const save = scenario[i];
      if (save === undefined) break;
      const result = storage.save(save.slot, save.record);
      if (result === CUT) return i;
      if (result !== 1) throw new Error(`save ${i} was refused`);
    }
    return scenario.length;
  }

  test("happens in a scenario that moves the log to the other area and back", () => {
    expect(storage.start(newFlash(), 0, 0)).toBe(1);
    expect(saveFrom(0)).toBe(scenario.length);
    expect(slots()).toEqual(expectedAfter(scenario.length));
    const generations = [0, 16384].map((at) => Buffer.from(flash).readUInt32LE(at + 4));
    expect(Math.max(...generations)).toBeGreaterThanOrEqual(3);
  });

  test.each([
    ["nothing of it", 0],
    ["half of it", 1],
    ["all of it", 2],
  ])("in any write, of which it leaves %s, keeps the old record or the new one in every slot", (_what, style) => {
    let cut = 0;
    let cuts = 0;
    for (;;) {
      cut++;
      storage.start(newFlash(), cut, style);
      const failed = saveFrom(0);
      if (failed === scenario.length) break;
      cuts++;
      // The power fails again in the first write after it is back, if there is one before the first save.
      storage.start(flash, 1, style);
      expect(storage.start(flash, 0, style)).toBe(1);
      if (!isHeld(expectedAfter(failed)) && !isHeld(expectedAfter(failed + 1))) {
        expect({ cut, slots: slots() }).toEqual({ cut, slots: expectedAfter(failed) });
      }
      // And it goes on from there.
      if (saveFrom(failed) !== scenario.length || !isHeld(expectedAfter(scenario.length))) {
        expect({ cut, slots: slots() }).toEqual({ cut, slots: expectedAfter(scenario.length) });
      }
    }
    expect(cuts).toBeGreaterThan(4000);
    expect(storage.overwritten()).toBe(0);
  }, 300_000);

  test("is survived by what could be read before: nothing of the board's own is refused for lack of room", () => {
    storage.start(newFlash(), 0, 0);
    const largest = new Uint8Array(1024).fill(7);
    for (let round = 0; round < 20; round++) {
      for (let slot = 0; slot < SETTING_SLOTS; slot++) expect(storage.save(slot, largest)).toBe(1);
    }
    expect(slots().slice(0, SETTING_SLOTS)).toEqual(Array.from({ length: SETTING_SLOTS }, () => largest));
  });

  test.each([1, 62, 100, 128, 333, 1000, 1024])(
    "finds as many records of %i bytes in the other slots as they have room for, and not one more",
    (length) => {
      storage.start(newFlash(), 0, 0);
      const fits = Math.min(SLOTS - SETTING_SLOTS, Math.floor(ROOM / sizeOf(length)));
      let held = 0;
      for (let slot = SETTING_SLOTS; slot < SLOTS; slot++) held += storage.save(slot, new Uint8Array(length).fill(slot));
      expect(held).toBe(fits);
      // What is full is refused before anything is written, and stays as it is.
      const before = storage.writes();
      if (fits < SLOTS - SETTING_SLOTS) expect(storage.save(SLOTS - 1, new Uint8Array(length))).toBe(0);
      expect(storage.writes()).toBe(before);
      expect(storage.start(flash, 0, 0)).toBe(1);
      for (let slot = SETTING_SLOTS; slot < SETTING_SLOTS + fits; slot++) {
        expect(slots()[slot]).toEqual(new Uint8Array(length).fill(slot));
      }
    },
  );

  test("does not take the board's own room, nor the way to empty a slot, when all the others are full", () => {
    storage.start(newFlash(), 0, 0);
    const largest = new Uint8Array(1024).fill(9);
    for (let slot = SETTING_SLOTS; slot < SLOTS; slot++) storage.save(slot, new Uint8Array(96).fill(1));
    for (let round = 0; round < 20; round++) {
      for (let slot = 0; slot < SETTING_SLOTS; slot++) expect(storage.save(slot, largest)).toBe(1);
      const slot = SLOTS - 1 - round;
      expect(storage.save(slot, new Uint8Array(0))).toBe(1);
      expect(storage.load(slot, room)).toBe(0);
    }
    expect(slots().slice(0, SETTING_SLOTS)).toEqual(Array.from({ length: SETTING_SLOTS }, () => largest));
  });

  test("comes rarely in an erase, however full all is: at least an eighth of an area is written in between", () => {
    storage.start(newFlash(), 0, 0);
    const generation = (): number => Math.max(...[0, 16384].map((at) => Buffer.from(flash).readUInt32LE(at + 4) & 0x7fffffff));
    for (let slot = 0; slot < SETTING_SLOTS; slot++) storage.save(slot, new Uint8Array(1024));
    for (let slot = SETTING_SLOTS; slot < SLOTS; slot++) storage.save(slot, new Uint8Array(96));
    let last = -1;
    let least = Infinity;
    let written = 0;
    let before = generation();
    for (let i = 0; i < 2000; i++) {
      // A kept message: its record, and its end.
      const slot = SLOTS - 1 - (i % 8);
      expect(storage.save(slot, new Uint8Array(i % 2 === 0 ? 0 : 96))).toBe(1);
      written += sizeOf(i % 2 === 0 ? 0 : 96);
      if (generation() === before) continue;
      if (last >= 0) least = Math.min(least, written - last);
      last = written;
      before = generation();
    }
    expect(least).toBeGreaterThanOrEqual(16384 / 8);
  });

  test("does not come when what is empty is emptied: nothing is written", () => {
    storage.start(newFlash(), 0, 0);
    for (let slot = 0; slot < SLOTS; slot++) expect(storage.save(slot, new Uint8Array(0))).toBe(1);
    expect(storage.writes()).toBe(0);
    storage.save(9, new Uint8Array(3));
    const before = storage.writes();
    storage.save(9, new Uint8Array(0));
    // 8 bytes are what a chip can write at once.
    expect(storage.writes()).toBe(before + 1);
    storage.save(9, new Uint8Array(0));
    expect(storage.writes()).toBe(before + 1);
  });

  test.each([
    [-1, 1],
    [66, 1],
    [0, 1025],
    [8, 1025],
  ])("does not come from a save that is refused: slot %i with %i bytes", (slot, length) => {
    storage.start(newFlash(), 0, 0);
    expect(storage.save(slot, new Uint8Array(length))).toBe(0);
    expect(storage.writes()).toBe(0);
    expect(storage.load(slot, room)).toBe(slot >= 0 && slot < SLOTS ? 0 : -1);
  });
});
