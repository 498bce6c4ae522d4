/** Runs a compiler or a tool of its family; what it has to say is the failure. */
import { spawnSync } from "node:child_process";
import { Failure } from "../failure";

export function runTool(program: string, args: readonly string[], input?: string): Buffer {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    ...(input !== undefined && { input }),
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) {
    throw new Failure(`cannot run ${program}: ${error.message}; npm run setup installs what is missing`);
  }
  if (status !== 0) throw new Failure(`${program} failed:\n${stderr.toString("utf8").trim()}`);
  return stdout;
}
