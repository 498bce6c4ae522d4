/**
 * A storage whose power a test cuts. It outlives the cut: the next board finds what was on the medium. As a chip's, a
 * save is atomic (test/lua/device/power-cut.test.ts cuts that one at every byte), so a cut leaves the old record or the
 * new one; and what the program does after the cut, until it notices that it is dead, must not matter to anybody.
 */
import type { Bytes, Storage } from "../../../../hal/hal";

export interface MortalStorage extends Storage {
  readonly records: Map<number, Uint8Array>;
  /** The board's power. Whoever hears of it from the board must not listen any more when it is gone. */
  powered: boolean;
  /** The saves since power-on; in which of them the power goes; and whether it is still done. 0: in none. */
  saves: number;
  cutIn: number;
  cutAfter: boolean;
  /** Which slot was being written when the power went. */
  cutSlot: number;
  /** It takes nothing any more: worn out, or full. */
  refuses: boolean;
  /** Nothing can be emptied, either. */
  stuck: boolean;
  powerOn(): void;
}

export function createMortalStorage(): MortalStorage {
  const records = new Map<number, Uint8Array>();

  function put(slot: number, from: Bytes, at: number, count: number): void {
    const record = Uint8Array.from({ length: count }, (_, i) => from[at + i] ?? 0);
    if (count === 0) records.delete(slot);
    else records.set(slot, record);
  }

  const storage: MortalStorage = {
    records,
    powered: true,
    saves: 0,
    cutIn: 0,
    cutAfter: false,
    cutSlot: -1,
    refuses: false,
    stuck: false,
    powerOn() {
      storage.powered = true;
      storage.saves = 0;
      storage.cutIn = 0;
      storage.cutSlot = -1;
    },
    load(slot, into, at, room) {
      const record = records.get(slot);
      if (record === undefined) return 0;
      if (record.length > room) return -1;
      for (const [i, byte] of record.entries()) into[at + i] = byte;
      return record.length;
    },
    save(slot, from, at, count) {
      if (!storage.powered || slot < 0 || slot > 63 || count > 1024) return false;
      if (count === 0 ? storage.stuck : storage.refuses) return false;
      storage.saves++;
      if (storage.saves !== storage.cutIn) {
        put(slot, from, at, count);
        return true;
      }
      storage.powered = false;
      storage.cutSlot = slot;
      if (storage.cutAfter) put(slot, from, at, count);
      return false;
    },
  };
  return storage;
}
