import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { crc32 } from "../../../hal/node/crc";
import { Folder } from "../../../hal/node/folder";
import { FileStorage } from "../../../hal/node/storage";
import { LEFT_BEHIND, UnreliableDisc } from "./unreliable-disc";

const OLD = "interval=5\n";
const NEW = "interval=60\nand more\n";

function save(storage: FileStorage, text: string, slot = 1): boolean {
  const bytes = new TextEncoder().encode(text);
  return storage.save(slot, bytes, 0, bytes.length);
}

/** The text of a slot; a number when `load` gives no record. */
function load(storage: FileStorage, slot = 1, room = 1024): string | number {
  const into = new Uint8Array(room + 3);
  const length = storage.load(slot, into, 3, room);
  return length > 0 ? new TextDecoder().decode(into.subarray(3, 3 + length)) : length;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "moth-storage-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe("a save", () => {
  const cuts = LEFT_BEHIND.flatMap((leftBehind) => [0, 1, 2, 3].map((steps) => ({ leftBehind, steps })));

  it.each(cuts)("cut after $steps steps leaves the old record or the new, whole; of the rest: $leftBehind", (cut) => {
    const disc = new UnreliableDisc();
    expect(save(new FileStorage(disc), OLD)).toBe(true);
    disc.stepsLeft = cut.steps;
    expect(save(new FileStorage(disc), NEW)).toBe(false);
    disc.restart(cut.leftBehind);
    const storage = new FileStorage(disc);
    expect([OLD, NEW]).toContain(load(storage));
    expect(save(storage, "later\n")).toBe(true);
    expect(load(storage)).toBe("later\n");
  });

  it.each(cuts)("the first of a slot, cut after $steps steps, leaves none or all of it; of the rest: $leftBehind", (cut) => {
    const disc = new UnreliableDisc();
    disc.stepsLeft = cut.steps;
    save(new FileStorage(disc), NEW);
    disc.restart(cut.leftBehind);
    expect([0, NEW]).toContain(load(new FileStorage(disc)));
  });

  it.each(cuts)("of nothing, cut after $steps steps, leaves the old record or none; of the rest: $leftBehind", (cut) => {
    const disc = new UnreliableDisc();
    expect(save(new FileStorage(disc), OLD)).toBe(true);
    disc.stepsLeft = cut.steps;
    expect(save(new FileStorage(disc), "")).toBe(cut.steps >= 2);
    disc.restart(cut.leftBehind);
    const storage = new FileStorage(disc);
    expect(cut.steps >= 2 ? [0] : [OLD, 0]).toContain(load(storage));
    expect(save(storage, "later\n")).toBe(true);
    expect(load(storage)).toBe("later\n");
  });

  it.each(LEFT_BEHIND)("that said true is on the medium, whatever a power cut leaves of the rest: %s", (leftBehind) => {
    const disc = new UnreliableDisc();
    save(new FileStorage(disc), OLD);
    expect(save(new FileStorage(disc), NEW)).toBe(true);
    disc.restart(leftBehind);
    expect(load(new FileStorage(disc))).toBe(NEW);
  });
});

describe("a folder of slots", () => {
  it("keeps 66 records of up to 1024 bytes, each for itself, from one run to the next", () => {
    const path = folder();
    const before = new FileStorage(new Folder(path));
    const record = (slot: number): string => String.fromCharCode(48 + slot).repeat(1024);
    for (let slot = 0; slot < 66; slot++) expect(save(before, record(slot), slot)).toBe(true);
    const after = new FileStorage(new Folder(path));
    for (let slot = 0; slot < 66; slot++) expect(load(after, slot)).toBe(record(slot));
  });

  it("has nothing in a slot that was never saved, and no more than 66 slots", () => {
    const storage = new FileStorage(new Folder(folder()));
    expect(load(storage, 65)).toBe(0);
    expect(load(storage, 66)).toBe(-1);
    expect(save(storage, NEW, 66)).toBe(false);
  });

  it("has no file of a slot that was emptied, so that it can be emptied when nothing can be written", () => {
    const path = folder();
    const storage = new FileStorage(new Folder(path));
    save(storage, OLD);
    // A folder in the way of a new file.
    mkdirSync(join(path, "slot-1.new"));
    expect(save(storage, "")).toBe(true);
    expect(load(storage)).toBe(0);
    expect(existsSync(join(path, "slot-1"))).toBe(false);
    expect(save(storage, "")).toBe(true);
  });

  it("refuses a record that is too long, and copies none that is longer than the room", () => {
    const storage = new FileStorage(new Folder(folder()));
    expect(save(storage, "x".repeat(1025))).toBe(false);
    expect(save(storage, NEW)).toBe(true);
    expect(load(storage, 1, NEW.length - 1)).toBe(-1);
    expect(load(storage, 1, NEW.length)).toBe(NEW);
  });

  it("loads a damaged record as damaged: a flipped bit anywhere, a lost end, an added byte, all zero", () => {
    const path = folder();
    const storage = new FileStorage(new Folder(path));
    save(storage, NEW);
    const file = join(path, "slot-1");
    const whole = readFileSync(file);
    for (let at = 0; at < whole.length; at++) {
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ 0x10;
      writeFileSync(file, flipped);
      expect({ at, loaded: load(storage) }).toEqual({ at, loaded: -1 });
    }
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(file, whole);
      truncateSync(file, length);
      expect({ length, loaded: load(storage) }).toEqual({ length, loaded: -1 });
    }
    writeFileSync(file, Buffer.concat([whole, Buffer.of(0)]));
    expect(load(storage)).toBe(-1);
    writeFileSync(file, Buffer.alloc(6));
    expect(load(storage)).toBe(-1);
  });

  it("saves over the half file that a power cut has left", () => {
    const path = folder();
    writeFileSync(join(path, "slot-1.new"), "half of someth");
    const storage = new FileStorage(new Folder(path));
    expect(load(storage)).toBe(0);
    expect(save(storage, NEW)).toBe(true);
    expect(load(storage)).toBe(NEW);
    expect(existsSync(join(path, "slot-1.new"))).toBe(false);
  });

  it("is for its owner alone, since passwords lie in it", () => {
    const path = join(folder(), "a", "b");
    save(new FileStorage(new Folder(path)), NEW);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(statSync(join(path, "slot-1")).mode & 0o777).toBe(0o600);
  });

  it("keeps the old record when it cannot write", () => {
    const path = folder();
    const storage = new FileStorage(new Folder(path));
    save(storage, OLD);
    // A folder in the way of the new file stops everybody, root too.
    mkdirSync(join(path, "slot-1.new"));
    expect(save(storage, NEW)).toBe(false);
    expect(load(storage)).toBe(OLD);
  });

  it("stops a program that saves from outside its buffer", () => {
    const storage = new FileStorage(new Folder(folder()));
    expect(() => storage.save(1, new Uint8Array(4), 2, 3)).toThrow(RangeError);
  });
});

describe("crc32", () => {
  it("is the one that the whole world uses", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  });
});
