import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Transpiler } from "typescript-to-lua";
import { expect, test } from "vitest";
import { plainSwitch } from "../../tools/build/plain-switch";
import { createProgram } from "../../tools/build/program";

function luaOf(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "moth-switch-"));
  const app = join(folder, "app.ts");
  writeFileSync(app, text);
  let lua = "";
  new Transpiler().emit({
    program: createProgram(app),
    plugins: [plainSwitch],
    writeFile: (name, written) => {
      if (name.endsWith(".lua")) lua = written;
    },
  });
  rmSync(folder, { recursive: true });
  return lua;
}

function switchOver(clauses: string): string {
  return luaOf(`export default function run(n: number): number { let s = 0; switch (n) { ${clauses} } return s; }`);
}

test("clauses that all leave are compared one after the other", () => {
  const lua = switchOver("case 1: case 2: s = 1; break; case 3: return 7; default: s = 4;");
  expect(lua).toMatch(/if ____switch\d+ == 1 or ____switch\d+ == 2 then\s+s = 1\s+break\s+end\s+if ____switch\d+ == 3 then\s+return 7/);
  expect(lua).not.toContain("____cond");
});

test.each([
  ["one that falls through", "case 1: s = 1; case 2: s += 2; break;"],
  ["one that leaves only at times", "case 1: if (n > 3) break; case 2: s += 2; break;"],
])("with %s they keep their variable", (_what, clauses) => {
  expect(switchOver(clauses)).toContain("____cond");
});
