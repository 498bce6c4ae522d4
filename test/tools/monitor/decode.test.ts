import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { build } from "../../../tools/build/build";
import { withLines } from "../../../tools/build/source-map";
import { crashIn, Decoder } from "../../../tools/monitor/decode";
import { Program } from "../../e2e/processes";

const BUILD = "1a2b3c4d";
const COUNTER = "test/tools/fixtures/counter.ts";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "moth-decode-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A build of the blinker, as `moth build --board` leaves it; `lineOf` finds a line of its bundle. */
function blinker(): { path: string; lineOf: (text: string) => number } {
  const path = folder();
  build("test/tools/fixtures/blinker.ts", path);
  writeFileSync(join(path, "blinker-pico.json"), JSON.stringify({ build: BUILD, board: "pico", map: "blinker.lua.map" }));
  const lines = readFileSync(join(path, "blinker.lua"), "utf8").split("\n");
  return {
    path,
    lineOf: (text) => {
      const line = lines.findIndex((candidate) => candidate.includes(text)) + 1;
      expect(line).toBeGreaterThan(0);
      return line;
    },
  };
}

/** The line of a source file that has this text. */
function sourceLine(file: string, text: string): number {
  return readFileSync(file, "utf8").split("\n").findIndex((line) => line.includes(text)) + 1;
}

describe("a crash report", () => {
  test.each([
    ["crash allocation 48 bytes build 1a2b3c4d lines 1203 455 1999", "lines", [1203, 455, 1999]],
    ['crash error "attempt to index a nil value" build 1a2b3c4d lines 17', "lines", [17]],
    ['crash error "a build 00000000 lines 9" build 1a2b3c4d lines 17', "lines", [17]],
    ["crash fault pc 0x10001234 lr 0x10000bcd status 0x00000082 build 1a2b3c4d lines 1203", "lines", [1203]],
    ["crash stack build 1a2b3c4d lines", "lines", []],
    ["crash watchdog build 1a2b3c4d lines 88 90\r", "lines", [88, 90]],
    ["12:30:01.002  crash watchdog build 1a2b3c4d lines 88", "lines", [88]],
    ["moth/t1/crash crash watchdog build 1a2b3c4d lines 88", "lines", [88]],
    ["crash allocation 48 bytes build 1a2b3c4d at 1203 455 0", "instructions", [1203, 455, 0]],
    ['crash error "lines 9 at 12" build 1a2b3c4d at 17', "instructions", [17]],
    ["crash stack build 1a2b3c4d at", "instructions", []],
  ])("is found in %j", (text, counted, places) => {
    expect(crashIn(text)).toEqual({ build: BUILD, counted, places });
  });

  test.each(["crash", "crash watchdog", "a crash error of the moth", "status", "crash=", "crash nonsense build 1a2b3c4d lines 1"])(
    "is not found in %j",
    (text) => {
      expect(crashIn(text)).toBeUndefined();
    },
  );

  test("is led back to its lines of TypeScript, innermost first, through the map of its build", () => {
    const { path, lineOf } = blinker();
    const inner = lineOf("counter.count = counter.count + 1");
    const outer = lineOf("countTurn(");
    const lines = new Decoder(undefined, path).explain(`crash watchdog build ${BUILD} lines ${inner} ${outer}`);
    const original = sourceLine(COUNTER, "counter.count += 1");
    expect(lines[0]).toBe(`  at ${COUNTER}:${original}  counter.count += 1;`);
    expect(lines[1]).toMatch(/^ {2}at test\/tools\/fixtures\/(counter|blinker)\.ts:\d+ {2}.*countTurn/);
  });

  test("of a frozen program is led back from its instructions to their lines", () => {
    const { path, lineOf } = blinker();
    const map = join(path, "blinker.lua.map");
    const inner = lineOf("counter.count = counter.count + 1");
    writeFileSync(map, withLines(readFileSync(map, "utf8"), [lineOf("countTurn("), 1, inner]));
    const lines = new Decoder(undefined, path).explain(`crash watchdog build ${BUILD} at 2 0 3`);
    expect(lines[0]).toBe(`  at ${COUNTER}:${sourceLine(COUNTER, "counter.count += 1")}  counter.count += 1;`);
    expect(lines[1]).toMatch(/^ {2}at test\/tools\/fixtures\/(counter|blinker)\.ts:\d+ {2}.*countTurn/);
    expect(lines[2]).toBe(`  at instruction 3, which ${map} does not know: it is another build's`);
  });

  test("is led back through a map that is named, whatever its build", () => {
    const { path, lineOf } = blinker();
    const inner = lineOf("counter.count = counter.count + 1");
    const decoder = new Decoder(join(path, "blinker.lua.map"), "/nowhere");
    expect(decoder.explain(`crash stack build ffffffff lines ${inner}`)[0]).toContain(`${COUNTER}:`);
  });

  test("of an unknown build says so", () => {
    const { path } = blinker();
    writeFileSync(join(path, "other.json"), "{");
    writeFileSync(join(path, "another.json"), '{"build":7,"map":"x"}');
    expect(new Decoder(undefined, path).explain("crash stack build ffffffff lines 3")).toEqual([
      `  build ffffffff is not in ${path}: name its source map with --map`,
    ]);
    expect(new Decoder(undefined, "/nowhere").explain("crash stack build ffffffff lines 3")).toHaveLength(1);
  });

  test("says of a line that no TypeScript stands behind, and of none, what they are", () => {
    const { path } = blinker();
    const decoder = new Decoder(undefined, path);
    expect(decoder.explain(`crash stack build ${BUILD} lines 99999`)).toEqual([
      "  at line 99999 of the bundle, which no TypeScript stands behind",
    ]);
    expect(decoder.explain(`crash stack build ${BUILD} lines`)).toEqual(["  no line of the program was running"]);
    expect(decoder.explain("status")).toEqual([]);
  });

  test("is refused a map that is none", () => {
    const path = join(folder(), "no.map");
    writeFileSync(path, "nonsense");
    expect(() => new Decoder(path)).toThrow(`${path}: no source map: give the .lua.map that moth build has written`);
    expect(() => new Decoder("/nowhere.map")).toThrow("cannot read the source map /nowhere.map: no such file or directory");
  });
});

