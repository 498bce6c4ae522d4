/** 0 and "" are true in Lua: a condition has to be a boolean. */
import ts from "typescript";
import type { Check, Context, Rule } from "./rule";
import { isBoolean, nameOfType } from "./types";

function complaintAbout(condition: ts.Expression | undefined, context: Context): string | undefined {
  if (condition === undefined || isBoolean(condition, context)) return undefined;
  const type = nameOfType(condition, context);
  return `${condition.getText()} is ${type}, not boolean (0 and "" are true in Lua): compare it, as in x !== 0`;
}

/** The expression that a statement decides by. */
function conditionOf(node: ts.Node): ts.Expression | undefined {
  if (ts.isIfStatement(node) || ts.isWhileStatement(node) || ts.isDoStatement(node)) return node.expression;
  if (ts.isForStatement(node) || ts.isConditionalExpression(node)) return node.condition;
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) return node.operand;
  return undefined;
}

const condition: Check = (node, context) => complaintAbout(conditionOf(node), context);

const logical = new Set([
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.AmpersandAmpersandEqualsToken,
  ts.SyntaxKind.BarBarEqualsToken,
]);

const operands: Check = (node, context) => {
  if (!ts.isBinaryExpression(node) || !logical.has(node.operatorToken.kind)) return undefined;
  return complaintAbout(node.left, context) ?? complaintAbout(node.right, context);
};

export const truthiness: Rule = {
  name: "truthiness",
  scope: "code",
  table: new Map<ts.SyntaxKind, Check>([
    [ts.SyntaxKind.IfStatement, condition],
    [ts.SyntaxKind.WhileStatement, condition],
    [ts.SyntaxKind.DoStatement, condition],
    [ts.SyntaxKind.ForStatement, condition],
    [ts.SyntaxKind.ConditionalExpression, condition],
    [ts.SyntaxKind.PrefixUnaryExpression, condition],
    [ts.SyntaxKind.BinaryExpression, operands],
  ]),
};
