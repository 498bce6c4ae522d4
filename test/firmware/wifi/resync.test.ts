import { describe, expect, it } from "vitest";
import { ScriptedModule, SETUP_COMMANDS } from "./scripted-module";

/** The call that comes first after a command without an answer, alone. */
function expectCall(rig: ScriptedModule, within: number): void {
  expect(rig.waitForCommand(within)).toBe("+++");
  rig.advance(150);
  expect(rig.take()).toBe("");
}

/** A link that is up, with a send of 200 bytes announced. */
function announced(): ScriptedModule {
  const rig = new ScriptedModule().bringUp();
  rig.send("x".repeat(200));
  rig.expectCommand("AT+CIPSEND=0,200");
  return rig;
}

describe("a command without an answer", () => {
  it.each([
    ["set-up", 0, 5_000],
    ["join", 6, 20_000],
    ["connect", 7, 20_000],
  ] as const)("of the %s is given up after its time, not before", (_what, steps, patience) => {
    const rig = new ScriptedModule();
    rig.user.open("broker", 1883);
    rig.boot();
    if (steps >= 6) rig.setUp();
    if (steps === 7) rig.join();
    expect(rig.waitForCommand(10)).not.toBe("");
    rig.advance(patience - 20);
    expect(rig.esp.status.timeouts).toBe(0);
    rig.advance(40);
    expect(rig.esp.status).toMatchObject({ timeouts: 1, resyncs: 1 });
  });

  it("is followed by silence, probes and the set-up, not by the next command, and Wi-Fi is kept", () => {
    const rig = new ScriptedModule().bringUp();
    expect(rig.waitForCommand(2_100)).toBe("AT+CIPRECVLEN?\r\n");
    rig.advance(2_030);
    expect(rig.user.losses).toEqual(["Module"]);
    expect(rig.take()).toBe("");
    rig.user.open("broker", 1883);
    expectCall(rig, 30);
    rig.findBack();
    rig.open();
    expect(rig.esp.status).toMatchObject({ joins: 1, resets: 1, escapes: 1 });
  });

  it("calls a module that has become a pipe back before it probes: +++ on a quiet line, and silence after it", () => {
    const rig = new ScriptedModule().bringUp();
    rig.waitForCommand(2_100);
    rig.advance(2_000);
    const from = rig.elapsed;
    expect(rig.waitForCommand(100)).toBe("+++");
    expect(rig.elapsed - from).toBeGreaterThan(40);
    rig.advance(190);
    expect(rig.take()).toBe("");
    // It is not ready to listen again before a second is over.
    expect(rig.waitForCommand(20)).toBe("AT\r\n");
    expect(rig.waitForCommand(1_100)).toBe("AT\r\n");
    rig.say("\r\nOK\r\n");
    expect(rig.waitForCommand(100)).toBe("AT\r\n");
    rig.say("\r\nOK\r\n");
    rig.setUp();
    expect(rig.resets).toHaveLength(2);
  });

  it("waits until the line is quiet before it calls", () => {
    const rig = new ScriptedModule().bringUp();
    rig.waitForCommand(2_100);
    rig.advance(2_010);
    for (let i = 0; i < 20; i++) {
      rig.say("chatter");
      rig.advance(40);
    }
    expect(rig.take()).toBe("");
    expect(rig.waitForCommand(60)).toBe("+++");
  });

  it("does not credit its late OK to a probe", () => {
    const rig = new ScriptedModule().bringUp();
    rig.waitForCommand(2_100);
    rig.advance(2_000);
    expectCall(rig, 100);
    expect(rig.waitForCommand(100)).toBe("AT\r\n");
    rig.say("+CIPRECVLEN:0,0,0,0,0\r\n\r\nOK\r\n");
    rig.expectNothing();
    rig.say("\r\nOK\r\n");
    rig.advance(40);
    expect(rig.take()).toBe("");
    expect(rig.waitForCommand(100)).toBe("AT\r\n");
    rig.say("\r\nOK\r\n");
    rig.setUp();
  });

  it("leads to a reset after three silent probes, and the link comes back", () => {
    const rig = new ScriptedModule().bringUp();
    rig.waitForCommand(2_100);
    rig.advance(2_000);
    expectCall(rig, 100);
    for (let probe = 0; probe < 3; probe++) expect(rig.waitForCommand(1_200)).toBe("AT\r\n");
    rig.advance(1_100);
    expect(rig.resets.at(-1)?.held).toBe(true);
    rig.advance(1_500);
    expect(rig.resets.at(-1)?.held).toBe(false);
    rig.say("\r\nready\r\n");
    rig.setUp();
    rig.join();
    rig.open();
    expect(rig.esp.status).toMatchObject({ resets: 2, joins: 2, opens: 2 });
  });

  it("is cleared up when the remains of something make the first probe an error", () => {
    const rig = new ScriptedModule().bringUp();
    rig.waitForCommand(2_100);
    rig.advance(2_000);
    expectCall(rig, 100);
    expect(rig.waitForCommand(100)).toBe("AT\r\n");
    rig.say("\r\nERROR\r\n");
    rig.findBack();
  });
});

