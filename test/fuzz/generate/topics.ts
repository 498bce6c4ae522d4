/** Topics, good and bad, and texts that are neither. */
import { type Random } from "../random";
import { type Choices } from "./bytes";

const topics: Choices<readonly number[]> = [
  [...Buffer.from("a/b")],
  [...Buffer.from("b")],
  [...Buffer.from("a/")],
  [...Buffer.from("b/c/d")],
  [...Buffer.from("nobody")],
  [...Buffer.from("a/°🦋")],
  [...Buffer.from("\ufeffb")],
  [...Buffer.from("$SYS/b")],
];

const badTexts: Choices<readonly number[]> = [
  [0x61, 0],
  [0xed, 0xa0, 0x80],
  [0xc3],
  [0xc0, 0xaf],
  [0xf4, 0x90, 0x80, 0x80],
  [0x61, 0x2f, 0xff],
];

const badTopics: Choices<readonly number[]> = [[], [...Buffer.from("a/+")], [...Buffer.from("b/#")], ...badTexts];

const texts: Choices<readonly number[]> = [[], [...Buffer.from("no")], [...Buffer.from("°🦋")], [...Buffer.from("a+#/\ufeff")]];

export function topic(random: Random): readonly number[] {
  return random.percent(94) ? random.pick(topics) : random.pick(badTopics);
}

export function text(random: Random): readonly number[] {
  return random.percent(95) ? random.pick(texts) : random.pick(badTexts);
}
