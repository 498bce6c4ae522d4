/**
 * What `@boot` marks. Top-level code runs at boot, and so does a function with the tag; every other function may run
 * after `seal()`, when a chip refuses to allocate. A loop function must therefore not call a boot function.
 */
import ts from "typescript";
import type { Context } from "./rule";
import { isFunctionWithBody, symbolOf } from "./types";

function hasTag(node: ts.Node): boolean {
  return ts.getJSDocTags(node).some((tag) => tag.tagName.text === "boot");
}

/** A function type has no comment of its own: the tag stands on the alias or the property that it describes. */
function isTagged(declaration: ts.Node): boolean {
  return hasTag(declaration) || (ts.isFunctionTypeNode(declaration) && hasTag(declaration.parent));
}

function isTaggedSymbol(symbol: ts.Symbol | undefined): boolean {
  return symbol?.declarations?.some(isTagged) ?? false;
}

/** `poll() {…}` in an object literal takes the mark of the interface method that it fulfils. */
function fulfilsTagged(node: ts.FunctionLikeDeclaration, { checker }: Context): boolean {
  const member = ts.isMethodDeclaration(node) ? node : node.parent;
  if (!ts.isMethodDeclaration(member) && !ts.isPropertyAssignment(member)) return false;
  if (!ts.isObjectLiteralExpression(member.parent) || !ts.isIdentifier(member.name)) return false;
  const expected = checker.getContextualType(member.parent);
  return isTaggedSymbol(expected?.getProperty(member.name.text));
}

export function isBootFunction(node: ts.Node, context: Context): boolean {
  return isFunctionWithBody(node) && (hasTag(node) || fulfilsTagged(node, context));
}

const nativeModule = /(^|\/)hal\/(node|lua)\/native\.ts$/;
const contract = /(^|\/)hal\/hal\.ts$/;
const bootNatives = new WeakMap<ts.Program, ReadonlySet<string>>();

/** The functions of `#native` are plain functions: their marks stand on the interface `Native` in hal/hal.ts. */
function bootNativesOf(program: ts.Program): ReadonlySet<string> {
  const known = bootNatives.get(program);
  if (known !== undefined) return known;
  const names = new Set<string>();
  const file = program.getSourceFiles().find(({ fileName }) => contract.test(fileName));
  for (const statement of file?.statements ?? []) {
    if (!ts.isInterfaceDeclaration(statement) || statement.name.text !== "Native") continue;
    for (const member of statement.members) {
      if (hasTag(member) && member.name !== undefined && ts.isIdentifier(member.name)) names.add(member.name.text);
    }
  }
  bootNatives.set(program, names);
  return names;
}

function isBootNative(symbol: ts.Symbol | undefined, program: ts.Program): boolean {
  const [declaration] = symbol?.declarations ?? [];
  if (symbol === undefined || declaration === undefined) return false;
  return nativeModule.test(declaration.getSourceFile().fileName) && bootNativesOf(program).has(symbol.name);
}

export function callsBoot(call: ts.CallExpression, context: Context): boolean {
  const symbol = symbolOf(call.expression, context);
  if (isTaggedSymbol(symbol) || isBootNative(symbol, context.program)) return true;
  const signature = context.checker.getResolvedSignature(call)?.declaration;
  return signature !== undefined && isTagged(signature);
}
