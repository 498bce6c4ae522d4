import type { Bytes, Storage } from "../hal/hal";
import { view } from "../hal/node/view";

const SLOTS = 66;
/** These have their room whatever the others hold. */
const SETTING_SLOTS = 8;
const LONGEST_RECORD = 1024;
/** What the slots from 8 on have together on a Pico, in bytes, and what a record takes besides its own: see hal.ts. */
const ROOM = 20400;
const HEADER_SIZE = 8;
const UNIT = 8;

/** The board's flash: it outlives power cuts, and ends with the simulation. It has the room of a Pico's. */
export class SimStorage implements Storage {
  /** How often each slot was written: flash wears. */
  readonly writes: number[] = Array.from({ length: SLOTS }, () => 0);
  private readonly records = new Map<number, Uint8Array>();

  load(slot: number, into: Bytes, at: number, room: number): number {
    const record = this.records.get(slot);
    if (record === undefined) return 0;
    if (record.length > room) return -1;
    view(into).set(record, at);
    return record.length;
  }

  save(slot: number, from: Bytes, at: number, count: number): boolean {
    if (slot < 0 || slot >= SLOTS || count > LONGEST_RECORD || !this.hasRoom(slot, count)) return false;
    if (count === 0) this.records.delete(slot);
    else this.records.set(slot, view(from).slice(at, at + count));
    this.writes[slot] = (this.writes[slot] ?? 0) + 1;
    return true;
  }

  private hasRoom(slot: number, count: number): boolean {
    if (slot < SETTING_SLOTS || count === 0) return true;
    let size = sizeOf(count);
    for (const [other, record] of this.records) {
      if (other >= SETTING_SLOTS && other !== slot) size += sizeOf(record.length);
    }
    return size <= ROOM;
  }

  /** Writes a record as a provisioning tool would, before the board is switched on. */
  provision(slot: number, text: string): void {
    this.records.set(slot, new TextEncoder().encode(text));
  }
}

/** What a record of `length` bytes takes. */
function sizeOf(length: number): number {
  return HEADER_SIZE + Math.ceil(length / UNIT) * UNIT;
}
