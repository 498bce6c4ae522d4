/**
 * From Lua to what a board runs: bytecode behind a header that names the build, and the same program frozen, as C for
 * the chip's own compiler.
 */
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { runtimeFolder } from "./board-file";
import { compilerFiles, luaSource, requireLuaSource } from "./lua-source";
import { compileObjects } from "./objects";
import { runTool } from "./run-tool";

/** "moth" in flash, as hal/lua/application.c looks for it. */
const MAGIC = 0x70706174;
const HEADER_SIZE = 16;

/** The compiler runs the modules of a program as a board would. */
const ownFiles = [
  "compiler/compile.c", "compiler/freeze.c", "compiler/graph.c", "compiler/settle.c", "compiler/pool.c", "bytes.c",
  "queue.c", "base.c", "utf8-check.c",
];

export interface Bytecode {
  /** Header and bytecode, for a runtime that loads it from a file. */
  readonly file: Buffer;
  /** C that hal/lua/frozen.h gives its meaning. */
  readonly frozen: string;
  /** The line of Lua behind each instruction of what is frozen: a board reports the number of the instruction. */
  readonly lines: readonly number[];
  /** 8 hexadecimal digits: what a crash report names. */
  readonly build: string;
}

function compilerProgram(cache: string): string {
  requireLuaSource();
  const flags = ["-O1", "-std=gnu11", "-DLUA_32BITS", "-I", luaSource, "-I", runtimeFolder];
  const objects = compileObjects({
    compiler: "gcc",
    flags,
    sources: [...ownFiles.map((name) => join(runtimeFolder, name)), ...compilerFiles],
  }, cache);
  const program = join(cache, "compile-lua");
  const draft = `${program}.${process.pid}`;
  mkdirSync(cache, { recursive: true });
  runTool("gcc", [...objects, "-lm", "-o", draft]);
  renameSync(draft, program);
  return program;
}

let ready: string | undefined;

/** Compiles a bundle. `cache` is where the compiler itself is kept once it is built. */
export function compileBytecode(lua: string, cache: string): Bytecode {
  if (ready === undefined || !existsSync(ready)) ready = compilerProgram(cache);
  const code = runTool(ready, ["--bytecode"], lua);
  const sum = crc32(code);
  const header = Buffer.alloc(HEADER_SIZE, 0xff);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(code.length, 4);
  header.writeUInt32LE(sum, 8);
  const frozen = runTool(ready, ["--frozen"], lua).toString("latin1");
  const lines = runTool(ready, ["--lines"], lua).toString("latin1").trimEnd().split("\n").map(Number);
  return { file: Buffer.concat([header, code]), frozen, lines, build: sum.toString(16).padStart(8, "0") };
}
