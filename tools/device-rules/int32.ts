/** Numbers on a chip are 32-bit integers. What makes a float, or reads as one, is refused. */
import ts from "typescript";
import { always } from "./rule";
import type { Check, Context, Rule } from "./rule";

const largest = 2_147_483_647;

const operators = new Map<ts.SyntaxKind, string>([
  [ts.SyntaxKind.SlashToken, '`/` makes a float: use div from "#native"'],
  [ts.SyntaxKind.SlashEqualsToken, '`/=` makes a float: use div from "#native"'],
  [ts.SyntaxKind.PercentToken, '`%` of a negative number differs in Lua: use mod from "#native"'],
  [ts.SyntaxKind.PercentEqualsToken, '`%=` of a negative number differs in Lua: use mod from "#native"'],
  [ts.SyntaxKind.GreaterThanGreaterThanToken, '`>>` has no translation: use div from "#native"'],
  [ts.SyntaxKind.GreaterThanGreaterThanEqualsToken, '`>>=` has no translation: use div from "#native"'],
  [ts.SyntaxKind.GreaterThanGreaterThanGreaterThanToken, '`>>>` breaks on 32 bits: mask with & and use div'],
  [ts.SyntaxKind.GreaterThanGreaterThanGreaterThanEqualsToken, '`>>>=` breaks on 32 bits: mask with & and use div'],
]);

const shifts = [ts.SyntaxKind.LessThanLessThanToken, ts.SyntaxKind.LessThanLessThanEqualsToken];

function isShiftWithin31(node: ts.BinaryExpression): boolean {
  return ts.isNumericLiteral(node.right) && Number(node.right.text) <= 31;
}

const operator: Check = (node) => {
  if (!ts.isBinaryExpression(node)) return undefined;
  if (shifts.includes(node.operatorToken.kind) && !isShiftWithin31(node)) {
    return "`<<` by more than 31 differs in Lua: shift by a literal from 0 to 31, or multiply";
  }
  return operators.get(node.operatorToken.kind);
};

/** Lua reads the digits before it applies the minus, so −2147483648 would become a float too. */
function complaintAbout(value: number): string | undefined {
  if (Number.isInteger(value) && Math.abs(value) <= largest) return undefined;
  if (!Number.isInteger(value)) return `${value} is not an integer: count in smaller steps`;
  if (Math.abs(value) === largest + 1) return `${value} reads as a float on 32 bits: write -2147483647 - 1`;
  return `${value} does not fit in 32 bits: -2147483647 to 2147483647`;
}

const literal: Check = (node) => {
  if (!ts.isNumericLiteral(node)) return undefined;
  const value = Number(node.text);
  return Number.isInteger(value) ? complaintAbout(value) : undefined;
};

const enumMember: Check = (node, { checker }: Context) => {
  const value = ts.isEnumMember(node) ? checker.getConstantValue(node) : undefined;
  return typeof value === "number" ? complaintAbout(value) : undefined;
};

const fraction: Check = (node) => {
  if (!ts.isNumericLiteral(node) || Number.isInteger(Number(node.text))) return undefined;
  return `${node.text} is not an integer: count in smaller steps (215 tenths for 21.5)`;
};

export const int32: Rule = {
  name: "int32",
  scope: "all",
  table: new Map<ts.SyntaxKind, Check>([
    [ts.SyntaxKind.BinaryExpression, operator],
    [ts.SyntaxKind.NumericLiteral, literal],
    [ts.SyntaxKind.EnumMember, enumMember],
    [ts.SyntaxKind.BigIntLiteral, always("numbers have 32 bits: there is no BigInt on a chip")],
  ]),
};

export const loopFraction: Rule = {
  name: "int32",
  scope: "loop",
  table: new Map<ts.SyntaxKind, Check>([[ts.SyntaxKind.NumericLiteral, fraction]]),
};
