import { describe, expect, it } from "vitest";
import { countLines, lists, report } from "./report";
import { type NamedTest, testsIn } from "./scan";
import { client, idle, server, type Statement } from "./statement";

function named(name: string, file = "test/firmware/a.test.ts"): NamedTest {
  return { name, file, line: 1 };
}

/** What is wrong with these tests, where 3.1.1 has only these statements, and nothing else exists. */
function problems(statements: readonly Statement[], ...tests: readonly NamedTest[]): readonly string[] {
  return report({ versions: [{ version: "3.1.1", statements }], points: [] }, tests).problems;
}

describe("the table of conformance", () => {
  it("is content with a statement that has a test", () => {
    expect(problems([client("1.2.3-4", "x")], named("[MQTT-1.2.3-4] does x"))).toEqual([]);
  });

  it("is content with a statement that cannot apply, and says why", () => {
    expect(problems([idle("1.2.3-4", "x", "has no y")])).toEqual([]);
  });

  it("is content without a test of what binds servers alone", () => {
    expect(problems([server("1.2.3-4", "x")])).toEqual([]);
  });

  it("finds a statement without test and without reason", () => {
    expect(problems([client("1.2.3-4", "x")], named("[MQTT-1.2.3-40] [MQTT5-1.2.3-4] MQTT-1.2.3-4"))).toContain(
      "no test and no reason: MQTT-1.2.3-4, x",
    );
  });

  it("finds a test that runs in one executor only", () => {
    const nodeOnly = named("[MQTT-1.2.3-4] does x", "test/e2e/a.test.ts");
    expect(problems([client("1.2.3-4", "x")], nodeOnly)).toEqual(["no test and no reason: MQTT-1.2.3-4, x"]);
  });

  it("finds a reason for having no test that is out of date", () => {
    const found = problems([idle("1.2.3-4", "x", "has no y")], named("[MQTT-1.2.3-4] does x"));
    expect(found).toEqual(["has a test, and a reason to have none: MQTT-1.2.3-4"]);
  });

  it("finds a test that carries a statement that does not exist", () => {
    expect(problems([], named("[MQTT-9.9.9-9] [P59] [MQTT 3.1.1 §9] x"))).toEqual([
      "no such statement: [MQTT-9.9.9-9], in firmware/a.test.ts:1",
      "no such statement: [P59], in firmware/a.test.ts:1",
    ]);
  });

  it("finds a point of which a part is not proven", () => {
    const statements = [server("1.2.3-4", "x"), idle("1.2.3-5", "y", "has no y")];
    const points = [{ number: 7, says: "z", of311: ["1.2.3-4", "1.2.3-5"], of50: [], own: true }];
    const versions = [{ version: "3.1.1", statements }] as const;
    expect(report({ versions, points }, [named("[P7] z")]).problems).toEqual([
      "not proven: point 7, z: no test of MQTT-1.2.3-4",
    ]);
    expect(report({ versions, points }, [named("[MQTT-1.2.3-4] z")]).problems).toEqual([
      "not proven: point 7, z: no test of P7",
    ]);
    expect(report({ versions, points }, [named("[P7] [MQTT-1.2.3-4] z")]).problems).toEqual([]);
  });

  it("counts what binds clients, and what binds servers beside it", () => {
    const statements = [client("1", "x"), client("2", "x"), idle("3", "x", "y"), server("4", "x"), server("5", "x")];
    const tests = [named("[MQTT-1] [MQTT-4] x")];
    expect(countLines(report({ versions: [{ version: "3.1.1", statements }], points: [] }, tests), tests)[0]).toBe(
      "MQTT 3.1.1: 3 rows bind a client: 1 tested, 1 with a reason, 1 open; 2 bind servers alone, of which a test meets 1",
    );
  });
});

describe("the lists of statements", () => {
  it("are whole: 141 of 3.1.1, 251 of 5.0, 58 points", () => {
    const ids = lists.versions.map(({ statements }) => new Set(statements.map(({ id }) => id)).size);
    expect(ids).toEqual([141, 251]);
    expect(lists.versions.map(({ statements }) => statements.length)).toEqual(ids);
    expect(lists.points.map(({ number }) => number)).toEqual(Array.from({ length: 58 }, (_, i) => i + 1));
  });

  it("say each thing in at most twelve words", () => {
    const rows = [...lists.versions.flatMap(({ statements }) => statements), ...lists.points];
    expect(rows.filter(({ says }) => says.split(" ").length > 12)).toEqual([]);
  });

  it("name only statements that exist where they name points", () => {
    for (const [i, key] of (["of311", "of50"] as const).entries()) {
      const ids = new Set(lists.versions[i]?.statements.map(({ id }) => id));
      expect(lists.points.flatMap((point) => point[key]).filter((id) => !ids.has(id))).toEqual([]);
    }
  });
});

describe("the names of tests", () => {
  it("are read through groups, tables and templates, and without what does not run", () => {
    const source = [
      'describe("[MQTT-1] a", () => {',
      '  it("b", () => {});',
      "  it.each([1, 2])(`c ${x} [MQTT-2]`, () => {});",
      '  describe("d", () => { test.each`x`("e" + " f", () => {}); });',
      '  it.skip("g", () => {});',
      '  it.todo("h");',
      "});",
      'describe.skip("i", () => { it("j", () => {}); });',
      'describe.each([1])("k", () => { it("l", () => {}); });',
      'const table = [["[MQTT-3] m", 1], ["[MQTT-4] n", 2]];',
      'it.each(table)("%s is", () => {});',
      'it.each(table)("is", () => {});',
      'it.each([["[MQTT-5] o"]])("%s", () => {});',
    ].join("\n");
    expect(testsIn("x.test.ts", source).map(({ name, line }) => `${line} ${name}`)).toEqual([
      "2 [MQTT-1] a b",
      "3 [MQTT-1] a c … [MQTT-2]",
      "4 [MQTT-1] a d e f",
      "9 k l",
      "11 %s is [MQTT-3] [MQTT-4]",
      "12 is",
      "13 %s [MQTT-5]",
    ]);
  });
});
