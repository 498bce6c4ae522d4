import type { IConnackPacket, Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { LinkLoss, LinkState } from "../../../../firmware/core/link";
import { Breach } from "../../../../firmware/mqtt/breach";
import { clientLeave, clientWait } from "../../../../firmware/mqtt/client";
import { ClientState, Fault, Mistake } from "../../../../firmware/mqtt/client-state";
import { leaveWith } from "../../../../firmware/mqtt/five/session";
import { createPublication } from "../../../../firmware/mqtt/publication";
import { publishText } from "../../../../firmware/mqtt/publish";
import { SubscriptionState } from "../../../../firmware/mqtt/subscriptions";
import {
  commands,
  createListener,
  createSession,
  dial,
  exchange,
  finishClosing,
  fromBroker,
  passTime,
  poll,
  publishes,
  raw,
} from "../session";
import { begin, createFiveSession, type FiveSession, goodbyes, grantAll, listening, publish, settle, subscribe } from "./rig";
import { section, text } from "./wire";

function connackOf(session: FiveSession, packet: Partial<IConnackPacket>): void {
  dial(session);
  session.link.takePackets();
  fromBroker(session, { cmd: "connack", returnCode: 0, reasonCode: 0, sessionPresent: false, ...packet });
}

function connectOf(session: FiveSession): Packet | undefined {
  dial(session);
  return session.link.takePackets()[0];
}

describe("a session of MQTT 5.0", () => {
  it("[MQTT5-3.1.0-1] [MQTT5-3.1.2-1] begins with a CONNECT at level 5, publishes and hears at every QoS", () => {
    const session = listening();
    expect(session.client.state).toBe(ClientState.Online);
    publish(session, "a/b", "hello", { contentType: "text/plain" });
    publish(session, "a/b", "one", {}, { qos: 1, messageId: 3 });
    publish(session, "a/b", "two", {}, { qos: 2, messageId: 4 });
    expect(session.heard).toEqual(["a/b hello 0", "a/b one 1", "a/b two 2"]);
    publishText(session.client, createPublication("x", 0, false, 10), "0");
    publishText(session.client, createPublication("y", 1, true, 10), "1");
    publishText(session.client, createPublication("z", 2, true, 10), "2");
    const packets = exchange(session);
    expect(publishes(packets)).toEqual(["x 0 0 0", "y 1 1 2 retain", "z 2 2 3 retain"]);
    expect(commands(packets).slice(0, 2)).toEqual(["puback", "pubrec"]);
    expect(connectOf(createFiveSession())).toMatchObject({ cmd: "connect", protocolVersion: 5, protocolId: "MQTT" });
  });

  it("needs the feature, and does not start without it", () => {
    const session = createSession({ protocol: 5 });
    expect(session.client.mistake).toBe(Mistake.FiveMissing);
  });

  it("is not spoken at another level, whatever the application carries", () => {
    const { five } = createFiveSession();
    const session = createSession({ five });
    dial(session);
    expect(session.link.takePackets()[0]).toMatchObject({ protocolVersion: 4 });
  });

  it("says what it takes in, so that nothing comes that it would have to read over", () => {
    const properties = { sessionExpiryInterval: 0xffffffff, maximumPacketSize: 1 + 2 + 128 };
    expect(connectOf(createFiveSession())).toMatchObject({ clean: false, properties });
    const large = createFiveSession({ maximumPacketSize: 4096, receiveMaximum: 5 }, {}, true);
    expect(connectOf(large)).toMatchObject({ properties: { maximumPacketSize: 4096, receiveMaximum: 5 } });
    expect(connectOf(createFiveSession({}, {}, true))).toMatchObject({ properties: { receiveMaximum: 8 } });
    expect(connectOf(createFiveSession({ receiveMaximum: 100 }, {}, true))).toMatchObject({ properties: { receiveMaximum: 8 } });
  });

  it("[MQTT5-3.2.0-1] ends when anything but CONNACK or AUTH comes first", () => {
    const session = createFiveSession();
    dial(session);
    session.link.takePackets();
    fromBroker(session, { cmd: "pingresp" });
    expect(session.client).toMatchObject({ fault: Fault.Violation, breach: Breach.BeforeConnack });
    expect(goodbyes(exchange(session))).toEqual([0x82]);
  });

  it("[MQTT5-3.2.0-2] ends when CONNACK comes twice", () => {
    const session = createFiveSession();
    begin(session);
    fromBroker(session, { cmd: "connack", returnCode: 0, reasonCode: 0, sessionPresent: false });
    expect(session.client.breach).toBe(Breach.SecondConnack);
    expect(goodbyes(exchange(session))).toEqual([0x82]);
  });

  it("[MQTT5-3.2.2-7] is refused with a reason, which the application is told; the link is closed without more words", () => {
    const session = createFiveSession();
    const properties = { reasonString: "not you", serverReference: "other:1884" };
    connackOf(session, { reasonCode: 0x87, properties });
    expect(session.told).toEqual(["2 reason 135 id 0: not you (other:1884)"]);
    expect(session.properties).toEqual([["31 not you", "28 other:1884"]]);
    expect(session.client).toMatchObject({ fault: Fault.Refused, refusal: 0x87, state: ClientState.Closing });
    expect(session.client.stats.refusals).toBe(1);
    expect(exchange(session)).toEqual([]);
    finishClosing(session);
    expect(session.events).toEqual(["offline"]);
    expect(clientWait(session.client, session.link.now)).toBe(0);
  });

  it("[MQTT5-3.2.2-1] [MQTT5-3.2.2-6] ends with a CONNACK that is not one, and says why", () => {
    for (const [bytes, reason] of [[[2, 0, 0], 0x81], [[1, 0x87, 0], 0x82], [[0, 0], 0x81], [[0, 0, 1, 99], 0x81]] as const) {
      const session = createFiveSession();
      dial(session);
      session.link.takePackets();
      raw(session, 0x20, bytes.length, ...bytes);
      expect(session.client.fault).toBe(Fault.Violation);
      expect(goodbyes(exchange(session))).toEqual([reason]);
      expect(session.link.state).toBe(LinkState.Closing);
    }
  });

  it("[MQTT5-3.2.2-4] ends when the broker goes on with a session of which we have no state", () => {
    const session = createFiveSession({}, { cleanSession: true });
    connackOf(session, { sessionPresent: true });
    expect(session.client).toMatchObject({ fault: Fault.Violation, breach: Breach.SessionNotAsked });
    expect(goodbyes(exchange(session))).toEqual([0x82]);
  });

  it("[MQTT5-3.1.2-4] [MQTT5-3.1.2-23] begins anew once and is gone on with when it is to outlive its link", () => {
    const session = createFiveSession({ sessionExpiry: 60 }, { cleanSession: true });
    expect(begin(session)).toMatchObject({ clean: true, properties: { sessionExpiryInterval: 60 } });
    session.link.down(LinkLoss.Peer);
    expect(begin(session, {}, true)).toMatchObject({ clean: false });
    expect(session.events).toEqual(["online", "offline", "online, session present"]);
  });

  it("begins anew each time when it ends with its link, also if only the broker wants that", () => {
    const session = createFiveSession({}, { cleanSession: true });
    expect(begin(session)).toMatchObject({ clean: true });
    session.link.down(LinkLoss.Peer);
    expect(begin(session)).toMatchObject({ clean: true });
    const short = createFiveSession({ sessionExpiry: 60 }, { cleanSession: true });
    begin(short, { sessionExpiryInterval: 0 });
    short.link.down(LinkLoss.Peer);
    expect(begin(short)).toMatchObject({ clean: true });
    expect(short.events).toEqual(["online", "offline", "online"]);
  });

  it("[MQTT5-3.2.2-5] gives up what belonged to a session that the broker has forgotten, and tells the application", () => {
    const session = listening();
    const letter = createPublication("l", 2, false, 10);
    publishText(session.client, letter, "sent");
    exchange(session);
    session.link.down(LinkLoss.Peer);
    begin(session, {}, false);
    expect(session.events).toContain("session lost, 1 discarded");
    grantAll(session);
    expect(session.client.subscriptions[0]?.state).toBe(SubscriptionState.Granted);
    expect(publishes(exchange(session))).toEqual([]);
  });

  it("[MQTT5-4.4.0-1] sends again what is owed when it goes on, with its identifier and DUP, and never before", () => {
    const session = createFiveSession();
    begin(session);
    const letter = createPublication("l", 1, false, 10);
    publishText(session.client, letter, "one");
    publishText(session.client, letter, "two");
    expect(publishes(exchange(session))).toEqual(["l one 1 1", "l two 1 2"]);
    passTime(session, 15000);
    expect(publishes(exchange(session))).toEqual([]);
    session.link.down(LinkLoss.Peer);
    begin(session, {}, true);
    expect(publishes(exchange(session))).toEqual(["l one 1 1 dup", "l two 1 2 dup"]);
  });

  it("[MQTT5-3.1.2-21] [MQTT5-3.2.2-21] keeps alive as the broker wants it, and as it was asked for when it does not say", () => {
    const session = createFiveSession({}, { keepAlive: 30 });
    begin(session, { serverKeepAlive: 10 });
    passTime(session, 9999);
    expect(exchange(session)).toEqual([]);
    passTime(session, 1);
    expect(commands(exchange(session))).toEqual(["pingreq"]);
    session.link.down(LinkLoss.Peer);
    begin(session);
    passTime(session, 29999);
    expect(exchange(session)).toEqual([]);
    passTime(session, 1);
    expect(commands(exchange(session))).toEqual(["pingreq"]);
  });

  it("does not keep alive when the broker does not want it", () => {
    const session = createFiveSession({}, { keepAlive: 30 });
    begin(session, { serverKeepAlive: 0 });
    passTime(session, 3600000);
    expect(exchange(session)).toEqual([]);
  });

  it("[MQTT5-3.2.2-16] takes the client identifier that it is given, and goes on with that", () => {
    const session = createFiveSession({}, { clientId: "" });
    expect(begin(session, { assignedClientIdentifier: "auto-1234" })).toMatchObject({ clientId: "" });
    session.link.down(LinkLoss.Peer);
    expect(begin(session, {}, true)).toMatchObject({ clientId: "auto-1234" });
    const nameless = createFiveSession({}, { clientId: "" });
    connackOf(nameless, {});
    expect(goodbyes(exchange(nameless))).toEqual([0x82]);
  });

  it.each([
    ["64", {}, 64],
    ["as many as it has asked for", { assignedIdSize: 100 }, 100],
  ])("takes a client identifier of %s bytes, and says by name when one is longer, which is no fault of the broker", (_what, own, size) => {
    const fits = createFiveSession(own, { clientId: "" });
    begin(fits, { assignedClientIdentifier: "x".repeat(size) });
    fits.link.down(LinkLoss.Peer);
    expect(begin(fits, {}, true)).toMatchObject({ clientId: "x".repeat(size) });
    const longer = createFiveSession(own, { clientId: "" });
    connackOf(longer, { properties: { assignedClientIdentifier: "x".repeat(size + 1) } });
    expect(longer.client).toMatchObject({ fault: Fault.AssignedIdTooLong, stats: { violations: 0 } });
    expect(goodbyes(exchange(longer))).toEqual([0x83]);
  });

  it("[MQTT5-3.3.4-7] [MQTT5-4.9.0-1] [MQTT5-4.9.0-2] has no more messages under way than the broker takes", () => {
    const session = createFiveSession({}, {}, true);
    begin(session, { receiveMaximum: 2 });
    const letter = createPublication("l", 1, false, 10);
    const exact = createPublication("x", 2, false, 10);
    publishText(session.client, letter, "1");
    publishText(session.client, exact, "2");
    publishText(session.client, letter, "3");
    publishText(session.client, letter, "4");
    publishText(session.client, letter, "5");
    expect(publishes(exchange(session))).toEqual(["l 1 1 1", "x 2 2 2"]);
    // PUBREC without a failure gives nothing back; PUBREL goes out all the same.
    fromBroker(session, { cmd: "pubrec", messageId: 2 });
    expect(commands(exchange(session))).toEqual(["pubrel"]);
    fromBroker(session, { cmd: "pubcomp", messageId: 2 });
    expect(publishes(exchange(session))).toEqual(["l 3 1 3"]);
    fromBroker(session, { cmd: "puback", messageId: 1, reasonCode: 0x10 });
    expect(publishes(exchange(session))).toEqual(["l 4 1 4"]);
    fromBroker(session, { cmd: "puback", messageId: 4, reasonCode: 0x97 });
    expect(publishes(exchange(session))).toEqual(["l 5 1 5"]);
  });

  it("[MQTT5-3.3.4-7] keeps to that without the feature of QoS 2, too, and to each broker's own number", () => {
    const session = createFiveSession();
    const letter = createPublication("l", 1, false, 10);
    for (const payload of ["1", "2", "3"]) publishText(session.client, letter, payload);
    begin(session, { receiveMaximum: 1 });
    expect(publishes(exchange(session))).toEqual(["l 1 1 1"]);
    session.link.down(LinkLoss.Peer);
    begin(session, { receiveMaximum: 2 }, true);
    expect(publishes(exchange(session))).toEqual(["l 1 1 1 dup", "l 2 1 2"]);
    session.link.down(LinkLoss.Peer);
    begin(session, {}, true);
    expect(publishes(exchange(session))).toEqual(["l 1 1 1 dup", "l 2 1 2 dup", "l 3 1 3"]);
  });

  it("[MQTT5-4.9.0-2] gets its share back from a PUBREC that tells of a failure", () => {
    const session = createFiveSession({}, {}, true);
    begin(session, { receiveMaximum: 1 });
    const exact = createPublication("x", 2, false, 10);
    publishText(session.client, exact, "1");
    publishText(session.client, exact, "2");
    expect(publishes(exchange(session))).toEqual(["x 1 2 1"]);
    fromBroker(session, { cmd: "pubrec", messageId: 1, reasonCode: 0x97 });
    const packets = exchange(session);
    expect(commands(packets)).toEqual(["publish"]);
    expect(publishes(packets)).toEqual(["x 2 2 2"]);
  });

  it("[MQTT5-3.3.4-8] [MQTT5-4.9.0-3] answers and pings although it may publish nothing more", () => {
    const session = listening({}, { keepAlive: 10 });
    session.link.down(LinkLoss.Peer);
    begin(session, { receiveMaximum: 1 }, true);
    const letter = createPublication("l", 1, false, 10);
    publishText(session.client, letter, "1");
    publishText(session.client, letter, "2");
    expect(publishes(exchange(session))).toEqual(["l 1 1 2"]);
    publish(session, "a", "x", {}, { qos: 1, messageId: 9 });
    expect(commands(exchange(session))).toEqual(["puback"]);
    passTime(session, 10000);
    expect(commands(exchange(session))).toEqual(["pingreq"]);
  });
});

describe("a DISCONNECT of the broker", () => {
  it("is told with its reason and another broker to go to, and closes the link", () => {
    const session = createFiveSession();
    begin(session);
    fromBroker(session, { cmd: "disconnect", reasonCode: 0x9c, properties: { serverReference: "b2:1883", reasonString: "move" } });
    expect(session.told).toEqual(["14 reason 156 id 0: move (b2:1883)"]);
    expect(session.client).toMatchObject({ fault: Fault.Dismissed, refusal: 0x9c, state: ClientState.Closing });
    expect(session.client.stats.violations).toBe(0);
    expect(exchange(session)).toEqual([]);
    finishClosing(session);
    expect(session.client.state).toBe(ClientState.BackingOff);
  });

  it("may be empty", () => {
    const session = createFiveSession();
    begin(session);
    raw(session, 0xe0, 0);
    expect(session.told).toEqual(["14 reason 0 id 0"]);
    expect(session.client.fault).toBe(Fault.Dismissed);
  });

  it("[MQTT5-3.1.4-3] because of a second client of the same name does not become a game of ping-pong", () => {
    const session = createFiveSession();
    session.entropy = 0x7fffffff;
    const waits: number[] = [];
    for (let round = 0; round < 8; round++) {
      begin(session);
      fromBroker(session, { cmd: "disconnect", reasonCode: 0x8e });
      finishClosing(session);
      const before = session.link.now;
      dialAgain(session);
      waits.push(session.link.now - before);
      session.link.down(LinkLoss.Peer);
    }
    for (let i = 1; i < waits.length; i++) expect(waits[i]).toBeGreaterThanOrEqual((waits[i - 1] ?? 0) * 0.4);
    expect(waits.at(-1)).toBeGreaterThan(10000);
  });

  it("[MQTT5-3.14.0-1] before its CONNACK is against the protocol", () => {
    const session = createFiveSession();
    dial(session);
    session.link.takePackets();
    fromBroker(session, { cmd: "disconnect", reasonCode: 0x8b });
    expect(session.client.breach).toBe(Breach.BeforeConnack);
  });

  it("[MQTT5-3.14.2-2] [MQTT5-3.14.1-1] that is malformed is answered", () => {
    for (const [bytes, reason] of [
      [[0xe0, 1, 4], 0x82],
      [[0xe1, 0], 0x81],
      [[0xe0, 3, 0x8e, 5, 1], 0x81],
      [[0xe0, 7, 0, 5, 17, 0, 0, 0, 0], 0x81],
    ] as const) {
      const session = createFiveSession();
      begin(session);
      raw(session, ...bytes);
      expect(session.client.fault).toBe(Fault.Violation);
      expect(goodbyes(exchange(session))).toEqual([reason]);
    }
  });
});

function dialAgain(session: FiveSession): void {
  dial(session);
  session.link.takePackets();
}

describe("a DISCONNECT of ours", () => {
  it("[MQTT5-3.14.4-1] [MQTT5-3.14.4-2] ends a session in good order, and then the link is closed", () => {
    const session = createFiveSession();
    begin(session);
    clientLeave(session.client, session.link.now, 1000);
    const packets = exchange(session);
    expect(packets).toMatchObject([{ cmd: "disconnect", reasonCode: 0 }]);
    expect(session.link.state).toBe(LinkState.Closing);
    finishClosing(session);
    expect(session.client.state).toBe(ClientState.Idle);
  });

  it("may have the broker publish the will all the same, and keep the session for another time", () => {
    const session = createFiveSession();
    begin(session);
    leaveWith(session.five, true, 120);
    clientLeave(session.client, session.link.now, 1000);
    expect(exchange(session)).toMatchObject([
      { cmd: "disconnect", reasonCode: 4, properties: { sessionExpiryInterval: 120 } },
    ]);
  });

  it("gives no time to a session that was to end with its link, which would be a protocol error", () => {
    const session = createFiveSession({}, { cleanSession: true });
    begin(session);
    leaveWith(session.five, false, 120);
    clientLeave(session.client, session.link.now, 1000);
    const [packet] = exchange(session);
    expect(packet).toMatchObject({ cmd: "disconnect", reasonCode: 0 });
    expect(packet).not.toHaveProperty("properties");
  });

  const faults: [string, readonly number[], number][] = [
    ["flags that a packet does not have", [0xd1, 0], 0x81],
    ["a remaining length of five bytes", [0x30, 0x80, 0x80, 0x80, 0x80, 0x01], 0x81],
    ["a packet type that does not exist", [0x00, 0], 0x81],
    ["a packet that only clients send", [0xc0, 0], 0x82],
    ["QoS 3", [0x36, 6, ...text("a"), 0, 1, 0], 0x81],
    ["DUP at QoS 0", [0x38, 4, ...text("a"), 0], 0x81],
    ["a topic with a wildcard", [0x30, 4, ...text("#"), 0], 0x90],
    ["a topic that is no text", [0x30, 4, 0, 1, 0xff, 0], 0x81],
    ["no topic and no alias", [0x30, 3, 0, 0, 0], 0x82],
    ["an identifier of 0", [0x32, 6, ...text("a"), 0, 0, 0], 0x82],
    ["a property twice", [0x30, 10, ...text("a"), ...section([1, 0], [1, 0]), 0, 0], 0x82],
    ["an unknown property", [0x30, 6, ...text("a"), ...section([99, 0])], 0x81],
    ["a topic alias of 0", [0x30, 7, ...text("a"), ...section([35, 0, 0])], 0x94],
    ["a packet that is too large", [0x30, 0x84, 0x01, ...text("a"), ...new Array<number>(129).fill(0)], 0x95],
    ["a SUBACK that is too large", [0x90, 0xff, 0x7f], 0x95],
  ];
  for (const [what, bytes, reason] of faults) {
    it(`says why the link is ended: ${what}`, () => {
      const session = createFiveSession();
      begin(session);
      raw(session, ...bytes);
      expect(session.client).toMatchObject({ fault: Fault.Violation, state: ClientState.Leaving });
      expect(session.client.stats.violations).toBe(1);
      expect(goodbyes(exchange(session))).toEqual([reason]);
      expect(session.link.state).toBe(LinkState.Closing);
      finishClosing(session);
      expect(session.client.state).toBe(ClientState.BackingOff);
      expect(session.client.stats.losses).toBe(1);
    });
  }

  it("says so of answers that are missing, too", () => {
    const session = createFiveSession({}, { keepAlive: 10 });
    begin(session);
    passTime(session, 10000);
    exchange(session);
    passTime(session, 10000);
    expect(session.client.fault).toBe(Fault.PingrespMissing);
    expect(goodbyes(exchange(session))).toEqual([0x80]);
  });

  it("comes behind a packet that has gone in part", () => {
    const session = createFiveSession();
    begin(session);
    publishText(session.client, createPublication("a", 0, false, 40), "0123456789012345678901234567890123456789");
    session.link.flush({ stopAfter: 10 });
    raw(session, 0xd1, 0);
    expect(session.link.torn()).toBe(10);
    expect(commands(exchange(session))).toEqual(["publish", "disconnect"]);
  });

  it("is not waited for when the link takes nothing more", () => {
    const session = createFiveSession();
    begin(session);
    raw(session, 0xd1, 0);
    expect(session.link.state).toBe(LinkState.Up);
    passTime(session, 2000);
    expect(session.link.state).toBe(LinkState.Closing);
    finishClosing(session);
    expect(session.client.state).toBe(ClientState.BackingOff);
  });

  it("is the last thing, whatever was queued or comes in", () => {
    const session = listening();
    raw(session, 0xd1, 0);
    publish(session, "a/b", "late");
    expect(session.heard).toEqual([]);
    publishText(session.client, createPublication("late", 1, false, 10), "x");
    poll(session);
    expect(commands(exchange(session))).toEqual(["disconnect"]);
  });
});

describe("birth and farewell in MQTT 5.0", () => {
  const birth = { topic: "up", payload: "yes", qos: 0, retain: true } as const;
  const farewell = { topic: "up", payload: "no", qos: 0, retain: true } as const;

  it("[MQTT5-2.2.2-1] say that they have no properties", () => {
    const session = createFiveSession({}, { birth, farewell });
    begin(session);
    expect(publishes(exchange(session))).toEqual(["up yes 0 0 retain"]);
    clientLeave(session.client, session.link.now, 1000);
    expect(publishes(exchange(session))).toEqual(["up no 0 0 retain"]);
  });

  it("[MQTT5-3.2.2-14] are not retained at a broker that retains nothing, and are at the next that does", () => {
    const session = createFiveSession({}, { birth });
    begin(session, { retainAvailable: false });
    expect(publishes(exchange(session))).toEqual(["up yes 0 0"]);
    session.link.down(LinkLoss.Peer);
    begin(session);
    expect(publishes(exchange(session))).toEqual(["up yes 0 0 retain"]);
  });

  it("[MQTT5-3.2.2-15] are left out when they are larger than the broker takes", () => {
    const session = createFiveSession({}, { birth, farewell });
    begin(session, { maximumPacketSize: 8 });
    expect(exchange(session)).toEqual([]);
    clientLeave(session.client, session.link.now, 1000);
    expect(commands(exchange(session))).toEqual(["disconnect"]);
  });
});

describe("a link that is cut in the middle of anything", () => {
  it("is nothing that a listener notices, at any byte", () => {
    const session = listening();
    const listener = createListener();
    subscribe(session, "b/#", 0, listener);
    settleAgain(session);
    const size = 40;
    for (let cut = 1; cut < size; cut++) {
      session.link.down(LinkLoss.Peer);
      begin(session, {}, true);
      exchange(session);
      session.heard.length = 0;
      publish(session, "a/b", "hello", { contentType: "text", userProperties: { a: "b" } }, {}, cut);
      expect(session.heard).toEqual(["a/b hello 0"]);
    }
  });
});

function settleAgain(session: FiveSession): void {
  poll(session);
  grantAll(session);
  expect(session.client.state).toBe(ClientState.Online);
}

describe("settling", () => {
  it("[MQTT5-3.12.4-1] PINGRESP is empty", () => {
    const session = createFiveSession();
    settle(session);
    raw(session, 0xd0, 1, 0);
    expect(session.client.breach).toBe(Breach.Length);
  });
});
