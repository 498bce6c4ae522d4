/**
 * Block operations that are operators of Lua's need no call on a chip: `byteAt(bytes, at)` becomes `bytes[at]`, `div`
 * becomes `//` and `mod` becomes `%`. A call costs some 200 instructions, each of these some 40.
 */
import * as tstl from "typescript-to-lua";
import ts from "typescript";
import { isRuntime } from "./program";

type Operation = (left: tstl.Expression, right: tstl.Expression, node: ts.Node) => tstl.Expression;

const operations = new Map<string, Operation>([
  ["byteAt", (bytes, at, node) => tstl.createTableIndexExpression(bytes, at, node)],
  ["div", (a, b, node) => tstl.createBinaryExpression(a, b, tstl.SyntaxKind.FloorDivisionOperator, node)],
  ["mod", (a, b, node) => tstl.createBinaryExpression(a, b, tstl.SyntaxKind.ModuloOperator, node)],
]);

/** The operation behind a name that was imported from `#native`, if it is one of these. */
function operationOf(name: ts.Identifier, checker: ts.TypeChecker): Operation | undefined {
  const operation = operations.get(name.text);
  const symbol = operation && checker.getSymbolAtLocation(name);
  if (symbol === undefined || (symbol.flags & ts.SymbolFlags.Alias) === 0) return undefined;
  const file = checker.getAliasedSymbol(symbol).declarations?.[0]?.getSourceFile();
  return file !== undefined && isRuntime(file) ? operation : undefined;
}

export const inlineNatives: tstl.Plugin = {
  visitors: {
    [ts.SyntaxKind.CallExpression](node, context) {
      const [left, right] = node.arguments;
      const operation = ts.isIdentifier(node.expression) ? operationOf(node.expression, context.checker) : undefined;
      if (operation === undefined || left === undefined || right === undefined) {
        return context.superTransformExpression(node);
      }
      return operation(context.transformExpression(left), context.transformExpression(right), node);
    },
  },
};
