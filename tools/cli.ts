/** The `moth` command: which verbs there are, and what a failure looks like. */
import { readFileSync } from "node:fs";
import { Command } from "commander";
import pc from "picocolors";
import { isColorful } from "./colors";
import { verbs } from "./commands/index";
import { Failure } from "./failure";

function version(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return /"version": "(.+)"/.exec(text)?.[1] ?? "unknown";
}

/** Commander puts its "did you mean" on a line of its own; an error is one line here. */
function oneLine(text: string): string {
  return `${text.trim().replace(/^error: /, "").replace(/\s*\n\s*/g, " ")}\n`;
}

function complain(text: string): void {
  const paint = pc.createColors(isColorful(process.stderr)).red;
  process.stderr.write(paint(text));
}

const program = new Command("moth")
  .description("TypeScript firmware for MQTT sensor boards, and the simulator it is written in")
  .version(version())
  .configureOutput({ outputError: (text) => complain(`moth: ${oneLine(text)}`) });

for (const { name, summary, load } of verbs) {
  const command = program.command(name).description(summary).copyInheritedSettings(program);
  if (process.argv.includes(name)) (await load()).declare(command);
}

/**
 * Whoever reads our output may go away, as `head` does, or the disk under it may be full. A command that runs on for
 * long is asked to stop in good order; what it still writes goes nowhere.
 */
function outputFailed(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") complain(`moth: cannot write the output: ${error.message}\n`);
  process.exitCode = error.code === "EPIPE" ? 0 : 1;
  if (process.listenerCount("SIGTERM") > 0) process.emit("SIGTERM");
  else process.exit();
}

let outputGone = false;
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (!outputGone) outputFailed(error);
  outputGone = true;
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  complain(`moth: ${error.message}\n`);
  process.exitCode = 1;
}
