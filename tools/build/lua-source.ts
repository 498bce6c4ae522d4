/** Lua itself: its sources, which `npm run setup` fetched, and the compiler made of them. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "../failure";

/** The folder with `lvm.c` and its like. */
export const luaSource = fileURLToPath(new URL("../../build/lua-5.5.1/src", import.meta.url));

/** What a board needs of Lua: the core, without lexer, parser, code generator, collector and libraries. `vm.c` includes lvm.c, `debug.c` ldebug.c, `state.c` lstate.c. */
export const boardFiles: readonly string[] = [
  "lapi", "lctype", "ldo", "lfunc", "lmem", "lobject", "lopcodes", "lstring", "ltable", "ltm", "lundump", "lzio",
].map((name) => join(luaSource, `${name}.c`));

/** The state, for whoever has nothing frozen. */
export const stateFile = join(luaSource, "lstate.c");

/** The collector, for whoever runs Lua as other programs do. */
export const collectorFile = join(luaSource, "lgc.c");

/** What the compiler on the computer needs: the whole core. */
export const compilerFiles: readonly string[] = [
  "lapi", "lauxlib", "lcode", "lctype", "ldebug", "ldo", "ldump", "lfunc", "lgc", "llex", "lmem", "lobject", "lopcodes",
  "lparser", "lstate", "lstring", "ltable", "ltm", "lundump", "lvm", "lzio",
].map((name) => join(luaSource, `${name}.c`));

export function requireLuaSource(): void {
  if (!existsSync(join(luaSource, "lvm.c"))) {
    throw new Failure("the sources of Lua 5.5.1 are not here: run npm run setup");
  }
}
