/** TypeScript programs over files that exist only in a test, seen by the compiler as if they lay in the repository. */
import { resolve } from "node:path";
import ts from "typescript";

const root = resolve(import.meta.dirname, "../..");

function repositoryOptions(): ts.CompilerOptions {
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined };
  const parsed = ts.getParsedCommandLineOfConfigFile(resolve(root, "tsconfig.json"), {}, host);
  if (parsed === undefined) throw new Error("tsconfig.json cannot be read");
  return parsed.options;
}

/** `files` are texts by path from the repository's root. */
export function programOf(files: ReadonlyMap<string, string>): ts.Program {
  const options = repositoryOptions();
  const disk = ts.createCompilerHost(options);
  const texts = new Map([...files].map(([path, text]) => [resolve(root, path), text]));
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (path) => texts.has(path) || disk.fileExists(path),
    readFile: (path) => texts.get(path) ?? disk.readFile(path),
    getSourceFile(path, version) {
      const text = texts.get(path);
      return text === undefined ? disk.getSourceFile(path, version) : ts.createSourceFile(path, text, version, true);
    },
  };
  return ts.createProgram([...texts.keys()], options, host);
}

export function fileOf(program: ts.Program, path: string): ts.SourceFile {
  const file = program.getSourceFile(resolve(root, path));
  if (file === undefined) throw new Error(`${path} is not in the program`);
  return file;
}
