import { describe, expect, it } from "vitest";
import { LinkLoss, LinkState } from "../../../firmware/core/link";
import { LONGEST_WAIT } from "../../../firmware/core/time";
import { addSubscription, clientLeave, clientPoll, clientStart, clientWait } from "../../../firmware/mqtt/client";
import { type ClientOptions, ClientState, Fault } from "../../../firmware/mqtt/client-state";
import { createPublication } from "../../../firmware/mqtt/publication";
import { publishText } from "../../../firmware/mqtt/publish";
import {
  commands,
  connect,
  createSession,
  dial,
  exchange,
  finishClosing,
  fromBroker,
  message,
  passTime,
  poll,
  publishes,
  raw,
  reconnect,
  type Session,
} from "./session";
import { outboxCount } from "../../../firmware/mqtt/outbox";

const telemetry = createPublication("t", 1, false, 20);
const live = createPublication("live", 0, false, 20);
const birth = { topic: "state", payload: "online", qos: 0, retain: true } as const;
const farewell = { topic: "state", payload: "offline", qos: 0, retain: true } as const;

/** Clocks of a board that has just started and of one that has run for 24.8 days. */
const clocks = [0, 2147483647 - 20000, 2147483647, -1];

function online(options: Partial<ClientOptions> = {}, now = 0): Session {
  const session = createSession(options, now);
  connect(session);
  exchange(session);
  return session;
}

/** Which packets go out in the next `ms`, with the broker's answer to each PINGREQ. */
function liveFor(session: Session, ms: number, everySecond: (second: number) => void): string[] {
  const sent: string[] = [];
  for (let second = 0; second * 1000 < ms; second++) {
    everySecond(second);
    session.link.flush();
    passTime(session, 1000);
    session.link.flush();
    const packets = commands(session.link.takePackets());
    sent.push(...packets);
    if (packets.includes("pingreq")) raw(session, 0xd0, 0);
  }
  return sent;
}

describe.each(clocks)("keep alive, on a clock that shows %i,", (clock) => {
  it("[MQTT-3.1.2-23] is a PINGREQ as soon as nothing has been sent for that long", () => {
    const session = online({ keepAlive: 10 }, clock);
    passTime(session, 9999);
    expect(exchange(session)).toEqual([]);
    passTime(session, 1);
    expect(commands(exchange(session))).toEqual(["pingreq"]);
    expect(session.client.stats.pings).toBe(1);
  });

  it("[MQTT-3.1.2-23] is measured from what is sent: a client that only receives pings", () => {
    const session = online({ keepAlive: 10 }, clock);
    const sent = liveFor(session, 60000, () => fromBroker(session, message("a", "x")));
    expect(sent).toEqual(["pingreq", "pingreq", "pingreq", "pingreq", "pingreq", "pingreq"]);
  });

  it("[MQTT-3.1.2-23] asks for no PINGREQ of a client that publishes or acknowledges often enough", () => {
    for (const qos of [0, 1]) {
      const session = online({ keepAlive: 10 }, clock);
      const sent = liveFor(session, 60000, (second) => {
        if (second % 9 === 0 && qos === 0) publishText(session.client, live, "x");
        if (second % 9 === 0 && qos === 1) fromBroker(session, message("a", "x", { qos: 1, messageId: 1 }));
      });
      expect(sent).not.toContain("pingreq");
    }
  });

  it("[P42] [MQTT 3.1.1 §3.1.2.10] gives the broker 10 s for its PINGRESP, then closes the link", () => {
    const session = online({ keepAlive: 10 }, clock);
    passTime(session, 10000);
    exchange(session);
    passTime(session, 9999);
    expect(session.client.state).toBe(ClientState.Online);
    fromBroker(session, message("a", "a message is no PINGRESP"));
    passTime(session, 1);
    expect(session.client.fault).toBe(Fault.PingrespMissing);
    expect(session.link.closes).toBe(1);
  });

  it("closes the link when a PINGREQ cannot even leave", () => {
    const session = online({ keepAlive: 10 }, clock);
    passTime(session, 20000);
    expect(session.client.fault).toBe(Fault.PingrespMissing);
  });

  it("forgets an outstanding PINGREQ with its link", () => {
    const session = online({ keepAlive: 30 }, clock);
    passTime(session, 30000);
    exchange(session);
    reconnect(session, true);
    passTime(session, 29999);
    expect(session.client.state).toBe(ClientState.Online);
    passTime(session, 1);
    expect(commands(exchange(session))).toEqual(["pingreq"]);
  });

  it("goes on when an answer takes longer than the keep alive interval", () => {
    const session = online({ keepAlive: 3 }, clock);
    passTime(session, 3000);
    expect(commands(exchange(session))).toEqual(["pingreq"]);
    passTime(session, 5000);
    raw(session, 0xd0, 0);
    passTime(session, 3000);
    expect(commands(exchange(session))).toEqual(["pingreq"]);
  });

  it("of 0 asks for nothing, ever", () => {
    const session = online({ keepAlive: 0 }, clock);
    passTime(session, 86400000);
    expect(exchange(session)).toEqual([]);
    expect(session.client.state).toBe(ClientState.Online);
  });

  it("lets a session last for three wraps of the clock", () => {
    const session = online({ keepAlive: 65535 }, clock);
    for (let day = 0; day < 75; day++) {
      passTime(session, 86400000);
      if (commands(exchange(session)).includes("pingreq")) raw(session, 0xd0, 0);
    }
    expect(session.client.stats).toMatchObject({ sessions: 1, losses: 0 });
  });
});

