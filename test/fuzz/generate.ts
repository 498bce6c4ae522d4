/** Inputs: packets as a broker writes them, hurt in the ways in which implementations are wrong; and bytes that mean nothing. */
import { bytes } from "./generate/bytes";
import { connackOfFive, auth, packetOfFive } from "./generate/five";
import { hurt } from "./generate/injuries";
import { connackOfThree, packetOfThree } from "./generate/three";
import { type Input } from "./input";
import { type Prelude, type PreludeName, preludeNames, preludes } from "./preludes";
import { createRandom, mix, type Random } from "./random";

const LONGEST = 600;

/** The input of run `run` under `seed`: the same whenever it is asked for, whatever came before. */
export function generateInput(seed: number, run: number, corpus: readonly Input[]): Input {
  const random = createRandom(mix(seed, run));
  const name = random.pick(preludeNames);
  const prelude: Prelude = preludes[name];
  const stream: number[] = [];
  if (!prelude.online && random.percent(95)) stream.push(...opening(random, prelude));
  for (let packets = 1 + random.below(4); packets > 0; packets--) stream.push(...part(random, name, corpus));
  return { prelude: name, split: random.pick([0, 0, 0, 1, 2 + random.below(1000), 2 + random.below(1000)]), bytes: Uint8Array.from(stream.slice(0, LONGEST)) };
}

/** What leads to a session. */
function opening(random: Random, prelude: Prelude): number[] {
  if (prelude.protocol !== 5) return hurt(connackOfThree(random), random, 10);
  const steps = prelude.method !== undefined && random.percent(60) ? hurt(auth(random, prelude.method), random, 10) : [];
  return [...steps, ...hurt(connackOfFive(random, prelude), random, 10)];
}

function isFive(name: PreludeName): boolean {
  return preludes[name].protocol === 5;
}

function part(random: Random, name: PreludeName, corpus: readonly Input[]): number[] {
  const kind = random.below(100);
  if (kind < 4) return bytes(random, 1 + random.below(60));
  const kept = kind < 14 ? corpus[random.below(corpus.length)] : undefined;
  // What was kept for another version of the protocol is no more than strange bytes.
  if (kept !== undefined && isFive(kept.prelude) === isFive(name)) return hurt([...kept.bytes], random, 50);
  return hurt(packet(random, preludes[name]), random, 30);
}

function packet(random: Random, prelude: Prelude): number[] {
  if (prelude.protocol === 5) return packetOfFive(random, prelude);
  return packetOfThree(random, prelude.exactlyOnce === undefined ? 1 : 2);
}
