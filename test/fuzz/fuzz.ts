/**
 * `npm run fuzz -- --runs N --seed S`: gives the client streams that a broker should not send, and holds it to what the
 * oracle makes of them. `--replay FILE` does so with the input of one file.
 *
 * The loop runs in threads of their own, which say where they are: one that stands still has met an input on which the
 * client hangs. A failure is printed with its seed, and written to a file for `--replay`.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { readCorpus } from "./corpus";
import { generateInput } from "./generate";
import { type Input, inputFrom, inputText } from "./input";
import { type Failure } from "./loop";
import { type Task } from "./worker";

const THREADS = 2;
/** A run takes less than a tenth of a millisecond. */
const HANG_MS = 10_000;
const root = resolve(import.meta.dirname, "../..");

/** A thread begins without what lets Node read TypeScript. */
const thread = `
  import("tsx/esm/api").then(({ register }) => {
    register();
    return import(${JSON.stringify(new URL("./worker.ts", import.meta.url).href)});
  });`;

interface Running {
  readonly worker: Worker;
  readonly done: Promise<Failure | undefined>;
}

function isFailure(message: unknown): message is Failure {
  return typeof message === "object" && message !== null && "problem" in message;
}

/** Runs a task in a thread. One that makes no progress is ended, and is a failure itself. */
function start(task: Task, hung: (run: number) => Input): Running {
  const place = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(thread, { eval: true, workerData: { ...task, place } });
  const done = new Promise<Failure | undefined>((resolved, rejected) => {
    let last = -1;
    const watch = setInterval(() => {
      const run = Atomics.load(place, 0);
      if (run === last) {
        void worker.terminate();
        resolved({ input: hung(run), problem: `hangs for ${HANG_MS / 1000} s`, seed: task.seed, run });
      }
      last = run;
    }, HANG_MS);
    worker.on("message", (message: unknown) => resolved(isFailure(message) ? message : undefined));
    worker.on("error", rejected);
    void worker.on("exit", () => clearInterval(watch));
  });
  return { worker, done };
}

function tell(failure: Failure): void {
  const { seed, run, input, problem } = failure;
  const where = run < 0 ? "an input of the corpus" : `seed ${seed}, run ${run}`;
  const folder = join(root, "build/fuzz");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, run < 0 ? "corpus.hex" : `seed-${seed}-run-${run}.hex`);
  writeFileSync(file, inputText(input, [problem, where]));
  console.error(`${where}: the client ${problem}`);
  console.error(`It is in ${relative(root, file)}; again: npm run fuzz -- --replay ${relative(root, file)}`);
}

async function replay(file: string): Promise<Failure | undefined> {
  const input = inputFrom(readFileSync(file, "utf8"));
  return await start({ seed: 0, from: 0, runs: 0, extra: [input] }, () => input).done;
}

async function search(seed: number, runs: number): Promise<Failure | undefined> {
  const corpus = readCorpus().map(({ input }) => input);
  const share = Math.ceil(runs / THREADS);
  const threads = Array.from({ length: THREADS }, (_, i) => {
    const from = i * share;
    return start({ seed, from, runs: Math.min(share, runs - from), extra: [] }, (run) => generateInput(seed, run, corpus));
  });
  const failures = await Promise.all(
    threads.map(async ({ done }) => {
      const failure = await done;
      // The others need not go on.
      if (failure !== undefined) await Promise.all(threads.map(({ worker }) => worker.terminate()));
      return failure;
    }),
  );
  return failures.find((each) => each !== undefined);
}

const { values } = parseArgs({
  options: { runs: { type: "string" }, seed: { type: "string" }, replay: { type: "string" } },
});
const runs = Number(values.runs ?? 1_000_000);
const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
if (!Number.isInteger(runs) || runs < 0) throw new Error("--runs takes how many inputs to try");
if (!Number.isInteger(seed) || seed < 0) throw new Error("--seed takes a number from 0 on");

const began = Date.now();
const failure = await (values.replay === undefined ? search(seed, runs) : replay(values.replay));
if (failure !== undefined) {
  if (values.replay === undefined) tell(failure);
  else console.error(`${values.replay}: the client ${failure.problem}`);
  process.exit(1);
}
const seconds = ((Date.now() - began) / 1000).toFixed(1);
console.log(values.replay === undefined ? `${runs} inputs, seed ${seed}: all well, in ${seconds} s` : `${values.replay}: all well`);
process.exit(0);
