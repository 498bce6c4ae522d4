/** The inputs that are kept: one a file, under a name that says what it is about. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Input, inputFrom } from "./input";

const folder = join(import.meta.dirname, "corpus");

export interface Kept {
  readonly name: string;
  readonly input: Input;
}

export function readCorpus(): Kept[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".hex"))
    .sort()
    .map((name) => ({ name, input: inputFrom(readFileSync(join(folder, name), "utf8")) }));
}
