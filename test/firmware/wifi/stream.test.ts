import { describe, expect, it } from "vitest";
import { counterStream } from "./recording-user";
import { ScriptedModule, SETUP_COMMANDS } from "./scripted-module";

const PROMPT = "\r\nOK\r\n\r\n>";

function sent(count: number): string {
  return `\r\nRecv ${count} bytes\r\n\r\nSEND OK\r\n`;
}

function data(text: string): string {
  return `+CIPRECVDATA:${text.length},${text}\r\nOK\r\n`;
}

describe("a send", () => {
  it("carries everything that waits in one command", () => {
    const rig = new ScriptedModule().bringUp();
    rig.user.queue("first ");
    rig.user.queue("second ");
    rig.send("third");
    rig.expectCommand("AT+CIPSEND=0,18");
    rig.say(PROMPT);
    rig.advance(1);
    expect(rig.take()).toBe("first second third");
    rig.say(sent(18));
    rig.expectNothing();
    expect(rig.esp.status).toMatchObject({ sends: 1, sentBytes: 18 });
  });

  it("goes in several commands when more waits than the module takes at a time", () => {
    const rig = new ScriptedModule({ driver: { maxSend: 100 } }).bringUp();
    const all = Buffer.from(counterStream(0, 250)).toString("latin1");
    rig.send(all);
    let got = "";
    for (const count of [100, 100, 50]) {
      rig.expectCommand(`AT+CIPSEND=0,${count}`);
      rig.say(PROMPT);
      rig.advance(1);
      const payload = rig.take();
      expect(payload).toHaveLength(count);
      got += payload;
      rig.say(sent(count));
    }
    expect(got).toBe(all);
    rig.expectNothing();
  });

  it("understands its replies byte by byte, and the prompt of older firmware", () => {
    for (const prompt of [PROMPT, "\r\nOK\r\n> "]) {
      const rig = new ScriptedModule().bringUp();
      rig.send("> hello");
      rig.expectCommand("AT+CIPSEND=0,7");
      rig.sayByteByByte(prompt);
      rig.advance(1);
      expect(rig.take()).toBe("> hello");
      rig.sayByteByByte(sent(7));
      rig.send("x");
      rig.expectCommand("AT+CIPSEND=0,1");
    }
  });

  it("goes out whole through a port that takes a few bytes at a time", () => {
    const rig = new ScriptedModule({ ring: 16, leavesPerMs: 4 });
    const all = Buffer.from(counterStream(0, 500)).toString("latin1");
    rig.boot();
    // Commands too leave in pieces.
    rig.advance(20);
    expect(rig.take()).toBe("ATE0\r\n");
    rig.say("\r\nOK\r\n");
    for (const command of SETUP_COMMANDS.slice(1)) {
      rig.advance(20);
      expect(rig.take()).toBe(`${command}\r\n`);
      rig.say("\r\nOK\r\n");
    }
    rig.advance(20);
    rig.take();
    rig.say("WIFI CONNECTED\r\nWIFI GOT IP\r\n\r\nOK\r\n");
    rig.user.open("broker", 1883);
    rig.turn();
    rig.advance(20);
    expect(rig.take()).toBe('AT+CIPSTART=0,"TCP","broker",1883,60\r\n');
    rig.say("0,CONNECT\r\n\r\nOK\r\n");
    rig.send(all);
    rig.advance(20);
    expect(rig.take()).toBe("AT+CIPSEND=0,500\r\n");
    rig.say(PROMPT);
    // The driver comes back as often as a port with the rings of hal.ts needs it.
    rig.advance(1600);
    expect(rig.take()).toBe(all);
    rig.say(sent(500));
    expect(rig.user.state).toBe("up");
  });

  it("takes notices, Wi-Fi events and events of other links in its stride, at every point", () => {
    const rig = new ScriptedModule().bringUp();
    const chatter = "\r\n+IPD,0,4\r\nWIFI CONNECTED\r\n3,CLOSED\r\n";
    rig.send("hello");
    rig.expectCommand("AT+CIPSEND=0,5");
    rig.say(`${chatter}\r\nOK\r\n${chatter}\r\n>${chatter}`);
    rig.advance(1);
    expect(rig.take()).toBe("hello");
    rig.say(`${chatter}\r\nRecv 5 bytes\r\n${chatter}\r\nSEND OK\r\n`);
    rig.expectCommand("AT+CIPRECVDATA=0,512");
  });

  it.each([
    ["SEND FAIL", "\r\nRecv 200 bytes\r\n\r\nSEND FAIL\r\n"],
    ["ERROR", "\r\nRecv 200 bytes\r\n\r\nERROR\r\n"],
    ["CLOSED, then SEND FAIL", "\r\nRecv 200 bytes\r\n0,CLOSED\r\n\r\nSEND FAIL\r\n"],
    ["SEND FAIL, then SEND OK", "\r\nRecv 200 bytes\r\n\r\nSEND FAIL\r\n\r\nSEND OK\r\n"],
  ])("that ends with %s takes the link down, and the next one opens", (_what, reply) => {
    const rig = new ScriptedModule().bringUp();
    rig.send("x".repeat(200));
    rig.expectCommand("AT+CIPSEND=0,200");
    rig.say(PROMPT);
    rig.advance(1);
    rig.take();
    rig.say(reply);
    expect(rig.user.losses).toEqual(["Peer"]);
    rig.user.open("broker", 1883);
    rig.turn();
    const command = rig.waitForCommand(100);
    if (command.startsWith("AT+CIPCLOSE")) {
      rig.say("\r\nERROR\r\n");
      rig.open();
    } else {
      expect(command).toContain("AT+CIPSTART=0");
    }
  });

  it.each(["", "\r\nRecv 200 bytes\r\n"])("whose payload was one byte too many for the module, which says busy, takes the link down (after %j)", (before) => {
    const rig = new ScriptedModule().bringUp();
    rig.send("x".repeat(200));
    rig.expectCommand("AT+CIPSEND=0,200");
    rig.say(PROMPT);
    rig.advance(1);
    rig.take();
    rig.say(`${before}\r\nbusy p...\r\n`);
    expect(rig.user.losses).toEqual(["Damaged"]);
    expect(rig.esp.status.damaged).toBe(1);
    // The command is not sent again, as one is that was refused.
    rig.advance(1_000);
    expect(rig.take()).not.toContain("CIPSEND");
  });

  it("whose stream closes in the middle of the payload sends nothing more of it, to nobody", () => {
    const rig = new ScriptedModule({ ring: 32, leavesPerMs: 2 });
    rig.user.reopenAfter = 0;
    rig.boot();
    SETUP_COMMANDS.forEach(() => {
      rig.advance(30);
      rig.say("\r\nOK\r\n");
    });
    rig.advance(30);
    rig.say("WIFI CONNECTED\r\nWIFI GOT IP\r\n\r\nOK\r\n");
    rig.user.open("broker", 1883);
    rig.turn();
    rig.advance(30);
    rig.say("0,CONNECT\r\n\r\nOK\r\n");
    rig.send("x".repeat(400));
    rig.advance(30);
    rig.take();
    rig.say(PROMPT);
    rig.advance(20);
    rig.say("0,CLOSED\r\n");
    const before = rig.take();
    expect(before).toMatch(/^x+$/);
    // The user opens again at once: the old payload is still awaited by the module, the new link has none.
    rig.advance(30);
    expect(rig.take()).toBe("");
    expect(rig.user.events.slice(-2)).toEqual(["down Peer", "open"]);
    expect(rig.waitForCommand(200)).toBe("+++");
  });

  it("whose stream closes before its prompt asks nothing of a user that has opened again", () => {
    const rig = new ScriptedModule().bringUp();
    rig.send("x".repeat(50));
    rig.expectCommand("AT+CIPSEND=0,50");
    rig.say("0,CLOSED\r\n");
    rig.user.open("broker", 1883);
    rig.say(PROMPT);
    expect(rig.take()).toBe("");
    expect(rig.waitForCommand(200)).toBe("+++");
    rig.advance(150);
    rig.say("\r\nSEND Canceled\r\n");
    expect(rig.waitForCommand(200)).toBe("AT\r\n");
    expect(rig.user.events.slice(-2)).toEqual(["down Peer", "open"]);
  });

  it("that waits for its result when the stream closes is given 1 s more, not 15", () => {
    const rig = new ScriptedModule().bringUp();
    rig.send("hello");
    rig.expectCommand("AT+CIPSEND=0,5");
    rig.say(PROMPT);
    rig.advance(1);
    rig.take();
    rig.say("\r\nRecv 5 bytes\r\n0,CLOSED\r\n");
    expect(rig.user.losses).toEqual(["Peer"]);
    rig.advance(900);
    rig.expectNothing();
    expect(rig.waitForCommand(300)).toBe("+++");
  });
});

