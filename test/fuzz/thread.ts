/** A task of the fuzzer in a thread of its own, and what came of it. */
import { Worker } from "node:worker_threads";
import { type Input } from "./input";
import { type Failure } from "./loop";
import { type Task } from "./worker";

/** A thread begins without what lets Node read TypeScript. */
const ordinary = `
  import("tsx/esm/api").then(({ register }) => {
    register();
    return import(${JSON.stringify(new URL("./worker.ts", import.meta.url).href)});
  });`;
/** A run takes less than a tenth of a millisecond. */
const HANG_MS = 10_000;

export interface Thread {
  readonly done: Promise<Failure | undefined>;
  stop(): void;
}

function isFailure(message: unknown): message is Failure {
  return typeof message === "object" && message !== null && "problem" in message;
}

/**
 * Runs a task. A thread that makes no progress for `hangMs` has met an input on which the client hangs: it is ended, and
 * `inputOf` gives that input. `source` is what the thread runs.
 */
export function startThread(
  task: Task,
  inputOf: (run: number) => Input,
  { hangMs = HANG_MS, source = ordinary } = {},
): Thread {
  const place = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(source, { eval: true, workerData: { ...task, place } });
  const stop = (): void => void worker.terminate();
  const done = new Promise<Failure | undefined>((resolved, rejected) => {
    let last = -1;
    const watch = setInterval(() => {
      const run = Atomics.load(place, 0);
      if (run === last) {
        stop();
        resolved({ input: inputOf(run), problem: `hangs for ${hangMs / 1000} s`, seed: task.seed, run });
      }
      last = run;
    }, hangMs);
    worker.on("message", (message: unknown) => resolved(isFailure(message) ? message : undefined));
    worker.on("error", rejected);
    worker.on("exit", () => {
      clearInterval(watch);
      resolved(undefined);
    });
  });
  return { done, stop };
}
