/**
 * What a device rule is: a table from a kind of syntax to what is wrong with it. The walker in `check.ts` visits every
 * node once and asks each table.
 */
import type ts from "typescript";

/** One breach of a rule. Lines and columns count from 1. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly rule: string;
  /** What is wrong, and what to write instead. */
  readonly message: string;
}

export interface Context {
  readonly program: ts.Program;
  readonly checker: ts.TypeChecker;
}

/** Says what is wrong with a node, or undefined when nothing is. */
export type Check = (node: ts.Node, context: Context) => string | undefined;

export interface Rule {
  readonly name: string;
  /** `loop`: code that runs after boot. `code`: all code. `all`: all code, and types too. */
  readonly scope: "loop" | "code" | "all";
  readonly table: ReadonlyMap<ts.SyntaxKind, Check>;
}

/** A check for syntax that is wrong wherever it stands. */
export function always(message: string): Check {
  return () => message;
}

/** Asks several checks in turn; the first that complains is heard. */
export function firstOf(...checks: readonly Check[]): Check {
  return (node, context) => {
    for (const check of checks) {
      const message = check(node, context);
      if (message !== undefined) return message;
    }
    return undefined;
  };
}