describe("a module that says busy", () => {
  it("gets the refused command again, after pauses that grow from 50 to 500 ms", () => {
    const rig = new ScriptedModule();
    rig.boot();
    const times: number[] = [];
    for (let i = 0; i < 8; i++) {
      expect(rig.waitForCommand(600)).toBe("ATE0\r\n");
      times.push(rig.elapsed);
      rig.say("\r\nbusy p...\r\n");
    }
    const pauses = times.slice(1).map((time, i) => Math.round(time - (times[i] ?? 0)));
    expect(pauses[0]).toBeLessThanOrEqual(60);
    expect(pauses.toSorted((a, b) => a - b)).toEqual(pauses);
    expect(Math.max(...pauses)).toBeGreaterThanOrEqual(500);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(520);
    expect(rig.waitForCommand(600)).toBe("ATE0\r\n");
    rig.say("\r\nOK\r\n");
    rig.expectCommand("AT+GMR");
    expect(rig.esp.status).toMatchObject({ busy: 8, timeouts: 0, resyncs: 0 });
  });

  it("for ever is told to reset itself after 20 s, and is reset when it does not", () => {
    const rig = new ScriptedModule();
    rig.boot();
    const from = rig.elapsed;
    while (rig.resets.length < 3 && rig.elapsed < from + 60_000) {
      if (rig.waitForCommand(10) !== "") rig.say("\r\nbusy p...\r\n");
    }
    expect(rig.writes.filter(({ text }) => text === "AT+RST\r\n").map(({ at }) => Math.round((at - from) / 1000))).toEqual([21]);
    expect(rig.elapsed - from).toBeGreaterThan(24_000);
    expect(rig.elapsed - from).toBeLessThan(27_000);
  });

  it("to the probes for ever is asked every 250 ms, and reset after 20 s and an order to reset itself", () => {
    const rig = new ScriptedModule().bringUp();
    rig.waitForCommand(2_100);
    rig.advance(2_000);
    const from = rig.elapsed;
    let probes = 0;
    while (rig.resets.length < 3 && rig.elapsed < from + 60_000) {
      if (rig.waitForCommand(10) === "") continue;
      probes++;
      rig.say("\r\nbusy p...\r\n");
    }
    expect(probes).toBeGreaterThan(70);
    expect(probes).toBeLessThanOrEqual(82);
    expect(rig.elapsed - from).toBeLessThan(27_000);
  });

  it("and then works for long on the command is given the command's whole time", () => {
    const rig = new ScriptedModule();
    rig.boot();
    rig.setUp();
    for (let i = 0; i < 30; i++) {
      expect(rig.waitForCommand(600)).toContain("AT+CWJAP");
      rig.say("\r\nbusy p...\r\n");
    }
    expect(rig.waitForCommand(600)).toContain("AT+CWJAP");
    rig.advance(15_000);
    rig.say("WIFI CONNECTED\r\nWIFI GOT IP\r\n\r\nOK\r\n");
    rig.open();
    expect(rig.esp.status.timeouts).toBe(0);
  });

  it("just before the prompt does not get the command again as payload", () => {
    const rig = announced();
    rig.say("\r\nbusy p...\r\n");
    rig.say("\r\nOK\r\n\r\n>");
    rig.advance(1_000);
    expect(rig.take()).toBe("x".repeat(200));
  });
});

