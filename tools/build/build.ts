/** Compiles an application and puts the bundle and its source map on disk. */
import { mkdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Failure, reasonOf } from "../failure";
import { compile } from "./compile";
import type { Bundle, Module } from "./compile";
import { shown } from "./problem";
import type { Problem } from "./problem";
import { nameOfApp } from "./program";

export interface BuildReport {
  readonly app: string;
  readonly lua: string;
  readonly map: string;
  /** The whole bundle. */
  readonly bytes: number;
  readonly modules: readonly Module[];
  /** What ties the modules together: the bundle without them. */
  readonly loaderBytes: number;
  /** TypeScriptToLua's library. The build refuses whatever would need it. */
  readonly supportBytes: number;
}

function write(bundle: Bundle, lua: string, map: string, outDir: string): void {
  try {
    mkdirSync(outDir, { recursive: true });
    writeFileSync(lua, bundle.lua);
    writeFileSync(map, bundle.map);
  } catch (error) {
    throw new Failure(`cannot write to ${outDir}: ${reasonOf(error)}; choose another folder with --out`);
  }
}

function report(app: string, bundle: Bundle, lua: string, map: string): BuildReport {
  const bytes = Buffer.byteLength(bundle.lua);
  const ofModules = bundle.modules.reduce((sum, module) => sum + module.bytes, 0);
  return { app, lua, map, bytes, modules: bundle.modules, loaderBytes: bytes - ofModules, supportBytes: 0 };
}

/** Leaves `<name>.lua` and its map in the folder; the name is the application's unless told otherwise. */
export function build(
  app: string, outDir: string, name = nameOfApp(app),
): { report: BuildReport } | { problems: readonly Problem[] } {
  const compiled = compile(app, outDir);
  if ("problems" in compiled) return compiled;
  const lua = shown(resolve(outDir, `${name}.lua`));
  const map = `${lua}.map`;
  write(compiled.bundle, lua, map, outDir);
  return { report: report(app, compiled.bundle, lua, map) };
}
