/** One table of cases, run on the block operations of Node and on those of the stand-in Lua. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Native } from "../../hal/hal";
import * as node from "../../hal/node/native";
import { createLuaVm } from "../lua/vm";
import type { LuaVm } from "../lua/vm";
import { bufferSize, nativeCases, outside } from "./native-cases";
import type { Argument, Expected, NativeCase } from "./native-cases";

interface Outcome {
  readonly gave: Expected;
  readonly left: readonly number[];
}

/** The functions of the contract, by name. */
const operations = new Map<string, Native[keyof Native]>(Object.entries(node));

function onNode({ holds = [], call, with: values }: NativeCase): Outcome {
  const a = new Uint8Array(bufferSize);
  a.set(holds);
  const b = new Uint8Array(bufferSize);
  const argument = (value: Argument): unknown => {
    if (value === "@a") return a;
    if (value === "@b") return b;
    return typeof value === "number" ? value : value.text;
  };
  const operation = operations.get(call);
  if (operation === undefined) throw new Error(`hal/node has no ${call}`);
  try {
    return { gave: scalar(Reflect.apply(operation, undefined, values.map(argument))), left: [...a] };
  } catch (error) {
    if (error instanceof RangeError) return { gave: outside, left: [...a] };
    throw error;
  }
}

/** What plain Lua does itself, as hal/lua/native.ts has it. */
const operators: Readonly<Record<string, string>> = { div: " // ", mod: " % " };

function onLua(vm: LuaVm, { holds = [], call, with: values }: NativeCase): Outcome {
  const argument = (value: Argument): string => {
    if (value === "@a" || value === "@b") return value.slice(1);
    return typeof value === "number" ? String(value) : JSON.stringify(value.text);
  };
  // Division is the one operation that is the language's own.
  const operator = operators[call];
  const list = values.map(argument);
  const body = operator === undefined ? `moth.${call}(${list.join(", ")})` : list.join(operator);
  vm.run(`
    a, b = moth.allocate(${bufferSize}), moth.allocate(${bufferSize})
    ${holds.map((byte, at) => `a[${at}] = ${byte}`).join("; ")}
    ok, gave = pcall(function() return ${body} end)
  `);
  const left = Array.from({ length: bufferSize }, (_, at) => Number(vm.run(`return a[${at}]`)));
  if (vm.run("return ok") === true) return { gave: scalar(vm.run("return gave")), left };
  const message = String(vm.run("return gave"));
  if (message.includes("outside a buffer")) return { gave: outside, left };
  throw new Error(message);
}

/** −0 and 0 are one number to the firmware; nil is undefined. */
function scalar(value: unknown): Expected {
  if (typeof value === "number") return value + 0;
  if (typeof value === "boolean" || typeof value === "string") return value;
  if (value === undefined || value === null) return undefined;
  throw new Error("a block operation gave neither a number, a boolean nor a string");
}

function expectOutcome({ gives, leaves = [] }: NativeCase, { gave, left }: Outcome): void {
  expect(gave).toBe(gives);
  expect(left.slice(0, leaves.length)).toEqual(leaves);
}

const named = nativeCases.map((each) => [each.what, each] as const);

describe("the block operations of Node", () => {
  it.each(named)("%s", (_what, each) => {
    expectOutcome(each, onNode(each));
  });
});

describe("the block operations of the stand-in Lua", () => {
  let vm: LuaVm;

  beforeAll(async () => {
    vm = await createLuaVm();
  });

  afterAll(() => {
    vm.close();
  });

  it.each(named)("%s", (_what, each) => {
    expectOutcome(each, onLua(vm, each));
  });

  it("are all there", () => {
    const missing = Object.keys(node).filter((name) => !["div", "mod"].includes(name) && vm.run(`return moth.${name} == nil`) === true);
    expect(missing).toEqual([]);
  });

  it("allocate nothing in the loop", () => {
    vm.run(`
      local a, b, moth = moth.allocate(64), moth.allocate(64), moth
      function turn(round)
        moth.putText(a, 0, "moth/é€/telemetry")
        moth.isText(a, 0, 20, "moth/é€/telemetry")
        moth.startsWith(a, 0, 20, "moth/")
        moth.isUtf8(a, 0, 20)
        moth.textLength("moth/é€/telemetry")
        moth.putDecimal(a, 30, -round)
        moth.decimalAt(a, 31, 3)
        moth.copy(a, 0, b, 8, 40)
        moth.copy(a, 0, a, 8, 40)
        moth.same(a, 0, b, 8, 40)
        moth.find(a, 0, 64, 200)
        moth.putU16(a, 0, round & 65535)
        moth.u16At(a, 0)
        moth.byteAt(a, 1)
      end
    `);
    expect(vm.bytesAllocatedBy("turn", 2000)).toBe(0);
  });
});