describe("an acknowledgement that is owed", () => {
  it.each(clocks)("is waited for 20 s, then the link is closed: clock %i", (clock) => {
    const session = online({}, clock);
    publishText(session.client, telemetry, "x");
    exchange(session);
    passTime(session, 19999);
    expect(session.link.closes).toBe(0);
    passTime(session, 1);
    expect(session.client.fault).toBe(Fault.AckMissing);
    finishClosing(session);
    connect(session, true);
    expect(publishes(exchange(session))).toEqual(["t x 1 1 dup"]);
  });

  it("is not owed before its message has left", () => {
    const session = online();
    publishText(session.client, telemetry, "x");
    passTime(session, 25000);
    expect(session.link.closes).toBe(0);
    session.link.flush();
    passTime(session, 4000);
    expect(session.link.closes).toBe(0);
  });

  it("has its full time again after another one came, and none is owed after the last", () => {
    const session = online({ keepAlive: 0 });
    publishText(session.client, telemetry, "1");
    publishText(session.client, telemetry, "2");
    exchange(session);
    passTime(session, 19000);
    fromBroker(session, { cmd: "puback", messageId: 1 });
    passTime(session, 19999);
    expect(session.link.closes).toBe(0);
    fromBroker(session, { cmd: "puback", messageId: 2 });
    passTime(session, 100000);
    expect(session.link.closes).toBe(0);
  });

  it("of a SUBSCRIBE is waited for as long", () => {
    const session = createSession({ keepAlive: 0 });
    addSubscription(session.client, "a", 1, { message: () => undefined });
    connect(session);
    exchange(session);
    passTime(session, 19999);
    expect(session.link.closes).toBe(0);
    passTime(session, 1);
    expect(session.client.fault).toBe(Fault.AckMissing);
  });

  it("on a link that is gone is not waited for", () => {
    const session = online({ keepAlive: 0 });
    publishText(session.client, telemetry, "x");
    exchange(session);
    reconnect(session, true);
    passTime(session, 100000);
    expect(session.link.closes).toBe(0);
  });
});