describe("a send that the module may still await payload for", () => {
  it("is cancelled when its prompt does not come: +++ alone, then probes", () => {
    const rig = announced();
    rig.say("\r\nOK\r\n");
    rig.advance(4_990);
    expect(rig.user.state).toBe("up");
    expect(rig.waitForCommand(200)).toBe("+++");
    expect(rig.user.losses).toEqual(["Module"]);
    rig.advance(150);
    rig.say("\r\nSEND Canceled\r\n");
    rig.findBack();
    expect(rig.writes.map(({ text }) => text).filter((text) => text.includes("xx"))).toEqual([]);
  });

  it("is cancelled when the module misses part of the payload, and nothing else is sent before that", () => {
    const rig = announced();
    rig.say("\r\nOK\r\n\r\n>");
    rig.advance(1);
    expect(rig.take()).toBe("x".repeat(200));
    // No `Recv 200 bytes`: 2 s and the time on the wire.
    expect(rig.waitForCommand(3_000)).toBe("+++");
    rig.say("\r\nSEND Canceled\r\n");
    rig.findBack();
  });

  it("is left alone once the module has the whole payload", () => {
    const rig = announced();
    rig.say("\r\nOK\r\n\r\n>");
    rig.advance(1);
    rig.take();
    rig.say("\r\nRecv 200 bytes\r\n");
    rig.advance(14_900);
    expect(rig.user.state).toBe("up");
    expectCall(rig, 300);
    expect(rig.waitForCommand(100)).toBe("AT\r\n");
  });

  it.each([115200, 9600])("is cancelled alone even while payload leaves the port at %i baud", (baud) => {
    const bytesPerMs = baud / 10_000;
    const rig = new ScriptedModule({ driver: { baud, maxBaud: baud } }).bringUp();
    rig.send("x".repeat(1000));
    rig.expectCommand("AT+CIPSEND=0,1000");
    rig.say("\r\nOK\r\n\r\n>");
    const from = rig.elapsed;
    rig.turn();
    rig.take();
    rig.say("\r\nERROR\r\n");
    expect(rig.waitForCommand(5_000)).toBe("+++");
    expect(rig.elapsed - from).toBeGreaterThan(1000 / bytesPerMs + 20);
    // And nothing follows it closely, although the module answers at once.
    rig.say("\r\nSEND Canceled\r\n");
    rig.advance(150);
    expect(rig.take()).toBe("");
  });

  it("is never ended by the straggling SEND OK of another", () => {
    const rig = announced();
    rig.say("\r\nSEND OK\r\n");
    rig.expectNothing();
    rig.say("\r\nOK\r\n\r\n>");
    rig.advance(1);
    expect(rig.take()).toBe("x".repeat(200));
    rig.say("\r\nRecv 200 bytes\r\n\r\nSEND OK\r\n");
    expect(rig.user.state).toBe("up");
  });
});

describe("an echo although echo is off", () => {
  it("means that the module has rebooted unseen: it is set up and told to join again", () => {
    const rig = new ScriptedModule().bringUp();
    expect(rig.waitForCommand(2_100)).toBe("AT+CIPRECVLEN?\r\n");
    rig.say("AT+CIPRECVLEN?\r\n\r\nERROR\r\n");
    expect(rig.user.losses).toEqual(["Module"]);
    rig.findBack();
    rig.join();
    rig.open();
    expect(rig.resets).toHaveLength(2);
  });
});

describe("a `ready` that nobody asked for", () => {
  it("takes the link down, counts as a reboot, and everything begins anew", () => {
    const rig = new ScriptedModule().bringUp();
    rig.say("\x00\xff\x00\r\nready\r\n");
    expect(rig.user.losses).toEqual(["Module"]);
    rig.findBack();
    rig.join();
    rig.open();
    expect(rig.esp.status).toMatchObject({ reboots: 1, resets: 1 });
  });

  it("does not credit the answer to what was said while the module booted to the set-up", () => {
    const rig = new ScriptedModule().bringUp();
    expect(rig.waitForCommand(2_100)).toBe("AT+CIPRECVLEN?\r\n");
    rig.say("\r\nready\r\n");
    rig.say("AT+CIPRECVLEN?\r\n+CIPRECVLEN:0,0,0,0,0\r\n\r\nOK\r\n");
    expect(rig.take()).toBe("");
    rig.findBack();
    rig.join();
  });

  it("within a payload is not taken for payload", () => {
    const rig = new ScriptedModule().bringUp();
    rig.say("\r\n+IPD,0,500\r\n");
    rig.expectCommand("AT+CIPRECVDATA=0,512");
    rig.say("+CIPRECVDATA:500,first");
    rig.advance(310);
    // A probe, which the module does not hear: it boots.
    expect(rig.take()).toBe("AT\r\n");
    rig.say("\r\nready\r\n");
    expect(rig.user.losses).toEqual(["Damaged"]);
    expect(rig.user.receivedText).toBe("");
    rig.findBack();
    rig.join();
    rig.open();
  });
});

describe("connects that fail again and again", () => {
  it("have the set-up repeated after three, and Wi-Fi joined again after six", () => {
    const rig = new ScriptedModule().bringUp();
    rig.user.reopenAfter = 500;
    rig.peerCloses();
    const seen: string[] = [];
    for (let guard = 0; guard < 100 && rig.esp.status.joins < 2; guard++) {
      const command = rig.waitForCommand(2_000).trim();
      seen.push(command);
      if (command.startsWith("AT+CIPSTART")) rig.say("\r\nERROR\r\n");
      else if (command === "AT+CIPCLOSE=0") rig.say("\r\nERROR\r\n");
      else if (command.startsWith("AT+CWJAP")) rig.say("WIFI CONNECTED\r\nWIFI GOT IP\r\n\r\nOK\r\n");
      else rig.say("\r\nOK\r\n");
    }
    const notable = seen.filter((command) => !command.startsWith("AT+CIPCLOSE") && command !== "AT");
    const set = [...SETUP_COMMANDS].filter((command) => !command.startsWith("AT+CIPCLOSE"));
    const start = 'AT+CIPSTART=0,"TCP","broker",1883,60';
    expect(notable).toEqual([
      start, start, start, ...set, start, start, start, ...set, 'AT+CWJAP="home","secret"',
    ]);
  });
});
