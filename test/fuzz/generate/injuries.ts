/** The ways in which bytes are hurt. */
import { type Random } from "../random";
import { bytes, type Choices } from "./bytes";

/** Changes `stream` in place. */
type Injury = (stream: number[], random: Random) => void;

const injuries: Choices<Injury> = [
  // A bit.
  (stream, random) => {
    const at = random.below(stream.length);
    stream[at] = (stream[at] ?? 0) ^ (1 << random.below(8));
  },
  // A byte that likes to be wrong.
  (stream, random) => {
    stream[random.below(stream.length)] = random.pick([0, 1, 0x7f, 0x80, 0xff, 0x23, 0x2b]);
  },
  // The first byte of a packet, or of what looks like one.
  (stream, random) => {
    stream[0] = random.percent(50) ? random.below(256) : (stream[0] ?? 0) ^ (1 << random.below(4));
  },
  // A length that is off by a little.
  (stream, random) => {
    const at = Math.min(stream.length - 1, 1 + random.below(4));
    stream[at] = ((stream[at] ?? 0) + random.pick([1, 255, 2, 254])) & 255;
  },
  // A remaining length in more bytes than it needs, up to one too many.
  (stream, random) => {
    const last = stream[1];
    if (last === undefined || last >= 128) return;
    const more = random.below(4);
    stream.splice(1, 1, last + 128, ...Array.from({ length: more }, () => 128), random.percent(80) ? 0 : 1);
  },
  // Bytes lost, from somewhere on or out of the middle.
  (stream, random) => {
    const at = random.below(stream.length);
    stream.splice(at, random.percent(50) ? stream.length : 1 + random.below(4));
  },
  // Bytes that came from elsewhere.
  (stream, random) => {
    stream.splice(random.below(stream.length + 1), 0, ...bytes(random, 1 + random.below(4)));
  },
  // A part twice.
  (stream, random) => {
    const at = random.below(stream.length);
    const part = stream.slice(at, at + 1 + random.below(12));
    stream.splice(random.below(stream.length), 0, ...part);
  },
];

/** The stream, which is hurt with a chance of so much in a hundred. */
export function hurt(stream: number[], random: Random, chance: number): number[] {
  if (!random.percent(chance)) return stream;
  for (let injury = 1 + random.below(2); injury > 0 && stream.length > 0; injury--) random.pick(injuries)(stream, random);
  return stream;
}
