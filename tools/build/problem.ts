/** One reason why an application cannot be built. Lines and columns count from 1. */
import { relative } from "node:path";
import ts from "typescript";

export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** A path as a person would type it: from here if it lies below, else whole. */
export function shown(path: string): string {
  const here = relative(process.cwd(), path);
  return here.startsWith("..") ? path : here;
}

/** `file:line:column: message`, the form that editors and terminals make clickable. */
export function lineOf({ file, line, column, message }: Problem): string {
  return `${shown(file)}:${line}:${column}: ${message}`;
}

/** A diagnostic of TypeScript or TypeScriptToLua. One that belongs to no file is the application's. */
export function problemOf(diagnostic: ts.Diagnostic, app: string): Problem {
  const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, " ").replace(/\s+/g, " ");
  if (diagnostic.file === undefined) return { file: app, line: 1, column: 1, message };
  const { line, character } = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start ?? 0);
  return { file: diagnostic.file.fileName, line: line + 1, column: character + 1, message };
}
