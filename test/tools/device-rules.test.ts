import { describe, expect, it } from "vitest";
import { checkFile } from "../../tools/device-rules/check";
import { fileOf, programOf } from "./in-memory";

/** Bodies of a loop function, each with what has to be said about it. */
const refusedInLoop: readonly (readonly [code: string, rule: string, says: string])[] = [
  ["use({ n: 1 });", "loop-allocation", "an object literal allocates"],
  ["use([1, 2]);", "loop-allocation", "an array literal allocates"],
  ["use(new Made());", "loop-allocation", "`new` allocates"],
  ["use(() => 1);", "loop-allocation", "declare it at the top level"],
  ["use(function () {});", "loop-allocation", "declare it at the top level"],
  ["function inner(): void {} inner();", "loop-allocation", "declare it at the top level"],
  ["use(`${n}`);", "loop-allocation", "a template string makes a new one"],
  ['use(text + "x");', "loop-allocation", "joining strings"],
  ['let s = text; s += "x"; use(s);', "loop-allocation", "joining strings"],
  ["const [first] = list; use(first);", "loop-allocation", "destructuring an array"],
  ["for (const item of list) use(item);", "loop-allocation", "count with an index"],
  ["for (const key in record) use(key);", "loop-allocation", "in any order"],
  ["list.push(1);", "loop-allocation", "may grow the array"],
  ["use(text.slice(1));", "loop-allocation", "on a string allocates"],
  ["try { use(1); } finally { use(2); }", "loop-allocation", "exceptions allocate"],
  ['throw "no";', "loop-allocation", "exceptions allocate"],
  ["use(allocate(4));", "loop-allocation", "allocate is marked @boot"],
  ["use(textAt(bytes, 0, 1));", "loop-allocation", "textAt is marked @boot"],
  ["make();", "loop-allocation", "make is marked @boot"],
  ["const again = make; again();", "loop-allocation", "again is marked @boot"],
  ["makeArrow();", "loop-allocation", "makeArrow is marked @boot"],
  ["typed();", "loop-allocation", "typed is marked @boot"],
  ["pins.configure(1, 0);", "loop-allocation", "pins.configure is marked @boot"],
  ["use(21.5);", "int32", "215 tenths for 21.5"],
];

