/** The programs outside npm that suites use. A suite whose program is missing fails; it is never skipped. */
import { findTool, systemTools } from "../tools/system-tools.mjs";

/**
 * Where the tool of a package is: `requireTool("mosquitto")`. For a Python package it is the Python that has it, as the
 * one on the PATH may be another.
 */
export function requireTool(name: string): string {
  const tool = systemTools.find((each) => [each.package, each.program, ...(each.also ?? [])].includes(name));
  if (tool === undefined) throw new Error(`${name} is not in tools/system-packages.json: add it there`);
  const path = findTool(tool.also?.includes(name) === true ? { ...tool, program: name } : tool);
  if (path === undefined) throw new Error(`${name} is not installed: run "npm run setup"`);
  return path;
}
