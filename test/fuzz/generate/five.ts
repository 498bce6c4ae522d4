/** Packets of MQTT 5.0 as a broker writes them, or nearly so. */
import { NOT_BELIEVED, type Prelude, SUBSCRIBE_ID } from "../preludes";
import { type Random } from "../random";
import { bytes, type Choices, framed, identifier, span, u16 } from "./bytes";
import { property, section } from "./properties";
import { firstOfPublish, payloadLength } from "./three";
import { topic } from "./topics";

const ofConnack: Choices<number> = [17, 18, 19, 26, 28, 31, 33, 34, 36, 37, 38, 39, 40, 41, 42];
const ofPublish: Choices<number> = [1, 2, 3, 8, 9, 11, 11, 38, 38];
const ofAck: Choices<number> = [31, 38, 38];
const ofDisconnect: Choices<number> = [28, 31, 38];

const reasons: Choices<number> = [0, 0, 0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x92, 0x97, 0x99, 1, 0x7f, 0xff];

function reason(random: Random): number {
  return random.pick(reasons);
}

/** The method by which the client proves itself, and data that it believes or does not. */
function proof(random: Random, method: string | undefined): number[] {
  const named = method !== undefined ? random.percent(95) : random.percent(3);
  const data = random.percent(method === undefined ? 2 : 60) ? property(random, 22) : [];
  return [...(named ? [21, ...span([...Buffer.from(method ?? "M")])] : []), ...data];
}

export function connackOfFive(random: Random, { method, nameless }: Prelude): number[] {
  const own = proof(random, method);
  if (nameless === true && random.percent(90)) own.push(18, ...span([0x67, 0x31]));
  const flags = random.percent(92) ? random.below(2) : random.pick([0, 1, 2, 128]);
  const code = random.percent(85) ? 0 : reason(random);
  return framed(0x20, [code === 0 || random.percent(20) ? flags : 0, code, ...section(random, ofConnack, own)]);
}

function publish(random: Random, most: number): number[] {
  const alias = random.percent(25) ? property(random, 35) : [];
  const name = alias.length > 0 && random.percent(50) ? [] : topic(random);
  const first = firstOfPublish(random, most);
  const head = [...u16(name.length), ...name, ...((first & 6) === 0 ? [] : u16(identifier(random))), ...section(random, ofPublish, alias)];
  return framed(first, [...head, ...bytes(random, payloadLength(random, head.length))]);
}

function acknowledgement(random: Random, first: number): number[] {
  const id = u16(identifier(random));
  if (random.percent(40)) return framed(first, id);
  const code = reason(random);
  return framed(first, random.percent(30) ? [...id, code] : [...id, code, ...section(random, ofAck)]);
}

function suback(random: Random): number[] {
  const codes = random.percent(80)
    ? random.pick<readonly number[]>([[1, 0], [0, 0], [0x80, 0], [1, 0x8f], [2, 1], [0x97, 0x9e]])
    : random.pick<readonly number[]>([[1], [1, 0, 0], [2, 0], [1, 1], [3, 0], [0x7f, 0], []]);
  return framed(0x90, [...u16(random.percent(70) ? SUBSCRIBE_ID : identifier(random)), ...section(random, ofAck), ...codes]);
}

function unsuback(random: Random): number[] {
  const codes = random.percent(85) ? [random.pick([0, 0x11, 0x80, 0x8f])] : random.pick<readonly number[]>([[], [0, 0], [1], [0x10]]);
  return framed(0xb0, [...u16(identifier(random)), ...section(random, ofAck), ...codes]);
}

function disconnect(random: Random): number[] {
  if (random.percent(20)) return [0xe0, 0];
  const code = random.pick([0, 0x04, 0x80, 0x81, 0x82, 0x8b, 0x8d, 0x8e, 0x93, 0x9c, 0x9d, 0xff]);
  return framed(0xe0, random.percent(25) ? [code] : [code, ...section(random, ofDisconnect)]);
}

export function auth(random: Random, method: string | undefined): number[] {
  if (random.percent(5)) return random.pick([[0xf0, 0], [0xf0, 1, 0x18]]);
  const data = random.percent(10) ? [22, ...span(NOT_BELIEVED)] : [];
  const own = data.length > 0 ? [21, ...span([...Buffer.from(method ?? "M")]), ...data] : proof(random, method ?? "M");
  return framed(0xf0, [random.pick([0x18, 0x18, 0x18, 0, 0, 0x19]), ...section(random, ofAck, own)]);
}

/** The first byte of PUBACK, PUBREC, PUBREL and PUBCOMP. */
const acknowledgements = [0x40, 0x50, 0x62, 0x70] as const;

/** A packet that is right, or nearly always so. */
export function packetOfFive(random: Random, { exactlyOnce, method }: Prelude): number[] {
  const most = exactlyOnce === undefined ? 1 : 2;
  if (method !== undefined && random.percent(40)) return auth(random, method);
  switch (random.below(14)) {
    case 0:
    case 1:
      return acknowledgement(random, most === 2 ? random.pick(acknowledgements) : 0x40);
    case 2:
      return suback(random);
    case 3:
      return unsuback(random);
    case 4:
      return [0xd0, 0];
    case 5:
      return random.percent(20) ? framed(random.below(256), bytes(random, random.below(8))) : publish(random, most);
    case 6:
      return acknowledgement(random, random.percent(most === 2 ? 100 : 10) ? random.pick(acknowledgements) : 0x40);
    case 7:
      return random.percent(10) ? connackOfFive(random, { protocol: 5, clean: false, online: true, published: 0 }) : publish(random, most);
    case 8:
      return random.percent(30) ? disconnect(random) : publish(random, most);
    case 9:
      return random.percent(10) ? auth(random, method) : publish(random, most);
    default:
      return publish(random, most);
  }
}
