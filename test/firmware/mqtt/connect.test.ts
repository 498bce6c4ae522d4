import { generate, type IConnectPacket, type Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { LinkLoss, LinkState } from "../../../firmware/core/link";
import { clientPoll } from "../../../firmware/mqtt/client";
import { Breach } from "../../../firmware/mqtt/breach";
import { ClientState, Fault } from "../../../firmware/mqtt/client-state";
import {
  type ConnectOptions,
  createConnectPacket,
  createNoticePacket,
  type Notice,
} from "../../../firmware/mqtt/connect";
import { PacketType } from "../../../firmware/mqtt/packet";
import { sendBare } from "../../../firmware/mqtt/sender";
import { decode, hex } from "./scripted-link";
import {
  commands,
  connect,
  createSession,
  dial,
  finishClosing,
  fromBroker,
  message,
  passTime,
  poll,
  raw,
  type Session,
} from "./session";

function connectBytes(options: ConnectOptions): Uint8Array {
  return Uint8Array.from(createConnectPacket(options));
}

/** The same CONNECT in the words of mqtt-packet. */
function inOtherWords(options: ConnectOptions): IConnectPacket {
  const { clientId, cleanSession, keepAlive, will, userName, password } = options;
  return {
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: 4,
    clientId,
    clean: cleanSession,
    keepalive: keepAlive,
    ...(will === undefined ? {} : { will: { ...will, payload: Buffer.from(will.payload) } }),
    ...(userName === undefined ? {} : { username: userName }),
    ...(userName === undefined || password === undefined ? {} : { password: Buffer.from(password) }),
  };
}

const wills: readonly (Notice | undefined)[] = [
  undefined,
  { topic: "moth/t1/availability", payload: "offline", qos: 0, retain: false },
  { topic: "moth/t1/availability", payload: "offline", qos: 0, retain: true },
  { topic: "moth/t1/availability", payload: "offline", qos: 1, retain: false },
  { topic: "moth/t1/availability", payload: "offline", qos: 1, retain: true },
  { topic: "w", payload: "", qos: 1, retain: true },
];
const credentials: readonly Pick<ConnectOptions, "userName" | "password">[] = [
  {},
  { userName: "bob" },
  { userName: "" },
  { userName: "bob", password: "geheim" },
  { userName: "bob", password: "" },
];

const everyConnect: ConnectOptions[] = [];
for (const cleanSession of [true, false]) {
  for (const will of wills) {
    for (const login of credentials) everyConnect.push({ clientId: "t1", cleanSession, keepAlive: 30, will, ...login });
  }
}

describe("CONNECT", () => {
  it.each(everyConnect)("[MQTT-3.1.2-9] … [MQTT-3.1.2-21] says %j as mqtt-packet does", (options) => {
    const bytes = connectBytes(options);
    expect(hex(bytes)).toBe(hex(generate(inOtherWords(options))));
    decode(bytes);
  });

  it("[MQTT-3.1.3-1] has its payload in the order id, will topic, will message, user name, password", () => {
    const bytes = connectBytes({
      clientId: "id",
      cleanSession: true,
      keepAlive: 0x1234,
      will: { topic: "wt", payload: "wm", qos: 1, retain: true },
      userName: "un",
      password: "pw",
    });
    const text = "101e" + "00044d515454" + "04" + "ee" + "1234" + "00026964" + "00027774" + "0002776d" + "0002756e";
    expect(hex(bytes)).toBe(text + "00027077");
  });

  it("[MQTT-3.1.2-22] leaves out a password that comes without a user name", () => {
    const bytes = connectBytes({ clientId: "t1", cleanSession: true, keepAlive: 30, password: "geheim" });
    expect(hex(bytes)).toBe(hex(connectBytes({ clientId: "t1", cleanSession: true, keepAlive: 30 })));
  });

  it.each([0, 1, 65535])("[MQTT-3.1.2-23] carries a keep alive of %i s", (keepAlive) => {
    const packet = decode(connectBytes({ clientId: "t1", cleanSession: true, keepAlive }));
    expect(packet).toMatchObject({ cmd: "connect", keepalive: keepAlive });
  });

  it("[MQTT-3.1.3-7] may have an empty client identifier with a clean session", () => {
    decode(connectBytes({ clientId: "", cleanSession: true, keepAlive: 30 }));
  });

  it.each([106, 107, 116, 117, 16360, 16384])("is framed right with a client identifier of %i bytes", (length) => {
    const options = { clientId: "x".repeat(length), cleanSession: true, keepAlive: 30 };
    const bytes = connectBytes(options);
    expect(hex(bytes)).toBe(hex(generate(inOtherWords(options))));
  });

  it("[MQTT-3.1.0-1] is the first packet on every link and comes once, whatever waits in the outbox", () => {
    const session = createSession();
    for (let link = 0; link < 3; link++) {
      dial(session);
      poll(session);
      session.link.flush();
      expect(commands(session.link.takePackets())).toEqual(["connect"]);
      session.link.down(LinkLoss.Peer);
    }
    expect(session.link.opened).toEqual(["broker:1883", "broker:1883", "broker:1883"]);
  });
});

describe("a notice", () => {
  it.each([
    [{ topic: "a/b", payload: "online", qos: 0, retain: true } as const, "310b0003612f626f6e6c696e65"],
    [{ topic: "a/b", payload: "", qos: 1, retain: false } as const, "30050003612f62"],
  ])("%j is a PUBLISH at QoS 0", (notice, bytes) => {
    expect(hex(Uint8Array.from(createNoticePacket(notice, 4)))).toBe(bytes);
  });

  it("is framed right when it is longer than 127 bytes", () => {
    const packet = decode(
      Uint8Array.from(createNoticePacket({ topic: "t", payload: "x".repeat(200), qos: 0, retain: true }, 4)),
    );
    expect(packet).toMatchObject({ cmd: "publish", qos: 0, retain: true, topic: "t" });
  });
});

describe("a packet without a body", () => {
  it.each([
    [PacketType.Pingreq, "c000"],
    [PacketType.Disconnect, "e000"],
  ])("of type %i is two bytes", (type, bytes) => {
    const session = createSession();
    connect(session);
    expect(sendBare(session.client, type)).toBe(true);
    expect(hex(session.link.flush())).toBe(bytes);
  });
});

describe("CONNACK", () => {
  function expectGivenUp(session: Session, fault: Fault): void {
    expect(session.client.state).toBe(ClientState.Closing);
    expect(session.client.fault).toBe(fault);
    expect(session.link.state).toBe(LinkState.Closing);
    expect(session.link.flush()).toHaveLength(0);
    finishClosing(session);
    expect(session.client.state).toBe(ClientState.BackingOff);
    expect(session.events).toEqual(["offline"]);
  }

  it.each([1, 2, 3, 4, 5, 6, 255])("[MQTT-3.2.2-5] with code %i is a refusal, and a wait", (code) => {
    const session = createSession();
    session.entropy = 700;
    dial(session);
    raw(session, 0x20, 2, 0, code);
    expectGivenUp(session, Fault.Refused);
    expect(session.client.refusal).toBe(code);
    expect(session.client.stats).toMatchObject({ refusals: 1, violations: 0, sessions: 0 });
    passTime(session, 699);
    expect(session.link.opened).toHaveLength(1);
    passTime(session, 1);
    expect(session.link.opened).toHaveLength(2);
  });

  it("[MQTT-3.2.2-2] [MQTT-3.2.2-3] tells the application whether the broker still knows the session", () => {
    const session = createSession();
    connect(session, true);
    expect(session.events).toEqual(["online, session present"]);
    session.link.down(LinkLoss.Network);
    connect(session, false);
    expect(session.events).toEqual(["online, session present", "offline", "session lost, 0 discarded", "online"]);
    expect(session.client.stats.sessions).toBe(2);
  });

  it("[MQTT-3.2.2-1] with session present after a clean session was asked for ends the link", () => {
    const session = createSession({ cleanSession: true });
    dial(session);
    raw(session, 0x20, 2, 1, 0);
    expectGivenUp(session, Fault.Violation);
    expect(session.client.breach).toBe(Breach.SessionNotAsked);
  });

  it("[MQTT-3.2.2-4] with session present and a refusal ends the link as a violation", () => {
    const session = createSession();
    dial(session);
    raw(session, 0x20, 2, 1, 5);
    expectGivenUp(session, Fault.Violation);
    expect(session.client.breach).toBe(Breach.ConnackFlags);
    expect(session.client.stats).toMatchObject({ refusals: 0, violations: 1 });
  });

  it.each([
    ["a reserved flag", Breach.ConnackFlags, [0x20, 2, 2, 0]],
    ["the highest flag", Breach.ConnackFlags, [0x20, 2, 0x81, 0]],
    ["one byte", Breach.Length, [0x20, 1, 0]],
    ["no byte", Breach.Length, [0x20, 0]],
    ["three bytes, as MQTT 5 has it,", Breach.Length, [0x20, 3, 0, 0, 0]],
    ["flags in its first byte", Breach.Flags, [0x21, 2, 0, 0]],
  ])("[MQTT-2.2.2-2] with %s ends the link", (_what, breach, bytes) => {
    const session = createSession();
    dial(session);
    raw(session, ...bytes);
    expectGivenUp(session, Fault.Violation);
    expect(session.client.breach).toBe(breach);
    expect(session.client.stats.violations).toBe(1);
  });

  it("[P11] is waited for 10 s from the stream being up, not a moment less", () => {
    const session = createSession({}, 2147483000);
    session.entropy = 100;
    dial(session);
    passTime(session, 9999);
    expect(session.link.closes).toBe(0);
    passTime(session, 1);
    expectGivenUp(session, Fault.ConnackMissing);
  });

  it.each<[string, Packet]>([
    ["PUBLISH", message("a", "x")],
    ["SUBACK", { cmd: "suback", messageId: 1, granted: [0] }],
    ["PINGRESP", { cmd: "pingresp" }],
    ["PUBACK", { cmd: "puback", messageId: 1 }],
    ["UNSUBACK", { cmd: "unsuback", messageId: 1, granted: [] }],
  ])("[MQTT-3.2.0-1] comes first: a %s before it ends the link", (_what, packet) => {
    const session = createSession();
    dial(session);
    fromBroker(session, packet);
    expectGivenUp(session, Fault.Violation);
    expect(session.client.breach).toBe(Breach.BeforeConnack);
  });

  it("[MQTT-3.2.0-1] comes first: a PUBLISH too large to be delivered before it ends the link", () => {
    const session = createSession({ receiveSize: 16 });
    dial(session);
    fromBroker(session, message("a", "x".repeat(100)));
    expectGivenUp(session, Fault.Violation);
    expect(session.client.breach).toBe(Breach.BeforeConnack);
  });

  it("[MQTT-3.2.0-1] comes once: a second one ends the link", () => {
    const session = createSession();
    connect(session);
    raw(session, 0x20, 2, 0, 0);
    expect(session.client.fault).toBe(Fault.Violation);
    expect(session.client.breach).toBe(Breach.SecondConnack);
    finishClosing(session);
    expect(session.events).toEqual(["online", "offline"]);
  });

  it("that comes after the patience is over changes nothing", () => {
    const session = createSession();
    dial(session);
    session.link.now += 10000;
    poll(session);
    raw(session, 0x20, 2, 0, 0);
    expectGivenUp(session, Fault.ConnackMissing);
  });

  it("is understood in the same bytes as what follows it", () => {
    const session = createSession();
    dial(session);
    raw(session, 0x20, 2, 0, 0, 0xd0, 0, 0x30, 4, 0, 1, 0x61, 0x78);
    expect(session.client.state).toBe(ClientState.Online);
    expect(session.client.stats.received).toBe(1);
  });

  it("ends a refusal and its reason: after a success, the last link has no fault", () => {
    const session = createSession();
    dial(session);
    raw(session, 0x20, 2, 0, 4);
    finishClosing(session);
    connect(session);
    expect(session.client.fault).toBe(Fault.None);
  });

  it("is not the reason any more when the peer ends the next link without a word", () => {
    const session = createSession();
    dial(session);
    raw(session, 0x20, 2, 0, 4);
    finishClosing(session);
    dial(session);
    session.link.down(LinkLoss.Peer);
    clientPoll(session.client, session.link.now);
    expect(session.client.fault).toBe(Fault.None);
    expect(session.client.lastLoss).toBe(LinkLoss.Peer);
  });
});
