import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compile } from "../../tools/build/compile";
import { createLuaVm } from "./vm";
import type { LuaVm } from "./vm";

const app = "test/tools/fixtures/blinker.ts";

function bundleOf(path: string): string {
  const compiled = compile(path, "build");
  if ("problems" in compiled) throw new Error(compiled.problems.map(({ message }) => message).join("\n"));
  return compiled.bundle.lua;
}

describe("the stand-in Lua", () => {
  const lua = bundleOf(app);
  let vm: LuaVm;

  beforeEach(async () => {
    vm = await createLuaVm();
  });

  afterEach(() => {
    vm.close();
  });

  it("runs a bundle of moth build as it is", () => {
    vm.load("app", lua);
    expect(vm.run("return app.default:poll(40)")).toBe(41);
  });

  it("counts no allocation in 10,000 rounds of a bundle that makes none", () => {
    vm.load("app", lua);
    vm.run("local application = app.default; function turn(round) application:poll(round) end");
    expect(vm.bytesAllocatedBy("turn", 10_000)).toBe(0);
  });

  it.each([
    ["a table", "local t = {}"],
    ["a closure", "local f = function() return round end"],
    ["a joined string", 'local s = "round " .. round'],
    ["a table a hundred rounds apart", "if round % 100 == 0 then local t = {} end"],
  ])("counts %s that is planted in the loop", (_what, planted) => {
    vm.load("app", lua);
    vm.run(`function turn(round) app.default:poll(round); ${planted} end`);
    expect(vm.bytesAllocatedBy("turn", 1000)).toBeGreaterThan(0);
  });

  it("lets Lua call functions of the test, with numbers in and out, without allocating", () => {
    const seen: number[] = [];
    vm.expose("peer", {
      add(a = 0, b = 0) {
        seen.push(a);
        return a + b;
      },
      ready: () => true,
    });
    expect(vm.run("return peer.add(2, 3)")).toBe(5);
    expect(vm.run("return math.type(peer.add(2, 3))")).toBe("integer");
    expect(vm.run("return peer.ready()")).toBe(true);
    vm.run("local add, ready = peer.add, peer.ready; function turn(round) add(round, 1); ready() end");
    expect(vm.bytesAllocatedBy("turn", 1000)).toBe(0);
    expect(seen).toContain(1100);
  });

  it("names the line of the bundle in an error", () => {
    expect(() => {
      vm.load("broken", "local x = nil\nreturn x.y");
    }).toThrow(/broken\.lua:2:/);
  });
});
