/** What MQTT 5.0 asks of every client, told in its own numbers: most of it is as in MQTT 3.1.1. */
import type { IPublishPacket, Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { LinkLoss, LinkState } from "../../../../firmware/core/link";
import { clientLeave } from "../../../../firmware/mqtt/client";
import { ClientState, Fault } from "../../../../firmware/mqtt/client-state";
import { refuseMessage } from "../../../../firmware/mqtt/five/create";
import { outboxCount } from "../../../../firmware/mqtt/outbox";
import { createPublication } from "../../../../firmware/mqtt/publication";
import { publishText } from "../../../../firmware/mqtt/publish";
import { commands, createListener, exchange, finishClosing, fromBroker, passTime, publishes, raw } from "../session";
import { begin, createFiveSession, type FiveSession, goodbyes, grantAll, listening, publish, settle, subscribe } from "./rig";
import { text } from "./wire";

function online(): FiveSession {
  const session = createFiveSession({}, {}, true);
  begin(session);
  return session;
}

function send(session: FiveSession, topic: string, qos: 0 | 1 | 2, ...payloads: string[]): Packet[] {
  for (const payload of payloads) publishText(session.client, createPublication(topic, qos, false, 20), payload);
  return exchange(session);
}

function again(session: FiveSession): Packet[] {
  session.link.down(LinkLoss.Peer);
  begin(session, {}, true);
  return exchange(session);
}

function idOf(packet: Packet | undefined): number {
  return packet?.messageId ?? 0;
}

describe("what a client of MQTT 5.0 sends", () => {
  it("[MQTT5-2.1.3-1] [MQTT5-3.15.1-1] has the flags of the table, and what has others ends the link", () => {
    for (const first of [0x21, 0x41, 0x51, 0x60, 0x71, 0x91, 0xb1, 0xd1, 0xe1, 0xf1]) {
      const session = createFiveSession({}, {}, true);
      begin(session);
      raw(session, first, 2, 0, 1);
      expect([first, session.client.fault]).toEqual([first, Fault.Violation]);
      // A second CONNACK, and an AUTH that nobody asked for, are wrong in more than their flags.
      expect([first, goodbyes(exchange(session))]).toEqual([first, [first === 0x21 ? 0x82 : 0x81]]);
    }
  });

  it("[MQTT5-3.1.2-20] is a PINGREQ when nothing else was sent within the keep alive interval, whatever came", () => {
    const session = listening({}, { keepAlive: 10 });
    passTime(session, 6000);
    publish(session, "a/b", "x");
    passTime(session, 3999);
    expect(exchange(session)).toEqual([]);
    passTime(session, 1);
    expect(commands(exchange(session))).toEqual(["pingreq"]);
    fromBroker(session, { cmd: "pingresp" });
    passTime(session, 5000);
    send(session, "t", 0, "x");
    passTime(session, 9999);
    expect(exchange(session)).toEqual([]);
  });

  it("[MQTT5-3.1.3-2] names its session by its client identifier on every link", () => {
    const session = createFiveSession({}, { clientId: "board-7" });
    for (let link = 0; link < 3; link++) {
      expect(begin(session, {}, link > 0)).toMatchObject({ clientId: "board-7" });
      session.link.down(LinkLoss.Peer);
    }
  });

  it("[MQTT5-3.3.1-1] [MQTT5-4.3.1-1] [MQTT5-4.3.2-2] [MQTT5-4.3.3-2] has DUP when it is sent again, and never before or at QoS 0", () => {
    const session = online();
    const first = [...send(session, "a", 0, "0"), ...send(session, "b", 1, "1"), ...send(session, "c", 2, "2")];
    expect(publishes(first)).toEqual(["a 0 0 0", "b 1 1 1", "c 2 2 2"]);
    expect(publishes(again(session))).toEqual(["b 1 1 1 dup", "c 2 2 2 dup"]);
  });

  it("[MQTT5-3.3.1-4] is a message at QoS 0, 1 or 2; one that comes at 3 ends the link", () => {
    const session = online();
    const sent: IPublishPacket[] = [];
    for (const qos of [0, 1, 2] as const) {
      for (const packet of send(session, "a", qos, "x")) if (packet.cmd === "publish") sent.push(packet);
    }
    expect(sent.map(({ qos }) => qos)).toEqual([0, 1, 2]);
    raw(session, 0x36, 6, ...text("a"), 0, 1, 0);
    expect(goodbyes(exchange(session))).toEqual([0x81]);
  });

  it("[MQTT5-3.3.1-6] [MQTT5-3.3.1-7] may be an empty message, to be retained or not, and such may come", () => {
    const session = listening();
    publishText(session.client, createPublication("t", 1, true, 5), "");
    expect(publishes(exchange(session))).toEqual(["t  1 2 retain"]);
    publish(session, "a", "", {}, { retain: true });
    expect(session.heard).toEqual(["a  0 retain"]);
  });

  it("[MQTT5-3.4.2-2] [MQTT5-3.4.2-3] [MQTT5-3.5.2-2] [MQTT5-3.5.2-3] [MQTT5-3.6.2-2] [MQTT5-3.6.2-3] [MQTT5-3.7.2-2] [MQTT5-3.7.2-3] [MQTT5-3.14.2-3] [MQTT5-3.14.2-4] [P53] never has a reason string or user properties, which might make it too large", () => {
    const session = createFiveSession({}, {}, true);
    subscribe(session, "a/#", 2, { message: (_now, message) => message.qos === 1 && refuseMessage(session.five, 0x80) });
    settle(session, { maximumPacketSize: 64 });
    publish(session, "a", "1", {}, { qos: 1, messageId: 1 });
    publish(session, "a", "2", {}, { qos: 2, messageId: 2 });
    fromBroker(session, { cmd: "pubrel", messageId: 2 });
    fromBroker(session, { cmd: "pubrel", messageId: 3 });
    fromBroker(session, { cmd: "pubrec", messageId: 4 });
    clientLeave(session.client, session.link.now, 100);
    const packets = exchange(session);
    expect(commands(packets)).toEqual(["puback", "pubrec", "pubcomp", "pubcomp", "pubrel", "disconnect"]);
    for (const packet of packets) {
      expect(packet).not.toHaveProperty("properties");
      expect(packet.length).toBeLessThanOrEqual(3);
    }
  });

  it("[MQTT5-3.15.2-2] [MQTT5-3.15.2-3] has neither in an AUTH", () => {
    const authentication = { method: "M", room: 4, begin: () => 0, challenge: () => 0, accepted: () => true };
    const session = createFiveSession({ authentication });
    const connect = begin(session, { authenticationMethod: "M" });
    expect(connect).toMatchObject({ properties: { authenticationMethod: "M" } });
    session.five.authenticating = true;
    fromBroker(session, { cmd: "auth", reasonCode: 0x18, properties: { authenticationMethod: "M" } });
    const [packet] = exchange(session);
    expect(packet).toMatchObject({ cmd: "auth", properties: { authenticationMethod: "M" } });
    expect(Object.keys(packet?.cmd === "auth" ? (packet.properties ?? {}) : {})).toEqual(["authenticationMethod"]);
  });

  it("[MQTT5-4.3.2-1] [MQTT5-4.3.3-1] has an identifier that nothing under way has", () => {
    const session = online();
    const ids = [...send(session, "a", 1, "1", "2"), ...send(session, "b", 2, "3", "4")].map(idOf);
    expect(new Set(ids).size).toBe(4);
    session.client.lastId = 65535;
    session.client.freeTo = 65535;
    const more = send(session, "a", 1, "5").map(idOf);
    expect(ids).not.toContain(more[0]);
    expect(more[0]).toBe(5);
  });

  it("[MQTT5-4.6.0-1] is sent again in the order in which it was sent first", () => {
    const session = online();
    send(session, "a", 1, "1");
    send(session, "b", 2, "2");
    send(session, "a", 1, "3");
    fromBroker(session, { cmd: "puback", messageId: 1 });
    send(session, "b", 2, "4");
    expect(publishes(again(session))).toEqual(["b 2 2 2 dup", "a 3 1 3 dup", "b 4 2 4 dup"]);
  });
});

describe("what a client of MQTT 5.0 answers", () => {
  it("[MQTT5-3.3.4-1] [MQTT5-4.3.2-4] [MQTT5-4.3.3-8] [MQTT5-4.5.0-2] is nothing, PUBACK or PUBREC, as the message's QoS asks, wanted or not", () => {
    const session = listening();
    for (const topic of ["a/wanted", "b/unwanted"]) {
      publish(session, topic, "0");
      publish(session, topic, "1", {}, { qos: 1, messageId: 11 });
      publish(session, topic, "2", {}, { qos: 2, messageId: topic === "a/wanted" ? 12 : 13 });
    }
    expect(session.heard).toEqual(["a/wanted 0 0", "a/wanted 1 1", "a/wanted 2 2"]);
    expect(exchange(session)).toMatchObject([
      { cmd: "puback", messageId: 11, reasonCode: 0 },
      { cmd: "pubrec", messageId: 12, reasonCode: 0 },
      { cmd: "puback", messageId: 11, reasonCode: 0 },
      { cmd: "pubrec", messageId: 13, reasonCode: 0 },
    ]);
  });

  it("[MQTT5-4.3.2-5] makes an identifier at QoS 1 a new message's, DUP or not", () => {
    const session = listening();
    publish(session, "a", "1", {}, { qos: 1, messageId: 3 });
    publish(session, "a", "2", {}, { qos: 1, messageId: 3, dup: true });
    expect(session.heard).toEqual(["a 1 1", "a 2 1 dup"]);
  });

  it("[MQTT5-4.3.3-3] [MQTT5-4.3.3-5] lets a message at QoS 2 be owed until PUBREC, and its PUBREL until PUBCOMP", () => {
    const session = online();
    send(session, "a", 2, "x");
    expect(publishes(again(session))).toEqual(["a x 2 1 dup"]);
    fromBroker(session, { cmd: "pubrec", messageId: 1 });
    expect(outboxCount(session.client.outbox)).toBe(0);
    expect(commands(exchange(session))).toEqual(["pubrel"]);
    for (let link = 0; link < 2; link++) expect(commands(again(session))).toEqual(["pubrel"]);
    fromBroker(session, { cmd: "pubcomp", messageId: 1 });
    expect(again(session)).toEqual([]);
  });

  it("[MQTT5-4.3.3-13] finishes the exchange of a message at QoS 2, though it has grown old by then", () => {
    const session = listening();
    publish(session, "a", "x", { messageExpiryInterval: 1 }, { qos: 2, messageId: 9 });
    passTime(session, 5000);
    fromBroker(session, { cmd: "pubrel", messageId: 9 });
    expect(commands(exchange(session))).toEqual(["pubrec", "pubcomp"]);
  });

  it("[MQTT5-4.6.0-2] [MQTT5-4.6.0-3] keeps the order in which messages came", () => {
    const session = listening();
    for (const messageId of [9, 2, 700]) {
      publish(session, "a", "x", {}, { qos: 1, messageId });
      publish(session, "a", "y", {}, { qos: 2, messageId: messageId + 1 });
    }
    expect(exchange(session).map((packet) => `${packet.cmd} ${idOf(packet)}`)).toEqual([
      "puback 9",
      "pubrec 10",
      "puback 2",
      "pubrec 3",
      "puback 700",
      "pubrec 701",
    ]);
  });

  it("[MQTT5-4.6.0-4] is PUBREL in the order of the PUBRECs, also on the next link", () => {
    const session = online();
    send(session, "a", 2, "1", "2", "3");
    for (const messageId of [3, 1, 2]) fromBroker(session, { cmd: "pubrec", messageId });
    expect(exchange(session).map(idOf)).toEqual([3, 1, 2]);
    expect(again(session).map(idOf)).toEqual([3, 1, 2]);
  });
});

describe("a session of MQTT 5.0 and its link", () => {
  it("[MQTT5-4.1.0-1] keeps all of its state while the link is open, whatever is refused and however long it takes", () => {
    const session = listening({}, { keepAlive: 0 });
    send(session, "l", 2, "1");
    publish(session, "a", "x", {}, { qos: 2, messageId: 5 });
    fromBroker(session, { cmd: "pubrec", messageId: 2 });
    exchange(session);
    fromBroker(session, { cmd: "puback", messageId: 77, reasonCode: 0x97 });
    passTime(session, 15000);
    publish(session, "a", "x", {}, { qos: 2, messageId: 5, dup: true });
    expect(session.heard).toEqual(["a x 2"]);
    expect(commands(exchange(session))).toEqual(["pubrec"]);
    fromBroker(session, { cmd: "pubcomp", messageId: 2 });
    expect(session.client.stats.acknowledged).toBe(1);
  });

  it("[MQTT5-4.2-1] [P58] reads the same from a stream that is cut anywhere", () => {
    for (const chunk of [1, 2, 3, 5, 8, 13, 1000]) {
      const session = listening({ aliasesIn: 1, aliasTopicSize: 16 });
      publish(session, "a/b", "1", { topicAlias: 1, userProperties: { u: "v" } }, { qos: 1, messageId: 4 }, chunk);
      publish(session, "", "2", { topicAlias: 1 }, { qos: 2, messageId: 5 }, chunk);
      fromBroker(session, { cmd: "pubrel", messageId: 5, reasonCode: 0, properties: { reasonString: "r" } }, chunk);
      expect(session.heard).toEqual(["a/b 1 1", "a/b 2 2"]);
      expect(commands(exchange(session))).toEqual(["puback", "pubrec", "pubcomp"]);
      fromBroker(session, { cmd: "disconnect", reasonCode: 0x8b, properties: { reasonString: "bye" } }, chunk);
      expect(session.client.fault).toBe(Fault.Dismissed);
    }
  });

  it("[MQTT5-4.13.1-1] [MQTT5-4.13.2-1] ends with any reason from 0x80 on, of either side, whether it can be said or not", () => {
    const theirs = online();
    fromBroker(theirs, { cmd: "disconnect", reasonCode: 0x98 });
    expect(theirs.link.state).toBe(LinkState.Closing);
    const ours = online();
    raw(ours, 0xd0, 1, 0);
    expect(goodbyes(exchange(ours))).toEqual([0x81]);
    expect(ours.link.state).toBe(LinkState.Closing);
    const mute = online();
    raw(mute, 0xd0, 1, 0);
    passTime(mute, 2000);
    expect(mute.link.state).toBe(LinkState.Closing);
    finishClosing(mute);
    expect(mute.client.state).toBe(ClientState.BackingOff);
  });

  it("[MQTT5-3.14.4-3] ends in good order with a reason of 0, so that the will is discarded", () => {
    const session = createFiveSession({}, { will: { topic: "w", payload: "gone", qos: 0, retain: false } });
    expect(begin(session)).toMatchObject({ will: { topic: "w", payload: Buffer.from("gone") } });
    clientLeave(session.client, session.link.now, 1000);
    expect(exchange(session)).toMatchObject([{ cmd: "disconnect", reasonCode: 0 }]);
  });

  it("[MQTT5-3.8.4-8] is told the QoS that was granted when it is lower than asked for", () => {
    const session = createFiveSession({}, {}, true);
    const subscription = subscribe(session, "a", 2, createListener());
    begin(session);
    exchange(session);
    fromBroker(session, { cmd: "suback", messageId: session.client.subscribeId, granted: [0] });
    expect(subscription.granted).toBe(0);
    grantAll(session);
    expect(session.client.state).toBe(ClientState.Online);
  });

  it("[P54] says that it has no properties, in one byte, in every packet that has a place for them", () => {
    const session = createFiveSession({}, {}, true);
    subscribe(session, "a", 0, createListener());
    begin(session);
    session.client.subscriptions.forEach((each) => (each.wanted = true));
    publishText(session.client, createPublication("p", 0, false, 5), "");
    const bytes = session.link.flush();
    // SUBSCRIBE: identifier, no properties, filter, options. PUBLISH: topic, no properties.
    const hexed = Buffer.from(bytes).toString("hex");
    expect(hexed).toContain("82070001" + "00" + "00016100");
    expect(hexed).toContain("3004000170" + "00");
  });
});