describe("a send that is refused before its prompt", () => {
  /** `ERROR` came, and no prompt for as long as one may take. */
  function refused(text = "x".repeat(200)): ScriptedModule {
    const rig = new ScriptedModule().bringUp();
    rig.send(text);
    rig.expectCommand(`AT+CIPSEND=0,${text.length}`);
    refuse(rig);
    return rig;
  }

  function refuse(rig: ScriptedModule): void {
    rig.say("\r\nERROR\r\n");
    rig.advance(150);
    expect(rig.take()).toBe("");
    expect(rig.waitForCommand(60)).toBe("AT+CIPSTATUS\r\n");
  }

  const OURS = 'STATUS:3\r\n+CIPSTATUS:0,"TCP","192.168.1.2",1883,50123,0\r\n\r\nOK\r\n';

  it("is tried again, the same bytes, when the module still has the stream: nothing has left", () => {
    const rig = refused("first");
    // What comes meanwhile is not part of what was announced.
    rig.user.queue(" second");
    rig.say(OURS);
    rig.expectCommand("AT+CIPSEND=0,5");
    rig.say(PROMPT);
    rig.advance(1);
    expect(rig.take()).toBe("first");
    rig.say(sent(5));
    rig.expectCommand("AT+CIPSEND=0,7");
    expect(rig.user.losses).toEqual([]);
    expect(rig.esp.status).toMatchObject({ resyncs: 0, timeouts: 0, opens: 1 });
  });

  it("is sent when the prompt comes after all: the ERROR was about something else", () => {
    const rig = new ScriptedModule().bringUp();
    rig.send("hello");
    rig.expectCommand("AT+CIPSEND=0,5");
    rig.say("\r\nERROR\r\n");
    rig.advance(100);
    rig.say(PROMPT);
    rig.advance(1);
    expect(rig.take()).toBe("hello");
    rig.say(sent(5));
    rig.expectNothing();
    expect(rig.user.losses).toEqual([]);
  });

  it.each([
    ["no stream", "STATUS:4\r\n\r\nOK\r\n"],
    ["another stream only", 'STATUS:3\r\n+CIPSTATUS:1,"TCP","192.168.1.2",1883,50123,0\r\n\r\nOK\r\n'],
    ["half a line, and a closing within it", "STATUS:3\r\n+CIPSTATUS:0,CLOSED\r\n\r\nOK\r\n"],
  ])("takes the link down when the module has %s, and what it still has of it is fetched first", (_what, reply) => {
    const rig = refused();
    rig.say(reply);
    rig.answer("AT+CIPRECVDATA=0,512", data("last words"));
    rig.answer("AT+CIPRECVDATA=0,512", "\r\nERROR\r\n");
    expect(rig.user.receivedText).toBe("last words");
    expect(rig.user.losses).toEqual(["Peer"]);
    expect(rig.user.takenOnLink).toBe(0);
    rig.open();
  });

  it("takes the link down when the module will not say, and the stream is closed before the next", () => {
    const rig = refused();
    rig.say("\r\nERROR\r\n");
    expect(rig.user.losses).toEqual(["Module"]);
    rig.answer("AT+CIPCLOSE=0", "0,CLOSED\r\n", "\r\nOK\r\n");
    rig.open();
    rig.send("new");
    rig.expectCommand("AT+CIPSEND=0,3");
  });

  it("three times in a row has the module set up anew although it has the stream, and the second time reset", () => {
    const rig = refused();
    const refuseOn = (): void => {
      for (let again = 0; again < 2; again++) {
        rig.say(OURS);
        rig.expectCommand("AT+CIPSEND=0,200");
        refuse(rig);
      }
      rig.say(OURS);
    };
    refuseOn();
    expect(rig.user.losses).toEqual(["Module"]);
    expect(rig.resets.length).toBe(2);
    // The version, too: it may be that it takes no sends as long as that.
    rig.findBack();
    rig.open();
    rig.send("x".repeat(200));
    rig.expectCommand("AT+CIPSEND=0,200");
    refuse(rig);
    refuseOn();
    rig.advance(5_000);
    expect(rig.resets.length).toBeGreaterThan(2);
  });

  it("and accepted is forgotten: the next refusals count from one", () => {
    const rig = refused();
    for (let again = 0; again < 4; again++) {
      rig.say(OURS);
      rig.expectCommand("AT+CIPSEND=0,200");
      rig.say(PROMPT);
      rig.advance(1);
      rig.take();
      rig.say(sent(200));
      rig.send("x".repeat(200));
      rig.expectCommand("AT+CIPSEND=0,200");
      refuse(rig);
    }
    expect(rig.user.losses).toEqual([]);
  });

  it("goes out before a close() that came meanwhile", () => {
    const rig = refused("goodbye");
    rig.esp.link.close();
    rig.say(OURS);
    rig.expectCommand("AT+CIPSEND=0,7");
    rig.say(PROMPT);
    rig.advance(1);
    expect(rig.take()).toBe("goodbye");
    rig.say(sent(7));
    rig.answer("AT+CIPCLOSE=0", "0,CLOSED\r\n", "\r\nOK\r\n");
    expect(rig.user.losses).toEqual(["Closed"]);
  });

  it.each(["WIFI DISCONNECT\r\nWIFI GOT IP\r\n", "0,CLOSED\r\n"])("is given up when %j follows, and the next link has nothing of it", (event) => {
    const rig = new ScriptedModule().bringUp();
    rig.user.reopenAfter = 0;
    rig.send("old");
    rig.expectCommand("AT+CIPSEND=0,3");
    rig.say(`\r\nERROR\r\n${event}`);
    for (let guard = 0; guard < 10 && rig.user.ups < 2; guard++) {
      const command = rig.waitForCommand(300);
      rig.say(command.includes("CIPSTART") ? "0,CONNECT\r\n\r\nOK\r\n" : "\r\nERROR\r\n");
    }
    expect(rig.user.ups).toBe(2);
    rig.expectNothing();
    rig.send("new!");
    rig.expectCommand("AT+CIPSEND=0,4");
  });

  it("is not mistaken for damage where data comes unasked, and other lines are", () => {
    const rig = new ScriptedModule();
    rig.boot();
    for (const command of SETUP_COMMANDS.slice(0, -1)) rig.answer(command, "\r\nOK\r\n");
    rig.answer("AT+CIPRECVMODE=1", "\r\nERROR\r\n");
    rig.answer("AT+CIPRECVTYPE=5,1", "\r\nERROR\r\n");
    rig.join();
    rig.open();
    rig.send("hello");
    rig.expectCommand("AT+CIPSEND=0,5");
    refuse(rig);
    rig.say(OURS);
    expect(rig.user.losses).toEqual([]);
    rig.expectCommand("AT+CIPSEND=0,5");
  });
});

