/** Packets of MQTT 3.1 and 3.1.1 as a broker writes them, or nearly so. */
import { RECEIVE_SIZE, SUBSCRIBE_ID } from "../preludes";
import { type Random } from "../random";
import { bytes, framed, identifier, u16 } from "./bytes";
import { topic } from "./topics";

/** How much payload makes a body of `RECEIVE_SIZE`, one less, one more, or something else. */
export function payloadLength(random: Random, head: number): number {
  if (random.percent(70)) return random.below(12);
  const exact = Math.max(0, RECEIVE_SIZE - head - 1 + random.below(3));
  return random.percent(70) ? exact : random.below(300);
}

/** The first byte of a PUBLISH at a QoS of up to `most`, or with a small chance at any. */
export function firstOfPublish(random: Random, most: number): number {
  const qos = random.percent(92) ? random.below(most + 1) : random.below(4);
  const dup = qos > 0 ? random.percent(30) : random.percent(3);
  return 0x30 + (dup ? 8 : 0) + qos * 2 + random.below(2);
}

function publish(random: Random, most: number): number[] {
  const name = topic(random);
  const first = firstOfPublish(random, most);
  const head = [...u16(name.length), ...name, ...((first & 6) === 0 ? [] : u16(identifier(random)))];
  return framed(first, [...head, ...bytes(random, payloadLength(random, head.length))]);
}

function suback(random: Random): number[] {
  const codes = random.percent(80)
    ? random.pick<readonly number[]>([[1, 0], [0, 0], [128, 0], [1, 128], [2, 1]])
    : random.pick<readonly number[]>([[1], [1, 0, 0], [2, 0], [1, 1], [3, 0], [127, 0], [129, 0], []]);
  return framed(0x90, [...u16(random.percent(70) ? SUBSCRIBE_ID : identifier(random)), ...codes]);
}

export function connackOfThree(random: Random): number[] {
  if (random.percent(70)) return [0x20, 2, random.below(2), 0];
  return framed(0x20, [random.pick([0, 1, 2, 128]), random.pick([0, 1, 5, 6, 255])]);
}

/** PUBACK, PUBREC, PUBREL and PUBCOMP. */
const acknowledgements = [0x40, 0x50, 0x62, 0x70] as const;

/** A packet that is right, or nearly always so. `most`: the highest QoS that was asked for. */
export function packetOfThree(random: Random, most: number): number[] {
  switch (random.below(12)) {
    case 0:
    case 1:
      return framed(most === 2 ? random.pick(acknowledgements) : 0x40, u16(identifier(random)));
    case 2:
      return suback(random);
    case 3:
      return framed(0xb0, u16(identifier(random)));
    case 4:
      return [0xd0, 0];
    case 5:
      return random.percent(20) ? framed(random.below(256), bytes(random, random.below(8))) : publish(random, most);
    case 6:
      return random.percent(most === 2 ? 80 : 10) ? framed(random.pick(acknowledgements), u16(identifier(random))) : publish(random, most);
    case 7:
      return random.percent(10) ? connackOfThree(random) : publish(random, most);
    default:
      return publish(random, most);
  }
}