/** Statements that no device code may hold, at boot neither. */
const refusedEverywhere: readonly (readonly [code: string, rule: string, says: string])[] = [
  ["class C {} use(C);", "no-support-library", "use an interface"],
  ["use(class {});", "no-support-library", "use an interface"],
  ["use({ get a() { return 1; } });", "no-support-library", "write a function"],
  ["use({ set a(x: number) { use(x); } });", "no-support-library", "write a function"],
  ["void use(1);", "no-support-library", "write the call as a statement"],
  ["use(tag`x`);", "no-support-library", "call a function"],
  ["async function later(): Promise<void> {} use(later);", "no-support-library", "go on in the next poll"],
  ["use({ async later() {} });", "no-support-library", "go on in the next poll"],
  ["let m = n; m **= 2; use(m);", "no-support-library", "multiply"],
  ["let m = n; m >>= 1; use(m);", "int32", "`>>=` has no translation"],
  ["const enum Half { A = 0.5 } use(Half.A);", "int32", "0.5 is not an integer"],
  ["do use(1); while (n);", "truthiness", "n is number"],
  ["use(new Map());", "no-support-library", "Map does not exist on a chip: use an array of records"],
  ["use(Math.floor(n));", "no-support-library", "Math does not exist on a chip"],
  ["use(globalThis);", "no-support-library", "globalThis does not exist"],
  ["use(process.argv);", "no-support-library", "process does not exist"],
  ["use({ console });", "no-support-library", "console does not exist"],
  ["use(NaN);", "no-support-library", "NaN does not exist"],
  ["use(n.toString());", "no-support-library", ".toString is of JavaScript's library"],
  ["use(list.map(use));", "no-support-library", ".map is of JavaScript's library"],
  ["use(text.charCodeAt(0));", "no-support-library", ".charCodeAt is of JavaScript's library"],
  ["use(text[0]);", "no-support-library", "no characters to index"],
  ["list.length = 0;", "no-support-library", "keep a count beside"],
  ["delete record.extra;", "no-support-library", "set the field to undefined"],
  ['use("extra" in record);', "no-support-library", "compare it with undefined"],
  ["use(record instanceof Object);", "no-support-library", "give the record a kind field"],
  ["use(typeof n);", "no-support-library", "give the record a kind field"],
  ["use(n ** 2);", "no-support-library", "multiply"],
  ["use((use(1), n));", "no-support-library", "write two statements"],
  ["use({ ...record });", "no-support-library", "name the fields"],
  ["use([...list]);", "no-support-library", "name the fields"],
  ["const { a, ...others } = record; use(a); use(others);", "no-support-library", "name the fields"],
  ["for (const c of text) use(c);", "no-support-library", "anything but an array"],
  ["outer: while (n > 0) { break outer; }", "no-support-library", "move the inner loop"],
  ["enum E { A } use(E);", "no-support-library", "write `const enum`"],
  ["namespace N { export const a = 1; } use(N);", "no-support-library", "a module of its own"],
  ["use(async () => {});", "no-support-library", "go on in the next poll"],
  ["use(function* () { yield 1; });", "no-support-library", "go on in the next poll"],
  ["use(/x/);", "no-support-library", "compare bytes"],
  ["use(n % 3);", "int32", 'use mod from "#native"'],
  ["let m = n; m %= 3; use(m);", "int32", 'use mod from "#native"'],
  ["use(n << 32);", "int32", "shift by a literal from 0 to 31"],
  ["use(n << n);", "int32", "shift by a literal from 0 to 31"],
  ["let m: any = n; use(m);", "traps", "give it its type"],
  ["use(n as number);", "traps", "give the value its type"],
  ["use(record.inner!.depth);", "traps", "give the value its type"],
  ["use(n / 2);", "int32", 'use div from "#native"'],
  ["let m = n; m /= 2; use(m);", "int32", 'use div from "#native"'],
  ["use(n >> 1);", "int32", "`>>` has no translation"],
  ["use(n >>> 1);", "int32", "`>>>` breaks on 32 bits"],
  ["let m = n; m >>>= 1; use(m);", "int32", "`>>>=` breaks on 32 bits"],
  ["use(0x80000001);", "int32", "does not fit in 32 bits"],
  ["use(-2147483648);", "int32", "write -2147483647 - 1"],
  ["const enum Top { Bit = 1 << 31 } use(Top.Bit);", "int32", "write -2147483647 - 1"],
  ["use(1n);", "int32", "there is no BigInt"],
  ["if (n) use(1);", "truthiness", "n is number, not boolean"],
  ["while (text) use(1);", "truthiness", "text is string, not boolean"],
  ["for (let i = 3; i; i -= 1) use(i);", "truthiness", "i is number"],
  ["use(record.extra ? 1 : 2);", "truthiness", "not boolean"],
  ["use(!n);", "truthiness", "n is number"],
  ["use(n || 7);", "truthiness", "n is number"],
  ["use(n > 1 && n);", "truthiness", "n is number"],
  ["use(text.length);", "no-support-library", "use textLength"],
  ["const maybe: (number | undefined)[] = []; maybe[0] = undefined;", "traps", "makes a hole"],
  ["use([1, undefined]);", "traps", "makes a hole"],
  ["use(null);", "traps", "write undefined"],
  ["const none: number | null = one(); use(none);", "traps", "write undefined"],
  ["interface Bad { poll: (now: number) => void } use(one<Bad>());", "traps", "as the method"],
  ['void import("./x");', "imports", "a chip's program is whole"],
];