describe("close()", () => {
  it("lets the run that is being sent go out first, starts no other, and closes", () => {
    const rig = new ScriptedModule({ driver: { maxSend: 100 } }).bringUp();
    rig.send("x".repeat(150));
    rig.expectCommand("AT+CIPSEND=0,100");
    rig.esp.link.close();
    rig.say(PROMPT);
    rig.advance(1);
    expect(rig.take()).toBe("x".repeat(100));
    expect(rig.user.events).toEqual(["open", "up"]);
    rig.say(sent(100));
    rig.expectCommand("AT+CIPCLOSE=0");
    rig.say("0,CLOSED\r\n\r\nOK\r\n");
    expect(rig.user.losses).toEqual(["Closed"]);
    rig.expectNothing();
  });

  it("during a connect closes what comes of it", () => {
    const rig = new ScriptedModule().dial();
    rig.expectCommand('AT+CIPSTART=0,"TCP","broker",1883,60');
    rig.esp.link.close();
    rig.say("0,CONNECT\r\n\r\nOK\r\n");
    rig.expectCommand("AT+CIPCLOSE=0");
    rig.say("0,CLOSED\r\n\r\nOK\r\n");
    expect(rig.user.events).toEqual(["open", "down Closed"]);
  });

  it("ends with Closed even if the peer, Wi-Fi or the module is faster", () => {
    for (const event of ["0,CLOSED\r\n", "WIFI DISCONNECT\r\n", "\r\nready\r\n"]) {
      const rig = new ScriptedModule().bringUp();
      rig.esp.link.close();
      rig.say(event);
      expect(rig.user.losses).toEqual(["Closed"]);
    }
  });
});

