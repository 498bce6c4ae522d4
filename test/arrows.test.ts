/** Imports run one way, as the design says: apps → board → mqtt, wifi → core → hal/hal and #native. */
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, normalize, resolve } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");

const floor = ["hal/hal", "#native"];
const firmware = ["firmware/apps", "firmware/board", "firmware/mqtt", "firmware/wifi", "firmware/core"];
const anything = [...firmware, ...floor, "hal/node", "hal/lua", "sim", "tools", "test", "package"];

/** What each part may import besides itself. The order matters: the first that a path begins with is its part. */
const arrows: readonly (readonly [part: string, mayImport: readonly string[]])[] = [
  ["firmware/core", floor],
  ["firmware/mqtt", ["firmware/core", ...floor]],
  ["firmware/wifi", ["firmware/core", ...floor]],
  ["firmware/board", ["firmware/mqtt", "firmware/wifi", "firmware/core", ...floor]],
  ["firmware/apps", [...firmware, ...floor]],
  ["hal/hal", []],
  ["hal/lua", ["hal/hal"]],
  ["hal/node", [...firmware, ...floor, "package"]],
  ["sim", [...firmware, ...floor, "hal/node", "package"]],
  ["tools", [...firmware, ...floor, "hal/node", "sim", "package"]],
  ["test", anything],
];

function partOf(path: string): string {
  const known = arrows.find(([part]) => path === part || path.startsWith(`${part}/`) || path === `${part}.ts`);
  return known?.[0] ?? path;
}

/** The part that an import leads to; a bare name is a package, of Node or of npm. */
function targetOf(path: string, specifier: string): string {
  if (specifier === "#native") return specifier;
  if (!specifier.startsWith(".")) return "package";
  return partOf(normalize(join(dirname(path), specifier)));
}

/** Each import of a file that goes against the arrows, one line each. */
function wrongImports(path: string, text: string): string[] {
  const from = partOf(path);
  const mayImport = arrows.find(([part]) => part === from)?.[1];
  if (mayImport === undefined) return [`${path}:1: ${from} is no part of the design: give it its arrows in this test`];
  return ts.preProcessFile(text, true, true).importedFiles.flatMap(({ fileName, pos }) => {
    const to = targetOf(path, fileName);
    if (to === from || mayImport.includes(to)) return [];
    const line = text.slice(0, pos).split("\n").length;
    return [`${path}:${line}: imports "${fileName}": ${from} must not import ${to === "package" ? "a package" : to}`];
  });
}

function sourcesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.includes("node_modules"))
    .map((path) => join(folder, path));
}

describe("imports", () => {
  it("run one way", () => {
    const files = ["firmware", "hal", "sim", "tools", "test"].flatMap(sourcesIn);
    expect(files).toContain("hal/hal.ts");
    const wrong = files.flatMap((path) => wrongImports(path, readFileSync(join(root, path), "utf8")));
    expect(wrong).toEqual([]);
  });

  it.each([
    ["firmware/mqtt/client.ts", 'import { join } from "../wifi/at";', "firmware/mqtt must not import firmware/wifi"],
    ["firmware/wifi/at.ts", 'import type { P } from "../mqtt/packet";', "firmware/wifi must not import firmware/mqtt"],
    ["firmware/core/ring.ts", 'export * from "../board/board";', "firmware/core must not import firmware/board"],
    ["firmware/board/a.ts", 'import x from "../apps/sensor-board";', "firmware/board must not import firmware/apps"],
    ["firmware/apps/a.ts", 'import fs from "node:fs";', "firmware/apps must not import a package"],
    ["firmware/apps/a.ts", 'const x = await import("../../sim/clock");', "firmware/apps must not import sim"],
    ["firmware/core/a.ts", 'let x: import("../../hal/node/native").X;', "firmware/core must not import hal/node"],
    ["firmware/core/a.ts", 'import "../../tools/cli";', "firmware/core must not import tools"],
    ["hal/hal.ts", 'import type { Ring } from "../firmware/core/ring";', "hal/hal must not import firmware/core"],
    ["hal/lua/native.ts", 'import { x } from "../node/native";', "hal/lua must not import hal/node"],
    ["sim/world.ts", 'import { x } from "../tools/cli";', "sim must not import tools"],
    ["tools/cli.ts", 'import { x } from "../test/system";', "tools must not import test"],
    ["extra/a.ts", "", "is no part of the design"],
  ])("are refused against the arrows: %s with %s", (path, text, says) => {
    expect(wrongImports(path, `\n${text}\n`)).toEqual([expect.stringContaining(says)]);
  });

  const outside = ["sim/x", "tools/x", "test/x", "hal/node/native", "hal/lua/native"];
  it.each(firmware.flatMap((part) => outside.map((path) => [part, path] as const)))(
    "never lead out of the firmware: %s to %s",
    (part, path) => {
      expect(wrongImports(`${part}/a.ts`, `import "../../${path}";`)).toHaveLength(1);
    },
  );

  it("are told with file, line and import", () => {
    const text = '// one\n// two\nimport { x } from "../wifi/driver";\n';
    expect(wrongImports("firmware/mqtt/client.ts", text)).toEqual([
      'firmware/mqtt/client.ts:3: imports "../wifi/driver": firmware/mqtt must not import firmware/wifi',
    ]);
  });

  it.each([
    ["firmware/apps/a.ts", 'import { x } from "../core/time";'],
    ["firmware/board/a.ts", 'import { x } from "../mqtt/client"; import { y } from "#native";'],
    ["firmware/core/ring.ts", 'import type { Bytes } from "../../hal/hal"; import { y } from "./time";'],
    ["sim/board.ts", 'import app from "../firmware/apps/sensor-board"; import net from "node:net";'],
    ["tools/sim/run.ts", 'import { World } from "../../sim/world";'],
  ])("are allowed along the arrows: %s with %s", (path, text) => {
    expect(wrongImports(path, text)).toEqual([]);
  });
});
