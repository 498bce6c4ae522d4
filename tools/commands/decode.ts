/** `moth decode [FILE]` */
import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Command } from "commander";
import { Failure, reasonOf } from "../failure";

interface DecodeOptions {
  readonly map?: string;
}

export function declare(command: Command): void {
  command
    .argument("[file]", "text with crash reports in it: a log, or what a board published (default, and -: standard input)")
    .option("--map <file>", "source map to explain with (default: that of the build that crashed, in build/)")
    .addHelpText("after", "\nThe text is shown as it is, each crash report followed by the lines of TypeScript that were running.")
    .action(run);
}

async function run(file: string | undefined, { map }: DecodeOptions): Promise<void> {
  const { Decoder } = await import("../monitor/decode");
  const decoder = new Decoder(map);
  for await (const line of await linesOf(file)) {
    console.log(line);
    for (const extra of decoder.explain(line)) console.log(extra);
  }
}

async function linesOf(file: string | undefined): Promise<AsyncIterable<string>> {
  if (file === undefined || file === "-") return createInterface({ input: process.stdin, crlfDelay: Infinity });
  try {
    return (await open(file)).readLines();
  } catch (error) {
    throw new Failure(`cannot read ${file}: ${reasonOf(error)}`);
  }
}
