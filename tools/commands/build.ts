/** `moth build APP --to lua` */
import { Option } from "commander";
import type { Command } from "commander";
import type { BuildReport } from "../build/build";

interface BuildOptions {
  readonly to: "lua";
  readonly out: string;
  readonly json?: true;
}

export function declare(command: Command): void {
  command
    .argument("<app>", "the TypeScript file that exports the application by default")
    .addOption(new Option("--to <target>", "what to build").choices(["lua"]).makeOptionMandatory())
    .option("--out <dir>", "where to put it", "build")
    .option("--json", "report for machines")
    .action(run);
}

async function run(app: string, { out, json }: BuildOptions): Promise<void> {
  const { build } = await import("../build/build");
  const { lineOf } = await import("../build/problem");
  const result = build(app, out);
  if ("problems" in result) {
    for (const problem of result.problems) console.error(lineOf(problem));
    process.exitCode = 1;
    return;
  }
  console.log(json === true ? JSON.stringify(result.report, undefined, 2) : inWords(result.report));
}

function inWords({ lua, map, bytes, modules, loaderBytes, supportBytes }: BuildReport): string {
  const row = (size: number, name: string): string => `${size.toLocaleString("en").padStart(9)}  ${name}`;
  const support = supportBytes === 0 ? "none" : `${supportBytes} bytes`;
  return [
    `${lua}: ${bytes.toLocaleString("en")} bytes of Lua, ${modules.length} modules, support code: ${support}`,
    ...modules.map((module) => row(module.bytes, module.file)),
    row(loaderBytes, "(what ties them together)"),
    `${map}: leads a line of Lua back to its TypeScript`,
  ].join("\n");
}