describe("a receive", () => {
  it("asks for no more than the user has room for, and no more than it may", () => {
    const rig = new ScriptedModule({ driver: { maxReceive: 300 } }).bringUp();
    rig.user.capacity = 10;
    rig.say("\r\n+IPD,0,1000\r\n");
    rig.answer("AT+CIPRECVDATA=0,10", data("0123456789"));
    rig.user.capacity = 1000;
    rig.say("\r\n+IPD,0,990\r\n");
    rig.answer("AT+CIPRECVDATA=0,300", data("a".repeat(300)));
    expect(rig.user.receivedText).toBe(`0123456789${"a".repeat(300)}`);
  });

  it("waits while the user has no room, and the data stays in the module", () => {
    const rig = new ScriptedModule().bringUp();
    rig.user.capacity = 0;
    rig.say("\r\n+IPD,0,4\r\n");
    rig.expectNothing();
    expect(rig.esp.wait(rig.now)).toBeGreaterThan(0);
    // The loop is not to sleep on what the module holds.
    rig.user.capacity = 8;
    expect(rig.esp.wait(rig.now)).toBe(0);
    rig.turn();
    rig.answer("AT+CIPRECVDATA=0,8", data("data"));
    expect(rig.user.receivedText).toBe("data");
  });

  it("delivers what looks like the module talking as the data that it is", () => {
    const tricky = "\r\nOK\r\n0,CLOSED\r\nready\r\n\r\n+IPD,0,9\r\n\r\n>\x00ATE0\r\n\r\nERROR\r\n+CIPRECVDATA:3,";
    for (let cut = 0; cut <= tricky.length + 30; cut++) {
      const rig = new ScriptedModule().bringUp();
      rig.say("\r\n+IPD,0,90\r\n");
      rig.expectCommand("AT+CIPRECVDATA=0,512");
      const reply = data(tricky);
      rig.say(reply.slice(0, cut));
      rig.advance(5);
      rig.say(reply.slice(cut));
      expect(rig.user.receivedText).toBe(tricky);
      expect(rig.user.events).toEqual(["open", "up"]);
      rig.expectNothing();
    }
  });

  it("delivers data that is longer than the driver's window, in order", () => {
    const rig = new ScriptedModule({ driver: { window: 256, maxReceive: 2000 } }).bringUp();
    rig.user.capacity = 2000;
    const text = Buffer.from(counterStream(0, 2000)).toString("latin1");
    rig.say("\r\n+IPD,0,2000\r\n");
    rig.expectCommand("AT+CIPRECVDATA=0,2000");
    rig.say(data(text));
    expect(rig.user.receivedText).toBe(text);
  });

  it("finds bytes whose notice was lost by asking for the length, even while there is always something to send", () => {
    for (const busy of [false, true]) {
      const rig = new ScriptedModule({ driver: { maxSend: 10 } }).bringUp();
      if (busy) rig.send("z".repeat(20_000));
      let found = false;
      for (let guard = 0; guard < 1_000 && !found; guard++) {
        const command = rig.waitForCommand(2_100);
        if (command.startsWith("AT+CIPSEND")) {
          rig.say(PROMPT);
          rig.advance(1);
          rig.say(sent(rig.take().length));
          rig.advance(5);
        } else {
          expect(command).toBe("AT+CIPRECVLEN?\r\n");
          rig.say("+CIPRECVLEN:5,0,0,0,0\r\n\r\nOK\r\n");
          found = true;
        }
      }
      expect(rig.elapsed).toBeLessThan(4_000);
      rig.advance(1);
      expect(rig.take()).toContain("AT+CIPRECVDATA=0,512\r\n");
    }
  });

  it.each(["+CIPRECVLEN:,,,,", "+CIPRECVLEN:-1,-1,-1,-1,-1", "+CIPRECVLEN:0,0,0,0,0"])(
    "is not tried when the length is %s",
    (line) => {
      const rig = new ScriptedModule().bringUp();
      expect(rig.waitForCommand(2_100)).toBe("AT+CIPRECVLEN?\r\n");
      rig.say(`${line}\r\n\r\nOK\r\n`);
      rig.expectNothing();
    },
  );

  it("that is refused is harmless", () => {
    const rig = new ScriptedModule().bringUp();
    rig.say("\r\n+IPD,0,5\r\n");
    rig.answer("AT+CIPRECVDATA=0,512", "\r\nERROR\r\n");
    rig.expectNothing();
    rig.send("still here");
    rig.expectCommand("AT+CIPSEND=0,10");
    expect(rig.user.events).toEqual(["open", "up"]);
  });

  it("takes turns with sends, whoever has more to do", () => {
    const rig = new ScriptedModule({ driver: { maxSend: 10 } }).bringUp();
    rig.user.queue("y".repeat(100));
    rig.say("\r\n+IPD,0,100\r\n");
    const order: string[] = [];
    for (let i = 0; i < 8; i++) {
      rig.advance(1);
      const command = rig.take();
      order.push(command.slice(3, 10));
      if (command.includes("SEND")) {
        rig.say(PROMPT);
        rig.advance(1);
        rig.say(sent(rig.take().length));
      } else {
        rig.say(`${data("zzzz")}\r\n+IPD,0,100\r\n`);
      }
    }
    const pair = order.slice(0, 2);
    expect(pair.toSorted()).toEqual(["CIPRECV", "CIPSEND"]);
    expect(order).toEqual([...pair, ...pair, ...pair, ...pair]);
  });

  it("for a link that is down is thrown away, also when the next link is asked for already", () => {
    const rig = new ScriptedModule().bringUp();
    rig.say("\r\n+IPD,0,5\r\n");
    rig.expectCommand("AT+CIPRECVDATA=0,512");
    rig.say("WIFI DISCONNECT\r\n");
    rig.user.open("broker", 1883);
    rig.say(data("stale"));
    rig.say("WIFI GOT IP\r\n");
    rig.answer("AT+CIPCLOSE=0", "\r\nERROR\r\n");
    rig.open();
    expect(rig.user.receivedText).toBe("");
    // The old notice is forgotten too.
    rig.expectNothing();
  });

  it.each([
    ["lost within the data", "+CIPRECVDATA:5,abcd\r\nOK\r\n"],
    ["added within the data", "+CIPRECVDATA:5,abcdef\r\nOK\r\n"],
    ["lost in the header", "+CIPRECVDAT:5,abcde\r\nOK\r\n"],
    ["lost before the length", "+CIPRECVDATA5,abcde\r\nOK\r\n"],
    ["lost behind the length", "+CIPRECVDATA:5abcde\r\nOK\r\n"],
    ["changed in the length", "+CIPRECVDATA:9999,abcde\r\nOK\r\n"],
    ["lost all over", "+CIPRECVDATA:50,abcde"],
    ["lost, as many as the OK has", "+CIPRECVDATA:9,abcde\r\nOK\r\n"],
  ])("with bytes %s takes the link down as damaged", (_what, reply) => {
    const rig = new ScriptedModule().bringUp();
    rig.say("\r\n+IPD,0,5\r\n");
    rig.expectCommand("AT+CIPRECVDATA=0,512");
    rig.say(reply);
    rig.advance(150);
    expect(rig.user.losses).toEqual(["Damaged"]);
    expect(rig.esp.status.damaged).toBe(1);
  });

  it("never hands over more than was asked for, whatever the header says", () => {
    const rig = new ScriptedModule().bringUp();
    rig.user.capacity = 4;
    rig.say("\r\n+IPD,0,4\r\n");
    rig.expectCommand("AT+CIPRECVDATA=0,4");
    rig.say("+CIPRECVDATA:44,abcdefghijklmnopqrstuvwxyz\r\nOK\r\n");
    expect(rig.user.receivedText).toBe("");
    expect(rig.user.losses).toEqual(["Damaged"]);
  });

  it("notices that the module is not in passive mode, and sets it up again", () => {
    const rig = new ScriptedModule().bringUp();
    rig.say("\r\n+IPD,0,5:hello\r\n");
    expect(rig.user.losses).toEqual(["Module"]);
    expect(rig.waitForCommand(200)).toBe("AT\r\n");
  });
});

