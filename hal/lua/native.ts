/**
 * The block operations of `Native`, as the Lua build sees them: the runtime puts a global table `moth` in place before
 * the bundle runs. `build` maps `#native` to this file. Held in locals here, a call costs one look-up less.
 */
import type { Native } from "../hal";

/** What the runtime supplies: every block operation but division, which Lua has. */
declare const moth: Omit<Native, "div" | "mod">;

declare const floorDivide: LuaFloorDivision<number, number, number>;

export const allocate = moth.allocate;
export const byteAt = moth.byteAt;
export const u16At = moth.u16At;
export const findU16 = moth.findU16;
export const putU16 = moth.putU16;
export const copy = moth.copy;
export const find = moth.find;
export const same = moth.same;
export const putText = moth.putText;
export const textLength = moth.textLength;
export const isText = moth.isText;
export const startsWith = moth.startsWith;
export const putDecimal = moth.putDecimal;
export const decimalAt = moth.decimalAt;
export const isUtf8 = moth.isUtf8;
export const isUtf8Without = moth.isUtf8Without;
export const matchFilter = moth.matchFilter;
export const createQueue = moth.createQueue;
export const queueNumber = moth.queueNumber;
export const queueFits = moth.queueFits;
export const queueOpen = moth.queueOpen;
export const queueClose = moth.queueClose;
export const queueRun = moth.queueRun;
export const queueNext = moth.queueNext;
export const queuePiece = moth.queuePiece;
export const queueTaken = moth.queueTaken;
export const queueFirst = moth.queueFirst;
export const queueAfter = moth.queueAfter;
export const queuePut = moth.queuePut;
export const queueAdd = moth.queueAdd;
export const queueFind = moth.queueFind;
export const queueUnused = moth.queueUnused;
export const queueUsed = moth.queueUsed;
export const queueOver = moth.queueOver;
export const queueClear = moth.queueClear;
export const queueRewind = moth.queueRewind;
export const queueWindow = moth.queueWindow;
export const queueReady = moth.queueReady;
export const queuePlaceholder = moth.queuePlaceholder;
export const queueCompact = moth.queueCompact;
export const queueWaiting = moth.queueWaiting;
export const queueCouldFit = moth.queueCouldFit;
export const queueDrop = moth.queueDrop;
export const textAt = moth.textAt;
export const round = moth.round;

export function div(a: number, b: number): number {
  return floorDivide(a, b);
}

/** Lua's own `%` is the remainder of the floor division. */
export function mod(a: number, b: number): number {
  return a % b;
}
