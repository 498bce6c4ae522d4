/** Compiles the device runtime as addons of Node, with the address and the undefined-behaviour sanitizer. */
import { readdirSync, renameSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { type BoardFile, boardNamed, runtimeFolder } from "../../../tools/build/board-file";
import type { Bytecode } from "../../../tools/build/bytecode";
import { linkImage } from "../../../tools/build/image";
import { boardFiles, collectorFile, luaSource, requireLuaSource, stateFile } from "../../../tools/build/lua-source";
import { compileObjects } from "../../../tools/build/objects";
import { runTool } from "../../../tools/build/run-tool";
import { cache } from "./bundle";

const nodeHeaders = join(dirname(createRequire(import.meta.url).resolve("node-api-headers")), "include");
const sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
// What nothing calls is left out, as in an image: the runtime has no parser for the rest of Lua to call.
const forNode = ["-fPIC", "-fno-omit-frame-pointer", "-fvisibility=hidden", ...sanitizers, "-isystem", nodeHeaders];

/** The files of hal/lua that boot, seal, watch and feed a board: modules of the firmware do without. */
const ofBoards = new Set(
  ["application", "arena", "crash", "errno", "no-collector", "place", "runtime", "stack", "state", "storage", "watch"].map((name) => `${name}.c`),
);

function filesIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith(".c")).map((name) => join(folder, name));
}

/** Links an addon of our files and of Lua's, which come as they are, warnings too. */
function linkAddon(name: string, ours: readonly string[], luas: readonly string[]): string {
  requireLuaSource();
  const flags = [
    "-D_GNU_SOURCE", "-DBOARD_LOADS_BYTECODE", "-std=gnu11", "-O2", "-g", "-ffunction-sections", "-fdata-sections", ...forNode,
    "-include", join(runtimeFolder, "lua-config.h"), "-I", runtimeFolder, "-I", luaSource,
  ];
  const objects = [
    ...compileObjects({ compiler: "gcc", flags: [...flags, "-Wall", "-Wextra", "-Werror"], sources: ours }, cache),
    ...compileObjects({ compiler: "gcc", flags: [...flags, "-w"], sources: luas }, cache),
  ];
  const addon = join(cache, `${name}.node`);
  const draft = `${addon}.${process.pid}`;
  runTool("gcc", ["-shared", "-Wl,--gc-sections", ...sanitizers, ...objects, "-lm", "-o", draft]);
  renameSync(draft, addon);
  return addon;
}

/** The addon that runs modules of the firmware for device.ts. Gives its path. */
export function modulesAddon(): string {
  const machine = filesIn(runtimeFolder).filter((file) => !ofBoards.has(basename(file)));
  return linkAddon("modules", [...machine, ...filesIn(join(import.meta.dirname, "modules"))], [...boardFiles, stateFile, collectorFile]);
}

/** The addon that is the storage of a chip, over a flash of the test's. Gives its path. */
export function storageAddon(): string {
  const ours = ["storage.c", "checksum.c"].map((name) => join(runtimeFolder, name));
  return linkAddon("storage", [...ours, ...filesIn(join(import.meta.dirname, "storage"))], []);
}

/** The addon that is a whole board with `bytecode` frozen into it, for board.ts. Gives its path. */
export function boardAddon(bytecode: Bytecode, name: string): string {
  const board: BoardFile = {
    ...boardNamed("host"),
    folder: join(import.meta.dirname, "board"),
    sources: ["port.c"],
    // Pointers are twice as long as on a chip.
    config: { ARENA_SIZE: 131072, NOINIT: '"noinit"' },
  };
  return linkImage(board, bytecode, join(cache, name), { cache, extraFlags: ["-shared", ...forNode] }).elf;
}

/** What a process needs in its environment before it can load an addon: the sanitizer comes first of all libraries. */
export function addonEnvironment(): Record<string, string> {
  const library = runTool("gcc", ["-print-file-name=libasan.so"]).toString("utf8").trim();
  // Node itself never gives back all of its memory.
  return { LD_PRELOAD: library, ASAN_OPTIONS: "detect_leaks=0", UBSAN_OPTIONS: "print_stacktrace=1" };
}
