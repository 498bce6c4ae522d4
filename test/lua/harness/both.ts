/**
 * Looks after a run whether each test of the firmware ran in both executors, says how many did, and fails the run when
 * one ran in Node only or in Lua only.
 */
import { relative } from "node:path";
import type { Reporter, TestModule } from "vitest/node";
import { root } from "./bundle";
import { isOfFirmware } from "./suites";

/** A suite that died takes all of its tests along. */
const MOST_LINES = 10;

/** How often a test ran, by `file > name`, for each executor: several may have the same name. */
type Ran = Readonly<Record<"node" | "lua", Map<string, number>>>;

function collect(modules: readonly TestModule[]): Ran {
  const ran = { node: new Map<string, number>(), lua: new Map<string, number>() };
  for (const module of modules) {
    const path = relative(root, module.moduleId);
    const { name } = module.project;
    if (!isOfFirmware(path) || (name !== "node" && name !== "lua")) continue;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state !== "passed" && state !== "failed") continue;
      const key = `${path} > ${test.fullName}`;
      ran[name].set(key, (ran[name].get(key) ?? 0) + 1);
    }
  }
  return ran;
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

/** The tests that ran more often in one than in the other. */
function missing(from: ReadonlyMap<string, number>, of: ReadonlyMap<string, number>): string[] {
  return [...of].filter(([name, count]) => (from.get(name) ?? 0) < count).map(([name]) => name);
}

export function runsInBoth(): Reporter {
  return {
    onTestRunEnd(modules) {
      const { node, lua } = collect(modules);
      // With --project, one of them was asked for.
      if (node.size === 0 || lua.size === 0) return;
      console.log(`  Executors  ${total(node)} tests of the firmware ran in Node, ${total(lua)} in Lua`);
      const lines = [
        ...missing(lua, node).map((name) => `did not run in Lua: ${name}`),
        ...missing(node, lua).map((name) => `did not run in Node: ${name}`),
      ];
      for (const line of lines.slice(0, MOST_LINES)) console.error(`  ${line}`);
      if (lines.length > MOST_LINES) console.error(`  … and ${lines.length - MOST_LINES} more`);
      if (lines.length > 0) process.exitCode = 1;
    },
  };
}
