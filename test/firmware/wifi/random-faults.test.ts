/** A driver and a module on which something goes wrong every few seconds. */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { ModuleName } from "../../../sim/modules";
import { SimulatedBench } from "./simulated-bench";

/** What a crash of the simulated ESP-AT puts on the line, at most. The other module is asked for each byte, and sends none else. */
const CRASH_NOISE = 12;
/** Compiled Lua with sanitizers is slower. */
const RUNS = process.env["MOTH_EXECUTOR"] === "lua" ? 3 : 12;

it.each<readonly [ModuleName, number]>([["esp-at-5", CRASH_NOISE], ["ism43362", 0]])(
  "with random faults on a module with %s nothing hangs, no byte is out of place, and in the end the link works",
  { timeout: 300_000 },
  (personality, noise) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.boolean(), (seed, resetLine) => {
        // Nothing but its reset pin ends what an ISM43362 may be in the middle of.
        const bench = new SimulatedBench({ seed, personality, resetLine: resetLine || personality === "ism43362" });
        const { clock } = bench;
        const random = bench.random.fork("faults");
        bench.user.reopenAfter = 700;
        bench.user.open("broker", 1883);
        const faults = [
          () => bench.air.drop(random.between(500, 40_000)),
          () => bench.module.crash(),
          () => bench.network.killAll(),
          () => bench.air.dismissAll(),
          () => bench.wifi.link.close(),
        ];
        const strike = (): void => {
          if (clock.now > 150_000) return;
          faults[random.int(faults.length)]?.();
          clock.after(random.between(100, 15_000), strike);
        };
        const talk = (): void => {
          bench.userSends(random.int(900));
          bench.peerSends(random.int(900));
          clock.after(random.between(1, 1_500), talk);
        };
        clock.after(random.between(0, 8_000), strike);
        clock.after(3_000, talk);
        // The last fault may last 40 s, and the driver has 60 s from then on.
        clock.runUntil(250_000);
        expect(bench.user.state).toBe("up");
        const received = bench.user.inbox.length;
        const arrived = bench.peer?.received.length ?? 0;
        bench.clock.runFor(10_000);
        expect(bench.user.inbox.length).toBeGreaterThan(received);
        expect(bench.peer?.received.length).toBeGreaterThan(arrived);
        bench.check(noise);
      }),
      { numRuns: RUNS, seed: 20_261_123 },
    );
  },
);
