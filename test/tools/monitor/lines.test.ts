import { describe, expect, test } from "vitest";
import { LineView, timeOfDay } from "../../../tools/monitor/lines";

function view(explain: (line: string) => string[] = () => []): { lines: LineView; shown: () => string } {
  let shown = "";
  let time = 0;
  const out = { write: (text: string) => (shown += text) };
  return { lines: new LineView(out, { stamp: () => `t${++time}`, explain }), shown: () => shown };
}

describe("what a board says", () => {
  test("is shown at once, the time before each line's first character", () => {
    const { lines, shown } = view();
    lines.take("mo");
    expect(shown()).toBe("t1  mo");
    lines.take("th> st");
    lines.take("atus\r\na=1\r\n");
    lines.take("b=2\r\n");
    expect(shown()).toBe("t1  moth> status\r\nt2  a=1\r\nt3  b=2\r\n");
  });

  test("is explained behind the line, also when it came in pieces", () => {
    const { lines, shown } = view((line) => (line === "crash x" ? ["why", "where"] : []));
    lines.take("cra");
    lines.take("sh x\r");
    lines.take("\nnext\r\n");
    expect(shown()).toBe("t1  crash x\r\nt2  why\r\nt3  where\r\nt4  next\r\n");
  });

  test("gives way to a remark, which ends a line that is not finished", () => {
    const { lines, shown } = view();
    lines.take("moth> ");
    lines.remark("gone");
    lines.remark("back");
    lines.take("moth> ");
    expect(shown()).toBe("t1  moth> \r\nt2  --- gone\r\nt3  --- back\r\nt4  moth> ");
  });

  test("has no time before it when nobody asks for it", () => {
    let shown = "";
    const lines = new LineView({ write: (text: string) => (shown += text) }, { stamp: undefined, explain: () => [] });
    lines.take("a\r\nb");
    lines.remark("c");
    expect(shown).toBe("a\r\nb\r\n--- c\r\n");
  });
});

test("the time of day has milliseconds", () => {
  expect(timeOfDay(new Date(2026, 0, 2, 3, 4, 5, 6))).toBe("03:04:05.006");
});
