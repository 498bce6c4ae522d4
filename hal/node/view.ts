import type { Bytes } from "../hal";

/** The memory behind a `Bytes` of the firmware, which in Node always is a `Uint8Array`. Throws a TypeError else. */
export function view(bytes: Bytes): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes;
  throw new TypeError("in Node, Bytes is a Uint8Array: make it with allocate()");
}
