import fc from "fast-check";
import { generate, type Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { addSubscription, clientAnnounce } from "../../../firmware/mqtt/client";
import { type ClientOptions, ClientState, Fault } from "../../../firmware/mqtt/client-state";
import { createPublication } from "../../../firmware/mqtt/publication";
import { publishText } from "../../../firmware/mqtt/publish";
import { controlUsed } from "../../../firmware/mqtt/sender";
import { subscribeAgain, type Subscription, unsubscribe } from "../../../firmware/mqtt/subscriptions";
import {
  commands,
  connect,
  createSession,
  dial,
  exchange,
  fromBroker,
  message,
  passTime,
  poll,
  publishes,
  raw,
  reconnect,
  type Session,
} from "./session";

const telemetry = createPublication("t", 1, false, 100);

function online(options: Partial<ClientOptions> = {}): Session {
  const session = createSession(options);
  connect(session);
  exchange(session);
  session.link.runs.length = 0;
  return session;
}

/** A message at QoS 1 that asks for an acknowledgement. */
function ask(session: Session, messageId: number): void {
  fromBroker(session, message("a", "x", { qos: 1, messageId }));
}

function flood(count: number): Uint8Array {
  const packets = Array.from({ length: count }, (_, id) => generate(message("a", "", { qos: 1, messageId: id + 1 })));
  return Uint8Array.from(Buffer.concat(packets));
}

function pubacks(packets: readonly Packet[]): number {
  return packets.filter(({ cmd }) => cmd === "puback").length;
}

describe("the send window", () => {
  const live = createPublication("live", 0, false, 10);

  it("holds back a message at QoS 1 until one that is under way is acknowledged, and keeps the order", () => {
    const session = online({ maxInFlight: 2 });
    for (const payload of ["1", "2", "3"]) publishText(session.client, telemetry, payload);
    publishText(session.client, live, "4");
    expect(publishes(exchange(session))).toEqual(["t 1 1 1", "t 2 1 2"]);
    // A driver that asks has nothing to do: it may sleep.
    expect([session.link.user().waiting(), session.link.user().offer(999)]).toEqual([false, 0]);
    fromBroker(session, { cmd: "puback", messageId: 2 });
    expect(session.link.user().waiting()).toBe(true);
    expect(publishes(exchange(session))).toEqual(["t 3 1 3", "live 4 0 0"]);
  });

  it("holds nothing else back: acknowledgements and pings go out", () => {
    const session = online({ maxInFlight: 1 });
    publishText(session.client, telemetry, "1");
    publishText(session.client, telemetry, "2");
    exchange(session);
    ask(session, 7);
    expect(commands(exchange(session))).toEqual(["puback"]);
  });

  it("is as large as before on the next link, where what was under way is sent again", () => {
    const session = online({ maxInFlight: 1 });
    publishText(session.client, telemetry, "1");
    publishText(session.client, telemetry, "2");
    exchange(session);
    reconnect(session, true);
    expect(publishes(exchange(session))).toEqual(["t 1 1 1 dup"]);
    fromBroker(session, { cmd: "puback", messageId: 1 });
    expect(publishes(exchange(session))).toEqual(["t 2 1 2"]);
  });
});

describe("what is sent", () => {
  it("is the control packets first, then the messages, in one run", () => {
    const session = online();
    publishText(session.client, telemetry, "1");
    ask(session, 7);
    publishText(session.client, telemetry, "2");
    ask(session, 8);
    session.link.flush();
    expect(commands(session.link.takePackets())).toEqual(["puback", "puback", "publish", "publish"]);
    expect(session.link.runs).toHaveLength(1);
  });

  it("is one packet a run when the client is told not to coalesce", () => {
    const session = online({ coalesce: 1 });
    for (const text of ["1", "2", "3"]) publishText(session.client, telemetry, text);
    ask(session, 7);
    session.link.flush();
    expect(commands(session.link.takePackets())).toEqual(["puback", "publish", "publish", "publish"]);
    expect(session.link.runs).toEqual([4, 8, 8, 8]);
  });

  it("is as many whole messages a run as the client is told to coalesce", () => {
    const session = online({ coalesce: 2 });
    for (const text of ["1", "2", "3"]) publishText(session.client, telemetry, text);
    session.link.flush();
    expect(session.link.runs).toEqual([16, 8]);
  });

  it("is whole messages as far as they fit, and a message is only cut when it does not fit a run alone", () => {
    const session = online();
    publishText(session.client, telemetry, "x".repeat(13));
    publishText(session.client, telemetry, "y".repeat(13));
    publishText(session.client, telemetry, "z".repeat(43));
    ask(session, 7);
    session.link.flush({ limit: 30 });
    expect(session.link.runs).toEqual([24, 20, 30, 20]);
    expect(publishes(session.link.takePackets())).toHaveLength(3);
  });

  it("is control packets alone when the message behind them does not fit whole", () => {
    const session = online();
    publishText(session.client, telemetry, "x".repeat(43));
    ask(session, 7);
    session.link.flush({ limit: 30 });
    expect(session.link.runs).toEqual([4, 30, 20]);
  });

  it.each([1, 2, 3, 4, 5, 7, 9, 16, 17])("is the same in runs of at most %i bytes", (limit) => {
    const session = online();
    publishText(session.client, telemetry, "first");
    ask(session, 7);
    ask(session, 8);
    publishText(session.client, telemetry, "");
    publishText(session.client, telemetry, "x".repeat(60));
    session.link.flush({ limit });
    const packets = session.link.takePackets();
    expect(commands(packets)).toEqual(["puback", "puback", "publish", "publish", "publish"]);
    expect(publishes(packets)).toEqual(["t first 1 1", "t  1 2", `t ${"x".repeat(60)} 1 3`]);
    expect(session.link.torn()).toBe(0);
  });

  it("is never a control packet in the middle of a message, at whatever byte it comes up", () => {
    for (let stop = 1; stop < 60; stop++) {
      for (const limit of [6, 2048]) {
        const session = online();
        for (const text of ["12345678", "", "x".repeat(20)]) publishText(session.client, telemetry, text);
        session.link.flush({ limit, stopAfter: stop });
        ask(session, 7);
        session.link.flush({ limit });
        expect(session.link.torn()).toBe(0);
        const packets = session.link.takePackets();
        expect(publishes(packets)).toEqual(["t 12345678 1 1", "t  1 2", `t ${"x".repeat(20)} 1 3`]);
        expect(pubacks(packets)).toBe(1);
      }
    }
  });

  it("does not change once it is offered, though acknowledgements and messages come up meanwhile", () => {
    const session = online();
    publishText(session.client, telemetry, "1");
    publishText(session.client, telemetry, "2");
    ask(session, 5);
    for (let stop = 0; stop < 20; stop++) {
      session.link.flush({ stopAfter: 1 });
      ask(session, 100 + stop);
      if (stop === 3) publishText(session.client, telemetry, "3");
    }
    expect(session.link.runs).toEqual([20]);
    session.link.flush();
    const order = commands(session.link.takePackets());
    expect(order.slice(0, 3)).toEqual(["puback", "publish", "publish"]);
    expect(order.slice(3)).toEqual([...Array.from({ length: 20 }, () => "puback"), "publish"]);
  });

  it("acknowledges though the outbox is full", () => {
    const session = online({ outboxSize: 110, outboxSlots: 1 });
    expect(publishText(session.client, telemetry, "x".repeat(100))).toBe(true);
    session.link.flush({ limit: 10, stopAfter: 10 });
    expect(publishText(session.client, telemetry, "y")).toBe(false);
    ask(session, 9);
    session.link.flush({ limit: 10 });
    expect(commands(session.link.takePackets())).toEqual(["publish", "puback"]);
    ask(session, 10);
    session.link.flush();
    expect(commands(session.link.takePackets())).toEqual(["puback"]);
  });

  it("[P46] is nothing but CONNECT before CONNACK", () => {
    const session = createSession({ birth: { topic: "b", payload: "online", qos: 0, retain: true } });
    addSubscription(session.client, "a", 1, { message: () => undefined });
    publishText(session.client, telemetry, "1");
    dial(session);
    passTime(session, 9000);
    session.link.flush();
    expect(commands(session.link.takePackets())).toEqual(["connect"]);
    fromBroker(session, { cmd: "connack", returnCode: 0, sessionPresent: false });
    poll(session);
    session.link.flush();
    expect(commands(session.link.takePackets())).toEqual(["publish", "subscribe", "publish"]);
  });

  it("begins with the birth notice, also when the broker has messages for us in the same bytes as its CONNACK", () => {
    const session = createSession({ birth: { topic: "b", payload: "online", qos: 1, retain: true } });
    dial(session);
    session.link.takePackets();
    session.link.receive(Uint8Array.from([0x20, 2, 1, 0, ...flood(3)]));
    session.link.flush();
    const packets = session.link.takePackets();
    expect(publishes(packets)).toEqual(["b online 0 0 retain"]);
    expect(commands(packets)).toEqual(["publish", "puback", "puback", "puback"]);
  });

  it("tells the birth again on every link, and when it is asked to, but not without a session", () => {
    const session = createSession({ birth: { topic: "b", payload: "online", qos: 0, retain: true } });
    clientAnnounce(session.client);
    connect(session);
    expect(publishes(exchange(session))).toHaveLength(1);
    clientAnnounce(session.client);
    clientAnnounce(session.client);
    passTime(session, 0);
    expect(publishes(exchange(session))).toHaveLength(1);
    session.link.down(1);
    clientAnnounce(session.client);
    connect(session, true);
    expect(publishes(exchange(session))).toHaveLength(1);
    expect(publishes(exchange(session))).toHaveLength(0);
  });

  it("is no birth notice when there is none to tell", () => {
    const session = online();
    clientAnnounce(session.client);
    passTime(session, 100);
    expect(exchange(session)).toEqual([]);
  });
});

describe("the room for what comes in", () => {
  it("shrinks as acknowledgements wait, and a flood with nothing sent never overflows them", () => {
    for (const chunk of [1, 6, 7, 8, 100, 5000]) {
      const session = online();
      const left = session.link.receive(flood(300), chunk);
      expect(left.length).toBeGreaterThan(0);
      expect(session.link.user().room()).toBe(0);
      expect(session.client.state).toBe(ClientState.Online);
      session.link.flush();
      expect(session.link.user().room()).toBeGreaterThan(100);
    }
  });

  it("is never 0 while nothing waits to be sent, so that nothing stands still", () => {
    for (const options of [{}, { birth: { topic: "b", payload: "x".repeat(999), qos: 0, retain: true } as const }]) {
      const session = online(options);
      addSubscription(session.client, "x".repeat(120), 1, { message: () => undefined });
      expect(controlUsed(session.client)).toBe(0);
      expect(session.link.user().room()).toBeGreaterThan(300);
    }
  });

  it("is enough even for a long birth notice and a flood right behind CONNACK", () => {
    const session = createSession({ birth: { topic: "b", payload: "x".repeat(1000), qos: 0, retain: true } });
    dial(session);
    session.link.takePackets();
    session.link.receive(Uint8Array.from([0x20, 2, 1, 0, ...flood(1000)]));
    expect(session.client.fault).toBe(Fault.None);
    const packets = exchange(session);
    expect(commands(packets)[0]).toBe("publish");
    expect(pubacks(packets)).toBeGreaterThan(50);
  });

  // A driver asks for the room, asks the module for as many bytes, and has them some time and some turns later.
  it("is kept for the bytes it was promised to, whatever the client says on its own account until they come", () => {
    const promise = fc.record({ promise: fc.integer({ min: 1, max: 2000 }), turns: fc.nat(5) });
    const step = fc.oneof(
      { weight: 6, arbitrary: promise },
      { weight: 3, arbitrary: fc.record({ send: fc.integer({ min: 1, max: 500 }) }) },
      { weight: 2, arbitrary: fc.constantFrom("end", "again", "answer" as const) },
      { weight: 1, arbitrary: fc.record({ sleep: fc.integer({ min: 1, max: 9000 }) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: "max" }), fc.integer({ min: 1, max: 60 }), (steps, chunk) => {
        const birth = { topic: "b", payload: "x".repeat(100), qos: 0, retain: true } as const;
        const session = createSession({ birth, subscribeRoom: 300, outboxSize: 64, keepAlive: 5 });
        const subscriptions: Subscription[] = [];
        for (const filter of ["a", "x".repeat(200)]) {
          const announces = { message: () => clientAnnounce(session.client) };
          const subscription = addSubscription(session.client, filter, 1, announces);
          if (subscription !== undefined) subscriptions.push(subscription);
        }
        connect(session);
        const stream = flood(3000);
        let at = 0;
        for (const each of steps) {
          if (each === "end") subscriptions.forEach(unsubscribe);
          else if (each === "again") subscriptions.forEach(subscribeAgain);
          else if (each === "answer") answer(session);
          else if ("send" in each) session.link.flush({ limit: 100, stopAfter: each.send });
          else if ("sleep" in each) session.link.now += each.sleep;
          else {
            const promised = Math.min(each.promise, session.link.user().room());
            for (let turn = 0; turn < each.turns; turn++) poll(session);
            for (const end = at + promised; at < end; at += Math.min(chunk, end - at)) {
              const piece = stream.slice(at, Math.min(at + chunk, end));
              session.link.user().received(session.link.now, piece, 0, piece.length);
              poll(session);
            }
          }
          poll(session);
          expect(session.client.fault).not.toBe(Fault.Full);
          if (session.client.state !== ClientState.Online) return;
        }
      }),
      { numRuns: 400 },
    );
  });
});

/** The broker answers what it has been asked, if that has left. */
function answer(session: Session): void {
  const { client } = session;
  for (const packet of session.link.takePackets()) {
    // Answers come between messages only: in the middle of one they would be taken for a part of it.
    if (client.reader.state !== 0) continue;
    if (packet.cmd === "pingreq") raw(session, 0xd0, 0);
    if (packet.cmd === "subscribe") {
      const granted = packet.subscriptions.map(() => 1);
      session.link.receive(generate({ cmd: "suback", messageId: packet.messageId ?? 0, granted }));
    }
    if (packet.cmd === "unsubscribe") {
      session.link.receive(generate({ cmd: "unsuback", messageId: packet.messageId ?? 0, granted: [] }));
    }
  }
}
