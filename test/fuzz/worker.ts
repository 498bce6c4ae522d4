/** A thread of the fuzzer: does a share of the runs, and says which one it is at. */
import { parentPort, workerData } from "node:worker_threads";
import { readCorpus } from "./corpus";
import { type Input } from "./input";
import { type Failure, fuzz, tryCorpus } from "./loop";

export interface Task {
  readonly seed: number;
  readonly from: number;
  readonly runs: number;
  /** Inputs to try besides the corpus: with any, the corpus is not. */
  readonly extra: readonly Input[];
}

interface Given extends Task {
  /** Where the run under way is written. */
  readonly place: Int32Array;
}

function isGiven(data: unknown): data is Given {
  return typeof data === "object" && data !== null && "place" in data && "runs" in data;
}

function work({ seed, from, runs, extra, place }: Given): Failure | undefined {
  const corpus = readCorpus().map(({ input }) => input);
  return (
    tryCorpus(extra.length > 0 ? extra : corpus) ??
    fuzz({ seed, from, runs, corpus, onRun: (run) => Atomics.store(place, 0, run) })
  );
}

const given: unknown = workerData;
if (!isGiven(given)) throw new Error("a thread of the fuzzer was started without a task");
parentPort?.postMessage(work(given));