describe("leaving", () => {
  function leave(session: Session, patience = 5000): void {
    clientLeave(session.client, session.link.now, patience);
    passTime(session, 0);
  }

  it("[MQTT-3.14.4-1] [MQTT-3.14.4-2] says farewell and DISCONNECT, closes then, and says nothing more", () => {
    const session = online({ farewell });
    leave(session);
    expect(session.client.state).toBe(ClientState.Leaving);
    expect(session.link.closes).toBe(0);
    session.link.flush();
    const packets = session.link.takePackets();
    expect(commands(packets)).toEqual(["publish", "disconnect"]);
    expect(publishes(packets)).toEqual(["state offline 0 0 retain"]);
    expect(session.link.closes).toBe(1);

    publishText(session.client, telemetry, "late");
    fromBroker(session, message("a", "x", { qos: 1, messageId: 1 }));
    session.link.state = LinkState.Up;
    expect(exchange(session)).toEqual([]);
    session.link.down(LinkLoss.Closed);
    expect(session.client.state).toBe(ClientState.Idle);
    passTime(session, 100000);
    expect(session.link.opened).toHaveLength(1);
    expect(session.events).toEqual(["online", "offline"]);
  });

  it("without a farewell is only DISCONNECT", () => {
    const session = online();
    leave(session);
    session.link.flush();
    expect(commands(session.link.takePackets())).toEqual(["disconnect"]);
  });

  it("closes the link when the last byte of DISCONNECT is out, not one before", () => {
    const session = online({ farewell });
    leave(session);
    const length = 2 + 7 + 7 + 2;
    for (let sent = 1; sent < length; sent++) {
      session.link.flush({ stopAfter: 1 });
      expect(session.link.closes).toBe(0);
    }
    session.link.flush({ stopAfter: 1 });
    expect(session.link.closes).toBe(1);
  });

  it("sends first what is in the outbox, and waits for its acknowledgement", () => {
    const session = online({ farewell });
    publishText(session.client, telemetry, "last words");
    leave(session);
    expect(publishes(exchange(session))).toEqual(["t last words 1 1"]);
    passTime(session, 4000);
    expect(exchange(session)).toEqual([]);
    fromBroker(session, { cmd: "puback", messageId: 1 });
    expect(clientWait(session.client, session.link.now)).toBe(0);
    expect(commands(exchange(session))).toEqual(["publish", "disconnect"]);
  });

  it.each(clocks)("waits no longer than it was told to: clock %i", (clock) => {
    const session = online({ farewell }, clock);
    publishText(session.client, telemetry, "never acknowledged");
    leave(session, 5000);
    exchange(session);
    passTime(session, 4999);
    expect(exchange(session)).toEqual([]);
    passTime(session, 1);
    expect(commands(exchange(session))).toEqual(["publish", "disconnect"]);
    finishClosing(session);
    expect(session.client.state).toBe(ClientState.Idle);
    expect(outboxCount(session.client.outbox)).toBe(1);
  });

  it("finishes the message that is half sent before the farewell, when the patience is over", () => {
    for (let stop = 1; stop < 12; stop++) {
      const session = online({ farewell });
      publishText(session.client, telemetry, "long");
      publishText(session.client, telemetry, "not any more");
      session.link.flush({ limit: 5, stopAfter: stop });
      leave(session, 0);
      session.link.flush({ limit: 5 });
      const order = commands(session.link.takePackets());
      expect(order.slice(-2)).toEqual(["publish", "disconnect"]);
      expect(session.link.torn()).toBe(0);
    }
  });

  it("needs no time at all when the control packets of the session still wait for the link", () => {
    const session = createSession({ birth, farewell });
    dial(session);
    session.link.takePackets();
    raw(session, 0x20, 2, 0, 0);
    clientLeave(session.client, session.link.now, 100);
    passTime(session, 1000);
    expect(commands(exchange(session))).toEqual(["publish", "publish", "disconnect"]);
  });

  it("waits for room when acknowledgements fill the control ring, and then says all of it", () => {
    const session = online({ farewell: { ...farewell, payload: "x".repeat(400) } });
    const ask = Uint8Array.of(0x32, 5, 0, 1, 0x61, 0, 1);
    while (session.link.receive(ask).length === 0);
    expect(session.link.user().room()).toBe(0);
    leave(session, 0);
    session.link.flush();
    poll(session);
    session.link.flush();
    expect(commands(session.link.takePackets()).slice(-3)).toEqual(["puback", "publish", "disconnect"]);
  });

  it("while backing off is at once", () => {
    const session = online();
    session.entropy = 500;
    session.link.down(LinkLoss.Peer);
    clientLeave(session.client, session.link.now, 5000);
    expect(session.client.state).toBe(ClientState.Idle);
    passTime(session, 100000);
    expect(session.link.opened).toHaveLength(1);
  });

  it("while the link is being opened closes it, and does not try again", () => {
    const session = createSession();
    clientStart(session.client, 0);
    poll(session);
    clientLeave(session.client, 0, 5000);
    expect(session.link.state).toBe(LinkState.Closing);
    session.link.down(LinkLoss.Closed);
    expect(session.client.state).toBe(ClientState.Idle);
    passTime(session, 100000);
    expect(session.link.opened).toHaveLength(1);
  });

  it("before CONNACK closes the link without a word; a CONNACK that still comes changes nothing", () => {
    const session = createSession({ farewell });
    dial(session);
    session.link.takePackets();
    clientLeave(session.client, session.link.now, 5000);
    raw(session, 0x20, 2, 0, 0);
    expect(exchange(session)).toEqual([]);
    expect(session.events).toEqual([]);
    finishClosing(session);
    expect(session.client.state).toBe(ClientState.Idle);
  });

  it("while the link is being closed for a fault ends there", () => {
    const session = online();
    raw(session, 0xf0, 0);
    clientLeave(session.client, session.link.now, 5000);
    finishClosing(session);
    expect(session.client.state).toBe(ClientState.Idle);
  });

  it("ends when the link is lost meanwhile, at any byte", () => {
    for (let stop = 0; stop < 30; stop++) {
      const session = online({ farewell });
      publishText(session.client, telemetry, "x");
      leave(session, 0);
      session.link.flush({ stopAfter: stop });
      if (session.link.state === LinkState.Up) session.link.down(LinkLoss.Network);
      else session.link.down(LinkLoss.Closed);
      expect(session.client.state).toBe(ClientState.Idle);
    }
  });

  it("can be followed by a new start, which sends what was not acknowledged", () => {
    const session = online();
    publishText(session.client, telemetry, "x");
    exchange(session);
    leave(session, 0);
    session.link.flush();
    finishClosing(session);
    session.link.takePackets();
    connect(session, true);
    expect(publishes(exchange(session))).toEqual(["t x 1 1 dup"]);
    passTime(session, 10000);
    expect(session.client.state).toBe(ClientState.Online);
  });

  it("may be asked for from within the news that the client is online or offline", () => {
    const session = createSession({ birth, farewell });
    session.onOnline = () => clientLeave(session.client, session.link.now, 1000);
    dial(session);
    session.link.takePackets();
    raw(session, 0x20, 2, 0, 0);
    expect(publishes(exchange(session))).toEqual(["state online 0 0 retain", "state offline 0 0 retain"]);
    finishClosing(session);
    expect(session.client.state).toBe(ClientState.Idle);

    const other = online();
    other.onOffline = () => clientLeave(other.client, other.link.now, 1000);
    other.link.down(LinkLoss.Peer);
    expect(other.client.state).toBe(ClientState.Idle);
  });
});

