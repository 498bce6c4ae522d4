/** The bundle's source map: sources as seen from where it lies, and lines for a program that is frozen into an image. */
import { dirname, relative, resolve } from "node:path";
import { getEmitPath } from "typescript-to-lua";
import type ts from "typescript";

/** TypeScriptToLua writes a source as seen from where its module would lie if it were not bundled. */
function writtenAs(file: ts.SourceFile, program: ts.Program): string {
  const fileName = resolve(file.fileName);
  return relative(dirname(getEmitPath(fileName, program)), fileName);
}

/** Corrects the `sources` of a map that will lie in `outDir`. */
export function placeSourceMap(map: string, outDir: string, program: ts.Program): string {
  const seenFromOutDir = new Map<string, string>();
  for (const file of program.getSourceFiles()) {
    seenFromOutDir.set(writtenAs(file, program), relative(resolve(outDir), resolve(file.fileName)));
  }
  return JSON.stringify(JSON.parse(map), (key, value: unknown) => {
    if (key !== "sources" || !Array.isArray(value)) return value;
    return value.map((source) => seenFromOutDir.get(String(source)) ?? String(source));
  });
}

/** Extra fields of a source map begin with `x_`. */
const LINES = "x_moth_lines";

/** The map with the line of Lua of each instruction: what a crash of a frozen program is led back by. */
export function withLines(map: string, lines: readonly number[]): string {
  const fields: unknown = JSON.parse(map);
  return JSON.stringify(typeof fields === "object" ? { ...fields, [LINES]: lines } : fields);
}

/** What `withLines` put into a map; empty for a map that has none. */
export function linesOfInstructions(map: string): readonly number[] {
  const fields: unknown = JSON.parse(map);
  if (typeof fields !== "object" || fields === null || !(LINES in fields)) return [];
  const { [LINES]: lines } = fields;
  return Array.isArray(lines) ? lines.map(Number) : [];
}
