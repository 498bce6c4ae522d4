/**
 * A session kept on the storage of a chip: the power fails in the middle of a write to its flash, and what the flash wears
 * is what is said of it.
 */
import { createRequire } from "node:module";
import { beforeAll, describe, expect, test } from "vitest";
import type { Bytes } from "../../../hal/hal";
import { clientPoll } from "../../../firmware/mqtt/client";
import { createPublication, type Publication } from "../../../firmware/mqtt/publication";
import { publishText } from "../../../firmware/mqtt/publish";
import { play, problemsOf } from "../../firmware/mqtt/keep/scenario";
import { createWorld, hear, type Medium, restart, send, settle, turn, type World } from "../../firmware/mqtt/keep/world";
import { storageAddon } from "../harness/addon";

/** harness/storage/flash.c. */
interface StorageAddon {
  start(flash: Uint8Array, cutAt: number, style: number): number;
  save(slot: number, record: Uint8Array): number;
  load(slot: number, into: Uint8Array): number;
  writes(): number;
  erases(): number;
  overwritten(): number;
}

function isStorage(addon: unknown): addon is StorageAddon {
  return typeof addon === "object" && addon !== null && "save" in addon && "erases" in addon;
}

const SESSION_SLOT = 8;
/** What the power leaves of a write: nothing, half, or all of it. */
const STYLES = [0, 1, 2];
/** Every write is one of 8 bytes. A chip's storage is cut in each of them elsewhere; here, in some of each kind. */
const STRIDE = 2;

interface Chip extends Medium {
  powered: boolean;
  /** In which slot the power failed. */
  cutSlot: number;
}

describe("the flash of a chip", () => {
  let storage: StorageAddon;

  beforeAll(() => {
    const addon: unknown = createRequire(import.meta.url)(storageAddon());
    if (!isStorage(addon)) throw new Error("this is no storage");
    storage = addon;
  }, 300_000);

  /** The addon keeps only the address of it. */
  const memory = new Uint8Array(2 * 131072);
  const flash = memory.subarray(0, 2 * 16384);
  const room = new Uint8Array(1024);

  function powerOn(chip: Chip, cutAt = 0, style = 0): void {
    chip.powered = true;
    chip.cutSlot = -1;
    if (storage.start(flash, cutAt, style) !== 1) chip.powered = false;
  }

  function createChip(): Chip {
    const chip: Chip = {
      powered: true,
      cutSlot: -1,
      load(slot, into: Bytes, at, most) {
        const length = storage.load(slot, room);
        if (length > most) return -1;
        for (let i = 0; i < length; i++) into[at + i] = room[i] ?? 0;
        return length;
      },
      save(slot, from: Bytes, at, count) {
        if (!chip.powered) return false;
        const result = storage.save(slot, Uint8Array.from({ length: count }, (_, i) => from[at + i] ?? 0));
        if (result >= 0) return result === 1;
        chip.powered = false;
        chip.cutSlot = slot;
        return false;
      },
    };
    return chip;
  }

  test("keeps the session through a power cut in the middle of its writes", () => {
    let cuts = 0;
    for (const style of STYLES) {
      for (let cut = 1 + style * 4; ; cut += STRIDE) {
        flash.fill(0xff);
        const chip = createChip();
        powerOn(chip, cut, style);
        const world = createWorld(chip);
        const reached = play(world, 0);
        if (chip.powered) break;
        cuts++;
        const missing = chip.cutSlot === SESSION_SLOT ? 1 : 0;
        powerOn(chip);
        restart(world);
        play(world, reached);
        settle(world);
        expect({ cut, style, problems: problemsOf(world, missing) }).toEqual({ cut, style, problems: [] });
      }
    }
    expect(cuts).toBeGreaterThan(100);
    expect(storage.overwritten()).toBe(0);
  }, 300_000);

  /** How many readings of 62 bytes on a topic of 29, each acknowledged before the next, go by from one erase to the next. */
  function readingsAnErase(areaSize: number, publication: Publication): number {
    const chip = createChip();
    storage.start(memory.subarray(0, 2 * areaSize).fill(0xff), 0, 0);
    // Settings and a certificate: 4 KB.
    for (let slot = 0; slot < 4; slot++) storage.save(slot, new Uint8Array(1000));
    const world = createWorld(chip);
    for (let i = 0; i < 6; i++) roundTrip(world);
    let first = 0;
    let count = 0;
    while (storage.erases() < 2) {
      expect(publishText(world.run.client, publication, "x".repeat(62))).toBe(true);
      roundTrip(world);
      roundTrip(world);
      // Time enough for the next one to be allowed.
      world.now += 200;
      count++;
      if (storage.erases() === 0) first = count;
    }
    expect(world.run.keeper.stats).toMatchObject({ held: 0, kept: count, passed: 0, refused: 0 });
    return count - first;
  }

  function roundTrip(world: World): void {
    turn(world);
    send(world, 4096);
    hear(world, 4096);
    clientPoll(world.run.client, world.now);
  }

  const topic = "moth/cold-room-0001/telemetry";

  test.each([
    ["a Pico at QoS 1", 32768, 1, 223],
    ["an STM32F405 at QoS 1", 131072, 1, 991],
    ["a Pico at QoS 2", 32768, 2, 188],
  ] as const)("of %s wears as keep.ts says: %i bytes at QoS %i hold %i readings", (_chip, areaSize, qos, readings) => {
    expect(topic).toHaveLength(29);
    const measured = readingsAnErase(areaSize, createPublication(topic, qos, false, 62));
    expect(Math.abs(measured - readings)).toBeLessThanOrEqual(2);
  });
});
