/** The block operations, by one table of cases. Node runs it on those of hal/node, and on those of the device runtime. */
import { describe, expect, it } from "vitest";
import type { Native } from "../../hal/hal";
import * as natives from "../../hal/node/native";
import { bufferSize, nativeCases, outside } from "./native-cases";
import type { Argument, Expected, NativeCase } from "./native-cases";

interface Outcome {
  readonly gave: Expected;
  readonly left: readonly number[];
}

/** The functions of the contract, by name. */
const operations = new Map<string, Native[keyof Native]>(Object.entries(natives));

function perform({ holds = [], call, with: values }: Pick<NativeCase, "holds" | "call" | "with">): Outcome {
  const a = natives.allocate(bufferSize);
  holds.forEach((byte, at) => (a[at] = byte));
  const b = natives.allocate(bufferSize);
  const argument = (value: Argument): unknown => {
    if (value === "@a") return a;
    if (value === "@b") return b;
    return typeof value === "number" ? value : value.text;
  };
  const left = (): number[] => Array.from({ length: bufferSize }, (_, at) => natives.byteAt(a, at));
  const operation = operations.get(call);
  if (operation === undefined) throw new Error(`there is no ${call}`);
  try {
    return { gave: scalar(Reflect.apply(operation, undefined, values.map(argument))), left: left() };
  } catch (error) {
    if (error instanceof RangeError) return { gave: outside, left: left() };
    throw error;
  }
}

/** −0 and 0 are one number to the firmware. */
function scalar(value: unknown): Expected {
  if (typeof value === "number") return value + 0;
  if (typeof value === "boolean" || typeof value === "string") return value;
  if (value === undefined || value === null) return undefined;
  throw new Error("a block operation gave neither a number, a boolean nor a string");
}

describe("the block operations", () => {
  it.each(nativeCases.map((each) => [each.what, each] as const))("%s", (_what, each) => {
    const { gave, left } = perform(each);
    const { gives, leaves = [] } = each;
    expect(gave).toBe(gives);
    expect(left.slice(0, leaves.length)).toEqual(leaves);
  });

  it("each have cases of their own", () => {
    const called = new Set<string>(nativeCases.map(({ call }) => call));
    // A queue takes more than one step: test/firmware/core/queue.test.ts.
    const others = [...operations.keys()].filter((name) => name !== "allocate" && !/^(create|)queue/i.test(name));
    expect(others.filter((name) => !called.has(name))).toEqual([]);
  });
});

/** The operations that work on a range, each with arguments for `count` bytes of an empty buffer from `at` on. */
const ranged: readonly (readonly [keyof Native, (at: number, count: number) => readonly Argument[]])[] = [
  ["copy", (at, count) => ["@a", at, "@b", 0, count]],
  ["copy", (at, count) => ["@b", 0, "@a", at, count]],
  ["find", (at, count) => ["@a", at, count, 0]],
  ["same", (at, count) => ["@a", at, "@b", 0, count]],
  ["same", (at, count) => ["@b", 0, "@a", at, count]],
  ["isText", (at, count) => ["@a", at, count, { text: "" }]],
  ["startsWith", (at, count) => ["@a", at, count, { text: "" }]],
  ["isUtf8", (at, count) => ["@a", at, count]],
  ["isUtf8Without", (at, count) => ["@a", at, count, 1, 2]],
  ["matchFilter", (at, count) => ["@b", 0, "@a", at, count]],
  ["textAt", (at, count) => ["@a", at, count]],
];

const MOST = 2147483647;
const LEAST = -2147483648;

describe.each(ranged)("the range of %s", (call, argumentsFor) => {
  it.each([
    [0, bufferSize + 1],
    [1, bufferSize],
    [bufferSize, 1],
    [bufferSize + 1, 0],
    [-1, 1],
    [-1, 0],
    [0, -1],
    [5, -5],
    [MOST, 1],
    [1, MOST],
    [MOST, MOST],
    [LEAST, 1],
    [0, LEAST],
    [LEAST, LEAST],
  ])("is refused from %i on for %i bytes", (at, count) => {
    expect(perform({ call, with: argumentsFor(at, count) }).gave).toBe(outside);
  });

  it.each([
    [0, 0],
    [0, bufferSize],
    [bufferSize, 0],
    [bufferSize - 1, 1],
  ])("may lie at the very edge: from %i on for %i bytes", (at, count) => {
    expect(perform({ call, with: argumentsFor(at, count) }).gave).not.toBe(outside);
  });
});

/** Those that need as many bytes as they need. */
const placed: readonly (readonly [keyof Native, (at: number) => readonly Argument[], size: number])[] = [
  ["byteAt", (at) => ["@a", at], 1],
  ["u16At", (at) => ["@a", at], 2],
  ["putU16", (at) => ["@a", at, 7], 2],
  ["putText", (at) => ["@a", at, { text: "€" }], 3],
  ["putDecimal", (at) => ["@a", at, -12], 3],
];

describe.each(placed)("the place of %s", (call, argumentsFor, size) => {
  it.each([-1, bufferSize - size + 1, bufferSize, MOST, LEAST])("is refused at %i, and nothing is written", (at) => {
    const { gave, left } = perform({ call, with: argumentsFor(at) });
    expect(gave).toBe(outside);
    expect(left).toEqual(new Array<number>(bufferSize).fill(0));
  });

  it("may be the very last", () => {
    expect(perform({ call, with: argumentsFor(bufferSize - size) }).gave).not.toBe(outside);
  });
});

describe("a new buffer", () => {
  it.each([1, 2, 255, 256, 65535])("of %i bytes has its length, and holds zeros", (size) => {
    const bytes = natives.allocate(size);
    expect(bytes.length).toBe(size);
    expect(natives.find(bytes, 0, size, 1)).toBe(-1);
    expect(natives.byteAt(bytes, size - 1)).toBe(0);
  });

  it.each([0, -1, 65536, MOST, LEAST])("of %i bytes is refused", (size) => {
    expect(() => natives.allocate(size)).toThrow(RangeError);
  });

  it("keeps the low eight bits of what is written into it", () => {
    const bytes = natives.allocate(4);
    bytes[0] = 256 + 7;
    bytes[1] = -1;
    natives.putU16(bytes, 2, 0x1abcd);
    expect([0, 1, 2, 3].map((at) => natives.byteAt(bytes, at))).toEqual([7, 255, 0xab, 0xcd]);
  });
});
