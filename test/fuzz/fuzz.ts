/**
 * `npm run fuzz`: gives the client streams that a broker should not send, in MQTT 3.1, 3.1.1 and 5.0 at every QoS, and
 * holds it to what the oracle makes of them.
 *
 * The loop runs in threads of their own, which say where they are: one that stands still has met an input on which the
 * client hangs. A failure is printed with its seed, and written to a file for `--replay`.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { readCorpus } from "./corpus";
import { generateInput } from "./generate";
import { inputFrom, inputText } from "./input";
import { type Failure } from "./loop";
import { startThread } from "./thread";

const HELP = `Gives the MQTT client streams that a broker should not send, in every version of the protocol and at every QoS,
and holds it to what the specifications make of them. The corpus in test/fuzz/corpus is tried first.

  npm run fuzz -- [options]

  --runs N       how many inputs to try (default: 1000000)
  --seed S       the same seed gives the same inputs (default: another one each time)
  --replay FILE  tries the input of one file, such as one of the corpus or of build/fuzz
  --help         says this

It ends with 1 when the client does anything else, and writes the input, as short as it gets, to build/fuzz.`;

const THREADS = 2;
const root = resolve(import.meta.dirname, "../..");

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
  return await startThread({ seed: 0, from: 0, runs: 0, extra: [input] }, () => input).done;
}

async function search(seed: number, runs: number): Promise<Failure | undefined> {
  const corpus = readCorpus().map(({ input }) => input);
  const share = Math.ceil(runs / THREADS);
  const threads = Array.from({ length: THREADS }, (_, i) => {
    const from = i * share;
    return startThread({ seed, from, runs: Math.min(share, runs - from), extra: [] }, (run) => generateInput(seed, run, corpus));
  });
  const failures = await Promise.all(
    threads.map(async ({ done }) => {
      const failure = await done;
      // The others need not go on.
      if (failure !== undefined) for (const each of threads) each.stop();
      return failure;
    }),
  );
  return failures.find((each) => each !== undefined);
}

const { values } = parseArgs({
  options: { runs: { type: "string" }, seed: { type: "string" }, replay: { type: "string" }, help: { type: "boolean" } },
});
if (values.help === true) {
  console.log(HELP);
  process.exit(0);
}
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
