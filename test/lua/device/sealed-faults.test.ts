/**
 * A board with QoS 2 and a kept session, frozen and sealed as on a chip, with sanitizers, while every fault of the catalogue
 * strikes, each with another at random behind it. The first allocation after boot, and the first byte outside of a buffer,
 * would end the run.
 */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { drawArgument, FAULTS, type FaultName, faultsOf } from "../../../sim/faults";
import type { PersonalityName } from "../../../sim/module/personalities";
import { Random } from "../../../sim/random";
import { compileBytecode } from "../../../tools/build/bytecode";
import { compile } from "../../../tools/build/compile";
import { boardAddon } from "../harness/addon";
import { DeviceBench } from "../harness/bench";
import { cache } from "../harness/bundle";

const GENERATIONS: readonly PersonalityName[] = ["nonos-1.7", "esp-at-2.2", "esp-at-5"];
/** From one pair to the next, and from its first to its second at most, in ms. */
const EVERY = 90_000;
const LATEST = 30_000;
/** After the last pair everything is back: see `test/firmware/wifi/endure.ts`. */
const CALM = 120_000;
const ORDER_EVERY = 3_000;
const SEED = Number(process.env["MOTH_SEED"] ?? Math.floor(Date.now() / 1000));

/** Has it strike, and brings about what it waits for. */
function strike({ module, broker }: DeviceBench, name: FaultName, argument: number | undefined): void {
  module.faults.strike(name, argument);
  const { occasion } = FAULTS[name];
  if (occasion === "the next boot" || occasion === "the next echo" || occasion === "the next join") module.crash();
  if (occasion === "the next connect" || occasion === "the next look-up" || name === "cmd.long") {
    for (const { clientId } of broker.clients) broker.kick(clientId);
  }
}

describe("a sealed board", () => {
  let linked: string;

  beforeAll(() => {
    const compiled = compile("test/soak/application.ts", "build");
    if ("problems" in compiled) throw new Error(compiled.problems.map(({ message }) => message).join("\n"));
    linked = boardAddon(compileBytecode(compiled.bundle.lua, cache), "sealed-faults");
  }, 300_000);

  test.each(GENERATIONS)(`with %s allocates nothing while any fault strikes, and another (MOTH_SEED=${SEED})`, (personality) => {
    // An addon is a board that can be switched on once.
    const addon = join(cache, `sealed-faults-${personality}.node`);
    copyFileSync(linked, addon);
    const struck = new Set<string>();
    const bench = new DeviceBench(personality, { fault: (name) => struck.add(name) });
    const { clock, broker } = bench;
    const random = new Random(SEED).fork(personality);
    const names = faultsOf(personality);
    names.forEach((name, i) => {
      const at = (i + 1) * EVERY;
      const second = names[random.int(names.length)] ?? name;
      const later = at + random.int(LATEST);
      const [argument, other] = [drawArgument(random, name), drawArgument(random, second)];
      clock.at(at, () => strike(bench, name, argument));
      clock.at(later, () => strike(bench, second, other));
    });
    const end = (names.length + 1) * EVERY;
    clock.at(end, () => bench.module.faults.clear());
    const order = (count: number): void => {
      broker.publish(`moth/t1/${count % 2 === 0 ? "once" : "again"}/set`, count % 3 === 0 ? "ON" : "OFF", { qos: count % 2 === 0 ? 2 : 1 });
      if (clock.now < end) clock.after(ORDER_EVERY, () => order(count + 1));
    };
    clock.after(20_000, () => order(0));
    const { arena, restarted, crash } = bench.run(addon, () => clock.now > end + CALM);
    expect({ sealed: arena.sealed, restarted, crash }).toEqual({ sealed: true, restarted: false, crash: "" });
    expect(broker.clients.map(({ clientId }) => clientId)).toEqual(["t1"]);
    expect(broker.pendingFor("t1")).toBe(0);
    expect(names.filter((name) => !struck.has(name) && name !== "module.tls_oom")).toEqual([]);
  }, 600_000);
});
