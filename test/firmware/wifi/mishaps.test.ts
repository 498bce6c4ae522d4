/** Something goes wrong at every step of a session, once; then the module behaves, and the link must work again. */
import { describe, expect, it } from "vitest";
import { type Mishap, checkCounter, ObedientModule } from "./obedient-module";
import { counterStream } from "./recording-user";
import { ScriptedModule, type ScriptedOptions, SETUP_COMMANDS } from "./scripted-module";

/** Board time in which the driver must be back at work, whatever went wrong. */
const BACK_WITHIN = 90_000;

const POINTS = [
  "boot",
  "ready",
  ...SETUP_COMMANDS.flatMap((command) => [`${command}: before`, `${command}: after`]),
  "join: before",
  "join: connected",
  "join: got ip",
  "join: after",
  "open: before",
  "open: connect",
  "open: after",
  "send: before",
  "send: OK",
  "send: prompt",
  "send: payload",
  "send: Recv",
  "send: after",
  "receive: before",
  "receive: data",
  "receive: after",
  "poll: before",
  "poll: length",
  "poll: after",
  "close: before",
  "close: closed",
  "close: after",
];

interface Outcome {
  readonly rig: ScriptedModule;
  readonly module: ObedientModule;
}

/**
 * A session with traffic both ways on a serial port that is slow to take bytes, closed once by its user and opened
 * again, with one mishap in it. Throws when the contract of the link is broken, when a byte is out of place, or when
 * the link does not work at the end.
 */
function session(mishap: Mishap, options: ScriptedOptions = {}): Outcome {
  const rig = new ScriptedModule({ ring: 64, leavesPerMs: 12, ...options });
  const module = new ObedientModule(rig, mishap);
  const { user } = rig;
  user.reopenAfter = 300;
  const inboxes: number[][] = [];
  let queued = 0;
  user.onUp = () => {
    inboxes.push(user.inbox);
    queued = 300;
    user.queue(counterStream(0, queued));
  };
  const talk = (): void => {
    if (user.state === "up") {
      user.queue(counterStream(queued, 30));
      queued += 30;
      rig.turn();
    }
    if (module.state !== "off") module.peerSends(40);
    // Long enough for a poll to find nothing in between.
    rig.after(2900, talk);
  };
  rig.after(1000, talk);
  user.open("broker", 1883);
  rig.advance(10_000);
  let closedByUser = false;
  for (let waited = 0; waited < BACK_WITHIN; waited += 100) {
    if (!closedByUser && user.state === "up") {
      closedByUser = true;
      rig.esp.link.close();
      rig.turn();
    }
    rig.advance(100);
  }
  module.connections.forEach((connection, i) => checkCounter(connection.received, `peer of connection ${i}`));
  inboxes.forEach((inbox, i) => checkCounter(inbox, `user on link ${i}`));
  expect(user.state).toBe("up");
  const received = user.inbox.length;
  const arrived = module.connection?.received.length ?? 0;
  rig.advance(8_000);
  expect(user.state).toBe("up");
  expect(user.inbox.length).toBeGreaterThan(received);
  expect(module.connection?.received.length).toBeGreaterThan(arrived);
  return { rig, module };
}

describe("a session in which nothing goes wrong", () => {
  it("passes every point at which the others have their mishap", () => {
    const { module, rig } = session({ at: "", happen: () => undefined });
    expect(POINTS.filter((point) => !module.passed.has(point))).toEqual([]);
    expect(rig.esp.status).toMatchObject({ resets: 1, reboots: 0, timeouts: 0, resyncs: 0, damaged: 0, opens: 2 });
    expect(rig.user.losses).toEqual(["Closed"]);
  });
});

const SAYINGS = {
  "WIFI DISCONNECT": "WIFI DISCONNECT\r\n",
  "WIFI GOT IP": "WIFI GOT IP\r\n",
  "0,CLOSED": "0,CLOSED\r\n",
  "0,CLOSED twice": "0,CLOSED\r\n0,CLOSED\r\n",
  "0,CONNECT": "0,CONNECT\r\n",
  "2,CONNECT": "2,CONNECT\r\n",
  "+IPD,0,5": "\r\n+IPD,0,5\r\n",
  "busy p...": "\r\nbusy p...\r\n",
  "an echo": "AT+CIPSEND=0,5\r\n",
  "OK": "\r\nOK\r\n",
  "ERROR": "\r\nERROR\r\n",
  "SEND OK": "\r\nSEND OK\r\n",
  "SEND FAIL": "\r\nSEND FAIL\r\n",
  "noise": "\x00\xff\x00\x91\xff",
  "a line that is no line": "\xff\xfe garbage \x80\r\n",
};

describe.each(Object.entries(SAYINGS))("the module says %s out of place", (_name, text) => {
  it.each(POINTS)("at \"%s\", and the link works again", (at) => {
    session({ at, happen: (module) => module.rig.say(text) });
  });
});

describe("the module reboots", () => {
  it.each(POINTS)("with `ready` at \"%s\", and the link works again", (at) => {
    session({ at, happen: (module) => module.reboot("loud") });
  });

  it.each(POINTS)("unseen at \"%s\", and the link works again", (at) => {
    session({ at, happen: (module) => module.reboot("silent") });
  });
});

describe("the module falls silent", () => {
  it.each(POINTS)("at \"%s\" until its reset, and the link works again", (at) => {
    session({ at, happen: (module) => (module.silent = true) });
  });

  it.each(POINTS)("at \"%s\" until its reset on a board without a reset line that it hears AT+RST on", (at) => {
    const happen = (module: ObedientModule): void => {
      module.silent = true;
      module.rig.after(3000, () => module.reboot("loud"));
    };
    session({ at, happen }, { resetLine: false });
  });

  it.each(POINTS.filter((point) => point.startsWith("send") && !point.includes("after") && !point.includes("Recv")))(
    "at \"%s\" until a cancel that comes alone, and is not reset",
    (at) => {
      const happen = (module: ObedientModule): void => {
        module.wakesAtCancel = true;
        module.silent = true;
      };
      const { rig } = session({ at, happen });
      expect(rig.esp.status.resets).toBe(1);
    },
  );

  it.each(POINTS)("at \"%s\" for the rest of that command only, and the link works again", (at) => {
    const happen = (module: ObedientModule): void => {
      module.silent = true;
      module.rig.after(1500, () => {
        module.silent = false;
        if (module.state === "processing" || module.state === "sending") module.state = "idle";
      });
    };
    session({ at, happen });
  });
});
