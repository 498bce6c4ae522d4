/** Modem sleep: what each generation is told, and a module whose first bytes after a pause are lost. */
import { describe, expect, it } from "vitest";
import { PowerSave, type WifiOptions } from "../../../firmware/wifi/module";
import type { PersonalityName } from "../../../sim/module/personalities";
import { ScriptedModule, SETUP_COMMANDS } from "./scripted-module";
import { SimulatedBench } from "./simulated-bench";

const GENERATIONS: readonly PersonalityName[] = ["nonos-1.7", "esp-at-2.2", "esp-at-5"];
const SAVING: Partial<WifiOptions> = { modemSleep: true };
const OK = "\r\nOK\r\n";

function sleepCommands(bench: SimulatedBench): string[] {
  return bench.commands.filter((command) => command.startsWith("AT+SLEEP"));
}

/** The user and the peer say something now and then, each in turn, for a while. */
function talk(bench: SimulatedBench, seconds: number, every = 3_100): void {
  for (let left = seconds * 1000; left > 0; left -= every) {
    bench.userSends(40);
    bench.clock.runFor(every / 2);
    bench.peerSends(30);
    bench.clock.runFor(every / 2);
  }
}

describe.each(GENERATIONS)("%s", (personality) => {
  it("is told modem sleep in its own numbers, before it joins, and once more after each reset", () => {
    const bench = SimulatedBench.linked({ personality, driver: SAVING });
    const modemSleep = personality === "nonos-1.7" ? "AT+SLEEP=2" : "AT+SLEEP=1";
    expect(sleepCommands(bench)).toEqual([modemSleep]);
    const join = bench.commands.findIndex((command) => command.startsWith("AT+CWJAP"));
    expect(bench.commands.indexOf(modemSleep)).toBeLessThan(join);
    expect(bench.wifi.status.powerSave).toBe(PowerSave.On);
    bench.module.crash();
    bench.clock.runFor(20_000);
    expect(sleepCommands(bench)).toEqual([modemSleep, modemSleep]);
  });

  it("is kept awake when nobody asked for it to save power: NonOS sleeps by itself", () => {
    const bench = SimulatedBench.linked({ personality });
    expect(sleepCommands(bench)).toEqual(personality === "nonos-1.7" ? ["AT+SLEEP=0"] : []);
    expect(bench.wifi.status.powerSave).toBe(PowerSave.Off);
    talk(bench, 30);
    expect(bench.commands.filter((command) => command === "AT")).toEqual([]);
  });

  it.each([1, 2, 3, 4, 16])("keeps its link though the first %i bytes of the first command after each pause are lost", (missing) => {
    const bench = SimulatedBench.linked({ personality, driver: SAVING });
    bench.clock.runFor(1_500);
    const { timeouts, resyncs, damaged, resets } = bench.wifi.status;
    for (let i = 0; i < 20; i++) {
      bench.module.faults.strike("module.sleep_wake", missing);
      talk(bench, 3, 3_000);
    }
    bench.check();
    expect(bench.peers.length).toBe(1);
    expect(bench.user.state).toBe("up");
    expect(bench.peer?.received.length).toBe(20 * 40);
    expect(bench.user.inbox.length).toBe(20 * 30);
    expect(bench.wifi.status).toMatchObject({ timeouts, resyncs, damaged, resets });
  });

  it("is called once in a while, not before every command of a busy stream", () => {
    const bench = SimulatedBench.linked({ personality, driver: SAVING });
    bench.clock.runFor(500);
    const before = bench.commands.length;
    for (let i = 0; i < 200; i++) {
      bench.userSends(40);
      bench.clock.runFor(50);
    }
    const said = bench.commands.slice(before);
    expect(said.filter((command) => command.startsWith("AT+CIPSEND")).length).toBeGreaterThan(80);
    expect(said.filter((command) => command === "AT").length).toBeLessThanOrEqual(2);
    bench.check();
  });
});

describe("a module that is to save power", () => {
  function setUp(answer: string): ScriptedModule {
    const rig = new ScriptedModule({ driver: SAVING });
    rig.boot();
    for (const command of SETUP_COMMANDS) rig.answer(command, OK);
    rig.answer("AT+SLEEP=1", answer);
    rig.answer('AT+CWJAP="home","secret"', `WIFI CONNECTED\r\nWIFI GOT IP\r\n${OK}`);
    return rig;
  }

  it("and refuses is left awake, and that is told", () => {
    expect(setUp("\r\nERROR\r\n").esp.status.powerSave).toBe(PowerSave.Refused);
  });

  it("and answers neither call is searched for, as any that is silent", () => {
    const rig = setUp(OK);
    rig.advance(500);
    rig.user.open("broker", 1883);
    rig.turn();
    rig.expectCommand("AT");
    rig.advance(150);
    rig.expectCommand("AT");
    rig.advance(1_990);
    expect(rig.esp.status).toMatchObject({ timeouts: 0, resyncs: 0 });
    rig.advance(10);
    expect(rig.esp.status).toMatchObject({ timeouts: 1, resyncs: 1 });
  });

  it("and says that it is busy is called again", () => {
    const rig = setUp(OK);
    rig.advance(500);
    rig.user.open("broker", 1883);
    rig.turn();
    rig.answer("AT", "\r\nbusy p...\r\n");
    expect(rig.waitForCommand(60)).toBe("AT\r\n");
    rig.say(OK);
    rig.expectCommand('AT+CIPSTART=0,"TCP","broker",1883,60');
  });
});
