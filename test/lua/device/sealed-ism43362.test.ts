/**
 * A board at an ISM43362, frozen and sealed as on a chip, in virtual time. After boot the first allocation ends the run
 * with a crash record: a run that goes on has made none.
 */
import { expect, test } from "vitest";
import { compileBytecode } from "../../../tools/build/bytecode";
import { compile } from "../../../tools/build/compile";
import { boardAddon } from "../harness/addon";
import { DeviceBench } from "../harness/bench";
import { cache } from "../harness/bundle";

const MESSAGES = 3_000;
const DISTURBANCES = 12;

test("allocates nothing in 3,000 messages, while links, Wi-Fi and module are lost", () => {
  const compiled = compile("test/e2e/apps/ism43362-board.ts", "build");
  if ("problems" in compiled) throw new Error(compiled.problems.map(({ message }) => message).join("\n"));
  const bench = new DeviceBench("ism43362");
  const { clock, broker, air, module } = bench;
  const order = (count: number): void => {
    broker.publish("moth/t1/relay/set", count % 2 === 0 ? "ON" : "OFF", { qos: count % 3 === 0 ? 1 : 0 });
    clock.after(200, () => order(count + 1));
  };
  clock.after(20_000, () => {
    broker.publish("moth/t1/interval/set", "1", { qos: 1 });
    order(0);
  });
  let disturbances = 0;
  const strike = (): void => {
    const kind = disturbances++ % 6;
    if (kind === 0) broker.kick("t1");
    else if (kind === 1) air.drop(12_000);
    else if (kind === 2) module.crash();
    else if (kind === 3) module.faults.strike("module.hang");
    else if (kind === 4) air.dismissAll();
    else broker.publish("moth/t1/relay/set", "x".repeat(3000), { qos: 1 });
    if (disturbances < DISTURBANCES) clock.after(30_000, strike);
  };
  clock.after(45_000, strike);
  const path = boardAddon(compileBytecode(compiled.bundle.lua, cache), "ism43362-board");
  const over = (): boolean => bench.messages >= MESSAGES && disturbances === DISTURBANCES && broker.clients.length === 1;
  const { arena, restarted, crash } = bench.run(path, () => over() || clock.now > 4 * 3_600_000);
  expect({ sealed: arena.sealed, restarted, crash }).toEqual({ sealed: true, restarted: false, crash: "" });
  expect(over()).toBe(true);
  expect(bench.published.get("moth/t1/telemetry")).toBeGreaterThan(200);
  expect(bench.switched).toBeGreaterThan(1000);
}, 600_000);
