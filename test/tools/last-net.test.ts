/** The net under the rules: it reads the Lua itself, so these applications go round the rules on purpose. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Transpiler } from "typescript-to-lua";
import { describe, expect, it } from "vitest";
import { checkLua } from "../../tools/build/last-net";
import { createProgram } from "../../tools/build/program";

function complaintsAbout(text: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), "moth-net-"));
  const app = join(folder, "app.ts");
  writeFileSync(app, text);
  const complaints: string[] = [];
  new Transpiler().emit({
    program: createProgram(app),
    writeFile: () => undefined,
    plugins: [
      {
        afterPrint(_program, _options, _host, files) {
          const found = files.flatMap(checkLua);
          complaints.push(...found.map(({ line, column, message }) => `${line}:${column}: ${message}`));
        },
      },
    ],
  });
  rmSync(folder, { recursive: true });
  return complaints;
}

describe("the last net", () => {
  it.each([
    ["a method of an array", "export default 1;\nexport const n = [1].map((x) => x);", /^2:18: .*__TS__ArrayMap/],
    ["a class", "\n\nexport default class A {}", /^3:1: .*__TS__Class/],
    ["a function of the library", "export default 1;\nexport const n = Math.abs(1);", /^2:18: .*becomes math/],
    ["a function that nobody supplies", "declare function off(): void;\nexport default off;", /^2:\d+: .*becomes off/],
    ["one in a function", "declare function off(): void;\nconst f = (): void => off();\nexport default f;", /^2:.*off/],
    ["one in a local", "declare function off(): void;\nfunction f(): void { off(); }\nexport default f;", /^2:.*off/],
  ])("catches %s", (_what, text, says) => {
    expect(complaintsAbout(text)).toContainEqual(expect.stringMatching(says));
  });

  it.each([
    ["parameters and locals", "export default (a: number): number => { const b = a; { const c = b; return c; } };"],
    ["a function that calls itself", "function f(n: number): void { f(n - 1); }\nexport default f;"],
    ["loops", "export default (xs: number[]): number => { let s = 0; for (const x of xs) s += x; return s; };"],
    ["a counting loop", "export default (): number => { let s = 0; for (let i = 0; i < 3; i++) s += i; return s; };"],
    ["do and while", "export default (n: number): void => { do { const m = n; n -= m; } while (n > 0); };"],
    ["switch", "export default (n: number): number => { switch (n) { case 1: return 2; default: return n; } };"],
    ["a name that hides another", "const n = 1;\nexport default (): number => { const n = 2; return n; };"],
  ])("lets %s through", (_what, text) => {
    expect(complaintsAbout(text)).toEqual([]);
  });

  it("counts the locals that are alive at once, not those of blocks that ended", () => {
    const block = (n: number): string => `  { const a${n} = x; const b${n} = a${n}; x += b${n}; }`;
    const blocks = Array.from({ length: 150 }, (_, n) => block(n)).join("\n");
    expect(complaintsAbout(`export default (x: number): number => {\n${blocks}\n  return x;\n};`)).toEqual([]);
  });
});
