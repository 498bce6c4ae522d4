import type { Bytes, Storage } from "../hal";
import { crc32 } from "./crc";
import { view } from "./view";

const SLOTS = 66;
const LONGEST_RECORD = 1024;
/** Before the record: its length (2 bytes), then the CRC-32 of length and record (4 bytes), most significant first. */
const LENGTH_SIZE = 2;
const HEADER_SIZE = 6;

/**
 * What {@link FileStorage} asks of a folder. Each step throws when it fails. Until the sync that belongs to it, a step
 * may be lost by a power cut, wholly or in part, and in any order.
 */
export interface Disc {
  /** What a file holds; undefined when there is none of that name. */
  read(name: string): Uint8Array | undefined;
  /** Makes a file hold `bytes`, whether it was there or not. */
  write(name: string, bytes: Uint8Array): void;
  /** Waits until what a file holds is on the medium. */
  sync(name: string): void;
  /** Gives a file another name. A file that had it is gone in the same moment. */
  rename(from: string, to: string): void;
  /** Takes a file away, if it is there. */
  remove(name: string): void;
  /** Waits until the names are on the medium. */
  syncFolder(): void;
}

/**
 * The board's slots as files `slot-0` to `slot-65`. A save writes beside the old record and then takes its name, so a
 * power cut leaves the one or the other; whatever else may have damaged a file, its CRC tells. An empty slot has no file,
 * so it can be emptied on a full disc.
 *
 * When the very last step of a save fails (the folder's own flush), the new record is there already, and `save` says
 * false all the same: nobody can know whether it would survive a power cut.
 */
export class FileStorage implements Storage {
  constructor(private readonly disc: Disc) {}

  load(slot: number, into: Bytes, at: number, room: number): number {
    if (!isSlot(slot)) return -1;
    let file: Uint8Array | undefined;
    try {
      file = this.disc.read(nameOf(slot));
    } catch {
      return -1;
    }
    if (file === undefined) return 0;
    const record = recordIn(file);
    if (record === undefined || record.length > room) return -1;
    view(into).set(record, at);
    return record.length;
  }

  save(slot: number, from: Bytes, at: number, count: number): boolean {
    if (at < 0 || count < 0 || at + count > from.length) {
      throw new RangeError(`${count} bytes at ${at} are outside a buffer of ${from.length}`);
    }
    if (!isSlot(slot) || count > LONGEST_RECORD) return false;
    const name = nameOf(slot);
    const fresh = `${name}.new`;
    try {
      if (count === 0) {
        this.disc.remove(name);
      } else {
        this.disc.write(fresh, fileOf(view(from).subarray(at, at + count)));
        this.disc.sync(fresh);
        this.disc.rename(fresh, name);
      }
      this.disc.syncFolder();
      return true;
    } catch {
      return false;
    }
  }
}

function isSlot(slot: number): boolean {
  return Number.isInteger(slot) && slot >= 0 && slot < SLOTS;
}

function nameOf(slot: number): string {
  return `slot-${slot}`;
}

function fileOf(record: Uint8Array): Uint8Array {
  const file = new Uint8Array(HEADER_SIZE + record.length);
  const header = new DataView(file.buffer);
  header.setUint16(0, record.length);
  file.set(record, HEADER_SIZE);
  header.setUint32(LENGTH_SIZE, checksum(file));
  return file;
}

/** The record that a file holds; undefined when the file is damaged. */
function recordIn(file: Uint8Array): Uint8Array | undefined {
  if (file.length < HEADER_SIZE) return undefined;
  const header = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (header.getUint16(0) !== file.length - HEADER_SIZE) return undefined;
  if (header.getUint32(LENGTH_SIZE) !== checksum(file)) return undefined;
  return file.subarray(HEADER_SIZE);
}

function checksum(file: Uint8Array): number {
  return crc32(Buffer.concat([file.subarray(0, LENGTH_SIZE), file.subarray(HEADER_SIZE)]));
}
