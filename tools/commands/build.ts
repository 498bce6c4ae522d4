/** `moth build APP --board NAME`, `moth build APP --to lua` */
import { Option } from "commander";
import type { Command } from "commander";
import type { BoardReport } from "../build/board-build";
import type { BuildReport } from "../build/build";
import type { Problem } from "../build/problem";
import { Failure } from "../failure";

interface BuildOptions {
  readonly board?: string;
  readonly to?: "lua";
  readonly out: string;
  readonly json?: true;
}

export function declare(command: Command): void {
  command
    .argument("<app>", "the TypeScript file that exports the application by default")
    .option("--board <name>", "build the image that is flashed: pico, stm32f405, host, or another of hal/*/board.json")
    .addOption(new Option("--to <target>", "stop earlier: at the Lua that TypeScript becomes").choices(["lua"]))
    .option("--out <dir>", "where to put it", "build")
    .option("--json", "report for machines")
    .action(run);
}

async function run(app: string, { board, to, out, json }: BuildOptions): Promise<void> {
  if ((board === undefined) === (to === undefined)) {
    throw new Failure("say what to build: --board NAME for an image, or --to lua");
  }
  if (board === undefined) {
    const { build } = await import("../build/build");
    await show(build(app, out), json === true, luaInWords);
  } else {
    const { buildForBoard } = await import("../build/board-build");
    const { withMemory } = await import("../build/memory");
    const result = buildForBoard(app, board, { outDir: out });
    await show("problems" in result ? result : { report: await withMemory(result.report) }, json === true, imageInWords);
  }
}

async function show<T>(
  result: { readonly report: T } | { readonly problems: readonly Problem[] }, json: boolean, inWords: (report: T) => string,
): Promise<void> {
  const { lineOf } = await import("../build/problem");
  if ("problems" in result) {
    for (const problem of result.problems) console.error(lineOf(problem));
    process.exitCode = 1;
    return;
  }
  console.log(json ? JSON.stringify(result.report, undefined, 2) : inWords(result.report));
}

function row(size: number, name: string): string {
  return `${size.toLocaleString("en").padStart(9)}  ${name}`;
}

function luaInWords({ lua, map, bytes, modules, loaderBytes, supportBytes }: BuildReport): string {
  const support = supportBytes === 0 ? "none" : `${supportBytes} bytes`;
  return [
    `${lua}: ${bytes.toLocaleString("en")} bytes of Lua, ${modules.length} modules, support code: ${support}`,
    ...modules.map((module) => row(module.bytes, module.file)),
    row(loaderBytes, "(what ties them together)"),
    `${map}: leads a line of Lua back to its TypeScript`,
  ].join("\n");
}

function imageInWords({ board, build, files, map, size, memory, rings, warnings }: BoardReport): string {
  const parts = (sums: Readonly<Record<string, number>>): string[] => {
    return Object.entries(sums).sort(([, a], [, b]) => b - a).map(([name, bytes]) => row(bytes, name));
  };
  return [
    `${Object.values(files).join(", ")}: build ${build} for ${board}`,
    ...(size === undefined ? [] : [
      `flash ${size.flash.toLocaleString("en")} bytes`,
      ...parts(size.flashByPart),
      `RAM set aside ${size.ram.toLocaleString("en")} bytes`,
      ...parts(size.ramByUse),
    ]),
    ...(memory === undefined ? [] : [
      `RAM in use once it has booted ${memory.ram.toLocaleString("en")} bytes`,
      row(memory.arena.used, `Lua's arena, of ${memory.arena.size.toLocaleString("en")}; at most ${memory.arena.peak.toLocaleString("en")}`),
    ]),
    "rings and buffers",
    ...parts(rings),
    `${map}: leads a line of Lua back to its TypeScript`,
    ...warnings.map((warning) => `warning: ${warning}`),
  ].join("\n");
}
