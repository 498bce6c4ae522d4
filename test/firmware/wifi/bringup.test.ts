import { describe, expect, it } from "vitest";
import { ScriptedModule, SETUP_COMMANDS } from "./scripted-module";

const JOIN = 'AT+CWJAP="home","secret"';

/** What a board that is set up sends to join a network, as UTF-8. */
function joinCommand(ssid: string, password: string): string {
  const rig = new ScriptedModule({ driver: { networks: [{ ssid, password }] } });
  rig.boot();
  rig.setUp();
  rig.advance(1);
  return Buffer.from(rig.take(), "latin1").toString().replace(/\r\n$/, "");
}

/** A module that was set up and is about to be told to join. */
function beforeJoin(): ScriptedModule {
  const rig = new ScriptedModule();
  rig.boot();
  rig.setUp();
  return rig;
}

describe("the way to a link", () => {
  it("is a reset, the set-up, a join and a connect, one command at a time", () => {
    const rig = new ScriptedModule().bringUp();
    expect(rig.resets.map(({ held }) => held)).toEqual([true, false]);
    expect(rig.user.events).toEqual(["open", "up"]);
    expect(rig.esp.status).toMatchObject({ resets: 1, joins: 1, opens: 1, timeouts: 0, resyncs: 0 });
  });

  it("resets for 10 ms at least, and says nothing before `ready`", () => {
    const rig = new ScriptedModule();
    rig.advance(3000);
    const [held, released] = rig.resets;
    expect((released?.at ?? 0) - (held?.at ?? 0)).toBeGreaterThanOrEqual(10);
    rig.expectNothing();
  });

  it("understands every reply byte by byte", () => {
    const rig = new ScriptedModule();
    rig.boot();
    for (const command of SETUP_COMMANDS) {
      rig.expectCommand(command);
      rig.sayByteByByte(command === "ATE0" ? "ATE0\r\n\r\nOK\r\n" : "\r\nOK\r\n");
    }
    rig.expectCommand(JOIN);
    rig.sayByteByByte("WIFI CONNECTED\r\nWIFI GOT IP\r\n\r\nOK\r\n");
    rig.user.open("broker", 1883);
    rig.turn();
    rig.expectCommand('AT+CIPSTART=0,"TCP","broker",1883,60');
    rig.sayByteByByte("0,CONNECT\r\n\r\nOK\r\n");
    expect(rig.user.state).toBe("up");
  });

  it("works at the moment when the board's clock wraps", () => {
    const rig = new ScriptedModule({ startAt: 0x7fffffff - 300 }).bringUp();
    expect(rig.now).toBeLessThan(0);
    rig.advance(10);
    expect(rig.waitForCommand(2100)).toBe("AT+CIPRECVLEN?\r\n");
  });

  it("sleeps while there is nothing to do", () => {
    const rig = beforeJoin();
    rig.join();
    const turns = rig.turns;
    rig.advance(60_000);
    expect(rig.turns - turns).toBeLessThan(10);
    rig.expectNothing();
  });

  it("fits a host name of 64 bytes and the highest port", () => {
    const rig = beforeJoin();
    rig.join();
    const host = "h".repeat(64);
    rig.user.open(host, 65535);
    rig.turn();
    rig.expectCommand(`AT+CIPSTART=0,"TCP","${host}",65535,60`);
  });
});

describe("the join command", () => {
  it("escapes commas, quotes and backslashes, and nothing else", () => {
    expect(joinCommand('ab\\,c"', "p\\w,\"'; é")).toBe('AT+CWJAP="ab\\\\\\,c\\"","p\\\\w\\,\\"\'; é"');
    expect(joinCommand("café ☕", "")).toBe('AT+CWJAP="café ☕",""');
  });

  it("has room for the longest names with every byte escaped, and stays within the module's 256 bytes", () => {
    const command = joinCommand(",".repeat(32), "\\".repeat(64));
    expect(command).toBe(`AT+CWJAP="${"\\,".repeat(32)}","${"\\\\".repeat(64)}"`);
    expect(command.length + 2).toBeLessThanOrEqual(256);
    expect(joinCommand('"'.repeat(32), ",".repeat(64))).toBe(`AT+CWJAP="${'\\"'.repeat(32)}","${"\\,".repeat(64)}"`);
  });
});

