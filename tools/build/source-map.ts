/** The bundle's source map, with sources as seen from where it lies. */
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
