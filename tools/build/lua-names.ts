/**
 * Reads the Lua that was made of one module, as a tree, and answers two questions that the TypeScript does not: which
 * globals it needs, and how many locals each function keeps (Lua stops at 200).
 */
import * as lua from "typescript-to-lua";

/** Where in the TypeScript a piece of Lua came from, counted from 1. */
interface Origin {
  readonly line: number;
  readonly column: number;
}

export interface GlobalUse extends Origin {
  readonly name: string;
}

export interface FunctionSize extends Origin {
  /** The most locals that are alive at one point, parameters among them. */
  readonly locals: number;
}

export interface LuaNames {
  readonly globals: readonly GlobalUse[];
  readonly functions: readonly FunctionSize[];
}

/** The names that a block sees: its own, and those of the blocks around it. */
interface Scope {
  readonly names: Set<string>;
  readonly outer: Scope | undefined;
}

/** The locals of a function: alive now, and at most. */
interface Frame {
  alive: number;
  most: number;
}

function sees(scope: Scope, name: string): boolean {
  return scope.names.has(name) || (scope.outer !== undefined && sees(scope.outer, name));
}

function declare(names: readonly lua.Identifier[], scope: Scope, frame: Frame): void {
  for (const { text } of names) scope.names.add(text);
  frame.alive += names.length;
  frame.most = Math.max(frame.most, frame.alive);
}

function originOf(node: lua.Node, around: Origin): Origin {
  const { line, column } = lua.getOriginalPos(node);
  return line === undefined || column === undefined ? around : { line: line + 1, column: column + 1 };
}

export function readLuaNames(file: lua.File): LuaNames {
  const globals: GlobalUse[] = [];
  const functions: FunctionSize[] = [];

  function body(
    statements: readonly lua.Statement[],
    params: readonly lua.Identifier[],
    outer: Scope | undefined,
    origin: Origin,
  ): void {
    const frame: Frame = { alive: 0, most: 0 };
    block(statements, params, outer, frame, origin);
    functions.push({ ...origin, locals: frame.most });
  }

  function block(
    statements: readonly lua.Statement[],
    names: readonly lua.Identifier[],
    outer: Scope | undefined,
    frame: Frame,
    origin: Origin,
    last?: lua.Expression,
  ): void {
    const scope: Scope = { names: new Set(), outer };
    const before = frame.alive;
    declare(names, scope, frame);
    for (const node of statements) statement(node, scope, frame, originOf(node, origin));
    if (last !== undefined) expression(last, scope, origin);
    frame.alive = before;
  }

  function statement(node: lua.Statement, scope: Scope, frame: Frame, origin: Origin): void {
    const inner = (statements: readonly lua.Statement[], names: readonly lua.Identifier[] = []): void => {
      block(statements, names, scope, frame, origin);
    };
    const read = (nodes: readonly (lua.Expression | undefined)[]): void => {
      for (const each of nodes) if (each !== undefined) expression(each, scope, origin);
    };

    if (lua.isVariableDeclarationStatement(node)) {
      // `local function f` sees itself, `local x = x` does not.
      const isFunction = lua.isFunctionDefinition(node);
      if (!isFunction) read(node.right ?? []);
      declare(node.left, scope, frame);
      if (isFunction) read(node.right);
    } else if (lua.isAssignmentStatement(node)) {
      read([...node.right, ...node.left]);
    } else if (lua.isDoStatement(node)) {
      inner(node.statements);
    } else if (lua.isIfStatement(node)) {
      read([node.condition]);
      inner(node.ifBlock.statements);
      if (node.elseBlock !== undefined) inner(lua.isBlock(node.elseBlock) ? node.elseBlock.statements : [node.elseBlock]);
    } else if (lua.isWhileStatement(node)) {
      read([node.condition]);
      inner(node.body.statements);
    } else if (lua.isRepeatStatement(node)) {
      // The condition of `repeat` sees the locals of its body.
      block(node.body.statements, [], scope, frame, origin, node.condition);
    } else if (lua.isForStatement(node)) {
      read([node.controlVariableInitializer, node.limitExpression, node.stepExpression]);
      inner(node.body.statements, [node.controlVariable]);
    } else if (lua.isForInStatement(node)) {
      read(node.expressions);
      inner(node.body.statements, node.names);
    } else if (lua.isReturnStatement(node)) {
      read(node.expressions);
    } else if (lua.isExpressionStatement(node)) {
      read([node.expression]);
    }
  }

  function expression(node: lua.Expression, scope: Scope, around: Origin): void {
    const origin = originOf(node, around);
    const read = (nodes: readonly (lua.Expression | undefined)[]): void => {
      for (const each of nodes) if (each !== undefined) expression(each, scope, origin);
    };

    if (lua.isIdentifier(node)) {
      if (!sees(scope, node.text)) globals.push({ ...origin, name: node.text });
    } else if (lua.isFunctionExpression(node)) {
      body(node.body.statements, node.params ?? [], scope, origin);
    } else if (lua.isTableExpression(node)) {
      read(node.fields.flatMap(({ key, value }) => [key, value]));
    } else if (lua.isUnaryExpression(node)) {
      read([node.operand]);
    } else if (lua.isBinaryExpression(node)) {
      read([node.left, node.right]);
    } else if (lua.isCallExpression(node)) {
      read([node.expression, ...node.params]);
    } else if (lua.isMethodCallExpression(node)) {
      read([node.prefixExpression, ...node.params]);
    } else if (lua.isTableIndexExpression(node)) {
      read([node.table, node.index]);
    } else if (lua.isParenthesizedExpression(node)) {
      read([node.expression]);
    } else if (lua.isConditionalExpression(node)) {
      read([node.condition, node.whenTrue, node.whenFalse]);
    }
  }

  body(file.statements, [], undefined, { line: 1, column: 1 });
  return { globals, functions };
}
