/**
 * A `switch` as a chain of comparisons. TypeScriptToLua carries a variable from clause to clause that says whether one of
 * them was entered, for those that fall through. A clause that ends with `break`, `return` or `continue` does not: where
 * all do, the variable goes, and with it six of the eight instructions of each clause.
 */
import * as tstl from "typescript-to-lua";
import ts from "typescript";

/** What stands between two clauses, in pairs: `cond = cond or TEST`, then `if cond then … end`. */
interface Clause {
  readonly test: tstl.Expression;
  readonly body: tstl.Block;
  readonly node: tstl.IfStatement;
}

export const plainSwitch: tstl.Plugin = {
  visitors: {
    [ts.SyntaxKind.SwitchStatement](node, context) {
      const statements = context.superTransformStatements(node);
      for (const statement of statements) {
        if (tstl.isRepeatStatement(statement)) simplify(statement.body);
      }
      return statements;
    },
  },
};

function simplify(block: tstl.Block): void {
  const { statements } = block;
  const first = statements.findIndex((statement) => conditionIn(statement) !== undefined);
  const name = conditionIn(statements[first]);
  if (name === undefined) return;
  const clauses: Clause[] = [];
  let at = first;
  for (let clause = clauseAt(statements, at, name); clause !== undefined; clause = clauseAt(statements, at, name)) {
    if (!leaves(clause.body.statements)) return;
    clauses.push(clause);
    at += 2;
  }
  // What a default clause in the middle leaves behind reads the variable once more.
  if (statements.slice(at).some((statement) => !tstl.isDoStatement(statement))) return;
  const plain = clauses.map(({ test, body, node }) => {
    return tstl.setNodePosition(tstl.createIfStatement(test, body), node);
  });
  statements.splice(first, at - first, ...plain);
}

/** The name of the variable, where it is declared. */
function conditionIn(statement: tstl.Statement | undefined): string | undefined {
  if (statement === undefined || !tstl.isVariableDeclarationStatement(statement)) return undefined;
  const name = statement.left[0]?.text;
  return name?.startsWith("____cond") === true ? name : undefined;
}

function clauseAt(statements: readonly tstl.Statement[], at: number, name: string): Clause | undefined {
  const test = testIn(statements[at], name);
  const node = statements[at + 1];
  if (test === undefined || node === undefined || !tstl.isIfStatement(node) || !isNamed(node.condition, name)) return undefined;
  return node.elseBlock === undefined ? { test, body: node.ifBlock, node } : undefined;
}

/** What a clause is entered for: `TEST` of `local cond = TEST`, and of `cond = cond or TEST`. */
function testIn(statement: tstl.Statement | undefined, name: string): tstl.Expression | undefined {
  if (statement === undefined) return undefined;
  if (conditionIn(statement) === name && tstl.isVariableDeclarationStatement(statement)) return statement.right?.[0];
  if (!tstl.isAssignmentStatement(statement) || !isNamed(statement.left[0], name)) return undefined;
  const [value] = statement.right;
  if (value === undefined || !tstl.isBinaryExpression(value) || value.operator !== tstl.SyntaxKind.OrOperator) return undefined;
  return isNamed(value.left, name) ? value.right : undefined;
}

function isNamed(expression: tstl.Expression | undefined, name: string): boolean {
  return expression !== undefined && tstl.isIdentifier(expression) && expression.text === name;
}

/** Whether nobody comes out at the end of it. */
function leaves(statements: readonly tstl.Statement[]): boolean {
  const last = statements.at(-1);
  if (last === undefined) return false;
  if (tstl.isDoStatement(last)) return leaves(last.statements);
  if (tstl.isIfStatement(last)) return leaves(last.ifBlock.statements) && leavesElse(last.elseBlock);
  return tstl.isReturnStatement(last) || tstl.isBreakStatement(last) || tstl.isGotoStatement(last);
}

function leavesElse(block: tstl.IfStatement["elseBlock"]): boolean {
  if (block === undefined) return false;
  return tstl.isIfStatement(block) ? leaves([block]) : leaves(block.statements);
}
