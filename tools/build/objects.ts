/** Compiles C files to objects, and keeps them: what has not changed is not compiled again. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { runTool } from "./run-tool";

/** What to compile, and how. Two sets with the same compiler and flags share their objects. */
export interface ObjectSet {
  readonly compiler: string;
  readonly flags: readonly string[];
  readonly sources: readonly string[];
}

function hashOf(text: string | Buffer): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** The files that an object was made of, as gcc's -MMD lists them: `object: file file \`. */
function dependenciesIn(file: string): string[] {
  const text = readFileSync(file, "utf8").replace(/\\\n/g, " ");
  return text.slice(text.indexOf(":") + 1).split(/\s+/).filter((name) => name !== "");
}

function contentHash(files: readonly string[]): string {
  return hashOf(files.map((file) => (existsSync(file) ? hashOf(readFileSync(file)) : "gone")).join());
}

function isFresh(object: string): boolean {
  const [list, sum] = [`${object}.d`, `${object}.sum`];
  if (![object, list, sum].every((file) => existsSync(file))) return false;
  return readFileSync(sum, "utf8") === contentHash(dependenciesIn(list));
}

function compileOne(set: ObjectSet, source: string, object: string): void {
  // Written aside and moved into place: two builds at a time never see half an object.
  const draft = `${object}.${process.pid}`;
  runTool(set.compiler, [...set.flags, "-MMD", "-MF", `${draft}.d`, "-c", source, "-o", draft]);
  writeFileSync(`${draft}.sum`, contentHash(dependenciesIn(`${draft}.d`)));
  for (const end of ["", ".d", ".sum"]) renameSync(draft + end, object + end);
}

/** Gives the objects, in the order of their sources. */
export function compileObjects(set: ObjectSet, cache: string): string[] {
  const folder = join(cache, hashOf([set.compiler, ...set.flags].join("\0")));
  mkdirSync(folder, { recursive: true });
  return set.sources.map((source) => {
    const object = join(folder, `${hashOf(source).slice(0, 6)}-${basename(source)}.o`);
    if (!isFresh(object)) compileOne(set, source, object);
    return object;
  });
}
