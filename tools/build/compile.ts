/** From an application to one Lua bundle, or to the reasons why not. Writes nothing. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import * as tstl from "typescript-to-lua";
import ts from "typescript";
import { checkFile } from "../device-rules/check";
import { Failure, reasonOf } from "../failure";
import { inlineNatives } from "./inline-natives";
import { checkLua } from "./last-net";
import { plainSwitch } from "./plain-switch";
import { problemOf, shown } from "./problem";
import type { Problem } from "./problem";
import { bundledFiles, createProgram, hasDefaultExport, isRuntime } from "./program";
import { placeSourceMap } from "./source-map";

export interface Module {
  readonly file: string;
  readonly bytes: number;
}

export interface Bundle {
  readonly lua: string;
  readonly map: string;
  readonly modules: readonly Module[];
}

export type Compiled = { readonly bundle: Bundle } | { readonly problems: readonly Problem[] };

function requireReadable(app: string): void {
  if (!app.endsWith(".ts")) throw new Failure(`${app} is not TypeScript: name the .ts file of an application`);
  try {
    readFileSync(app);
  } catch (error) {
    throw new Failure(`cannot read ${app}: ${reasonOf(error)}`);
  }
}

function typeErrors(program: ts.Program, app: string): Problem[] {
  const diagnostics = ts.getPreEmitDiagnostics(program);
  if (diagnostics.length > 0) return diagnostics.map((diagnostic) => problemOf(diagnostic, app));
  if (hasDefaultExport(program, app)) return [];
  return [{ file: app, line: 1, column: 1, message: "no default export: write `export default` before the application" }];
}

function deviceRuleBreaches(program: ts.Program): Problem[] {
  const files = bundledFiles(program).filter((file) => !isRuntime(file));
  return files.flatMap((file) => {
    return checkFile(program, file).map((finding) => ({ ...finding, message: `${finding.message} [${finding.rule}]` }));
  });
}

/** What the type checker has against an application, without compiling it. */
export function typeProblems(app: string): readonly Problem[] {
  requireReadable(app);
  const path = resolve(app);
  return typeErrors(createProgram(path), path);
}

/** Each stage can be believed only when the one before it found nothing. */
export function compile(app: string, outDir: string): Compiled {
  requireReadable(app);
  const path = resolve(app);
  const program = createProgram(path);

  const before = firstFound(
    () => typeErrors(program, path),
    () => deviceRuleBreaches(program),
  );
  if (before.length > 0) return { problems: before };

  const written = new Map<string, string>();
  const modules: tstl.ProcessedFile[] = [];
  const collector: tstl.Plugin = {
    afterPrint(_program, _options, _host, files) {
      modules.push(...files);
    },
  };
  const { diagnostics } = new tstl.Transpiler().emit({
    program,
    plugins: [collector, inlineNatives, plainSwitch],
    writeFile: (name, text) => written.set(name.endsWith(".map") ? "map" : "lua", text),
  });

  const after = firstFound(
    () => diagnostics.map((diagnostic) => problemOf(diagnostic, path)),
    () => modules.flatMap(checkLua),
  );
  if (after.length > 0) return { problems: after };

  const lua = written.get("lua") ?? "";
  const map = placeSourceMap(written.get("map") ?? "{}", outDir, program);
  return { bundle: { lua, map, modules: modules.map(sizeOf).sort((a, b) => b.bytes - a.bytes) } };
}

function firstFound(...stages: readonly (() => Problem[])[]): Problem[] {
  for (const stage of stages) {
    const problems = stage();
    if (problems.length > 0) return problems;
  }
  return [];
}

function sizeOf({ fileName, code }: tstl.ProcessedFile): Module {
  return { file: shown(fileName), bytes: Buffer.byteLength(code) };
}
