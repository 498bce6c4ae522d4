/** What is done with an outbox, sealed as on a chip: after boot the first allocation ends the run with a crash record. */
import { describe, expect, test } from "vitest";
import { compileBytecode } from "../../../tools/build/bytecode";
import { compile } from "../../../tools/build/compile";
import { boardAddon } from "../harness/addon";
import { DeviceBench } from "../harness/bench";
import { cache } from "../harness/bundle";

describe("a full outbox on a sealed board", () => {
  test("allocates nothing in 6000 rounds of every policy, of messages from a source, and of lost links", () => {
    const compiled = compile("test/lua/apps/full-outbox.ts", "build");
    if ("problems" in compiled) throw new Error(compiled.problems.map(({ message }) => message).join("\n"));
    const bench = new DeviceBench();
    const path = boardAddon(compileBytecode(compiled.bundle.lua, cache), "full-outbox-board");
    const { arena, restarted, crash } = bench.run(path, () => bench.console.includes("\n") || bench.clock.now > 600_000);
    expect({ sealed: arena.sealed, restarted, crash }).toEqual({ sealed: true, restarted: false, crash: "" });
    const counted = new Map([...bench.console.matchAll(/(\w+)=(\d+)/g)].map(([, name, value]) => [name, Number(value)]));
    for (const name of ["published", "acknowledged", "refused", "overwritten", "replaced", "displaced", "sessions"]) {
      expect([name, counted.get(name)]).toEqual([name, expect.toSatisfy((value: number) => value > 30)]);
    }
    for (const name of ["done", "lost", "failed"]) {
      expect([name, counted.get(name)]).toEqual([name, expect.toSatisfy((value: number) => value > 0)]);
    }
  }, 300_000);
});
