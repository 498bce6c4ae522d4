import { hostname } from "node:os";
import { type Bytes, type SerialPort, StartCause, type System } from "../hal";
import { crc32 } from "./crc";
import { view } from "./view";

/** A console that nobody looks at: it hears nothing, and whatever is written to it is gone. */
export const deadConsole: SerialPort = {
  read: () => 0,
  write: (_from, _at, count) => count,
  lost: () => 0,
  setBaud: () => true,
};

/** The computer as a board: it never crashes into a record, and `onRestart` is told what the program cannot do itself. */
export function computerSystem(onRestart: () => void): System {
  const id = new TextEncoder().encode(crc32(new TextEncoder().encode(hostname())).toString(16).padStart(8, "0"));
  return {
    cause: () => StartCause.PowerOn,
    id: (into, at, room) => putBytes(id, into, at, room),
    crash: () => 0,
    forgetCrash: () => undefined,
    restart: onRestart,
    bootLoader: () => false,
  };
}

/** Writes as many of `bytes` as fit into `room`. Gives how many. */
export function putBytes(bytes: Uint8Array, into: Bytes, at: number, room: number): number {
  const count = Math.min(bytes.length, room);
  view(into).set(bytes.subarray(0, count), at);
  return count;
}