describe("the wait for the next try", () => {
  /** An entropy that gives another wait for every ceiling, and the wait that it gives. */
  const ENTROPY = 2147483647;
  function waitBelow(ceiling: number): number {
    return ENTROPY % (ceiling + 1);
  }

  it("grows with every failure, whatever failed, up to a minute", () => {
    const session = createSession();
    clientStart(session.client, 0);
    poll(session);
    for (const ceiling of [1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000]) {
      session.entropy = ENTROPY;
      session.link.down(LinkLoss.Unreachable);
      expect(clientWait(session.client, session.link.now)).toBe(waitBelow(ceiling));
      const tries = session.link.opened.length;
      passTime(session, waitBelow(ceiling) - 1);
      expect(session.link.opened).toHaveLength(tries);
      passTime(session, 1);
      expect(session.link.opened).toHaveLength(tries + 1);
    }
  });

  it("[MQTT-3.1.4-2] grows though every connect succeeds, when the session is ended at once each time", () => {
    const session = createSession();
    for (const ceiling of [1000, 2000, 4000, 8000]) {
      connect(session);
      passTime(session, 500);
      session.entropy = ENTROPY;
      session.link.down(LinkLoss.Peer);
      expect(clientWait(session.client, session.link.now)).toBe(waitBelow(ceiling));
    }
  });

  it.each(clocks)("is short again after a session of 120 s, not of less: clock %i", (clock) => {
    for (const [lasted, ceiling] of [
      [119999, 8000],
      [120000, 1000],
    ] as const) {
      const session = createSession({ keepAlive: 0 }, clock);
      for (let i = 0; i < 3; i++) {
        connect(session);
        session.link.down(LinkLoss.Peer);
      }
      connect(session);
      passTime(session, lasted);
      session.entropy = ENTROPY;
      session.link.down(LinkLoss.Peer);
      expect(clientWait(session.client, session.link.now)).toBe(waitBelow(ceiling));
    }
  });
});

describe("a client", () => {
  it("does nothing before it is started, and starts once", () => {
    const session = createSession();
    expect(clientWait(session.client, 0)).toBe(LONGEST_WAIT);
    clientPoll(session.client, 100000);
    expect(session.link.opened).toEqual([]);
    clientStart(session.client, 0);
    expect(clientWait(session.client, 0)).toBe(0);
    poll(session);
    clientStart(session.client, 0);
    poll(session);
    expect(session.link.opened).toEqual(["broker:1883"]);
    expect(clientWait(session.client, 0)).toBe(LONGEST_WAIT);
  });

  it("tells of every link that is gone, and why", () => {
    const session = online();
    session.link.down(LinkLoss.Network);
    expect(session.client.lastLoss).toBe(LinkLoss.Network);
    passTime(session, 0);
    session.link.down(LinkLoss.Unreachable);
    expect(session.client.lastLoss).toBe(LinkLoss.Unreachable);
    // A try that came to nothing is no link that was lost.
    expect(session.client.stats.losses).toBe(1);
    expect(session.events).toEqual(["online", "offline", "offline"]);
  });

  it("may be published to from within the news that it is online or offline", () => {
    const session = createSession({ birth });
    session.onOnline = () => publishText(session.client, live, "hello");
    session.onOffline = () => publishText(session.client, telemetry, "lost");
    connect(session);
    expect(publishes(exchange(session))).toEqual(["state online 0 0 retain", "live hello 0 0"]);
    reconnect(session, true);
    expect(publishes(exchange(session))).toEqual(["state online 0 0 retain", "t lost 1 1", "live hello 0 0"]);
  });
});
