/**
 * The programs outside npm that the tests use, and where they are. Plain JavaScript: `setup` runs before anything is
 * installed.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

export const systemTools = JSON.parse(readFileSync(new URL("system-packages.json", import.meta.url), "utf8"));

/** The system's Python: a package of apt-get is seen by no other. */
const systemPython = "/usr/bin/python3";

/** Debian puts brokers where a plain user's PATH does not look. */
const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Where a tool is, the Python that has it for a Python package; undefined when it is not installed. */
export function findTool({ program, python, file }) {
  if (file !== undefined) return existsSync(file) ? file : undefined;
  if (python !== undefined) {
    return spawnSync(systemPython, ["-c", `import ${python}`]).status === 0 ? systemPython : undefined;
  }
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}