describe("an overrun of the serial port", () => {
  it("takes the link down, closes the stream, and the next link works", () => {
    const rig = new ScriptedModule().bringUp();
    rig.lost = 3;
    rig.turn();
    expect(rig.user.losses).toEqual(["Damaged"]);
    rig.user.open("broker", 1883);
    // Its CLOSED speaks of the old stream, not of the link that is asked for now.
    rig.answer("AT+CIPCLOSE=0", "0,CLOSED\r\n", "\r\nOK\r\n");
    rig.open();
    expect(rig.user.events).toEqual(["open", "up", "down Damaged", "open", "up"]);
  });

  it("is noticed before what came with it is believed: a number that lost a digit is another number", () => {
    const rig = new ScriptedModule().bringUp();
    rig.user.capacity = 100;
    rig.say("\r\n+IPD,0,5\r\n");
    rig.expectCommand("AT+CIPRECVDATA=0,100");
    rig.lost = 1;
    rig.say(data("1345"));
    expect(rig.user.receivedText).toBe("");
    expect(rig.user.losses).toEqual(["Damaged"]);
  });

  it("while no stream is open is nothing", () => {
    const rig = new ScriptedModule();
    rig.user.open("broker", 1883);
    rig.boot();
    rig.lost = 7;
    rig.setUp();
    rig.join();
    rig.open();
    expect(rig.user.events).toEqual(["open", "up"]);
    expect(rig.esp.status.damaged).toBe(0);
  });
});

