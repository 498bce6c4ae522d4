import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allBoards, boardNamed } from "../../tools/build/board-file";
import { type BoardReport, buildForBoard, overBudget } from "../../tools/build/board-build";
import { withMemory } from "../../tools/build/memory";
import { linesOfInstructions } from "../../tools/build/source-map";
import { readUf2 } from "../../tools/emulate/image";

const fixture = "test/tools/fixtures/frozen.ts";
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "moth-boards-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function built(app: string, board: string): BoardReport {
  const result = buildForBoard(app, board, { outDir: folder });
  if ("problems" in result) throw new Error(JSON.stringify(result.problems));
  return result.report;
}

function fileOf(report: BoardReport, format: string): string {
  return resolve(report.files[format] ?? "");
}

/** What the host runtime says until `end` of its output is there. */
function outputOf(program: string, end: string): Promise<string> {
  const child = spawn(program, ["--no-watchdog"], { stdio: ["pipe", "pipe", "inherit"] });
  return new Promise((done, failed) => {
    let text = "";
    child.on("exit", (code) => failed(new Error(`the program ended with ${code} after: ${text}`)));
    child.stdout.on("data", (bytes: Buffer) => {
      text += bytes.toString();
      if (!text.includes(end)) return;
      child.removeAllListeners("exit");
      child.kill("SIGKILL");
      done(text);
    });
  });
}

describe("a frozen program", () => {
  it("finds its texts, numbers, tables, buffers and variables as its modules left them", async () => {
    const text = await outputOf(fileOf(built(fixture, "host"), "elf"), "third turn\n");
    expect(text).toBe("frozen\n76\n1\n3\nthree\n7\n2\n1\n120\n201\nthird turn\n");
  }, 120_000);

  it("finds what its functions see of their modules: constants, and what changes", async () => {
    const text = await outputOf(fileOf(built("test/tools/fixtures/settled.ts", "host"), "elf"), "132 no\n");
    expect(text).toBe("3 yes\n4 no\n5 yes\n-70000 no\n8 yes\n9 no\n10 yes\n132 no\n");
  }, 120_000);

  it("finds its constants when there are more of them than instructions can number", async () => {
    const names = Array.from({ length: 600 }, (_, at) => `field${at}`);
    const groups = Array.from({ length: 20 }, (_, at) => names.slice(30 * at, 30 * at + 30));
    const app = join(folder, "many.ts");
    writeFileSync(app, [
      'import { allocate, putDecimal } from "#native";',
      "interface Port { write(bytes: ReturnType<typeof allocate>, at: number, count: number): number; }",
      "interface Place { readonly console: Port; readonly clock: { now(): number }; idle(until: number): void; }",
      `interface Fields { ${names.map((name) => `readonly ${name}: number;`).join(" ")} }`,
      "/** @boot */",
      `function make(): Fields { return { ${names.map((name, at) => `${name}: ${at + 1000000}`).join(", ")} }; }`,
      ...groups.map((group, at) => {
        return `function sum${at}(of: Fields): number { return ${group.map((name) => `of.${name}`).join(" + ")} - 30000000; }`;
      }),
      "const scratch = allocate(20);",
      "export default {",
      '  name: "many",',
      "  /** @boot */",
      "  boot(hal: Place) {",
      "    const fields = make();",
      "    return {",
      "      poll() {",
      `        const length = putDecimal(scratch, 0, ${groups.map((_, at) => `sum${at}(fields)`).join(" + ")});`,
      "        scratch[length] = 10;",
      "        hal.console.write(scratch, 0, length + 1);",
      "        hal.idle(hal.clock.now() + 20);",
      "      },",
      "    };",
      "  },",
      "};\n",
    ].join("\n"));
    expect(await outputOf(fileOf(built(app, "host"), "elf"), "\n")).toMatch(/^179700\n/);
  }, 120_000);

  it("tells for each instruction which line it is of", () => {
    const { map } = built(fixture, "pico");
    const lines = linesOfInstructions(readFileSync(map, "utf8"));
    const text = readFileSync(map.replace(/\.map$/, ""), "utf8").split("\n");
    expect(lines.length).toBeGreaterThan(100);
    expect(lines.map((line) => text[line - 1] ?? "").filter((line) => line.includes("turns = turns + 1"))).not.toEqual([]);
  });

  it("has the same build number each time, and another one when it changes", () => {
    const first = built(fixture, "host").build;
    expect(built(fixture, "host").build).toBe(first);
    expect(built("test/tools/fixtures/blinker.ts", "host").build).not.toBe(first);
  });

  it("is refused when a module has written into a buffer", () => {
    const app = join(folder, "written.ts");
    writeFileSync(app, [
      'import { allocate } from "#native";',
      "const bytes = allocate(4);",
      "bytes[0] = 1;",
      "export default { name: 'x', first(): number { return bytes[0] ?? 0; } };\n",
    ].join("\n"));
    expect(() => buildForBoard(app, "host", { outDir: folder })).toThrow(
      "a module writes into a buffer while it is set up: do it in boot",
    );
  });
});

