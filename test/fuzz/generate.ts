/** Inputs: packets as a broker writes them, hurt in the ways in which implementations are wrong; and bytes that mean nothing. */
import { type Input } from "./input";
import { preludeNames, preludes, RECEIVE_SIZE, SUBSCRIBE_ID } from "./preludes";
import { createRandom, mix, type Random } from "./random";

type Topics = readonly [readonly number[], ...(readonly number[])[]];

const topics: Topics = [
  [...Buffer.from("a/b")],
  [...Buffer.from("b")],
  [...Buffer.from("a/")],
  [...Buffer.from("b/c/d")],
  [...Buffer.from("nobody")],
  [...Buffer.from("a/°🦋")],
  [...Buffer.from("\ufeffb")],
  [...Buffer.from("$SYS/b")],
];

const badTopics: Topics = [
  [],
  [...Buffer.from("a/+")],
  [...Buffer.from("b/#")],
  [0x61, 0],
  [0xed, 0xa0, 0x80],
  [0xc3],
  [0xc0, 0xaf],
  [0xf4, 0x90, 0x80, 0x80],
  [0x61, 0x2f, 0xff],
];

function identifier(random: Random): number {
  return random.percent(85) ? random.pick([1, 2, 3, 4, 5]) : random.pick([0, 255, 256, 0x3000, 65535]);
}

function length(remaining: number): number[] {
  const bytes: number[] = [];
  let left = remaining;
  do {
    const rest = Math.floor(left / 128);
    bytes.push((left % 128) + (rest > 0 ? 128 : 0));
    left = rest;
  } while (left > 0);
  return bytes;
}

function framed(first: number, body: readonly number[]): number[] {
  return [first, ...length(body.length), ...body];
}

function u16(value: number): number[] {
  return [value >> 8, value & 255];
}

function bytes(random: Random, count: number): number[] {
  return Array.from({ length: count }, () => random.below(256));
}

/** How much payload makes a body of `RECEIVE_SIZE`, one less, one more, or something else. */
function payloadLength(random: Random, head: number): number {
  if (random.percent(70)) return random.below(12);
  const exact = Math.max(0, RECEIVE_SIZE - head - 1 + random.below(3));
  return random.percent(70) ? exact : random.below(300);
}

function publish(random: Random): number[] {
  const topic = random.percent(94) ? random.pick(topics) : random.pick(badTopics);
  const qos = random.percent(92) ? random.below(2) : random.below(4);
  const dup = qos > 0 ? random.percent(30) : random.percent(3);
  const head = [...u16(topic.length), ...topic, ...(qos === 0 ? [] : u16(identifier(random)))];
  const first = 0x30 + (dup ? 8 : 0) + qos * 2 + random.below(2);
  return framed(first, [...head, ...bytes(random, payloadLength(random, head.length))]);
}

function suback(random: Random): number[] {
  const codes = random.percent(80)
    ? random.pick<readonly number[]>([[1, 0], [0, 0], [128, 0], [1, 128]])
    : random.pick<readonly number[]>([[1], [1, 0, 0], [2, 0], [1, 1], [3, 0], [127, 0], [129, 0], []]);
  return framed(0x90, [...u16(random.percent(70) ? SUBSCRIBE_ID : identifier(random)), ...codes]);
}

function connack(random: Random): number[] {
  if (random.percent(70)) return [0x20, 2, 0, 0];
  return framed(0x20, [random.pick([0, 1, 2, 128]), random.pick([0, 1, 5, 6, 255])]);
}

/** A packet that is right, or nearly always so. */
function packet(random: Random): number[] {
  switch (random.below(12)) {
    case 0:
    case 1:
      return framed(0x40, u16(identifier(random)));
    case 2:
      return suback(random);
    case 3:
      return framed(0xb0, u16(identifier(random)));
    case 4:
      return [0xd0, 0];
    case 5:
      return random.percent(20) ? framed(random.below(256), bytes(random, random.below(8))) : publish(random);
    case 6:
      return random.percent(10) ? framed(random.pick([0x50, 0x62, 0x70]), u16(identifier(random))) : publish(random);
    case 7:
      return random.percent(10) ? connack(random) : publish(random);
    default:
      return publish(random);
  }
}

/** The ways in which bytes are hurt. Each changes `stream` in place. */
const injuries: readonly [Injury, ...Injury[]] = [
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
    stream[at] = (((stream[at] ?? 0) + random.pick([1, 255, 2, 254])) & 255);
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

type Injury = (stream: number[], random: Random) => void;

const LONGEST = 600;

/** The input of run `run` under `seed`: the same whenever it is asked for, whatever came before. */
export function generateInput(seed: number, run: number, corpus: readonly Input[]): Input {
  const random = createRandom(mix(seed, run));
  const prelude = random.pick(preludeNames);
  const stream: number[] = [];
  if (!preludes[prelude].online && random.percent(95)) stream.push(...hurt(connack(random), random, 10));
  for (let packets = 1 + random.below(4); packets > 0; packets--) stream.push(...part(random, corpus));
  return { prelude, split: random.pick([0, 0, 1, 2 + random.below(1000)]), bytes: Uint8Array.from(stream.slice(0, LONGEST)) };
}

function part(random: Random, corpus: readonly Input[]): number[] {
  const kind = random.below(100);
  if (kind < 4) return bytes(random, 1 + random.below(60));
  if (kind < 14 && corpus.length > 0) return hurt([...(corpus[random.below(corpus.length)]?.bytes ?? [])], random, 50);
  return hurt(packet(random), random, 30);
}

function hurt(stream: number[], random: Random, chance: number): number[] {
  if (!random.percent(chance)) return stream;
  for (let injury = 1 + random.below(2); injury > 0 && stream.length > 0; injury--) random.pick(injuries)(stream, random);
  return stream;
}
