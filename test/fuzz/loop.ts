/** The loop of the fuzzer: as many inputs as asked for, until one goes wrong. */
import { type Input } from "./input";
import { generateInput } from "./generate";
import { attempt, type MakeClient } from "./target";

export interface Failure {
  readonly input: Input;
  readonly problem: string;
  readonly seed: number;
  /** Which run it was; -1 for an input of the corpus. */
  readonly run: number;
}

export interface Plan {
  readonly seed: number;
  readonly from: number;
  readonly runs: number;
  readonly corpus: readonly Input[];
  readonly make?: MakeClient;
  /** Told of every run before it begins. */
  readonly onRun?: (run: number) => void;
}

/** Every input of the corpus, whole and byte by byte. */
export function tryCorpus(corpus: readonly Input[], make?: MakeClient): Failure | undefined {
  for (const each of corpus) {
    for (const split of [each.split, 0, 1]) {
      const input = { ...each, split };
      const problem = attempt(input, make);
      if (problem !== undefined) return { input, problem, seed: 0, run: -1 };
    }
  }
  return undefined;
}

export function fuzz({ seed, from, runs, corpus, make, onRun }: Plan): Failure | undefined {
  for (let run = from; run < from + runs; run++) {
    onRun?.(run);
    const input = generateInput(seed, run, corpus);
    const problem = attempt(input, make);
    if (problem === undefined) continue;
    const short = shrink(input, kindOf(problem), make);
    return { input: short, problem: attempt(short, make) ?? problem, seed, run };
  }
  return undefined;
}

/** `accepts`, `delivers`, and so on. */
function kindOf(problem: string | undefined): string | undefined {
  return problem?.split(" ")[0];
}

/** A shorter input that goes wrong in the same way: bytes are left out as long as that holds. */
function shrink(input: Input, kind: string | undefined, make?: MakeClient): Input {
  let best = input;
  for (let size = Math.ceil(input.bytes.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.bytes.length; ) {
      const bytes = Uint8Array.from([...best.bytes.subarray(0, at), ...best.bytes.subarray(at + size)]);
      const shorter = { ...best, bytes };
      if (kindOf(attempt(shorter, make)) === kind) best = shorter;
      else at += size;
    }
  }
  return best;
}
