/** Device code imports its own modules, hal/hal and #native: nothing of Node and no package goes onto a chip. */
import ts from "typescript";
import type { Check, Rule } from "./rule";

function complaintAbout(specifier: ts.Node | undefined): string | undefined {
  if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return undefined;
  if (specifier.text === "#native" || specifier.text.startsWith(".")) return undefined;
  return `"${specifier.text}" is not on a chip: import firmware modules, hal/hal or #native`;
}

const declaration: Check = (node) => {
  if (!ts.isImportDeclaration(node) && !ts.isExportDeclaration(node)) return undefined;
  return complaintAbout(node.moduleSpecifier);
};

const dynamic: Check = (node) => {
  if (!ts.isCallExpression(node) || node.expression.kind !== ts.SyntaxKind.ImportKeyword) return undefined;
  return "import() loads while the program runs: a chip's program is whole, import it at the top";
};

const ofType: Check = (node) => {
  return ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
    ? complaintAbout(node.argument.literal)
    : undefined;
};

export const imports: Rule = {
  name: "imports",
  scope: "all",
  table: new Map<ts.SyntaxKind, Check>([
    [ts.SyntaxKind.ImportDeclaration, declaration],
    [ts.SyntaxKind.ExportDeclaration, declaration],
    [ts.SyntaxKind.CallExpression, dynamic],
    [ts.SyntaxKind.ImportType, ofType],
  ]),
};
