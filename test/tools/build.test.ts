import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { build } from "../../tools/build/build";
import { compile } from "../../tools/build/compile";
import { lineOf } from "../../tools/build/problem";

const blinker = "test/tools/fixtures/blinker.ts";
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "moth-build-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** The lines that a build of an application with this text complains with. */
function complaintsAbout(text: string): string[] {
  const app = join(folder, "app.ts");
  writeFileSync(app, text);
  const compiled = compile(app, folder);
  return "problems" in compiled ? compiled.problems.map(lineOf).map((line) => line.replace(`${folder}/`, "")) : [];
}

describe("a build", () => {
  it("writes one bundle and its source map", () => {
    const result = build(blinker, folder);
    expect(result).toHaveProperty("report");
    expect(readdirSync(folder).sort()).toEqual(["blinker.lua", "blinker.lua.map"]);
    expect(readFileSync(join(folder, "blinker.lua"), "utf8")).toContain("function ____exports.countTurn(counter)");
  });

  it("makes constants of const enums and division of div, without comments or support code", () => {
    build(blinker, folder);
    const lua = readFileSync(join(folder, "blinker.lua"), "utf8");
    expect(lua).toContain("counter.step = 7");
    expect(lua).not.toContain("Step");
    expect(lua).toContain("return a // b");
    expect(lua).not.toContain("__TS__");
    expect(lua).not.toContain("--");
  });

  it("reports the bytes of each module, largest first, and all bytes add up", () => {
    const result = build(blinker, folder);
    if ("problems" in result) throw new Error("does not build");
    const { bytes, modules, loaderBytes, lua } = result.report;
    expect(modules.map(({ file }) => file)).toContain("test/tools/fixtures/counter.ts");
    const sizes = modules.map((module) => module.bytes);
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    expect(modules.reduce((sum, module) => sum + module.bytes, loaderBytes)).toBe(bytes);
    expect(readFileSync(lua)).toHaveLength(bytes);
  });

  it("leads a line of Lua back to its TypeScript through the map", () => {
    build(blinker, folder);
    const lines = readFileSync(join(folder, "blinker.lua"), "utf8").split("\n");
    const line = lines.findIndex((text) => text.includes("counter.count = counter.count + 1"));
    const map = new TraceMap(readFileSync(join(folder, "blinker.lua.map"), "utf8"));
    const origin = originalPositionFor(map, { line: line + 1, column: 4 });
    expect(resolve(folder, origin.source ?? "")).toBe(resolve("test/tools/fixtures/counter.ts"));
    const source = readFileSync("test/tools/fixtures/counter.ts", "utf8").split("\n");
    expect(source[(origin.line ?? 0) - 1]).toContain("counter.count += 1");
  });

  it("is the same from whatever folder it is written to", () => {
    const here = compile(blinker, folder);
    const there = compile(blinker, "build");
    if ("problems" in here || "problems" in there) throw new Error("does not build");
    expect(here.bundle.lua).toBe(there.bundle.lua);
  });
});

describe("a build is refused", () => {
  it.each([
    ["for a type error", 'export default 1;\nexport const n: number = "x";', "app.ts:2:14: Type 'string'"],
    ["for what only Node has", "console.log(1);\nexport default 1;", "app.ts:1:1: Cannot find name 'console'"],
    ["without a default export", "export const n = 1;", "app.ts:1:1: no default export"],
    [
      "for an allocation in the loop",
      "export default {\n  poll(): number[] {\n    return [1];\n  },\n};",
      "app.ts:3:12: an array literal allocates: make it at boot and reuse it [loop-allocation]",
    ],
    [
      "for a call of a boot function of #native in the loop",
      'import { allocate } from "#native";\nexport default {\n  poll() {\n    return allocate(4);\n  },\n};',
      "app.ts:4:12: allocate is marked @boot",
    ],
    ["for a shift to the right", "const n: number = 8;\nexport default n >> 1;", "app.ts:2:16: `>>` has no translation"],
    ["for a class", "export default class Board {}", "app.ts:1:1: a class needs support code"],
    [
      "for a global that nobody supplies",
      "declare function reboot(): void;\nexport default {\n  poll(): void {\n    reboot();\n  },\n};",
      "app.ts:4:5: this becomes reboot, which does not exist on a chip",
    ],
  ])("%s", (_why, text, says) => {
    expect(complaintsAbout(`${text}\n`)).toEqual([expect.stringContaining(says)]);
  });

  it("for a function with more locals than Lua allows, at the line of the function", () => {
    const locals = Array.from({ length: 195 }, (_, n) => `  const v${n} = n + ${n};`).join("\n");
    const sum = Array.from({ length: 195 }, (_, n) => `v${n}`).join(" + ");
    const complaints = complaintsAbout(
      `export default {\n  poll(n: number): number {\n${locals}\n  return ${sum};\n  },\n};\n`,
    );
    expect(complaints).toEqual([expect.stringMatching(/^app\.ts:2:\d+: this function keeps 19\d locals/)]);
  });

  it("and leaves nothing behind", () => {
    complaintsAbout("export default class Board {}\n");
    expect(readdirSync(folder)).toEqual(["app.ts"]);
  });

  it.each([
    ["nowhere.ts", "cannot read nowhere.ts: no such file or directory"],
    ["test/tools", "test/tools is not TypeScript: name the .ts file of an application"],
    ["package.json", "package.json is not TypeScript: name the .ts file of an application"],
  ])("when the application cannot be read: %s", (app, says) => {
    expect(() => build(app, folder)).toThrow(says);
  });

  it("when the folder cannot be written", () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    expect(() => build(blinker, join(file, "out"))).toThrow(
      /^cannot write to .*: part of the path is a file, not a directory; choose another folder with --out$/,
    );
  });
});
