/** A disc that can lose its power at any step of a save, and forgets then whatever was not synced. */
import type { Disc } from "../../../hal/node/storage";

interface Content {
  now: Uint8Array;
  /** What a sync has brought to the medium. */
  synced: Uint8Array;
}

/** What a power cut leaves of the steps that were not synced: nothing, names only, or everything. All three happen. */
export const LEFT_BEHIND = ["nothing", "names", "everything"] as const;
export type LeftBehind = (typeof LEFT_BEHIND)[number];

const NOTHING = new Uint8Array(0);

export class UnreliableDisc implements Disc {
  /** Steps until the power goes; the step at which it does is half done. */
  stepsLeft = Infinity;
  private names = new Map<string, Content>();
  private syncedNames = new Map<string, Content>();

  /** The power is back. */
  restart(leftBehind: LeftBehind): void {
    this.stepsLeft = Infinity;
    if (leftBehind === "nothing") this.names = new Map(this.syncedNames);
    if (leftBehind !== "everything") {
      for (const content of this.names.values()) content.now = content.synced;
    }
  }

  read(name: string): Uint8Array | undefined {
    return this.names.get(name)?.now;
  }

  write(name: string, bytes: Uint8Array): void {
    const content = this.names.get(name) ?? { now: NOTHING, synced: NOTHING };
    this.names.set(name, content);
    content.now = bytes.slice(0, bytes.length / 2);
    this.step();
    content.now = bytes.slice();
  }

  sync(name: string): void {
    this.step();
    const content = this.names.get(name);
    if (content !== undefined) content.synced = content.now;
  }

  rename(from: string, to: string): void {
    this.step();
    const content = this.names.get(from);
    if (content === undefined) throw new Error(`no file ${from}`);
    this.names.set(to, content);
    this.names.delete(from);
  }

  remove(name: string): void {
    this.step();
    this.names.delete(name);
  }

  syncFolder(): void {
    this.step();
    this.syncedNames = new Map(this.names);
  }

  private step(): void {
    this.stepsLeft -= 1;
    if (this.stepsLeft < 0) throw new Error("no power");
  }
}