/** Statements that are fine in the loop. */
const allowedInLoop: readonly string[] = [
  "n += 1; n = n * 2; n = (n & 255) | (n << 2); use(-n); use(~n);",
  "use(div(n, 2)); use(-2147483647 - 1); use(0x7fffffff);",
  "if (n > 1 && !flag) use(1); use(flag ? 1 : 2); while (n < 3 || flag) break;",
  "use(list[0] ?? 1); use(record.inner?.depth); list[1] = n; use(list.length);",
  "const { a, extra } = record; use(a); use(extra);",
  "switch (n) { case 1: use(1); break; default: use(2); } do { n -= 1; } while (n > 0);",
  "for (let i = 0; i < 3; i += 1) { if (i === 1) continue; bytes[i] = n; }",
  'use(text === "x"); use(Step.Two); pins.write(1, true); record.extra = undefined;',
  "if (list.length === 3) frame.length = 3; const { length: size } = list; use(size);",
  "const known: Readonly<Record<string, number>> | undefined = one(); use(known === undefined);",
  "use(undefined); sink.poll(n); sink.done?.(n); use(copy(bytes, 0, bytes, 1, 2));",
];

const allowedAtBoot: readonly string[] = [
  "const made = { n: 1, poll(now: number): number { return now + this.n; } }; use(made); use([1, 2]); list.push(3);",
  "for (const key in record) use(key); use(make()); use(allocate(4)); use(round(21.5)); use(`a${n}`);",
  "for (const item of list) use(item);",
  "use(pins.configure(1, 0)); use(text + text);",
];

const prelude = `
import type { Bytes, Pins } from "../hal/hal";
import { allocate, copy, div, round, textAt } from "#native";
const enum Step { One, Two }
interface Sink { poll(now: number): void; done?(now: number): void; free: (this: void) => void }
/** @boot */
type Boot = () => void;
declare let n: number; declare let m: number; declare const flag: boolean; declare const text: string;
declare const list: number[]; declare const bytes: Bytes; declare const pins: Pins; declare const sink: Sink;
declare const record: { a: number; extra?: string | undefined; inner?: { depth: number } }; declare const typed: Boot;
declare const Made: new () => object; declare function tag(text: unknown): number;
declare const frame: { length: number };
declare function use(...x: unknown[]): void; declare function one<T>(): T;
/** @boot */
function make(): void {}
/** Makes it. @boot */
const makeArrow = (): void => {};
export { allocate, copy, div, round, textAt, Step, make, makeArrow, m };
`;

const inLoop = (code: string): string => `${prelude}export function turn(): void {\n${code}\n}`;
const atBoot = (code: string): string => `${prelude}/** @boot */\nexport function begin(): void {\n${code}\n}`;

/** One program for all cases: building the types of the library takes longest. */
const sources = new Map<string, string>();
const pathOf = (kind: string, index: number): string => `firmware/case-${kind}-${index}.ts`;
refusedInLoop.forEach(([code], index) => sources.set(pathOf("loop", index), inLoop(code)));
refusedEverywhere.forEach(([code], index) => sources.set(pathOf("boot", index), atBoot(code)));
allowedInLoop.forEach((code, index) => sources.set(pathOf("fine-loop", index), inLoop(code)));
allowedAtBoot.forEach((code, index) => sources.set(pathOf("fine-boot", index), atBoot(code)));
sources.set(
  "firmware/imports.ts",
  `
import { readFileSync } from "node:fs";
import type x from "mqtt";
export * from "./case-loop-0";
export { readFileSync, x };
export { connect } from "mqtt";
export type Client = import("mqtt").MqttClient;
`,
);
sources.set(
  "firmware/regions.ts",
  `${prelude}
interface Part {
  /** @boot */
  start(): void;
  poll(): void;
}
export const part: Part = {
  start() { use({}); },
  poll() { use({}); },
};
/** @boot */
export function createPart(): Part {
  return { start() { use([]); }, poll() { use([]); } };
}
export function rest(...xs: number[]): void { use(this); use(arguments); use(xs.length); }
`,
);
sources.set(
  "firmware/made-by-module.ts",
  `
import type { Bytes } from "../hal/hal";
import { allocate } from "#native";
export const state = { count: 0, inner: { list: [1] } };
const names = ["a"];
const bytes: Bytes = allocate(4);
let variable = 0;
state.count = 1;
names.push("b");
/** @boot */
export function begin(): void {
  state.count = 1;
  state.inner.list[0] = 2;
  state.count += 1;
  state.count++;
  --state.count;
  names.push("c");
}
export function fine(own: { count: number }): number {
  variable += 1;
  own.count = state.count;
  bytes[0] = 1;
  const here = { count: 1 };
  here.count = 2;
  return variable + names.length;
}
`,
);
sources.set(
  "firmware/made-elsewhere.ts",
  'import { state } from "./made-by-module";\nexport function turn(): void {\n  state.count = 2;\n}\n',
);
sources.set("firmware/waiting.ts", "export const n = await 1;");
const program = programOf(sources);