describe("a peer that closes", () => {
  it("is heard out: what the module still has of it is fetched before the link goes down", () => {
    const rig = new ScriptedModule().bringUp();
    rig.say("0,CLOSED\r\n");
    rig.answer("AT+CIPRECVDATA=0,512", data("its last "));
    rig.answer("AT+CIPRECVDATA=0,512", data("words"));
    expect(rig.user.losses).toEqual([]);
    rig.answer("AT+CIPRECVDATA=0,512", "\r\nERROR\r\n");
    expect(rig.user.receivedText).toBe("its last words");
    expect(rig.user.losses).toEqual(["Peer"]);
    rig.expectNothing();
  });

  it("is gone when the module gives nothing more, however it says so, and at a second CLOSED", () => {
    for (const reply of ["\r\nERROR\r\n", "+CIPRECVDATA:0,\r\nOK\r\n", "0,CLOSED\r\n\r\nERROR\r\n"]) {
      const rig = new ScriptedModule().bringUp();
      rig.say("0,CLOSED\r\n");
      rig.answer("AT+CIPRECVDATA=0,512", reply);
      expect(rig.user.losses).toEqual(["Peer"]);
      rig.open();
    }
  });

  it("is not heard out by a user without room", () => {
    const rig = new ScriptedModule().bringUp();
    rig.user.capacity = 0;
    rig.say("0,CLOSED\r\n");
    rig.expectNothing();
    expect(rig.user.losses).toEqual(["Peer"]);
  });

  it("is heard at the end of what the module was saying when it came, unless it is the end of a number", () => {
    const rig = new ScriptedModule().bringUp();
    rig.say("chksum 10,CLOSED\r\n");
    rig.expectNothing();
    rig.say("chksum0,CLOSED\r\n");
    rig.expectCommand("AT+CIPRECVDATA=0,512");
  });
});

