/** What is still wrong with the Lua itself, after TypeScript, the device rules and TypeScriptToLua were content. */
import type { ProcessedFile } from "typescript-to-lua";
import { readLuaNames } from "./lua-names";
import type { FunctionSize, GlobalUse } from "./lua-names";
import type { Problem } from "./problem";

/** What a chip's Lua has: the base library, the runtime's table `moth`, and the bundle's own `require`. */
const known = new Set(["moth", "require", "error", "select", "ipairs", "pairs", "tostring", "nil"]);

/** Lua allows 200. The rest is for temporaries that the printer adds. */
const mostLocals = 190;

function unknownGlobal({ name }: GlobalUse): string | undefined {
  if (known.has(name)) return undefined;
  if (name.startsWith("__TS__")) return `this needs the support library (${name}): write it with plain records and loops`;
  return `this becomes ${name}, which does not exist on a chip: use the firmware's own modules, hal/hal and #native`;
}

function tooManyLocals({ locals }: FunctionSize): string | undefined {
  if (locals <= mostLocals) return undefined;
  return `this function keeps ${locals} locals, Lua allows ${mostLocals}: split it`;
}

function complaints<T extends { line: number; column: number }>(
  file: string,
  found: readonly T[],
  complaint: (each: T) => string | undefined,
): Problem[] {
  return found.flatMap((each) => {
    const message = complaint(each);
    return message === undefined ? [] : [{ file, line: each.line, column: each.column, message }];
  });
}

export function checkLua({ fileName, luaAst }: ProcessedFile): Problem[] {
  if (luaAst === undefined) return [{ file: fileName, line: 1, column: 1, message: "this is not TypeScript" }];
  const { globals, functions } = readLuaNames(luaAst);
  return [...complaints(fileName, globals, unknownGlobal), ...complaints(fileName, functions, tooManyLocals)];
}
