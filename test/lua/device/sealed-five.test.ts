/**
 * MQTT 5.0 on a sealed board: after boot the first allocation ends the run with a crash record. The application restarts
 * the board, too, when something of it has not worked.
 */
import { expect, test } from "vitest";
import { compileBytecode } from "../../../tools/build/bytecode";
import { compile } from "../../../tools/build/compile";
import { boardAddon } from "../harness/addon";
import { DeviceBench } from "../harness/bench";
import { cache } from "../harness/bundle";

test("nothing is allocated while MQTT 5.0 is spoken, answered and refused, and links are lost", () => {
  const compiled = compile("test/lua/apps/five.ts", "build");
  if ("problems" in compiled) throw new Error(compiled.problems.map(({ message }) => message).join("\n"));
  const bench = new DeviceBench();
  let turns = 0;
  const path = boardAddon(compileBytecode(compiled.bundle.lua, cache), "five-board");
  const { arena, restarted, crash } = bench.run(path, () => turns++ === 10_000);
  expect({ sealed: arena.sealed, restarted, crash }).toEqual({ sealed: true, restarted: false, crash: "" });
}, 300_000);
