import type { IAuthPacket, Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { LinkLoss } from "../../../../firmware/core/link";
import { Breach } from "../../../../firmware/mqtt/breach";
import { ClientState, Fault } from "../../../../firmware/mqtt/client-state";
import type { Authentication } from "../../../../firmware/mqtt/five";
import { authenticateAgain } from "../../../../firmware/mqtt/five/authenticate";
import { createPublication } from "../../../../firmware/mqtt/publication";
import { publishText } from "../../../../firmware/mqtt/publish";
import { putText, textAt } from "../../../../hal/node/native";
import { commands, dial, exchange, fromBroker, passTime, raw } from "../session";
import { createFiveSession, type FiveSession, goodbyes } from "./rig";

/** Answers `x` with `re:x`, and believes what is not `liar`. */
function createAuthentication(): Authentication & { readonly steps: string[] } {
  const steps: string[] = [];
  return {
    steps,
    method: "ECHO",
    room: 16,
    begin(into) {
      steps.push("begin");
      return putText(into, 0, "hello");
    },
    challenge(bytes, at, count, into) {
      const asked = count === 0 ? "" : textAt(bytes, at, count);
      steps.push(`challenge ${asked}`);
      return asked === "liar" ? -1 : putText(into, 0, `re:${asked}`);
    },
    accepted(bytes, at, count) {
      const said = count === 0 ? "" : textAt(bytes, at, count);
      steps.push(`accepted ${said}`);
      return said !== "liar";
    },
  };
}

const CONTINUE = 0x18;

function auth(reasonCode: number, data = "", method = "ECHO"): IAuthPacket {
  const authenticationData = data === "" ? {} : { authenticationData: Buffer.from(data) };
  return { cmd: "auth", reasonCode, properties: { authenticationMethod: method, ...authenticationData } };
}

function connack(data = "", method = "ECHO"): Packet {
  const authenticationData = data === "" ? {} : { authenticationData: Buffer.from(data) };
  return {
    cmd: "connack",
    returnCode: 0,
    reasonCode: 0,
    sessionPresent: false,
    properties: { authenticationMethod: method, ...authenticationData },
  };
}

function authenticating(): FiveSession & { steps: string[]; connect: Packet | undefined } {
  const authentication = createAuthentication();
  const session = createFiveSession({ authentication }, { birth: { topic: "up", payload: "1", qos: 0, retain: false } });
  dial(session);
  const [connect] = session.link.takePackets();
  return Object.assign(session, { steps: authentication.steps, connect });
}

function online(): FiveSession & { steps: string[] } {
  const session = authenticating();
  fromBroker(session, connack());
  exchange(session);
  session.steps.length = 0;
  return session;
}

describe("an authentication in steps", () => {
  it("[MQTT5-4.12.0-3] [MQTT5-4.12.0-5] names its method and goes on until the broker is content", () => {
    const session = authenticating();
    expect(session.connect).toMatchObject({
      properties: { authenticationMethod: "ECHO", authenticationData: Buffer.from("hello") },
    });
    fromBroker(session, auth(CONTINUE, "who"));
    expect(exchange(session)).toMatchObject([auth(CONTINUE, "re:who")]);
    fromBroker(session, auth(CONTINUE));
    expect(exchange(session)).toMatchObject([auth(CONTINUE, "re:")]);
    fromBroker(session, connack("welcome"));
    expect(session.steps).toEqual(["begin", "challenge who", "challenge ", "accepted welcome"]);
    expect(session.events).toEqual(["online"]);
  });

  it("[MQTT5-3.1.2-30] says nothing but AUTH and DISCONNECT before CONNACK", () => {
    const session = authenticating();
    publishText(session.client, createPublication("a", 1, false, 5), "1");
    expect(exchange(session)).toEqual([]);
    fromBroker(session, auth(CONTINUE, "who"));
    passTime(session, 9000);
    expect(commands(exchange(session))).toEqual(["auth"]);
    fromBroker(session, connack());
    expect(commands(exchange(session))).toEqual(["publish", "publish"]);
  });

  it("may take its time at each step, but not for ever", () => {
    const session = authenticating();
    for (let step = 0; step < 3; step++) {
      passTime(session, 9000);
      fromBroker(session, auth(CONTINUE, "who"));
      exchange(session);
    }
    passTime(session, 9999);
    expect(session.client.state).toBe(ClientState.Connecting);
    passTime(session, 1);
    expect(session.client.fault).toBe(Fault.ConnackMissing);
  });

  it("begins anew on every link", () => {
    const session = online();
    session.link.down(LinkLoss.Peer);
    dial(session);
    expect(session.steps).toEqual(["begin"]);
    expect(session.link.takePackets()[0]).toMatchObject({ properties: { authenticationMethod: "ECHO" } });
  });

  it("ends the link when the broker is not to be believed, and says so", () => {
    for (const packet of [auth(CONTINUE, "liar"), connack("liar")]) {
      const session = authenticating();
      fromBroker(session, packet);
      expect(session.client.fault).toBe(Fault.NotAuthentic);
      expect(session.client.stats.violations).toBe(0);
      expect(goodbyes(exchange(session))).toEqual([0x80]);
      expect(session.events).toEqual([]);
    }
  });

  it("[MQTT5-4.12.0-5] [MQTT5-3.15.2-1] ends the link when the broker does not keep to it", () => {
    const wrong: Packet[] = [
      auth(CONTINUE, "who", "OTHER"),
      auth(0, "who"),
      connack("", "OTHER"),
      { cmd: "connack", returnCode: 0, reasonCode: 0, sessionPresent: false },
      { cmd: "auth", reasonCode: CONTINUE },
    ];
    for (const packet of wrong) {
      const session = authenticating();
      fromBroker(session, packet);
      expect(session.client.breach).toBe(Breach.ProtocolError);
      expect(goodbyes(exchange(session))).toEqual([0x82]);
    }
    const session = authenticating();
    raw(session, 0xf1, 0);
    expect(session.client.breach).toBe(Breach.Flags);
    expect(goodbyes(exchange(session))).toEqual([0x81]);
  });

  it("[MQTT5-4.12.0-6] [MQTT5-4.12.0-7] is not begun by a broker that was told of no method", () => {
    for (const packet of [auth(CONTINUE, "who"), connack()]) {
      const session = createFiveSession();
      dial(session);
      session.link.takePackets();
      fromBroker(session, packet);
      expect(session.client.breach).toBe(Breach.ProtocolError);
      expect(commands(exchange(session))).toEqual(["disconnect"]);
    }
    const session = createFiveSession();
    expect(authenticateAgain(session.five, session.client)).toBe(false);
  });

  it("that is refused is told", () => {
    const session = authenticating();
    fromBroker(session, { cmd: "connack", returnCode: 0, reasonCode: 0x8c, sessionPresent: false });
    expect(session.told).toEqual(["2 reason 140 id 0"]);
    expect(session.client.fault).toBe(Fault.Refused);
  });
});

describe("an authentication in the middle of a session", () => {
  it("[MQTT5-4.12.1-1] is begun with the same method, and goes on beside the messages", () => {
    const session = online();
    expect(authenticateAgain(session.five, session.client)).toBe(true);
    expect(authenticateAgain(session.five, session.client)).toBe(false);
    publishText(session.client, createPublication("a", 0, false, 5), "1");
    const packets = exchange(session);
    expect(commands(packets)).toEqual(["auth", "publish"]);
    expect(packets[0]).toMatchObject(auth(0x19, "hello"));
    fromBroker(session, auth(CONTINUE, "who"));
    expect(exchange(session)).toMatchObject([auth(CONTINUE, "re:who")]);
    fromBroker(session, auth(0, "done"));
    expect(session.steps).toEqual(["begin", "challenge who", "accepted done"]);
    expect(session.client.state).toBe(ClientState.Online);
    expect(authenticateAgain(session.five, session.client)).toBe(true);
  });

  it("[MQTT5-4.12.1-2] that fails ends the link", () => {
    const session = online();
    authenticateAgain(session.five, session.client);
    exchange(session);
    fromBroker(session, auth(0, "liar"));
    expect(session.client.fault).toBe(Fault.NotAuthentic);
    expect(goodbyes(exchange(session))).toEqual([0x80]);
  });

  it("is begun by us alone, and not without a session", () => {
    const session = online();
    fromBroker(session, auth(CONTINUE, "who"));
    expect(session.client.breach).toBe(Breach.ProtocolError);
    expect(authenticateAgain(session.five, session.client)).toBe(false);
  });

  it("is forgotten with its link", () => {
    const session = online();
    authenticateAgain(session.five, session.client);
    session.link.down(LinkLoss.Peer);
    dial(session);
    session.link.takePackets();
    fromBroker(session, connack());
    expect(authenticateAgain(session.five, session.client)).toBe(true);
  });
});
