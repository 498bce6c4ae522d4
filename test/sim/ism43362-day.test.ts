import { describe, expect, test } from "vitest";
import { boardOn } from "../../firmware/board/board-on";
import { keptSession } from "../../firmware/board/kept-session";
import { createExactlyOnce } from "../../firmware/mqtt/exactly-once/create";
import { createIsm43362 } from "../../firmware/wifi/ism43362/ism43362";
import { createBench } from "../../sim/bench";
import { SimClock } from "../../sim/clock";
import { liveThroughADay } from "../../sim/day";
import { drawFaults, scheduleFaults } from "../../sim/faults";
import { ScriptedBroker } from "../../sim/network/broker";
import { MemoryNetwork } from "../../sim/network/memory";
import { Random } from "../../sim/random";
import ism43362Board from "../e2e/apps/ism43362-board";

/** A new one each run, shown in the test's name: run the one that failed again with MOTH_SEED. */
const seeds = [Number(process.env["MOTH_SEED"] ?? Math.floor(Math.random() * 2 ** 31))];
const HOUR = 3_600_000;

describe.each(seeds)("a board at an ISM43362, with seed %i", (seed) => {
  test("has every telemetry message of a simulated day delivered, and nothing refused", () => {
    const day = liveThroughADay(ism43362Board, seed, "ism43362");
    expect(day.connected).toBe(true);
    expect(day.broker.faults).toEqual([]);
    expect(day.bench.machine.board?.client.stats).toMatchObject({ refused: 0, violations: 0 });
    expect(day.made).toBeGreaterThan(17_200);
    const delivered = new Set(day.arrived);
    const missing = Array.from({ length: day.made }, (_, index) => index + 1).filter((seq) => !delivered.has(seq));
    // What was made in the last moment may still be on its way.
    expect(missing.filter((seq) => seq < day.made)).toEqual([]);
  }, 120_000);

  test("obeys each command at QoS 2 once, whatever is lost meanwhile", () => {
    const clock = new SimClock();
    const network = new MemoryNetwork(clock);
    const broker = new ScriptedBroker(clock);
    broker.listen(network, "broker", 1883);
    const application = boardOn(createIsm43362, {
      name: "exactly-once",
      readings: {},
      relays: { relay: { pin: 2, boot: "off" } },
      numbers: { interval: { unit: "s", min: 1, max: 86400, initial: 60 } },
      telemetry: { every: "interval", fields: ["seq", "relay"] },
      rules: {},
      session: keptSession({ perMinute: 60 }),
      mqtt: { exactlyOnce: () => createExactlyOnce({ sending: 8, receiving: 20 }) },
    });
    const bench = createBench({
      clock, network, application, device: "t1", host: "broker", port: 1883, seed, personality: "ism43362",
    });
    const faults = drawFaults(new Random(seed).fork("faults"), { from: 60_000, to: 2 * HOUR, meanInterval: 60_000 });
    scheduleFaults(clock, faults, bench.module.faults);
    bench.machine.powerOn();
    let sent = 0;
    const order = (): void => {
      broker.publish("moth/t1/relay/set", sent++ % 2 === 0 ? "ON" : "OFF", { qos: 2 });
      if (clock.now < 2 * HOUR) clock.after(7_000, order);
    };
    clock.after(30_000, order);
    clock.runUntil(2 * HOUR + 10 * 60_000);
    expect(bench.machine.board?.commands).toMatchObject({ obeyed: sent, rejected: 0 });
    expect(broker.faults).toEqual([]);
  }, 60_000);
});
