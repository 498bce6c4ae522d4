/** Packets as they lie in the outbox. */
import type { Bytes } from "../../../hal/hal";
import { byteAt, u16At } from "#native";
import { lengthBytes, QOS_BITS } from "../packet";
import { varyingAt } from "./properties";

/** Where the body of the packet begins that begins at `at`. */
export function outboxBody(queue: Bytes, at: number): number {
  return at + 1 + lengthBytes(varyingAt(queue, at + 1, at + 5));
}

/** How many bytes the packet has in all. */
export function outboxLength(queue: Bytes, at: number): number {
  const length = varyingAt(queue, at + 1, at + 5);
  return 1 + lengthBytes(length) + length;
}

/** Where the properties of a PUBLISH begin, with their length. */
export function outboxProperties(queue: Bytes, at: number): number {
  const body = outboxBody(queue, at);
  return body + 2 + u16At(queue, body) + ((byteAt(queue, at) & QOS_BITS) === 0 ? 0 : 2);
}
