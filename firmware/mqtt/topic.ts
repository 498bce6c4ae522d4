/**
 * Topic names and filters. Sources: MQTT 3.1.1 §4.7, and for shared subscriptions MQTT 5.0 §4.8.2: brokers have them in
 * 3.1.1, too.
 */
import type { Bytes } from "../../hal/hal";
import { allocate, copy, find, isUtf8, isUtf8Without, putU16, startsWith, u16At } from "#native";

export const enum Wildcard {
  Plus = 43,
  Hash = 35,
}

const SLASH = 47;

/** Where the level that begins at `at` ends: at the next `/`, or at `end`. */
function levelEnd(bytes: Bytes, at: number, end: number): number {
  const slash = find(bytes, at, end - at, SLASH);
  return slash < 0 ? end : slash;
}

/** A name that may stand in a PUBLISH: not empty, well-formed, no wildcards. [MQTT-3.3.2-2] [MQTT-4.7.3-1] */
export function isTopicName(bytes: Bytes, at: number, count: number): boolean {
  return count > 0 && isUtf8Without(bytes, at, count, Wildcard.Plus, Wildcard.Hash);
}

/** A filter: `+` fills its level, `#` fills the last one. [MQTT-4.7.1-2] [MQTT-4.7.1-3] */
export function isTopicFilter(bytes: Bytes, at: number, count: number): boolean {
  if (count === 0 || !isUtf8(bytes, at, count)) return false;
  const end = at + count;
  let level = at;
  for (;;) {
    const next = levelEnd(bytes, level, end);
    const length = next - level;
    const plus = find(bytes, level, length, Wildcard.Plus) >= 0;
    const hash = find(bytes, level, length, Wildcard.Hash) >= 0;
    if ((plus || hash) && length !== 1) return false;
    if (hash && next !== end) return false;
    if (next === end) return true;
    level = next + 1;
  }
}

/** What a shared subscription begins with; the name of the share, `/`, and the filter follow. */
const SHARE = "$share/";
const SHARE_LENGTH = 7;

/**
 * Where the filter begins by which the messages of a subscription are known: behind `$share/NAME/` in a shared one,
 * otherwise at `at`. -1 when the name is empty, has a wildcard in it, or nothing follows. [MQTT5-4.8.2-1]
 * [MQTT5-4.8.2-2]
 */
export function filterStart(bytes: Bytes, at: number, count: number): number {
  if (!startsWith(bytes, at, count, SHARE)) return at;
  const name = at + SHARE_LENGTH;
  const end = find(bytes, name, at + count - name, SLASH);
  if (end <= name) return -1;
  return isUtf8Without(bytes, name, end - name, Wildcard.Plus, Wildcard.Hash) ? end + 1 : -1;
}

/** Room for a list of filters that take `size` bytes with their lengths, as `matchFilter` reads it. @boot */
export function createFilterList(size: number): Bytes {
  return allocate(size + 2);
}

/** Adds what messages are to match, of a filter as it is sent, behind those in the list, which must have room. @boot */
export function appendFilter(filters: Bytes, filter: Bytes): void {
  const start = filterStart(filter, 0, filter.length);
  const length = filter.length - start;
  let end = 0;
  while (u16At(filters, end) > 0) end += 2 + u16At(filters, end);
  putU16(filters, end, length);
  copy(filter, start, filters, end + 2, length);
}