describe("moth decode", () => {
  async function decode(args: readonly string[]): Promise<{ code: unknown; lines: readonly string[] }> {
    const program = new Program(process.execPath, ["tools/moth.mjs", "decode", ...args]);
    return { code: await program.ended, lines: program.lines };
  }

  test("shows a text with each crash explained behind it", async () => {
    const { path, lineOf } = blinker();
    const log = join(path, "log");
    writeFileSync(log, `before\ncrash watchdog build ${BUILD} lines ${lineOf("counter.count = counter.count + 1")}\r\nbehind\n`);
    const { code, lines } = await decode([log, "--map", join(path, "blinker.lua.map")]);
    expect(code).toBe(0);
    expect(lines).toEqual([
      "before",
      expect.stringMatching(/^crash watchdog/),
      expect.stringContaining(`  at ${COUNTER}:`),
      "behind",
    ]);
  });

  test("reads standard input when no file is named", async () => {
    const { path, lineOf } = blinker();
    const text = `crash stack build ${BUILD} lines ${lineOf("counter.count = counter.count + 1")}`;
    const command = `echo '${text}' | ${process.execPath} tools/moth.mjs decode - --map ${join(path, "blinker.lua.map")}`;
    const program = new Program("bash", ["-c", command]);
    expect(await program.ended).toBe(0);
    expect(program.lines).toEqual([text, expect.stringContaining(COUNTER)]);
  });

  test("says which file cannot be read", async () => {
    expect(await decode(["/nowhere"])).toEqual({
      code: 1, lines: ["moth: cannot read /nowhere: no such file or directory"],
    });
  });
});
