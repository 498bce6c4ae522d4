/**
 * Every module of the firmware in one Lua bundle, compiled as `moth build` compiles an application, and a list of what
 * each exports. Kept in `build/`, named by the content of all that it was made of.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import * as tstl from "typescript-to-lua";
import ts from "typescript";
import { plainSwitch } from "../../../tools/build/plain-switch";
import { compileBytecode } from "../../../tools/build/bytecode";
import { checkFile } from "../../../tools/device-rules/check";
import { checkLua } from "../../../tools/build/last-net";
import { lineOf, problemOf, type Problem } from "../../../tools/build/problem";
import { bundledFiles, createProgram } from "../../../tools/build/program";
import { placeSourceMap } from "../../../tools/build/source-map";
import { Failure } from "../../../tools/failure";

export const root = resolve(import.meta.dirname, "../../..");
export const cache = join(root, "build/.objects");

/** What runs as Lua: the firmware, the natives that it imports, and the probes of the tests in test/lua. */
const probes = "test/lua/probes";
const folders = ["firmware", probes];
const natives = "hal/lua/native.ts";

export interface ModuleExports {
  /** Functions and constants, which come from Lua. */
  readonly values: readonly string[];
  /** Enums, as TypeScript: on a chip they are numbers in the code and nothing more. */
  readonly enums: readonly string[];
}

export interface DeviceBundle {
  readonly bytecode: string;
  readonly map: string;
  /** By the path from the root, without `.ts`. */
  readonly modules: Readonly<Record<string, ModuleExports>>;
}

function sourcesOf(folder: string): string[] {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(".ts")).map((name) => join(folder, name)).sort();
}

function nameOf(path: string): string {
  return path.replace(/\.ts$/, "");
}

/** All that the bundle depends on. */
function fingerprint(modules: readonly string[]): string {
  const tools = [...sourcesOf("tools/build"), ...sourcesOf("hal/lua"), ...sourcesOf("test/lua/harness")];
  const hash = createHash("sha256");
  for (const path of [...modules, "hal/hal.ts", "hal/lua/tsconfig.json", "tsconfig.json", "package-lock.json", ...tools]) {
    hash.update(`${path}\0`).update(readFileSync(join(root, path)));
  }
  return hash.digest("hex").slice(0, 16);
}

/** A module that exports all the others, by name. */
function entrySource(modules: readonly string[], folder: string): string {
  const imports = modules.map((path, i) => `import * as m${i} from ${JSON.stringify(nameOf(relative(folder, join(root, path))))};`);
  const fields = modules.map((path, i) => `  ${JSON.stringify(nameOf(path))}: m${i},`);
  return [...imports, "export default {", ...fields, "};", ""].join("\n");
}

function exportsOf(program: ts.Program, path: string): ModuleExports {
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(join(root, path));
  const symbol = file === undefined ? undefined : checker.getSymbolAtLocation(file);
  const values: string[] = [];
  const enums: string[] = [];
  for (const each of symbol === undefined ? [] : checker.getExportsOfModule(symbol)) {
    const target = (each.flags & ts.SymbolFlags.Alias) === 0 ? each : checker.getAliasedSymbol(each);
    if ((target.flags & ts.SymbolFlags.Enum) !== 0) {
      enums.push(...(target.declarations ?? []).map((declaration) => declaration.getText()));
    } else if ((target.flags & ts.SymbolFlags.Value) !== 0) {
      values.push(each.name);
    }
  }
  return { values, enums };
}

function failOn(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new Failure(`the firmware does not compile to Lua:\n${problems.map(lineOf).join("\n")}`);
}

function isProbe(file: ts.SourceFile): boolean {
  return resolve(file.fileName).startsWith(join(root, probes, "/"));
}

function compileModules(modules: readonly string[], stem: string): DeviceBundle {
  const entry = `${stem}.ts`;
  writeFileSync(entry, entrySource(modules, cache));
  const program = createProgram(entry);
  failOn(program.getSyntacticDiagnostics().map((diagnostic) => problemOf(diagnostic, entry)));
  // Lint holds the firmware to the rules of device code; here they are for the probes.
  failOn(bundledFiles(program).filter(isProbe).flatMap((file) => checkFile(program, file)));
  const written = new Map<string, string>();
  const files: tstl.ProcessedFile[] = [];
  const { diagnostics } = new tstl.Transpiler().emit({
    program,
    plugins: [{ afterPrint: (_program, _options, _host, printed) => void files.push(...printed) }, plainSwitch],
    writeFile: (name, text) => written.set(name.endsWith(".map") ? "map" : "lua", text),
  });
  failOn(diagnostics.map((diagnostic) => problemOf(diagnostic, entry)));
  failOn(files.flatMap(checkLua));
  // Node runs the bytecode without the header that an image has.
  const { file } = compileBytecode(written.get("lua") ?? "", cache);
  writeFileSync(`${stem}.luac`, file.subarray(16));
  writeFileSync(`${stem}.map`, placeSourceMap(written.get("map") ?? "{}", root, program));
  const listed = Object.fromEntries(modules.map((path) => [nameOf(path), exportsOf(program, path)]));
  return { bytecode: `${stem}.luac`, map: `${stem}.map`, modules: listed };
}

function isBundle(value: unknown): value is DeviceBundle {
  return typeof value === "object" && value !== null && "bytecode" in value && "modules" in value;
}

export function deviceBundle(): DeviceBundle {
  const modules = [...folders.flatMap(sourcesOf), natives];
  const stem = join(cache, `modules-${fingerprint(modules)}`);
  if (existsSync(`${stem}.json`)) {
    const kept: unknown = JSON.parse(readFileSync(`${stem}.json`, "utf8"));
    if (isBundle(kept)) return kept;
  }
  mkdirSync(cache, { recursive: true });
  const bundle = compileModules(modules, stem);
  const draft = `${stem}.json.${process.pid}`;
  writeFileSync(draft, JSON.stringify(bundle));
  renameSync(draft, `${stem}.json`);
  return bundle;
}
