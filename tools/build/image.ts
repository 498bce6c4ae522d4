/** From bytecode to what is flashed: the runtime, the port and the application, linked. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BoardFile, runtimeFolder } from "./board-file";
import { boardFiles, luaSource, requireLuaSource } from "./lua-source";
import { compileObjects } from "./objects";
import type { Bytecode } from "./bytecode";
import { runTool } from "./run-tool";
import { toUf2 } from "./uf2";

export interface ImageOptions {
  /** Added to every compiler and linker call: sanitizers, for example. */
  readonly extraFlags?: readonly string[];
  /** Where objects are kept between builds. */
  readonly cache: string;
}

export interface Image {
  readonly elf: string;
  readonly bin: string | undefined;
  readonly uf2: string | undefined;
  /** The linker's account of what lies where. */
  readonly linkMap: string;
}

const warnings = ["-Wall", "-Wextra", "-Werror"];

function isForChip({ linkerScript }: BoardFile): boolean {
  return linkerScript !== undefined;
}

/** What board.json configures, as C sees it. */
function configOf({ config }: BoardFile): string[] {
  return Object.entries(config).map(([key, value]) => `-DBOARD_${key}=${value}`);
}

function flagsOf(board: BoardFile, extra: readonly string[]): string[] {
  const chip = isForChip(board) ? ["-ffreestanding", "-fno-common"] : [];
  return [
    ...board.flags, "-std=gnu11", isForChip(board) ? "-Os" : "-O2", "-g", "-ffunction-sections", "-fdata-sections", ...chip,
    ...extra,
    ...configOf(board),
    "-include", join(runtimeFolder, "lua-config.h"), "-I", runtimeFolder, "-I", board.folder, "-I", luaSource,
  ];
}

function runtimeFiles(): string[] {
  return readdirSync(runtimeFolder).filter((name) => name.endsWith(".c")).map((name) => join(runtimeFolder, name));
}

function objectsOf(board: BoardFile, { extraFlags = [], cache }: ImageOptions): string[] {
  const flags = flagsOf(board, extraFlags);
  const own = board.sources.map((name) => join(board.folder, name));
  const ours = [...runtimeFiles(), ...own.filter((file) => file.endsWith(".c"))];
  const assembler = own.filter((file) => file.endsWith(".S"));
  return [
    ...compileObjects({ compiler: board.compiler, flags: [...flags, ...warnings], sources: ours }, cache),
    // Lua comes as it is, warnings too.
    ...compileObjects({ compiler: board.compiler, flags: [...flags, "-w"], sources: boardFiles }, cache),
    ...compileObjects({ compiler: board.compiler, flags: [...board.flags, ...configOf(board)], sources: assembler }, cache),
  ];
}

/** It is compiled anew each time: two seconds at most, and most builds are made because it changed. */
function applicationObject(board: BoardFile, { frozen, build }: Bytecode, stem: string, extra: readonly string[]): string {
  const [source, object] = [`${stem}.application.c`, `${stem}.application.o`];
  writeFileSync(source, frozen);
  runTool(board.compiler, [...flagsOf(board, extra), "-g0", `-DAPPLICATION_BUILD=0x${build}`, "-c", source, "-o", object]);
  return object;
}

function linkFlags(board: BoardFile, linkMap: string): string[] {
  const common = ["-Wl,--gc-sections", `-Wl,-Map=${linkMap}`];
  if (board.linkerScript === undefined) return [...common, "-lm"];
  return [
    ...common, "-nostartfiles", "-nodefaultlibs", "-T", join(board.folder, board.linkerScript),
    ...Object.entries(board.config)
      .filter(([, value]) => typeof value === "number")
      .map(([key, value]) => `-Wl,--defsym=BOARD_${key}=${value}`),
    "-Wl,--start-group", "-lc", "-lm", "-lgcc", "-Wl,--end-group",
  ];
}

/** Links the image of `bytecode`; everything it leaves begins with `stem`, a path without an ending. */
export function linkImage(board: BoardFile, bytecode: Bytecode, stem: string, options: ImageOptions): Image {
  requireLuaSource();
  mkdirSync(options.cache, { recursive: true });
  writeFileSync(`${stem}.luac`, bytecode.file);
  const [elf, linkMap] = [`${stem}.elf`, `${stem}.link`];
  const objects = [...objectsOf(board, options), applicationObject(board, bytecode, stem, options.extraFlags ?? [])];
  runTool(board.compiler, [
    ...board.flags, ...(options.extraFlags ?? []), ...objects, "-o", elf, ...linkFlags(board, linkMap),
  ]);
  const bin = board.formats.includes("bin") || board.formats.includes("uf2") ? `${stem}.bin` : undefined;
  if (bin !== undefined) runTool(board.compiler.replace(/gcc$/, "objcopy"), ["-O", "binary", elf, bin]);
  const uf2 = bin !== undefined && board.formats.includes("uf2") ? `${stem}.uf2` : undefined;
  if (bin !== undefined && uf2 !== undefined && board.flash !== undefined && board.uf2Family !== undefined) {
    writeFileSync(uf2, toUf2(readFileSync(bin), board.flash.origin, board.uf2Family));
  }
  return { elf, bin, uf2, linkMap };
}
