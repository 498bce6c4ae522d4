/** Leads a crash report back to the lines of TypeScript that were running. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { LEAST_UPPER_BOUND, originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { linesOfInstructions } from "../build/source-map";
import { Failure, reasonOf } from "../failure";

/** The report as the runtime writes it, wherever in a line it stands: see `hal/lua/crash.c`. */
const CRASH = /\bcrash (?:allocation|error|fault|stack|watchdog)\b.* build ([0-9a-f]{8}) (lines|at)((?: \d+)*)/;

/** Where builds lie unless somebody says otherwise. */
const BUILDS = "build";

export interface CrashReport {
  /** Which build of which firmware crashed, 8 hexadecimal digits. */
  readonly build: string;
  /** What the places are: lines of the bundled Lua, or instructions of the program that is frozen into an image. */
  readonly counted: "lines" | "instructions";
  /** What was running, innermost first. */
  readonly places: readonly number[];
}

/** The crash report in a line of text; undefined when there is none. */
export function crashIn(text: string): CrashReport | undefined {
  const found = CRASH.exec(text);
  if (found === null) return undefined;
  const [, build = "", word, places = ""] = found;
  return {
    build,
    counted: word === "at" ? "instructions" : "lines",
    places: places.trim().split(" ").filter((place) => place !== "").map(Number),
  };
}

/** A source map, and where it lies. */
interface Map {
  readonly path: string;
  readonly trace: TraceMap;
  /** The line of each instruction of the frozen program; empty when the map does not say. */
  readonly lines: readonly number[];
}

/** Finds the source map of a build, and leads lines back through it. */
export class Decoder {
  private readonly named: Map | undefined;

  /** `mapPath`: the map to use whatever the build; undefined: the build's own, in `folder`. Fails when it is no map. */
  constructor(
    mapPath?: string,
    private readonly folder = BUILDS,
  ) {
    this.named = mapPath === undefined ? undefined : readMap(mapPath);
  }

  /** What a crash report means, line by line; nothing for a line that has none. */
  explain(text: string): string[] {
    const crash = crashIn(text);
    if (crash === undefined) return [];
    const map = this.mapOf(crash.build);
    if (map === undefined) {
      return [`  build ${crash.build} is not in ${this.folder}: name its source map with --map`];
    }
    if (crash.places.length === 0) return ["  no line of the program was running"];
    return crash.places.map((place) => `  at ${explained(map, crash, place)}`);
  }

  /** Looked for at every crash: a monitor outlives builds. */
  private mapOf(build: string): Map | undefined {
    if (this.named !== undefined) return this.named;
    for (const file of filesIn(this.folder)) {
      const about = aboutBuild(join(this.folder, file));
      if (about?.build === build) return readMap(resolve(this.folder, about.map));
    }
    return undefined;
  }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((file) => file.endsWith(".json")).sort();
  } catch {
    return [];
  }
}

/** What `moth build` leaves beside an image; undefined for any other file. */
function aboutBuild(path: string): { build: string; map: string } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !("build" in value) || !("map" in value)) return undefined;
  const { build, map } = value;
  return typeof build === "string" && typeof map === "string" ? { build, map } : undefined;
}

function readMap(path: string): Map {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new Failure(`cannot read the source map ${path}: ${reasonOf(error)}`);
  }
  try {
    return { path, trace: new TraceMap(text), lines: linesOfInstructions(text) };
  } catch {
    throw new Failure(`${path}: no source map: give the .lua.map that moth build has written`);
  }
}

function explained(map: Map, { counted }: CrashReport, place: number): string {
  if (counted === "lines") return placeOf(map, place);
  const line = map.lines[place];
  return line === undefined ? `instruction ${place}, which ${map.path} does not know: it is another build's` : placeOf(map, line);
}

/** `file:line  what stands there`, as far as it is known. */
function placeOf({ path, trace }: Map, line: number): string {
  const { source, line: original } = originalPositionFor(trace, { line, column: 0, bias: LEAST_UPPER_BOUND });
  if (source === null) return `line ${line} of the bundle, which no TypeScript stands behind`;
  const file = resolve(dirname(path), source);
  const text = lineIn(file, original);
  const place = `${relative(process.cwd(), file)}:${original}`;
  return text === undefined ? place : `${place}  ${text}`;
}

/** The line as it is now: whoever changed the file since sees another. */
function lineIn(file: string, line: number): string | undefined {
  try {
    return readFileSync(file, "utf8").split("\n")[line - 1]?.trim();
  } catch {
    return undefined;
  }
}
