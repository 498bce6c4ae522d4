/** What compiles without a word and then behaves otherwise in Lua than in JavaScript. */
import ts from "typescript";
import { always } from "./rule";
import type { Check, Context, Rule } from "./rule";
import { isArray } from "./types";

const argumentsObject: Check = (node) => {
  if (!ts.isIdentifier(node) || node.text !== "arguments") return undefined;
  return "`arguments` does not exist in Lua: name each parameter";
};

function isMethodOfLiteral(node: ts.Node): boolean {
  return ts.isMethodDeclaration(node) && ts.isObjectLiteralExpression(node.parent);
}

const strayThis: Check = (node) => {
  const owner = ts.findAncestor(node, (outer) => ts.isFunctionLike(outer) && !ts.isArrowFunction(outer));
  if (owner !== undefined && isMethodOfLiteral(owner)) return undefined;
  return "`this` is set only in the methods of an object literal: pass the record as a parameter";
};

/** `(this: void, …) => …`: called without a hidden first argument everywhere. */
function takesNoSelf(signature: ts.Signature): boolean {
  const [first] = signature.getDeclaration().parameters;
  return first?.name.getText() === "this" && first.type?.kind === ts.SyntaxKind.VoidKeyword;
}

function takesSelf(node: ts.Node, { checker }: Context): boolean {
  const type = checker.getNonNullableType(checker.getTypeAtLocation(node));
  return type.getCallSignatures().some((signature) => !takesNoSelf(signature));
}

const functionField: Check = (node, context) => {
  if (!ts.isPropertySignature(node) || !takesSelf(node, context)) return undefined;
  const name = node.name.getText();
  return `${name} would be called with a hidden self by some and without by others: write it as the method ${name}(…)`;
};

function hasUndefined(node: ts.Expression, { checker }: Context): boolean {
  const type = checker.getTypeAtLocation(node);
  return (type.isUnion() ? type.types : [type]).some(({ flags }) => (flags & ts.TypeFlags.Undefined) !== 0);
}

const hole = "undefined in an array makes a hole, and its length is then anybody's guess: keep an empty record there";

const holeByAssignment: Check = (node, context) => {
  if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.EqualsToken) return undefined;
  if (!ts.isElementAccessExpression(node.left) || !isArray(node.left.expression, context)) return undefined;
  return hasUndefined(node.right, context) ? hole : undefined;
};

const holeInLiteral: Check = (node, context) => {
  if (!ts.isArrayLiteralExpression(node)) return undefined;
  return node.elements.some((element) => hasUndefined(element, context)) ? hole : undefined;
};

const assertion: Check = (node) => {
  if (ts.isAsExpression(node) && ts.isConstTypeReference(node.type)) return undefined;
  return "a type assertion only silences the compiler, a chip runs what is there: give the value its type";
};

export const traps: Rule = {
  name: "traps",
  scope: "all",
  table: new Map<ts.SyntaxKind, Check>([
    [ts.SyntaxKind.AnyKeyword, always("any hides what a value is from every check here: give it its type")],
    [ts.SyntaxKind.AsExpression, assertion],
    [ts.SyntaxKind.TypeAssertionExpression, assertion],
    [ts.SyntaxKind.NonNullExpression, assertion],
    [ts.SyntaxKind.NullKeyword, always("null and undefined are one value in Lua: write undefined")],
    [ts.SyntaxKind.BinaryExpression, holeByAssignment],
    [ts.SyntaxKind.ArrayLiteralExpression, holeInLiteral],
    [ts.SyntaxKind.Identifier, argumentsObject],
    [ts.SyntaxKind.ThisKeyword, strayThis],
    [ts.SyntaxKind.PropertySignature, functionField],
  ]),
};
