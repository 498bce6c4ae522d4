/**
 * After boot nothing may allocate: what makes a table, a closure or a string is refused in loop code. What is refused
 * at boot too (classes, spread, regular expressions) stands in `support-library.ts`.
 */
import ts from "typescript";
import { callsBoot } from "./boot";
import { always, firstOf } from "./rule";
import type { Check, Rule } from "./rule";
import { isArray, isFunctionWithBody, isString } from "./types";

const closure = always("a function made in the loop allocates: declare it at the top level of the module");
const exception = always("exceptions allocate: return a status instead");

const restParameter: Check = (node) => {
  if (!ts.isParameter(node) || node.dotDotDotToken === undefined || !isFunctionWithBody(node.parent)) return undefined;
  return "a rest parameter makes a table at every call: name each parameter";
};

const joiningText: Check = (node, context) => {
  if (!ts.isBinaryExpression(node)) return undefined;
  const { kind } = node.operatorToken;
  if (kind !== ts.SyntaxKind.PlusToken && kind !== ts.SyntaxKind.PlusEqualsToken) return undefined;
  if (!isString(node.left, context) && !isString(node.right, context)) return undefined;
  return "joining strings makes a new one: write the parts into a buffer with putText and putDecimal";
};

const libraryMethod: Check = (node, context) => {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return undefined;
  const { expression: object, name } = node.expression;
  if (isArray(object, context)) return `.${name.text}() may grow the array: give it its length at boot, and index it`;
  if (isString(object, context)) return `.${name.text}() on a string allocates: work on Bytes with #native`;
  return undefined;
};

const bootCall: Check = (node, context) => {
  if (!ts.isCallExpression(node) || !callsBoot(node, context)) return undefined;
  return `${node.expression.getText()} is marked @boot: call it at the top level or in a function marked @boot`;
};

const constructing = always("`new` allocates: make it at boot and reuse it");

export const loopAllocation: Rule = {
  name: "loop-allocation",
  scope: "loop",
  table: new Map<ts.SyntaxKind, Check>([
    [ts.SyntaxKind.ObjectLiteralExpression, always("an object literal allocates: make it at boot and reuse it")],
    [ts.SyntaxKind.ArrayLiteralExpression, always("an array literal allocates: make it at boot and reuse it")],
    [ts.SyntaxKind.NewExpression, constructing],
    [ts.SyntaxKind.FunctionExpression, closure],
    [ts.SyntaxKind.ArrowFunction, closure],
    [ts.SyntaxKind.FunctionDeclaration, closure],
    [
      ts.SyntaxKind.TemplateExpression,
      always("a template string makes a new one: write the parts into a buffer with putText and putDecimal"),
    ],
    [ts.SyntaxKind.Parameter, restParameter],
    [ts.SyntaxKind.ArrayBindingPattern, always("destructuring an array may allocate: read its items by index")],
    [ts.SyntaxKind.ForOfStatement, always("for…of stops at a hole and makes an iterator: count with an index")],
    [ts.SyntaxKind.ForInStatement, always("for…in gives the keys in any order: make an array of them at boot")],
    [ts.SyntaxKind.TryStatement, exception],
    [ts.SyntaxKind.ThrowStatement, exception],
    [ts.SyntaxKind.BinaryExpression, joiningText],
    [ts.SyntaxKind.CallExpression, firstOf(bootCall, libraryMethod)],
  ]),
};
