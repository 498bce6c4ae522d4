/** A module that stays dead, or reboots all the time: it is tried ever more seldom, counted, and taken back when it is well. */
import { describe, expect, it } from "vitest";
import { Way } from "../../../firmware/wifi/module";
import type { PersonalityName } from "../../../sim/module/personalities";
import { ScriptedModule } from "./scripted-module";
import { SimulatedBench } from "./simulated-bench";

const GENERATIONS: readonly PersonalityName[] = ["nonos-1.7", "esp-at-2.2", "esp-at-5"];
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Simulated hours take minutes in the runtime. */
const IN_RUNTIME = process.env["MOTH_EXECUTOR"] === "lua";
const DEAD_FOR = IN_RUNTIME ? [10] : [10, 10.3, 10.6];
const LOOPS_FOR = IN_RUNTIME ? 10 * MINUTE : HOUR;
/** The longest hold-off, and a second of reset. */
const LONGEST_HOLD = 61_000;
/** Once the module is well: the longest pause has just begun, then a hunt that has just passed it by, a boot, a join. */
const BACK_WITHIN = 150_000;

describe("a module that is dead for an hour", () => {
  it("is left alone for longer each time, up to a minute, and each time is counted", () => {
    const rig = new ScriptedModule({ seed: 5 });
    rig.advance(HOUR);
    const held = rig.resets.filter(({ held: isHeld }) => isHeld).map(({ at }) => at);
    const released = rig.resets.filter(({ held: isHeld }) => !isHeld).map(({ at }) => at);
    const pauses = released.map((at, i) => at - (held[i] ?? 0));
    expect(Math.max(...pauses)).toBeLessThanOrEqual(LONGEST_HOLD);
    const early = pauses.slice(0, 8).reduce((sum, pause) => sum + pause, 0);
    const late = pauses.slice(-8).reduce((sum, pause) => sum + pause, 0);
    expect(late).toBeGreaterThan(2 * early);
    expect(rig.esp.status.holdOffs).toBeGreaterThan(10);
    expect(rig.esp.status.holdOffs).toBeLessThan(HOUR / 30_000);
    // One may have been counted that is still to be ordered.
    const ordered = rig.writes.filter(({ text }) => text === "AT+RST\r\n").length;
    expect([held.length + ordered, held.length + ordered + 1]).toContain(rig.esp.status.resets);
    expect([Way.Starting, Way.Looking]).toContain(rig.esp.status.way);
  });

  it.each(GENERATIONS)("or for ten minutes and a bit, and comes back, is connected soon (%s)", (personality) => {
    for (const resetLine of [true, false]) {
      for (const dead of DEAD_FOR) {
        const bench = SimulatedBench.linked({ personality, resetLine, driver: { maxBaud: 921600 } });
        bench.user.reopenAfter = 500;
        bench.module.powerOff();
        bench.clock.runFor(dead * MINUTE);
        expect(bench.user.state).not.toBe("up");
        expect(bench.user.losses).toEqual(["Module"]);
        bench.module.powerOn();
        expect(bench.until(() => bench.user.state === "up", BACK_WITHIN), JSON.stringify(bench.wifi.status)).toBe(true);
        expect(bench.wifi.status.holdOffs).toBeGreaterThan(2);
        bench.userSends(100);
        bench.clock.runFor(1000);
        expect(bench.peer?.received).toHaveLength(100);
      }
    }
  });

  it("lets the board sleep meanwhile", () => {
    const rig = new ScriptedModule();
    rig.advance(HOUR);
    expect(rig.turns).toBeLessThan(HOUR / 100);
  });
});

describe("a module that its watchdog resets again and again", () => {
  it.each(GENERATIONS)("is reset by pin after the third time, left alone for longer each time, and connected when it is well (%s)", (personality) => {
    const bench = SimulatedBench.linked({ personality });
    bench.user.reopenAfter = 500;
    const end = bench.clock.now + LOOPS_FOR;
    const crash = (): void => {
      bench.module.crash();
      if (bench.clock.now < end) bench.clock.after(900, crash);
    };
    crash();
    const { resets } = bench.wifi.status;
    bench.clock.runUntil(end);
    expect(bench.wifi.status.reboots).toBeGreaterThan(LOOPS_FOR / 36_000);
    expect(bench.wifi.status.resets - resets).toBeGreaterThan(LOOPS_FOR / 90_000);
    // Held for half a minute on the average, between four boots of some seconds.
    expect(bench.wifi.status.resets - resets).toBeLessThan(6 + LOOPS_FOR / 25_000);
    expect(bench.until(() => bench.user.state === "up", BACK_WITHIN), JSON.stringify(bench.wifi.status)).toBe(true);
    const { resets: then, reboots } = bench.wifi.status;
    bench.clock.runFor(5 * MINUTE);
    expect(bench.user.state).toBe("up");
    expect(bench.wifi.status).toMatchObject({ resets: then, reboots });
  });

  it("is not left alone for long the next time, once a stream was open", () => {
    const rig = new ScriptedModule().bringUp();
    for (let i = 0; i < 3; i++) {
      rig.say("\r\nready\r\n");
      rig.advance(200);
    }
    expect(rig.esp.status).toMatchObject({ reboots: 3, resets: 2 });
    rig.advance(1_200);
    rig.take();
    rig.say("\r\nready\r\n");
    rig.setUp();
    rig.join();
    rig.open();
    rig.say("\r\nready\r\n");
    expect(rig.esp.status).toMatchObject({ reboots: 4, resets: 2 });
    rig.findBack();
  });
});

describe("a connect that comes about after the board has given it up", () => {
  function givenUp(): ScriptedModule {
    const rig = new ScriptedModule().dial();
    rig.expectCommand('AT+CIPSTART=0,"TCP","broker",1883,60');
    rig.advance(20_050);
    expect(rig.user.losses).toEqual(["Module"]);
    expect(rig.take()).toBe("+++");
    return rig;
  }

  it("is closed with all others by the set-up that follows, and is not taken for the next one", () => {
    const rig = givenUp();
    rig.user.open("elsewhere", 1884);
    rig.say("0,CONNECT\r\n\r\nOK\r\n");
    rig.findBack();
    expect(rig.user.state).toBe("opening");
    rig.answer("AT+CIPCLOSE=0", "\r\nERROR\r\n");
    rig.answer('AT+CIPSTART=0,"TCP","elsewhere",1884,60', "0,CONNECT\r\n", "\r\nOK\r\n");
    expect(rig.user.state).toBe("up");
  });

  it("is closed when it comes later still", () => {
    const rig = givenUp();
    rig.findBack();
    rig.say("0,CONNECT\r\n");
    rig.answer("AT+CIPCLOSE=0", "0,CLOSED\r\n", "\r\nOK\r\n");
    rig.expectNothing();
    rig.open();
  });
});
