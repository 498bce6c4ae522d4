/** Topic names and filters. Source: MQTT 3.1.1 §4.7. */
import type { Bytes } from "../../hal/hal";
import { byteAt, find, isUtf8, same } from "#native";

const PLUS = 43;
const HASH = 35;
const SLASH = 47;
const DOLLAR = 36;

/** Where the level that begins at `at` ends: at the next `/`, or at `end`. */
function levelEnd(bytes: Bytes, at: number, end: number): number {
  const slash = find(bytes, at, end - at, SLASH);
  return slash < 0 ? end : slash;
}

/** A name that may stand in a PUBLISH: not empty, well-formed, no wildcards. [MQTT-3.3.2-2] [MQTT-4.7.3-1] */
export function isTopicName(bytes: Bytes, at: number, count: number): boolean {
  return (
    count > 0 && find(bytes, at, count, PLUS) < 0 && find(bytes, at, count, HASH) < 0 && isUtf8(bytes, at, count)
  );
}

/** A filter: `+` fills its level, `#` fills the last one. [MQTT-4.7.1-2] [MQTT-4.7.1-3] */
export function isTopicFilter(bytes: Bytes, at: number, count: number): boolean {
  if (count === 0 || !isUtf8(bytes, at, count)) return false;
  const end = at + count;
  let level = at;
  for (;;) {
    const next = levelEnd(bytes, level, end);
    const length = next - level;
    const plus = find(bytes, level, length, PLUS) >= 0;
    const hash = find(bytes, level, length, HASH) >= 0;
    if ((plus || hash) && length !== 1) return false;
    if (hash && next !== end) return false;
    if (next === end) return true;
    level = next + 1;
  }
}

/**
 * Whether a topic name matches a filter, level by level. `sport/#` matches `sport` too [MQTT-4.7.1-2]; a wildcard in
 * the first place does not match a topic that begins with `$` [MQTT-4.7.2-1].
 */
export function topicMatches(
  filter: Bytes,
  filterAt: number,
  filterCount: number,
  topic: Bytes,
  topicAt: number,
  topicCount: number,
): boolean {
  const filterEnd = filterAt + filterCount;
  const topicEnd = topicAt + topicCount;
  let f = filterAt;
  let t = topicAt;
  const first = byteAt(filter, f);
  if ((first === PLUS || first === HASH) && topicCount > 0 && byteAt(topic, t) === DOLLAR) return false;
  for (;;) {
    const fNext = levelEnd(filter, f, filterEnd);
    const length = fNext - f;
    const wildcard = length === 1 ? byteAt(filter, f) : 0;
    if (wildcard === HASH) return true;
    const tNext = levelEnd(topic, t, topicEnd);
    if (wildcard !== PLUS && (length !== tNext - t || !same(filter, f, topic, t, length))) return false;
    if (fNext === filterEnd) return tNext === topicEnd;
    if (tNext === topicEnd) {
      // The topic ends here; only a `#` on the next level still covers it, as the parent of its level.
      return filterEnd - fNext === 2 && byteAt(filter, fNext + 1) === HASH;
    }
    f = fNext + 1;
    t = tNext + 1;
  }
}
