/** The statements about CONNECT that no other suite carries, read off its bytes by hand. */
import { describe, expect, it } from "vitest";
import { LinkLoss } from "../../../../firmware/core/link";
import { type ConnectOptions, createConnectPacket, type Notice } from "../../../../firmware/mqtt/connect";
import { createSession, dial } from "../session";
import { decode } from "../scripted-link";

interface Fields {
  readonly flags: number;
  /** The strings of the payload, in their order. */
  readonly texts: readonly string[];
}

const enum Flag {
  Reserved = 0x01,
  CleanSession = 0x02,
  Will = 0x04,
  WillQos = 0x18,
  WillRetain = 0x20,
  Password = 0x40,
  UserName = 0x80,
}

/** What comes before the flags: the fixed header of a short packet, `MQTT` and its level. */
const FLAGS_AT = 9;
const PAYLOAD_AT = 12;

/** Fails on a string that is not UTF-8, and on bytes that belong to none. */
function fieldsOf(options: ConnectOptions): Fields {
  const bytes = Uint8Array.from(createConnectPacket(options));
  const texts: string[] = [];
  const reader = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let at = PAYLOAD_AT;
  while (at < bytes.length) {
    const length = (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
    texts.push(reader.decode(bytes.subarray(at + 2, at + 2 + length)));
    at += 2 + length;
  }
  expect(at).toBe(bytes.length);
  return { flags: bytes[FLAGS_AT] ?? 0, texts };
}

const plain: ConnectOptions = { clientId: "id", cleanSession: false, keepAlive: 30 };
const will: Notice = { topic: "wt", payload: "wm", qos: 0, retain: false };

describe("CONNECT", () => {
  it("[MQTT-3.1.2-11] [MQTT-3.1.2-13] [MQTT-3.1.2-15] without a will has nothing of one", () => {
    const { flags, texts } = fieldsOf(plain);
    expect(flags & (Flag.Will | Flag.WillQos | Flag.WillRetain)).toBe(0);
    expect(texts).toEqual(["id"]);
  });

  it.each([0, 1, 2] as const)("[MQTT-3.1.2-9] [MQTT-3.1.2-14] has a will at QoS %i, never 3", (qos) => {
    for (const retain of [false, true]) {
      const { flags, texts } = fieldsOf({ ...plain, will: { ...will, qos, retain } });
      expect(flags & Flag.Will).toBe(Flag.Will);
      expect((flags & Flag.WillQos) / 8).toBe(qos);
      expect((flags & Flag.WillRetain) !== 0).toBe(retain);
      expect(texts).toEqual(["id", "wt", "wm"]);
    }
  });

  it("[MQTT-3.1.2-18] [MQTT-3.1.2-20] has neither user name nor password without their flags", () => {
    const { flags, texts } = fieldsOf(plain);
    expect(flags & (Flag.UserName | Flag.Password)).toBe(0);
    expect(texts).toHaveLength(1);
  });

  it("[MQTT-3.1.2-19] [MQTT-3.1.2-21] has user name and password with their flags, empty or not", () => {
    for (const [userName, password] of [["u", "p"], ["", ""]] as const) {
      const { flags, texts } = fieldsOf({ ...plain, userName, password });
      expect(flags & (Flag.UserName | Flag.Password)).toBe(Flag.UserName | Flag.Password);
      expect(texts).toEqual(["id", userName, password]);
    }
    const { flags, texts } = fieldsOf({ ...plain, userName: "u" });
    expect(flags & (Flag.UserName | Flag.Password)).toBe(Flag.UserName);
    expect(texts).toEqual(["id", "u"]);
  });

  it("[MQTT-2.2.2-1] never sets the flag that is reserved", () => {
    for (const cleanSession of [false, true]) {
      const { flags } = fieldsOf({ ...plain, cleanSession, will, userName: "u", password: "p" });
      expect(flags & Flag.Reserved).toBe(0);
      expect((flags & Flag.CleanSession) !== 0).toBe(cleanSession);
    }
  });

  it("[MQTT-3.1.3-3] begins its payload with the client identifier, even an empty one", () => {
    for (const clientId of ["id", ""]) {
      const { texts } = fieldsOf({ ...plain, clientId, cleanSession: true, will, userName: "u" });
      expect(texts[0]).toBe(clientId);
      expect(texts).toHaveLength(4);
    }
  });

  it.each(["°C/Grüße", "日本", "🦋", "\ufeffbom"])(
    "[MQTT-3.1.3-4] [MQTT-3.1.3-10] [MQTT-3.1.3-11] [MQTT-1.5.3-3] [MQTT-1.5.3-1] has %j in UTF-8 wherever text stands",
    (text) => {
      const { texts } = fieldsOf({ ...plain, clientId: text, will: { ...will, topic: text }, userName: text });
      expect(texts).toEqual([text, text, "wm", text]);
    },
  );

  it("[MQTT-3.1.3-2] names the same client on every link, whatever became of the one before", () => {
    const session = createSession({ clientId: "board-7" });
    for (const loss of [LinkLoss.Peer, LinkLoss.Network, LinkLoss.Module]) {
      dial(session);
      expect(session.link.takePackets()).toMatchObject([{ cmd: "connect", clientId: "board-7", clean: false }]);
      session.link.down(loss);
    }
  });

  it("[MQTT-3.1.2-22] has no password where there is no user name", () => {
    expect(decode(Uint8Array.from(createConnectPacket({ ...plain, password: "p" })))).not.toHaveProperty("password");
  });
});