function findingsIn(path: string): string[] {
  return checkFile(program, fileOf(program, path)).map(({ line, rule, message }) => `${line} ${rule}: ${message}`);
}

describe("device rules", () => {
  it.each(refusedInLoop.map((each, index) => [...each, index] as const))(
    "refuse in the loop: %s",
    (_code, rule, says, index) => {
      const found = findingsIn(pathOf("loop", index));
      expect(found).toContainEqual(expect.stringContaining(`${rule}: `));
      expect(found).toContainEqual(expect.stringContaining(says));
    },
  );

  it.each(refusedEverywhere.map((each, index) => [...each, index] as const))(
    "refuse at boot too: %s",
    (_code, rule, says, index) => {
      const found = findingsIn(pathOf("boot", index));
      expect(found).toContainEqual(expect.stringContaining(`${rule}: `));
      expect(found).toContainEqual(expect.stringContaining(says));
    },
  );

  it.each(allowedInLoop.map((code, index) => [code, index] as const))("allow in the loop: %s", (_code, index) => {
    expect(findingsIn(pathOf("fine-loop", index))).toEqual([]);
  });

  it.each(allowedAtBoot.map((code, index) => [code, index] as const))("allow at boot: %s", (_code, index) => {
    expect(findingsIn(pathOf("fine-boot", index))).toEqual([]);
  });

  it("say one thing of a call of the library, not two", () => {
    const index = refusedEverywhere.findIndex(([code]) => code.includes("Math.floor"));
    expect(findingsIn(pathOf("boot", index))).toHaveLength(1);
  });

  it("refuse to change what a module has made, in boot too, but for its variables and buffers", () => {
    const found = findingsIn("firmware/made-by-module.ts").filter((finding) => finding.includes("frozen: "));
    expect(found.map((finding) => Number(finding.split(" ")[0]))).toEqual([12, 13, 14, 15, 16, 17]);
    expect(found[0]).toContain("state is made while its module is set up, and lies in flash on a chip");
    expect(findingsIn("firmware/made-elsewhere.ts")).toEqual([expect.stringMatching(/^3 frozen: state is made/)]);
  });

  it("refuse to wait at the top level", () => {
    expect(findingsIn("firmware/waiting.ts")).toEqual([expect.stringContaining("nothing waits on a chip")]);
  });

  it("refuse imports of Node and of packages, type imports too", () => {
    expect(findingsIn("firmware/imports.ts")).toEqual([
      expect.stringMatching(/^2 imports: "node:fs" is not on a chip/),
      expect.stringMatching(/^3 imports: "mqtt" is not on a chip/),
      expect.stringMatching(/^6 imports: "mqtt" is not on a chip/),
      expect.stringMatching(/^7 imports: "mqtt" is not on a chip/),
    ]);
  });

  it("take a method for boot code when the interface says so, and for loop code inside a boot function", () => {
    const lines = sources.get("firmware/regions.ts")?.split("\n") ?? [];
    const lineOf = (code: string): number => lines.findIndex((line) => line.includes(code)) + 1;
    const found = findingsIn("firmware/regions.ts").filter((finding) => finding.includes("literal allocates"));
    expect(found).toEqual([
      expect.stringContaining(`${lineOf("poll() { use({})")} loop-allocation: an object literal`),
      expect.stringContaining(`${lineOf("return { start() { use([])")} loop-allocation: an array literal`),
    ]);
  });

  it("refuse rest parameters, `arguments`, and `this` outside an object's method", () => {
    const found = findingsIn("firmware/regions.ts").join("\n");
    expect(found).toContain("a rest parameter makes a table");
    expect(found).toContain("`arguments` does not exist in Lua");
    expect(found).toContain("`this` is set only in the methods of an object literal");
  });
});
