/** MQTT 3.1, which some old brokers speak. Source: MQTT V3.1 Protocol Specification, IBM and Eurotech, 2010. */
import { describe, expect, it } from "vitest";
import { LinkLoss } from "../../../firmware/core/link";
import { addSubscription, clientStart } from "../../../firmware/mqtt/client";
import { ClientState, Fault, Mistake } from "../../../firmware/mqtt/client-state";
import { createConnectPacket } from "../../../firmware/mqtt/connect";
import { createPublication } from "../../../firmware/mqtt/publication";
import { publishText } from "../../../firmware/mqtt/publish";
import { SubscriptionState } from "../../../firmware/mqtt/subscriptions";
import { acknowledge, deliver, idsOf, online, type Rig, said, send, settle } from "./exactly-once/rig";
import { commands, connect, createListener, createSession, dial, exchange, publishes, raw } from "./session";

const reading = createPublication("t", 1, false, 10);

function reconnect(rig: Rig): void {
  rig.link.down(LinkLoss.Peer);
  connect(rig);
}

describe("MQTT 3.1: CONNECT", () => {
  it("has the name MQIsdp and the level 3", () => {
    const packet = createConnectPacket({ protocol: 3, clientId: "t1", cleanSession: true, keepAlive: 30 });
    const name = [0, 6, 0x4d, 0x51, 0x49, 0x73, 0x64, 0x70];
    expect([...Uint8Array.from(packet)]).toEqual([0x10, 16, ...name, 3, 0x02, 0, 30, 0, 2, 0x74, 0x31]);
  });

  it("may have a will at QoS 2, as in 3.1.1", () => {
    const will = { topic: "w", payload: "x", qos: 2, retain: true } as const;
    for (const [protocol, at] of [[3, 11], [4, 9]] as const) {
      expect(createConnectPacket({ protocol, clientId: "t1", cleanSession: true, keepAlive: 30, will })[at]).toBe(0x36);
    }
  });

  it.each(["", "x".repeat(24)])("is not sent with the identifier %j, which is not of 1 to 23 characters", (clientId) => {
    const session = createSession({ protocol: 3, clientId, cleanSession: true });
    expect(session.client.mistake).toBe(Mistake.ClientId);
    clientStart(session.client, 0);
    expect(session.client.state).toBe(ClientState.Idle);
  });

  it("is sent with an identifier of 23 characters", () => {
    const session = createSession({ protocol: 3, clientId: "x".repeat(23) });
    dial(session);
    expect(session.link.takePackets()).toMatchObject([{ cmd: "connect", protocolId: "MQIsdp", protocolVersion: 3 }]);
  });
});

describe("MQTT 3.1.1: CONNECT", () => {
  it("[MQTT-3.1.3-7] is not sent without an identifier for a session that is to be kept", () => {
    const session = createSession({ clientId: "", cleanSession: false });
    expect(session.client.mistake).toBe(Mistake.ClientId);
    clientStart(session.client, 0);
    expect(session.client.state).toBe(ClientState.Idle);
  });
});

describe("MQTT 3.1: CONNACK", () => {
  it.each([0, 1, 0x80, 0xff])("says nothing with its first byte: %i", (byte) => {
    const session = createSession({ protocol: 3, cleanSession: true });
    dial(session);
    raw(session, 0x20, 2, byte, 0);
    expect(session.client.state).toBe(ClientState.Online);
    expect(session.events).toEqual(["online"]);
  });

  it("refuses by its code, whatever the first byte is", () => {
    const session = createSession({ protocol: 3, cleanSession: true });
    dial(session);
    raw(session, 0x20, 2, 1, 4);
    expect([session.client.fault, session.client.refusal]).toEqual([Fault.Refused, 4]);
  });

  it("of a kept session leaves open whether there is one: what is under way goes on, and the subscriptions are renewed", () => {
    const rig = online({ protocol: 3 });
    const first = send(rig, "first");
    const second = send(rig, "second");
    acknowledge(rig, "pubrec", first);
    publishText(rig.client, reading, "21.5");
    exchange(rig);
    rig.link.down(LinkLoss.Peer);
    connect(rig);
    const packets = exchange(rig);
    expect(commands(packets)).toEqual(["pubrel", "subscribe", "publish", "publish"]);
    expect(publishes(packets)).toEqual([`valve second 2 ${second} dup`, `t 21.5 1 ${second + 1} dup`]);
    expect(rig.events).toEqual(["online", "offline", "online"]);
  });

  it("of a clean session is that of a new one: nothing is a repetition, and QoS 2 that is in doubt is given up", () => {
    const rig = online({ protocol: 3, cleanSession: true });
    send(rig, "second");
    publishText(rig.client, reading, "21.5");
    exchange(rig);
    reconnect(rig);
    expect(publishes(exchange(rig))).toEqual(["t 21.5 1 3"]);
    expect(rig.events).toEqual(["online", "offline", "session lost, 1 discarded", "online"]);
  });
});

describe("MQTT 3.1: a message at QoS 2", () => {
  it("with DUP is a copy on the next link, without it another one, since the session may be", () => {
    const rig = online({ protocol: 3 });
    deliver(rig, "open", 7);
    reconnect(rig);
    settle(rig);
    expect(deliver(rig, "open", 7, { dup: true })).toEqual(["pubrec 7"]);
    expect(deliver(rig, "close", 7)).toEqual(["pubrec 7"]);
    expect(rig.heard).toEqual(["in/a open 2", "in/a close 2"]);
    expect(acknowledge(rig, "pubrel", 7)).toEqual(["pubcomp 7"]);
    expect(idsOf(rig.exactlyOnce.received)).toEqual([]);
  });

  it("may have its PUBREL repeated with DUP, and flags in acknowledgements mean nothing", () => {
    const rig = online({ protocol: 3 });
    deliver(rig, "open", 7);
    raw(rig, 0x6a, 2, 0, 7);
    expect(said(rig)).toEqual(["pubcomp 7"]);
    const id = send(rig, "x");
    raw(rig, 0x52, 2, 0, id);
    expect(said(rig)).toEqual([`pubrel ${id}`]);
    raw(rig, 0x72, 2, 0, id);
    expect(rig.client.stats.acknowledged).toBe(1);
    raw(rig, 0xd2, 0);
    expect(rig.client.state).toBe(ClientState.Online);
  });
});

describe("MQTT 3.1: SUBACK", () => {
  it("has no code for a refusal; 0x80, which brokers of later versions send, is taken for one", () => {
    const session = createSession({ protocol: 3 });
    const subscription = addSubscription(session.client, "a", 1, createListener());
    connect(session);
    exchange(session);
    raw(session, 0x90, 3, 0, 1, 0x80);
    expect(subscription?.state).toBe(SubscriptionState.Refused);
    expect(session.client.state).toBe(ClientState.Online);
  });
});

