/** Several networks in order of preference, what is told of joins, how strong the signal is, and why a network was lost last. */
import { describe, expect, it } from "vitest";
import { JoinFailure, Way, WifiLoss } from "../../../firmware/wifi/module";
import { ScriptedModule } from "./scripted-module";

const OK = "\r\nOK\r\n";
const JOINED = `WIFI CONNECTED\r\nWIFI GOT IP\r\n${OK}`;
const NETWORKS = [
  { ssid: "home", password: "one" },
  { ssid: "shed", password: "two" },
  { ssid: "phone", password: "" },
];
const JOINS = ['AT+CWJAP="home","one"', 'AT+CWJAP="shed","two"', 'AT+CWJAP="phone",""'];

/** A board that knows three networks and is about to join the first. */
function before(): ScriptedModule {
  const rig = new ScriptedModule({ driver: { networks: NETWORKS } });
  rig.boot();
  rig.setUp();
  return rig;
}

describe("several networks", () => {
  it("are tried in the order in which they were given, one after the other", () => {
    const rig = before();
    JOINS.forEach((join, i) => {
      rig.expectCommand(join);
      expect(rig.esp.status).toMatchObject({ way: Way.Joining, ssid: NETWORKS[i]?.ssid });
      rig.say("+CWJAP:3\r\n\r\nERROR\r\n");
    });
    expect(rig.esp.status).toMatchObject({ joinFailures: 3, joinFailure: JoinFailure.NoSuchNetwork });
  });

  it("are begun again with the first, after a pause that depends on how the last one failed", () => {
    for (const [code, least] of [[2, 30_000], [3, 5_000], [1, 0]] as const) {
      const rig = before();
      rig.answer(JOINS[0] ?? "", "+CWJAP:2\r\n\r\nERROR\r\n");
      rig.answer(JOINS[1] ?? "", "+CWJAP:2\r\n\r\nERROR\r\n");
      rig.answer(JOINS[2] ?? "", `+CWJAP:${code}\r\n\r\nERROR\r\n`);
      const from = rig.elapsed;
      expect(rig.waitForCommand(least + 2_100)).toBe(`${JOINS[0]}\r\n`);
      expect(rig.elapsed - from).toBeGreaterThanOrEqual(least);
    }
  });

  it("end with the one that is joined, which is the first to be tried when it is lost for good", () => {
    const rig = before();
    rig.answer(JOINS[0] ?? "", "+CWJAP:3\r\n\r\nERROR\r\n");
    rig.answer(JOINS[1] ?? "", JOINED);
    expect(rig.esp.status).toMatchObject({ ssid: "shed", joins: 1, joinFailure: JoinFailure.None });
    rig.say("WIFI DISCONNECT\r\n");
    expect(rig.waitForCommand(30_100)).toBe(`${JOINS[1]}\r\n`);
    rig.say("+CWJAP:3\r\n\r\nERROR\r\n");
    rig.expectCommand(JOINS[2] ?? "");
  });
});

describe("the signal", () => {
  it.each([
    ['+CWJAP:"home","00:11:22:33:44:55",6,-61,0,1,0,1,0', -61],
    ['+CWJAP:"home","00:11:22:33:44:55",11,-7', -7],
    ['+CWJAP_CUR:"ho\\"me,-5,\\"","00:11:22:33:44:55",6,-88', -88],
    ['+CWJAP:"home","00:11:22:33:44:55",6', 0],
    ["No AP", 0],
  ])("is read from %s", (line, dbm) => {
    const rig = new ScriptedModule();
    rig.signal = `${line}\r\n${OK}`;
    rig.bringUp();
    rig.advance(1_100);
    expect(rig.esp.status.signal).toBe(dbm);
  });

  it("is asked for every minute, and is unknown while there is no network", () => {
    const rig = new ScriptedModule().bringUp();
    rig.advance(1_100);
    expect(rig.esp.status.signal).toBe(-61);
    rig.signal = '+CWJAP:"home","00:11:22:33:44:55",6,-70\r\n\r\nOK\r\n';
    for (let i = 0; i < 40 && rig.esp.status.signal !== -70; i++) {
      rig.advance(1_990);
      if (rig.take() !== "") rig.say(OK);
    }
    expect(rig.esp.status.signal).toBe(-70);
    rig.say("WIFI DISCONNECT\r\n");
    expect(rig.esp.status.signal).toBe(0);
  });
});

describe("the reason of the last loss", () => {
  it("is that the network is gone", () => {
    const rig = new ScriptedModule().bringUp();
    expect(rig.esp.status.loss).toBe(WifiLoss.None);
    rig.say("WIFI DISCONNECT\r\n");
    expect(rig.esp.status).toMatchObject({ loss: WifiLoss.Network, wifiLosses: 1, way: Way.Lost });
  });

  it("is another address, which ends what went over the old one", () => {
    const rig = new ScriptedModule().bringUp();
    rig.say("WIFI GOT IP\r\n");
    expect(rig.esp.status).toMatchObject({ loss: WifiLoss.Address, wifiLosses: 1, way: Way.Joined });
    expect(rig.user.losses).toEqual(["Network"]);
  });

  it("is a reboot of the module", () => {
    const rig = new ScriptedModule().bringUp();
    rig.say("\r\nready\r\n");
    expect(rig.esp.status).toMatchObject({ loss: WifiLoss.Reboot, reboots: 1 });
  });

  it("is a module that does not answer, once it is given up", () => {
    const rig = new ScriptedModule().bringUp();
    expect(rig.waitForCommand(2_100)).toBe("AT+CIPRECVLEN?\r\n");
    rig.advance(2_100);
    expect(rig.esp.status.loss).toBe(WifiLoss.None);
    rig.advance(5_000);
    expect(rig.esp.status.loss).toBe(WifiLoss.Silent);
    expect(rig.resets.length).toBeGreaterThan(2);
  });
});

describe("a peer that is gone without a word", () => {
  it.each([
    ["1.7.4.0(May 11 2020)", ",60"],
    ["2.2.1.0(x)", ",60"],
    ["2.4.0.0(x)", ",60"],
    ["5.0.1.0(x)", ",60,,15000"],
  ])("is noticed by the keep-alive of TCP, a minute on, with AT %s", (version, tail) => {
    const rig = new ScriptedModule();
    rig.boot();
    rig.user.open("broker", 1883);
    for (let guard = 0; guard < 30; guard++) {
      const command = rig.waitForCommand(10);
      if (command.startsWith("AT+CIPSTART")) {
        expect(command).toBe(`AT+CIPSTART=0,"TCP","broker",1883${tail}\r\n`);
        return;
      }
      rig.say(command === "AT+GMR\r\n" ? `AT version:${version}\r\n${OK}` : command.startsWith("AT+CWJAP") ? JOINED : OK);
    }
    throw new Error("never connected");
  });
});
