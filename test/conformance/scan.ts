/**
 * The names of the tests, read out of their sources without running them: what stands in `describe`, and in `it` within
 * it, makes one name. A test that is skipped is none.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

export interface NamedTest {
  readonly name: string;
  /** From the root of the project, and counted from 1. */
  readonly file: string;
  readonly line: number;
}

const GROUP = "describe";
const TESTS = ["it", "test"];
/** What such a call may carry without ceasing to run. */
const HARMLESS = ["each", "for", "concurrent", "sequential"];

/** `it.each(table)` → it, each. */
function chainOf(callee: ts.Expression): string[] {
  if (ts.isIdentifier(callee)) return [callee.text];
  if (ts.isPropertyAccessExpression(callee)) return [...chainOf(callee.expression), callee.name.text];
  if (ts.isCallExpression(callee) || ts.isTaggedTemplateExpression(callee)) {
    return chainOf(ts.isCallExpression(callee) ? callee.expression : callee.tag);
  }
  return [];
}

/** What a name says for certain: its literal parts. */
function textOf(name: ts.Expression | undefined): string {
  if (name === undefined) return "";
  if (ts.isStringLiteralLike(name)) return name.text;
  if (ts.isTemplateExpression(name)) {
    return name.head.text + name.templateSpans.map((span) => `…${span.literal.text}`).join("");
  }
  if (ts.isBinaryExpression(name)) return textOf(name.left) + textOf(name.right);
  return "";
}

/** The table of `it.each(table)`, if that is what is called. */
function tableOf(callee: ts.Expression): ts.Expression | undefined {
  return ts.isCallExpression(callee) ? callee.arguments[0] : undefined;
}

/** What a table puts into a name with a place for it: its tags, however deep they stand. */
function tagsIn(table: ts.Node, tables: ReadonlyMap<string, ts.Expression>): string {
  if (ts.isIdentifier(table)) {
    const definition = tables.get(table.text);
    return definition === undefined ? "" : tagsIn(definition, new Map());
  }
  let tags = "";
  function visit(node: ts.Node): void {
    if (ts.isStringLiteralLike(node)) tags += (node.text.match(/\[[^\]]+\]/g) ?? []).map((tag) => ` ${tag}`).join("");
    node.forEachChild(visit);
  }
  visit(table);
  return tags;
}

/** The tests of one file. */
export function testsIn(file: string, source: string): NamedTest[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ES2023, true);
  const found: NamedTest[] = [];
  const tables = new Map<string, ts.Expression>();
  function visit(node: ts.Node, within: string): void {
    let group = within;
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer !== undefined) {
      tables.set(node.name.text, node.initializer);
    }
    if (ts.isCallExpression(node)) {
      const [root = "", ...rest] = chainOf(node.expression);
      const isGroup = root === GROUP;
      // `it.each(table)` alone is the callee of the call that has the name.
      const named = node.arguments.length >= 2;
      if (named && (isGroup || TESTS.includes(root))) {
        if (!rest.every((each) => HARMLESS.includes(each))) return;
        const name = textOf(node.arguments[0]);
        const table = /[%$]/.test(name) ? tableOf(node.expression) : undefined;
        group = `${within} ${name}${table === undefined ? "" : tagsIn(table, tables)}`.trim();
        const line = tree.getLineAndCharacterOfPosition(node.getStart()).line + 1;
        if (!isGroup) found.push({ name: group, file, line });
      }
    }
    node.forEachChild((child) => visit(child, group));
  }
  visit(tree, "");
  return found;
}

/** The tests of every test file under these folders of `root`. */
export function scanTests(root: string, folders: readonly string[]): NamedTest[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".test.ts"))
      .sort()
      .flatMap((name) => testsIn(join(folder, name), readFileSync(join(root, folder, name), "utf8"))),
  );
}
