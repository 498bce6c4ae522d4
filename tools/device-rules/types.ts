/** Questions about types that several rules ask. */
import ts from "typescript";
import type { Context } from "./rule";

function everyPart(type: ts.Type, holds: (part: ts.Type) => boolean): boolean {
  return type.isUnion() ? type.types.every(holds) : holds(type);
}

function somePart(type: ts.Type, holds: (part: ts.Type) => boolean): boolean {
  return type.isUnion() ? type.types.some(holds) : holds(type);
}

function hasFlag(flags: ts.TypeFlags): (type: ts.Type) => boolean {
  return (type) => (type.flags & flags) !== 0;
}

/** The type of an expression; of a type parameter, what it extends. */
function typeOf(node: ts.Node, { checker }: Context): ts.Type {
  const type = checker.getTypeAtLocation(node);
  return checker.getBaseConstraintOfType(type) ?? type;
}

export function isBoolean(node: ts.Expression, context: Context): boolean {
  return everyPart(typeOf(node, context), hasFlag(ts.TypeFlags.BooleanLike | ts.TypeFlags.Never));
}

export function isString(node: ts.Expression, context: Context): boolean {
  return somePart(typeOf(node, context), hasFlag(ts.TypeFlags.StringLike));
}

export function isArray(node: ts.Expression, context: Context): boolean {
  const { checker } = context;
  const type = checker.getNonNullableType(typeOf(node, context));
  return everyPart(type, (part) => checker.isArrayType(part) || checker.isTupleType(part));
}

/** The name of a type for a message. */
export function nameOfType(node: ts.Node, context: Context): string {
  return context.checker.typeToString(typeOf(node, context));
}

/** What a name or a property stands for, through imports and shorthand. */
export function symbolOf(node: ts.Node, { checker }: Context): ts.Symbol | undefined {
  const named = ts.isPropertyAccessExpression(node) ? node.name : node;
  const symbol = ts.isShorthandPropertyAssignment(named.parent)
    ? checker.getShorthandAssignmentValueSymbol(named.parent)
    : checker.getSymbolAtLocation(named);
  if (symbol === undefined || (symbol.flags & ts.SymbolFlags.Alias) === 0) return symbol;
  return checker.getAliasedSymbol(symbol);
}

/** Whether a symbol is known only from declaration files: JavaScript's library, Node, a package. */
export function isAmbient(symbol: ts.Symbol): boolean {
  const declarations = symbol.declarations ?? [];
  return declarations.length > 0 && declarations.every((declaration) => declaration.getSourceFile().isDeclarationFile);
}

/** Functions that have code: all but signatures and overloads. */
export function isFunctionWithBody(node: ts.Node): node is ts.FunctionLikeDeclaration {
  return ts.isFunctionLike(node) && "body" in node && node.body !== undefined;
}