describe("a join that fails", () => {
  it.each([
    [1, 0],
    [2, 30_000],
    [3, 5_000],
    [4, 0],
  ])("with code %i is counted, told, and tried again after %i ms and the backoff", (code, pause) => {
    const rig = beforeJoin();
    for (let failures = 1; failures <= 6; failures++) {
      if (failures > 1) {
        rig.advance(pause - 10);
        if (pause > 0) rig.expectNothing();
      }
      // Full jitter: from 0 to a ceiling that begins at 2 s and doubles.
      expect(rig.waitForCommand(2_000 * 2 ** (failures - 2) + 20)).toBe(`${JOIN}\r\n`);
      rig.say(`+CWJAP:${code}\r\n\r\nERROR\r\n`);
      expect(rig.esp.status.joinFailure).toBe(code);
      expect(rig.esp.status.joinFailures).toBe(failures);
    }
    rig.user.open("broker", 1883);
    expect(rig.waitForCommand(90_100)).toBe(`${JOIN}\r\n`);
    rig.say("WIFI CONNECTED\r\nWIFI GOT IP\r\n\r\nOK\r\n");
    rig.open();
    expect(rig.esp.status.joinFailure).toBe(0);
    expect(rig.resets).toHaveLength(2);
  });

  it("keeps a link that was asked for waiting, and tells nothing until it was tried", () => {
    const rig = beforeJoin();
    rig.user.open("broker", 1883);
    rig.answer(JOIN, "+CWJAP:3\r\n\r\nERROR\r\n");
    rig.advance(1000);
    expect(rig.user.events).toEqual(["open"]);
    rig.esp.link.close();
    rig.turn();
    expect(rig.user.losses).toEqual(["Closed"]);
  });

  it("ends with FAIL on older firmware", () => {
    const rig = beforeJoin();
    rig.answer(JOIN, "+CWJAP:1\r\n\r\nFAIL\r\n");
    expect(rig.esp.status.joinFailures).toBe(1);
  });

  it("does not count as joined when Wi-Fi is lost before its OK", () => {
    const rig = beforeJoin();
    rig.user.open("broker", 1883);
    rig.answer(JOIN, "WIFI CONNECTED\r\nWIFI GOT IP\r\n", "WIFI DISCONNECT\r\n", "\r\nOK\r\n");
    rig.expectNothing();
    rig.say("WIFI CONNECTED\r\nWIFI GOT IP\r\n");
    rig.open();
  });

  it("waits for `WIFI GOT IP` when that comes after the OK", () => {
    const rig = beforeJoin();
    rig.user.open("broker", 1883);
    rig.answer(JOIN, "WIFI CONNECTED\r\n", "\r\nOK\r\n");
    rig.expectNothing();
    rig.say("WIFI GOT IP\r\n");
    rig.open();
  });
});

describe("a join that is refused without a reason", () => {
  it("has the set-up repeated, which the module may have lost, and is tried again at once", () => {
    const rig = beforeJoin();
    rig.answer(JOIN, "\r\nERROR\r\n");
    rig.findBack();
    expect(rig.waitForCommand(10)).toBe(`${JOIN}\r\n`);
    // The second time it is believed.
    rig.say("\r\nERROR\r\n");
    expect(rig.esp.status).toMatchObject({ joinFailures: 2, resyncs: 1 });
    expect(rig.waitForCommand(2_100)).toBe(`${JOIN}\r\n`);
    rig.say("\r\nERROR\r\n");
    rig.findBack();
    rig.join();
    rig.open();
  });
});

describe("Wi-Fi that is lost", () => {
  it("takes the link with it at once, without a CLOSED, and the next open waits until it is found by itself", () => {
    const rig = new ScriptedModule().bringUp();
    rig.say("WIFI DISCONNECT\r\n");
    expect(rig.user.losses).toEqual(["Network"]);
    rig.user.open("broker", 1883);
    rig.advance(20_000);
    rig.expectNothing();
    rig.say("WIFI CONNECTED\r\nWIFI GOT IP\r\n");
    rig.answer("AT+CIPCLOSE=0", "\r\nERROR\r\n");
    rig.open();
    expect(rig.esp.status).toMatchObject({ wifiLosses: 1, joins: 1 });
  });

  it("is joined again by command when it has not come back after 30 s", () => {
    const rig = new ScriptedModule().bringUp();
    rig.say("WIFI DISCONNECT\r\n");
    rig.advance(29_900);
    rig.expectNothing();
    expect(rig.waitForCommand(200)).toBe(`${JOIN}\r\n`);
    rig.say("+CWJAP:3\r\n\r\nERROR\r\n");
    // Then the module finds it by itself, between two tries.
    rig.say("WIFI CONNECTED\r\nWIFI GOT IP\r\n");
    rig.user.open("broker", 1883);
    rig.turn();
    rig.answer("AT+CIPCLOSE=0", "\r\nERROR\r\n");
    rig.open();
  });
});

