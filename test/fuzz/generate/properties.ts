/** The properties of MQTT 5.0: those that belong to a packet, in any number, and now and then such as do not. */
import { ALIASES, NOT_BELIEVED } from "../preludes";
import { type Random } from "../random";
import { bytes, type Choices, span, u16, u32, varying } from "./bytes";
import { text, topic } from "./topics";

type Value = (random: Random) => readonly number[];

const flag: Value = (random) => [random.percent(94) ? random.below(2) : random.pick([2, 0x80, 255])];
const two: Value = (random) => u16(random.pick([1, 2, 3, 10, 20, 60, 65535, 0]));
const four: Value = (random) => u32(random.pick([1, 12, 14, 20, 30, 70, 3600, 2147483647, 2147483648, 4294967295, 0]));
const textValue: Value = (random) => span(text(random));
const data: Value = (random) => span(random.percent(15) ? NOT_BELIEVED : bytes(random, random.below(4)));

const values = new Map<number, Value>([
  [1, flag],
  [2, four],
  [3, textValue],
  [8, (random) => span(topic(random))],
  [9, data],
  [11, (random) => (random.percent(90) ? varying(random.pick([1, 127, 128, 16384, 268435455])) : [0x80, 0])],
  [17, four],
  [18, textValue],
  [19, two],
  [21, (random) => (random.percent(85) ? span([0x4d]) : textValue(random))],
  [22, data],
  // Those that only clients send.
  [23, flag],
  [24, four],
  [25, flag],
  [26, textValue],
  [28, textValue],
  [31, textValue],
  [33, two],
  [34, two],
  [35, (random) => u16(random.percent(92) ? 1 + random.below(ALIASES) : random.pick([0, ALIASES + 1, 256, 65535]))],
  [36, flag],
  [37, flag],
  [38, (random) => [...textValue(random), ...textValue(random)]],
  [39, four],
  [40, flag],
  [41, flag],
  [42, flag],
]);

const all: Choices<number> = [1, 2, 3, 8, 9, 11, 17, 18, 19, 21, 22, 23, 24, 25, 26, 28, 31, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42];

export function property(random: Random, id: number): number[] {
  return [id, ...(values.get(id)?.(random) ?? [])];
}

/** How many bytes they have, and the properties: `own`, and more out of those that the packet may have. */
export function section(random: Random, may: Choices<number>, own: readonly number[] = []): number[] {
  const body = [...own];
  const used = new Set<number>();
  for (let more = random.percent(50) ? 0 : 1 + random.below(4); more > 0; more--) {
    const stranger = random.percent(3);
    const id = stranger ? random.pick(all) : random.pick(may);
    // Twice the same is rare.
    if (used.has(id) && random.percent(90)) continue;
    used.add(id);
    body.push(...property(random, id));
  }
  // One that does not exist, or the last one cut short.
  if (random.percent(1)) body.push(random.below(256));
  if (random.percent(1)) body.pop();
  return [...(random.percent(98) ? varying(body.length) : [body.length & 127, ...(random.percent(50) ? [0] : [])]), ...body];
}