describe("a connection that nobody asked for", () => {
  it("on another link is closed", () => {
    const rig = new ScriptedModule().bringUp();
    rig.say("2,CONNECT\r\n");
    rig.expectNothing();
    rig.say("0,CLOSED\r\n");
    rig.answer("AT+CIPRECVDATA=0,512", "\r\nERROR\r\n");
    rig.answer("AT+CIPCLOSE=2", "2,CLOSED\r\n", "\r\nOK\r\n");
    rig.expectNothing();
  });

  it("on ours, late, is closed before the next connect", () => {
    const rig = new ScriptedModule().bringUp();
    rig.peerCloses();
    rig.say("0,CONNECT\r\n");
    rig.answer("AT+CIPCLOSE=0", "0,CLOSED\r\n", "\r\nOK\r\n");
    rig.open();
  });
});

describe("a connect", () => {
  it("that is refused takes the link down, and whatever the module has is closed before the next", () => {
    const rig = new ScriptedModule().dial();
    rig.answer('AT+CIPSTART=0,"TCP","broker",1883,60', "ALREADY CONNECTED\r\n", "\r\nERROR\r\n", "0,CLOSED\r\n");
    expect(rig.user.losses).toEqual(["Unreachable"]);
    rig.user.open("broker", 1883);
    rig.turn();
    rig.answer("AT+CIPCLOSE=0", "0,CLOSED\r\n", "\r\nOK\r\n");
    rig.open();
  });

  it("is not ended by a late CLOSED of the stream before", () => {
    const rig = new ScriptedModule().bringUp();
    rig.peerCloses();
    rig.user.open("broker", 1883);
    rig.turn();
    rig.expectCommand('AT+CIPSTART=0,"TCP","broker",1883,60');
    rig.say("0,CLOSED\r\n");
    rig.say("0,CONNECT\r\n\r\nOK\r\n");
    expect(rig.user.events.slice(-2)).toEqual(["open", "up"]);
  });

  it("is ended by a CLOSED between its CONNECT and its OK", () => {
    const rig = new ScriptedModule().dial();
    rig.expectCommand('AT+CIPSTART=0,"TCP","broker",1883,60');
    rig.say("0,CONNECT\r\n0,CLOSED\r\n\r\nOK\r\n");
    expect(rig.user.events).toEqual(["open", "down Peer"]);
  });

  it("whose link is lost meanwhile is not credited to the next one, which may want another host", () => {
    const rig = new ScriptedModule();
    rig.boot();
    rig.setUp();
    rig.join();
    rig.user.open("old", 1883);
    rig.turn();
    rig.expectCommand('AT+CIPSTART=0,"TCP","old",1883,60');
    rig.say("WIFI DISCONNECT\r\n");
    expect(rig.user.losses).toEqual(["Network"]);
    rig.user.open("new", 1883);
    rig.say("WIFI GOT IP\r\n0,CONNECT\r\n\r\nOK\r\n");
    expect(rig.user.state).toBe("opening");
    rig.answer("AT+CIPCLOSE=0", "0,CLOSED\r\n", "\r\nOK\r\n");
    rig.answer('AT+CIPSTART=0,"TCP","new",1883,60', "0,CONNECT\r\n", "\r\nOK\r\n");
    expect(rig.user.events).toEqual(["open", "down Network", "open", "up"]);
  });
});