describe("a module that remembers another network", () => {
  it("is told to join ours even when it is online already", () => {
    const rig = new ScriptedModule();
    rig.user.open("broker", 1883);
    rig.boot();
    rig.say("WIFI CONNECTED\r\nWIFI GOT IP\r\n");
    rig.setUp();
    rig.answer(JOIN, "WIFI DISCONNECT\r\n", "WIFI CONNECTED\r\n", "WIFI GOT IP\r\n", "\r\nOK\r\n");
    rig.open();
    expect(rig.esp.status.wifiLosses).toBe(0);
  });

  it("is stopped from trying to join it, which is why it refuses CWMODE", () => {
    const rig = new ScriptedModule();
    rig.boot();
    for (const command of SETUP_COMMANDS.slice(0, 3)) rig.answer(command, "\r\nOK\r\n");
    rig.answer("AT+CWMODE=1", "\r\nERROR\r\n");
    rig.answer("AT+CWQAP", "\r\nOK\r\n");
    rig.answer("AT+CWMODE=1", "\r\nOK\r\n");
    for (const command of SETUP_COMMANDS.slice(4)) rig.answer(command, "\r\nOK\r\n");
    rig.join();
    rig.open();
    expect(rig.resets).toHaveLength(2);
  });
});

describe("a set-up command that is refused", () => {
  it("for good leads to a reset, later each time", () => {
    const rig = new ScriptedModule();
    const pauses: number[] = [];
    for (let i = 0; i < 12; i++) {
      while (rig.resets.length < 2 * (i + 1)) rig.advance(10);
      const [held, released] = rig.resets.slice(-2);
      pauses.push((released?.at ?? 0) - (held?.at ?? 0));
      rig.advance(300);
      rig.say("\r\nready\r\n");
      rig.answer("ATE0", "\r\nERROR\r\n");
      // Once it is doubted whether the answer belonged to it.
      for (const command of ["AT", "AT"]) {
        expect(rig.waitForCommand(200)).toBe(`${command}\r\n`);
        rig.say("\r\nOK\r\n");
      }
      rig.answer("ATE0", "\r\nERROR\r\n");
    }
    const early = pauses.slice(0, 4).reduce((sum, pause) => sum + pause);
    const late = pauses.slice(-4).reduce((sum, pause) => sum + pause);
    expect(late).toBeGreaterThan(3 * early);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(60_200);
  });
});

describe("a board without a reset line", () => {
  it("takes a module that answers as it is", () => {
    const rig = new ScriptedModule({ resetLine: false });
    for (let probe = 0; probe < 2; probe++) {
      expect(rig.waitForCommand(200)).toBe("AT\r\n");
      rig.say("AT\r\n\r\nOK\r\n");
    }
    rig.setUp();
    rig.join();
    rig.open();
    expect(rig.esp.status).toMatchObject({ resets: 0, escapes: 0, hunts: 1, timeouts: 0 });
  });

  it("calls a module out of an old send, or of the transparent mode: +++ with a second of silence around it", () => {
    const rig = new ScriptedModule({ resetLine: false });
    expect(rig.waitForCommand(200)).toBe("AT\r\n");
    rig.advance(300);
    const from = rig.elapsed;
    expect(rig.waitForCommand(1_500)).toBe("+++");
    expect(rig.elapsed - from).toBeGreaterThan(1_000);
    rig.say("\r\nSEND Canceled\r\n");
    rig.advance(1_000);
    expect(rig.take()).toBe("");
    expect(rig.waitForCommand(500)).toBe("AT\r\n");
  });

  it("feeds a module that a call does not help the rest of its send, looks for it at every rate, and has it reset itself", () => {
    const rig = new ScriptedModule({ resetLine: false });
    let order = "";
    for (let waited = 0; waited < 60_000 && !order.includes("AT+RST"); waited += 100) {
      rig.advance(100);
      order = rig.take();
    }
    const zeros = rig.writes.filter(({ text }) => text.includes("\0")).map(({ text }) => text).join("");
    const hunts = new Set(rig.rates).size;
    expect(hunts).toBe(12);
    expect(zeros).toBe(`${"\0".repeat(2048)}\r\n`.repeat(14));
    expect(rig.rates.at(-1)).toBe(115200);
    expect(rig.esp.status).toMatchObject({ hunts: 14, escapes: 28, resets: 1 });
    rig.advance(300);
    rig.say("\r\nready\r\n");
    rig.setUp();
    rig.join();
    rig.open();
  });
});
