/**
 * A real Lua in a test: wasmoon's Lua 5.4 with 64-bit numbers, standing in for the device runtime where a test counts
 * allocations. A bundle of `moth build` runs in it as it is.
 */
import { readFileSync } from "node:fs";
import { LuaFactory } from "wasmoon";

/** What a test hands to Lua. Numbers and booleans cross without allocating in Lua; anything else would not. */
export type Exposed = (...values: number[]) => number | boolean | undefined;

export interface LuaVm {
  /** Runs Lua and gives what it returns. */
  run(script: string): unknown;
  /** Puts functions into a global table, for Lua to call. */
  expose(table: string, functions: Readonly<Record<string, Exposed>>): void;
  /** Runs a bundle; what its entry module exports is then the global `name`. Errors in it begin with `name.lua:`. */
  load(name: string, bundle: string): void;
  /**
   * How many bytes Lua allocates in `rounds` calls of the global function `turn`, each with the number of its round.
   * The collector stands still meanwhile, so nothing that was freed can hide what was made. The rounds of the warm-up
   * are not counted: Lua keeps a record for each depth of call, made when that depth is first reached.
   */
  bytesAllocatedBy(turn: string, rounds: number, warmUp?: number): number;
  close(): void;
}

const natives = readFileSync(new URL("natives.lua", import.meta.url), "utf8");

const measure = `
local turn, warmUp, rounds = ...
collectgarbage("collect")
collectgarbage("stop")
for round = 1, warmUp do turn(round) end
local before = collectgarbage("count")
for round = warmUp + 1, warmUp + rounds do turn(round) end
local after = collectgarbage("count")
collectgarbage("restart")
return (after - before) * 1024
`;

export async function createLuaVm(): Promise<LuaVm> {
  const engine = await new LuaFactory().createEngine();

  function run(script: string): unknown {
    const result: unknown = engine.doStringSync(script);
    return result;
  }

  run(natives);
  engine.global.set("__measure", measure);
  run('__measure = load(__measure, "=measure")');

  return {
    run,
    expose(table, functions) {
      run(`${table} = ${table} or {}`);
      for (const [name, body] of Object.entries(functions)) {
        engine.global.set("__exposed", body);
        run(`${table}.${name} = __exposed; __exposed = nil`);
      }
    },
    load(name, bundle) {
      engine.global.set("__bundle", bundle);
      run(`_G["${name}"] = assert(load(__bundle, "@${name}.lua"))(); __bundle = nil`);
    },
    bytesAllocatedBy(turn, rounds, warmUp = 100) {
      const bytes = run(`return __measure(${turn}, ${warmUp}, ${rounds})`);
      if (typeof bytes !== "number") throw new Error(`Lua gave ${String(bytes)} for a number of bytes`);
      return bytes;
    },
    close() {
      engine.global.close();
    },
  };
}
