/**
 * What a module makes while it is set up lies in flash on a chip: its tables are there to be read. In Node they can be
 * written to without a word.
 */
import ts from "typescript";
import type { Check, Context, Rule } from "./rule";

type Access = ts.PropertyAccessExpression | ts.ElementAccessExpression;

function isAccess(node: ts.Node): node is Access {
  return ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node);
}

/** The `a` of `a.b[c].d`. */
function rootOf(node: ts.Expression): ts.Expression {
  return isAccess(node) || ts.isParenthesizedExpression(node) ? rootOf(node.expression) : node;
}

function isVariableOfModule(node: ts.Expression, { checker }: Context): boolean {
  if (!ts.isIdentifier(node)) return false;
  const symbol = checker.getSymbolAtLocation(node);
  if (symbol === undefined) return false;
  const { valueDeclaration } = (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
  if (valueDeclaration === undefined || !ts.isVariableDeclaration(valueDeclaration)) return false;
  const isOnlyDeclared = (ts.getCombinedModifierFlags(valueDeclaration) & ts.ModifierFlags.Ambient) !== 0;
  return !isOnlyDeclared && ts.isSourceFile(valueDeclaration.parent.parent.parent);
}

/** A buffer lies in RAM wherever it was made. */
function isBuffer(node: ts.Expression, { checker }: Context): boolean {
  return checker.typeToString(checker.getTypeAtLocation(node)) === "Bytes";
}

function complaintAbout(node: ts.Node, written: ts.Expression, context: Context): string | undefined {
  if (ts.findAncestor(node, ts.isFunctionLike) === undefined) return undefined;
  const root = rootOf(written);
  if (!isVariableOfModule(root, context)) return undefined;
  return `${root.getText()} is made while its module is set up, and lies in flash on a chip: make what changes in boot`;
}

function complaintAboutTarget(target: ts.Expression, context: Context): string | undefined {
  if (!isAccess(target) || isBuffer(target.expression, context)) return undefined;
  return complaintAbout(target, target, context);
}

const assignment: Check = (node, context) => {
  if (!ts.isBinaryExpression(node)) return undefined;
  const { kind } = node.operatorToken;
  if (kind < ts.SyntaxKind.FirstAssignment || kind > ts.SyntaxKind.LastAssignment) return undefined;
  return complaintAboutTarget(node.left, context);
};

const step: Check = (node, context) => {
  if (!ts.isPrefixUnaryExpression(node) && !ts.isPostfixUnaryExpression(node)) return undefined;
  if (node.operator !== ts.SyntaxKind.PlusPlusToken && node.operator !== ts.SyntaxKind.MinusMinusToken) return undefined;
  return complaintAboutTarget(node.operand, context);
};

const growth: Check = (node, context) => {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return undefined;
  const { expression, name } = node.expression;
  if (!["push", "pop", "splice", "sort"].includes(name.text)) return undefined;
  return complaintAbout(node, expression, context);
};

export const frozen: Rule = {
  name: "frozen",
  scope: "all",
  table: new Map<ts.SyntaxKind, Check>([
    [ts.SyntaxKind.BinaryExpression, assignment],
    [ts.SyntaxKind.PrefixUnaryExpression, step],
    [ts.SyntaxKind.PostfixUnaryExpression, step],
    [ts.SyntaxKind.CallExpression, growth],
  ]),
};