describe("an image", () => {
  const chips = allBoards().filter(({ flash }) => flash !== undefined);

  it("is there for each board in each of its formats, with a note that names build, board and map", () => {
    expect(chips.map(({ board }) => board).sort()).toEqual(["feather-stm32f405", "pico", "pyboard", "stm32f405"]);
    for (const { board, formats } of chips) {
      const report = built(fixture, board);
      expect(Object.keys(report.files).sort()).toEqual([...formats].sort());
      const note: unknown = JSON.parse(readFileSync(join(folder, `frozen-${board}.json`), "utf8"));
      expect(note).toEqual({ build: report.build, board, map: `frozen-${board}.lua.map` });
    }
    // On a fresh clone the runtime is compiled here, for four boards.
  }, 240_000);

  it("of a Pico is one UF2 for its family, block by block what the .bin holds", () => {
    const report = built(fixture, "pico");
    const bin = readFileSync(fileOf(report, "bin"));
    const file = readFileSync(fileOf(report, "uf2"));
    const pieces = readUf2(file, "frozen.uf2");
    expect(pieces.map(({ address }) => address)).toEqual(pieces.map((_, i) => 0x10000000 + 256 * i));
    expect(Buffer.concat(pieces.map(({ bytes }) => bytes)).subarray(0, bin.length)).toEqual(bin);
    expect(file.readUInt32LE(28)).toBe(0xe48bff56);
  });

  it.each(["pico", "stm32f405"])("for %s has no heap, no printf, no compiler, no loader and no collector", (board) => {
    const elf = fileOf(built(fixture, board), "elf");
    const { stdout } = spawnSync("arm-none-eabi-nm", [elf], { encoding: "utf8" });
    const symbols = stdout.split("\n").map((line) => line.split(" ").at(-1) ?? "");
    expect(symbols).toContain("luaV_execute");
    const unwanted = /^(_?malloc|_malloc_r|_sbrk|.*printf.*|strtod|strtof|luaK_.*|luaX_next|luaY_.*|luaU_undump|lua_load|singlestep|propagatemark)$/;
    expect(symbols.filter((name) => unwanted.test(name))).toEqual([]);
  });

  it.each(["pico", "stm32f405"])("for %s is told by its parts: they add up to its file, and RAM to what is set aside", (board) => {
    const report = built(fixture, board);
    const { size } = report;
    if (size === undefined) throw new Error("a chip has a size");
    const sum = (parts: Readonly<Record<string, number>>): number => Object.values(parts).reduce((a, b) => a + b, 0);
    expect(sum(size.flashByPart)).toBe(size.flash);
    expect(sum(size.ramByUse)).toBe(size.ram);
    expect(Math.abs(size.flash - readFileSync(fileOf(report, "bin")).length)).toBeLessThan(200);
    expect(Object.keys(size.flashByPart)).toEqual(expect.arrayContaining(["application", "Lua", "runtime", "port"]));
    expect(size.ramByUse["Lua's arena"]).toBe(boardNamed(board).config["ARENA_SIZE"]);
  });

  it.each(["pico", "stm32f405"])("for %s boots in its emulator, which tells what the arena holds then", async (board) => {
    const { memory, size } = await withMemory(built(fixture, board));
    if (memory === undefined || size === undefined) throw new Error("a chip's memory is measured");
    expect(memory.arena.size).toBe(boardNamed(board).config["ARENA_SIZE"]);
    expect(memory.arena.used).toBeGreaterThan(4000);
    expect(memory.arena.used).toBeLessThan(20_000);
    expect(memory.arena.peak).toBeGreaterThanOrEqual(memory.arena.used);
    expect(memory.ram).toBe(size.ram - memory.arena.size + memory.arena.used);
  });
});

describe("a budget", () => {
  it("may be used up, and one byte more is a warning that says by how much", () => {
    const pico = boardNamed("pico");
    expect(overBudget("flash", 196_608, pico)).toEqual([]);
    expect(overBudget("flash", 196_609, pico)).toEqual([
      "flash: 196609 bytes, 1 over the budget of 196608 for the Raspberry Pi Pico",
    ]);
    expect(overBudget("ram", 50_000, pico)).toEqual([
      "ram: 50000 bytes, 848 over the budget of 49152 for the Raspberry Pi Pico",
    ]);
  });
});

describe("a board that is built for", () => {
  it("is named, or the ones that there are", () => {
    expect(() => buildForBoard(fixture, "toaster", { outDir: folder })).toThrow(
      /^there is no board toaster: choose one of .*pico.*stm32f405/,
    );
  });
});
