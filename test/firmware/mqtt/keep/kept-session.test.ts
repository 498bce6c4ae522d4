/** The power fails at every step, and in every write: nothing that was accepted is lost, and QoS 2 comes once. */
import { describe, expect, it } from "vitest";
import { createMortalStorage, type MortalStorage } from "./mortal-storage";
import { play, problemsOf, STEPS } from "./scenario";
import { createWorld, restart, settle, type World } from "./world";

const SESSION_SLOT = 8;

/** Plays on after a power cut, to the end. Gives what is wrong then. */
function playOn(world: World, storage: MortalStorage, reached: number, missing: number): string[] {
  storage.powerOn();
  restart(world);
  play(world, reached);
  settle(world);
  return problemsOf(world, missing);
}

describe("a kept session", () => {
  it("goes through the scenario when nothing fails, and leaves the storage empty", () => {
    const storage = createMortalStorage();
    const world = createWorld(storage);
    play(world, 0);
    settle(world);
    expect(problemsOf(world, 0)).toEqual([]);
    expect(world.accepted.length).toBeGreaterThan(20);
    expect([...storage.records.keys()].filter((slot) => slot > SESSION_SLOT)).toEqual([]);
  });

  it("[MQTT-4.1.0-1] [MQTT-4.3.2-1] [MQTT-4.3.3-1] [MQTT-4.3.3-2] survives a power cut after every step", () => {
    for (let step = 0; step < STEPS; step++) {
      const storage = createMortalStorage();
      const world = createWorld(storage);
      const reached = play(world, 0, step);
      expect({ step, problems: playOn(world, storage, reached, 0) }).toEqual({ step, problems: [] });
    }
  });

  it.each([
    ["before", false],
    ["after", true],
  ])("survives a power cut in every save, %s the record is there", (_name, after) => {
    let cuts = 0;
    for (let save = 1; ; save++) {
      const storage = createMortalStorage();
      const world = createWorld(storage);
      storage.cutIn = save;
      storage.cutAfter = after;
      const reached = play(world, 0);
      if (storage.powered) break;
      cuts++;
      // The power went when a command had been written down, and before it was obeyed.
      const missing = storage.cutSlot === SESSION_SLOT && after ? 1 : 0;
      expect({ save, problems: playOn(world, storage, reached, missing) }).toEqual({ save, problems: [] });
    }
    expect(cuts).toBeGreaterThan(60);
  });

  it("survives a second power cut, in every save after the first", () => {
    for (const first of [9, 23, 41]) {
      for (let save = 1; ; save++) {
        const storage = createMortalStorage();
        const world = createWorld(storage);
        storage.cutIn = first;
        const reached = play(world, 0);
        storage.powerOn();
        storage.cutIn = save;
        storage.cutAfter = save % 2 === 0;
        restart(world);
        const again = play(world, reached);
        if (storage.powered) break;
        const missing = storage.cutSlot === SESSION_SLOT && storage.cutAfter ? 1 : 0;
        expect({ first, save, problems: playOn(world, storage, again, missing) }).toEqual({ first, save, problems: [] });
      }
    }
  });
});
