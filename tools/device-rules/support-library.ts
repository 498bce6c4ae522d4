/**
 * A chip carries Lua and nothing of JavaScript's library. What TypeScriptToLua can only translate with support code, or
 * would leave as a call of something that is not there, is refused.
 */
import ts from "typescript";
import { always, firstOf } from "./rule";
import type { Check, Context, Rule } from "./rule";
import { isAmbient, isArray, isFunctionWithBody, isString, symbolOf } from "./types";

const classes = always("a class needs support code: use an interface, and functions that take it first");
const accessor = always("an accessor makes every field of its object slow: write a function");
const spread = always("spread needs support code: name the fields or the items");
const waiting = "nothing waits on a chip: keep the state in a record and go on in the next poll";

const operators = new Map<ts.SyntaxKind, string>([
  [ts.SyntaxKind.InKeyword, "`in` needs support code: declare the field, and compare it with undefined"],
  [ts.SyntaxKind.InstanceOfKeyword, "`instanceof` needs support code: give the record a kind field"],
  [ts.SyntaxKind.AsteriskAsteriskToken, "`**` makes a float: multiply, or shift to the left"],
  [ts.SyntaxKind.AsteriskAsteriskEqualsToken, "`**=` makes a float: multiply, or shift to the left"],
  [ts.SyntaxKind.CommaToken, "the comma operator becomes a function call: write two statements"],
]);

const operator: Check = (node) => {
  return ts.isBinaryExpression(node) ? operators.get(node.operatorToken.kind) : undefined;
};

const resizing: Check = (node, context) => {
  if (!ts.isBinaryExpression(node) || !ts.isPropertyAccessExpression(node.left)) return undefined;
  if (node.operatorToken.kind !== ts.SyntaxKind.EqualsToken || node.left.name.text !== "length") return undefined;
  if (!isArray(node.left.expression, context)) return undefined;
  return "setting an array's length needs support code: keep a count beside the array";
};

const advice = new Map([
  ["Math", "use div and comparisons"],
  ["Map", "use an array of records"],
  ["Set", "use an array of records"],
  ["String", "write numbers with putDecimal"],
  ["Number", "read numbers with decimalAt"],
  ["parseInt", "read numbers with decimalAt"],
  ["JSON", "write JSON with the text writer in firmware/core"],
  ["Date", "take the time from the HAL's clock"],
  ["console", "count it, or publish it"],
  ["setTimeout", "keep a deadline and look at it in poll"],
  ["Error", "return a status"],
  ["Uint8Array", "take a buffer from allocate"],
]);

/** A name where a value is read: not a field's name, not a declaration, not the left of `name:`. */
function isValue(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isShorthandPropertyAssignment(parent)) return true;
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent) || ts.isBindingElement(parent)) return false;
  return !("name" in parent && parent.name === node);
}

const globalName: Check = (node, context) => {
  if (!ts.isIdentifier(node) || !isValue(node)) return undefined;
  const symbol = symbolOf(node, context);
  const isGlobal = node.text === "globalThis" || (symbol !== undefined && isAmbient(symbol));
  if (!isGlobal) return undefined;
  const instead = advice.get(node.text) ?? "use the firmware's own modules, hal/hal and #native";
  return `${node.text} does not exist on a chip: ${instead}`;
};

/** The members of JavaScript's own types that become plain Lua. */
function isTranslated(node: ts.PropertyAccessExpression, context: Context): boolean {
  return isArray(node.expression, context) && (node.name.text === "length" || node.name.text === "push");
}

const libraryMember: Check = (node, context) => {
  if (!ts.isPropertyAccessExpression(node)) return undefined;
  const symbol = symbolOf(node, context);
  if (symbol === undefined || !isAmbient(symbol) || isTranslated(node, context)) return undefined;
  const owner = symbolOf(node.expression, context);
  const isReported = owner !== undefined && isAmbient(owner) && ts.isIdentifier(node.expression);
  if (isReported) return undefined;
  if (node.name.text === "length") return "a string's length is in bytes on a chip and not in Node: use textLength";
  return `.${node.name.text} is of JavaScript's library: only .length and .push of an array exist on a chip`;
};

const characterOfString: Check = (node, context) => {
  if (!ts.isElementAccessExpression(node) || !isString(node.expression, context)) return undefined;
  return "a string has no characters to index on a chip: work on Bytes with #native";
};

const runtimeEnum: Check = (node) => {
  if (!ts.isEnumDeclaration(node)) return undefined;
  const isConst = node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ConstKeyword) ?? false;
  return isConst ? undefined : "an enum takes a table with two entries a member: write `const enum`";
};

const loopOverAnything: Check = (node, context) => {
  if (!ts.isForOfStatement(node) || isArray(node.expression, context)) return undefined;
  return "for…of over anything but an array needs support code: count with an index";
};

const restOfObject: Check = (node) => {
  if (!ts.isBindingElement(node) || node.dotDotDotToken === undefined) return undefined;
  return "a rest pattern needs support code: name the fields";
};

const suspended: Check = (node) => {
  if (!isFunctionWithBody(node)) return undefined;
  const isAsync = ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(isAsyncKeyword) === true;
  const isGenerator = "asteriskToken" in node && node.asteriskToken !== undefined;
  if (!isAsync && !isGenerator) return undefined;
  return waiting;
};

function isAsyncKeyword(modifier: ts.Modifier): boolean {
  return modifier.kind === ts.SyntaxKind.AsyncKeyword;
}

export const supportLibrary: Rule = {
  name: "no-support-library",
  scope: "code",
  table: new Map<ts.SyntaxKind, Check>([
    [ts.SyntaxKind.ClassDeclaration, classes],
    [ts.SyntaxKind.ClassExpression, classes],
    [ts.SyntaxKind.GetAccessor, accessor],
    [ts.SyntaxKind.SetAccessor, accessor],
    [ts.SyntaxKind.DeleteExpression, always("`delete` needs support code: set the field to undefined")],
    [ts.SyntaxKind.TypeOfExpression, always("`typeof` makes a string: give the record a kind field")],
    [ts.SyntaxKind.VoidExpression, always("`void` needs support code: write the call as a statement")],
    [ts.SyntaxKind.LabeledStatement, always("labels have no translation: move the inner loop into a function")],
    [ts.SyntaxKind.ModuleDeclaration, always("a namespace is a table: make it a module of its own")],
    [ts.SyntaxKind.EnumDeclaration, runtimeEnum],
    [ts.SyntaxKind.SpreadElement, spread],
    [ts.SyntaxKind.SpreadAssignment, spread],
    [ts.SyntaxKind.BindingElement, restOfObject],
    [ts.SyntaxKind.ForOfStatement, loopOverAnything],
    [ts.SyntaxKind.AwaitExpression, always(waiting)],
    [ts.SyntaxKind.FunctionDeclaration, suspended],
    [ts.SyntaxKind.FunctionExpression, suspended],
    [ts.SyntaxKind.ArrowFunction, suspended],
    [ts.SyntaxKind.MethodDeclaration, suspended],
    [ts.SyntaxKind.RegularExpressionLiteral, always("regular expressions do not exist on a chip: compare bytes")],
    [ts.SyntaxKind.TaggedTemplateExpression, always("a tagged template needs support code: call a function")],
    [ts.SyntaxKind.BinaryExpression, firstOf(operator, resizing)],
    [ts.SyntaxKind.Identifier, globalName],
    [ts.SyntaxKind.PropertyAccessExpression, libraryMember],
    [ts.SyntaxKind.ElementAccessExpression, characterOfString],
  ]),
};
