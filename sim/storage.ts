import type { Bytes, Storage } from "../hal/hal";
import { view } from "../hal/node/view";

const SLOTS = 8;
const LONGEST_RECORD = 1024;

/** The board's flash: it outlives power cuts, and ends with the simulation. */
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
    if (slot < 0 || slot >= SLOTS || count > LONGEST_RECORD) return false;
    this.records.set(slot, view(from).slice(at, at + count));
    this.writes[slot] = (this.writes[slot] ?? 0) + 1;
    return true;
  }

  /** Writes a record as a provisioning tool would, before the board is switched on. */
  provision(slot: number, text: string): void {
    this.records.set(slot, new TextEncoder().encode(text));
  }
}
