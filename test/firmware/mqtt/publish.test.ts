import { generate, type Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { LinkLoss } from "../../../firmware/core/link";
import { writeByte, writeText } from "../../../firmware/core/writer";
import { createPublication } from "../../../firmware/mqtt/publication";
import { canPublish, publishBegin, publishEnd, publishText } from "../../../firmware/mqtt/publish";
import { addSubscription, clientPoll } from "../../../firmware/mqtt/client";
import { hex } from "./scripted-link";
import {
  connect,
  createSession,
  dial,
  exchange,
  fromBroker,
  goOnBehind,
  message,
  passTime,
  poll,
  publishes,
  reconnect,
  type Session,
  underWay,
} from "./session";
import { outboxCount, outboxUsed } from "../../../firmware/mqtt/outbox";
import { QueueNumber } from "../../../hal/hal";
import { queueNumber } from "../../../hal/node/native";

const telemetry = createPublication("t", 1, false, 100);
const live = createPublication("live", 0, false, 100);

function online(options = {}): Session {
  const session = createSession(options);
  connect(session);
  exchange(session);
  return session;
}

function puback(session: Session, ...ids: readonly number[]): void {
  for (const messageId of ids) fromBroker(session, { cmd: "puback", messageId });
}

describe("a message that is published", () => {
  it.each([
    [0, false],
    [0, true],
    [1, false],
    [1, true],
  ] as const)("[MQTT-3.3.1-2] [MQTT-2.3.1-5] at QoS %i, retained %s, is what mqtt-packet writes", (qos, retain) => {
    const session = online();
    for (const payload of ["21.5", "", "°C"]) {
      expect(publishText(session.client, createPublication("a/°", qos, retain, 10), payload)).toBe(true);
      const id = qos === 0 ? {} : { messageId: session.client.lastId };
      const sent = session.link.flush();
      expect(hex(sent)).toBe(hex(generate(message("a/°", payload, { qos, retain, ...id }))));
    }
  });

  it.each([126, 127, 128, 129, 16382, 16383, 16384, 16385])(
    "[MQTT 3.1.1 §2.2.3] with a remaining length of %i is framed right, whatever room was reserved",
    (remaining) => {
      const session = online({ outboxSize: 65535 });
      const payload = "x".repeat(remaining - 2 - 1 - 2);
      for (const spare of [0, 1, 200, 20000]) {
        const publication = createPublication("t", 1, false, payload.length + spare);
        expect(publishText(session.client, publication, payload)).toBe(true);
        const bytes = session.link.flush({ limit: 1500 });
        expect(hex(bytes)).toBe(hex(generate(message("t", payload, { qos: 1, messageId: session.client.lastId }))));
        puback(session, session.client.lastId);
      }
      expect(outboxUsed(session.client.outbox)).toBe(0);
    },
  );

  it("[MQTT-3.3.1-10] may be empty and retained: it deletes what was retained", () => {
    const session = online();
    publishText(session.client, createPublication("t", 1, true, 0), "");
    expect(publishes(exchange(session))).toEqual(["t  1 1 retain"]);
  });

  it("is not queued when its payload is longer than its publication allows, and that is counted", () => {
    const session = online();
    const short = createPublication("t", 1, false, 4);
    expect(publishText(session.client, short, "12345")).toBe(false);
    const payload = publishBegin(session.client, short);
    expect(payload).toBeDefined();
    if (payload !== undefined) {
      writeText(payload, "1234");
      writeByte(payload, 0x35);
    }
    expect(publishEnd(session.client)).toBe(false);
    expect(session.client.stats).toMatchObject({ tooLong: 2, published: 0 });
    expect(outboxUsed(session.client.outbox)).toBe(0);
    expect(session.link.flush()).toHaveLength(0);

    expect(publishText(session.client, short, "1234")).toBe(true);
    expect(publishes(exchange(session))).toEqual(["t 1234 1 3"]);
  });

  it("needs a session at QoS 0: without one it is refused and counted, and not sent later", () => {
    const session = createSession();
    expect(canPublish(session.client, live)).toBe(false);
    expect(publishText(session.client, live, "1")).toBe(false);
    dial(session);
    expect(publishText(session.client, live, "2")).toBe(false);
    fromBroker(session, { cmd: "connack", returnCode: 0, sessionPresent: false });
    expect(publishText(session.client, live, "3")).toBe(true);
    expect(publishes(exchange(session))).toEqual(["live 3 0 0"]);
    expect(session.client.stats).toMatchObject({ offline: 2, published: 1 });
  });

  it("waits in the outbox at QoS 1 until there is a session, and is sent as new then", () => {
    const session = createSession();
    publishText(session.client, telemetry, "before start");
    dial(session);
    publishText(session.client, telemetry, "before CONNACK");
    expect(session.link.flush()).toHaveLength(0);
    fromBroker(session, { cmd: "connack", returnCode: 0, sessionPresent: true });
    expect(publishes(exchange(session))).toEqual(["t before start 1 1", "t before CONNACK 1 2"]);
  });

  it("is refused and counted when the bytes are full; what is held is kept, and acknowledgements make room", () => {
    const session = online({ outboxSize: 60, outboxSlots: 50 });
    const small = createPublication("t", 1, false, 13);
    for (let i = 0; i < 3; i++) expect(publishText(session.client, small, `message ${i}`)).toBe(true);
    expect(canPublish(session.client, small)).toBe(false);
    expect(publishText(session.client, small, "one too many")).toBe(false);
    expect(session.client.stats).toMatchObject({ published: 3, refused: 1 });
    expect(queueNumber(session.client.outbox.queue, QueueNumber.Refused)).toBe(1);
    expect(publishes(exchange(session))).toEqual(["t message 0 1 1", "t message 1 1 2", "t message 2 1 3"]);
    expect(canPublish(session.client, small)).toBe(false);
    puback(session, 1, 2);
    expect(canPublish(session.client, small)).toBe(true);
    expect(publishText(session.client, small, "again")).toBe(true);
  });

  it("is refused and counted when every slot is in use", () => {
    const session = online({ outboxSlots: 2 });
    publishText(session.client, telemetry, "1");
    publishText(session.client, telemetry, "2");
    expect(canPublish(session.client, telemetry)).toBe(false);
    expect(publishText(session.client, telemetry, "3")).toBe(false);
    expect(queueNumber(session.client.outbox.queue, QueueNumber.RefusedSlots)).toBe(1);
    expect(queueNumber(session.client.outbox.queue, QueueNumber.HighCount)).toBe(2);
    exchange(session);
    puback(session, 1, 2);
    expect(publishText(session.client, telemetry, "4")).toBe(true);
  });

  it("is refused while another is being written, and ends nothing that was not begun", () => {
    const session = online();
    expect(publishEnd(session.client)).toBe(false);
    const payload = publishBegin(session.client, telemetry);
    expect(canPublish(session.client, telemetry)).toBe(false);
    expect(publishText(session.client, telemetry, "in between")).toBe(false);
    if (payload !== undefined) writeText(payload, "first");
    expect(publishEnd(session.client)).toBe(true);
    expect(publishes(exchange(session))).toEqual(["t first 1 1"]);
  });
});

describe("packet identifiers", () => {
  it("[MQTT-2.3.1-1] are never 0 and go from 65535 to 1", () => {
    const session = online();
    goOnBehind(session, 65533);
    const ids: number[] = [];
    for (let i = 0; i < 4; i++) {
      publishText(session.client, telemetry, "x");
      ids.push(session.client.lastId);
      exchange(session);
      puback(session, session.client.lastId);
    }
    expect(ids).toEqual([65534, 65535, 1, 2]);
  });

  it("[MQTT-2.3.1-2] are never those of a message that waits for its acknowledgement", () => {
    const session = online();
    for (let i = 0; i < 3; i++) publishText(session.client, telemetry, "stuck");
    exchange(session);
    puback(session, 2);
    goOnBehind(session, 65535);
    publishText(session.client, telemetry, "x");
    publishText(session.client, telemetry, "y");
    expect(publishes(exchange(session))).toEqual(["t x 1 2", "t y 1 4"]);
  });

  it("[MQTT-2.3.1-2] are never that of a message that has not been sent yet, nor of one that is sent again", () => {
    const session = online();
    publishText(session.client, telemetry, "sent");
    exchange(session);
    session.link.down(LinkLoss.Peer);
    publishText(session.client, telemetry, "waits");
    goOnBehind(session, 65535);
    publishText(session.client, telemetry, "new");
    connect(session, true);
    expect(publishes(exchange(session))).toEqual(["t sent 1 1 dup", "t waits 1 2", "t new 1 3"]);
  });

  it("[MQTT-2.3.1-2] stay clear of thousands of messages in flight, however often they wrap", () => {
    const session = online({ outboxSize: 65535, outboxSlots: 2500, keepAlive: 0 });
    const empty = createPublication("t", 1, false, 0);
    for (let round = 0; round < 8; round++) {
      goOnBehind(session, 65500);
      for (let i = 0; i < 300; i++) expect(publishText(session.client, empty, "")).toBe(true);
    }
    session.link.flush();
    const ids = new Set(session.link.takePackets().map((packet) => packet.messageId));
    expect(ids.size).toBe(2400);
    expect(ids).not.toContain(0);
  });

  it("[MQTT-2.3.1-2] stay clear of a SUBSCRIBE that is never answered, for 65,535 sends", () => {
    const session = createSession({ keepAlive: 0 });
    addSubscription(session.client, "a", 0, { message: () => undefined });
    connect(session);
    exchange(session);
    expect(session.client.subscribeId).toBe(1);
    const seen = new Uint8Array(65536);
    for (let i = 0; i < 65535; i++) {
      publishText(session.client, telemetry, "x");
      seen[session.client.lastId] = 1;
      session.link.flush();
      const id = session.client.lastId;
      session.link.receive(Uint8Array.of(0x40, 2, id >> 8, id & 255));
      session.link.packets.length = 0;
    }
    expect(session.client.stats.acknowledged).toBe(65535);
    expect([seen[0], seen[1], seen[2], seen[65535]]).toEqual([0, 0, 1, 1]);
  });
});

describe("PUBACK", () => {
  it("[MQTT-2.3.1-6] ends the message with its identifier, in whatever order it comes", () => {
    const session = online();
    for (const text of ["1", "2", "3"]) publishText(session.client, telemetry, text);
    exchange(session);
    puback(session, 3, 1);
    expect(session.client.stats.acknowledged).toBe(2);
    reconnect(session, true);
    expect(publishes(exchange(session))).toEqual(["t 2 1 2 dup"]);
    puback(session, 2);
    expect(outboxCount(session.client.outbox)).toBe(0);
    expect(underWay(session)).toBe(0);
    expect(outboxUsed(session.client.outbox)).toBe(0);
  });

  it("of an identifier that nobody waits for, or a second one, is harmless", () => {
    const session = online();
    publishText(session.client, telemetry, "1");
    exchange(session);
    puback(session, 2, 65535);
    expect(session.client.stats.acknowledged).toBe(0);
    puback(session, 1, 1, 1);
    expect(session.client.stats).toMatchObject({ acknowledged: 1, violations: 0 });
    expect(underWay(session)).toBe(0);
  });

  it("that comes again while an older message still waits ends nothing", () => {
    const session = online();
    for (const text of ["1", "2", "3"]) publishText(session.client, telemetry, text);
    exchange(session);
    puback(session, 2, 2, 2);
    expect(session.client.stats.acknowledged).toBe(1);
    expect(underWay(session)).toBe(2);
  });

  it("of a message that has not been sent on this link ends nothing", () => {
    const session = online();
    publishText(session.client, telemetry, "1");
    exchange(session);
    reconnect(session, true);
    puback(session, 1);
    expect(publishes(exchange(session))).toEqual(["t 1 1 1 dup"]);
  });

  it("of a message of which only a part has left ends nothing", () => {
    const session = online();
    publishText(session.client, telemetry, "first");
    session.link.flush({ stopAfter: 5 });
    puback(session, 1);
    session.link.flush();
    expect(publishes(exchange(session))).toEqual(["t first 1 1"]);
    expect(underWay(session)).toBe(1);
  });

  it.each([
    ["of one byte", [0x40, 1, 0]],
    ["of three bytes", [0x40, 3, 0, 1, 0]],
    ["with flags", [0x42, 2, 0, 1]],
  ])("[MQTT-2.2.2-2] %s ends the link", (_what, bytes) => {
    const session = online();
    publishText(session.client, telemetry, "1");
    exchange(session);
    session.link.receive(Uint8Array.from(bytes));
    expect(session.link.closes).toBe(1);
    expect(session.client.stats).toMatchObject({ violations: 1, acknowledged: 0 });
  });
});

describe("after a lost link", () => {
  it("[MQTT-4.4.0-1] [MQTT-3.3.1-1] [MQTT-4.6.0-1] what is owed comes in order, with DUP, before what is new", () => {
    const session = online();
    for (const text of ["1", "2", "3"]) publishText(session.client, telemetry, text);
    expect(publishes(exchange(session))).toEqual(["t 1 1 1", "t 2 1 2", "t 3 1 3"]);
    session.link.down(LinkLoss.Network);
    publishText(session.client, telemetry, "4");
    connect(session, true);
    const again = ["t 1 1 1 dup", "t 2 1 2 dup", "t 3 1 3 dup"];
    expect(publishes(exchange(session))).toEqual([...again, "t 4 1 4"]);
    expect(session.client.stats.retried).toBe(3);
    reconnect(session, true);
    expect(publishes(exchange(session))).toEqual([...again, "t 4 1 4 dup"]);
    expect(session.client.stats.retried).toBe(7);
  });

  it("[MQTT-3.1.2-6] all that is owed is sent as new, without DUP, to a broker that has forgotten the session", () => {
    const session = online();
    publishText(session.client, telemetry, "1");
    publishText(session.client, createPublication("r", 1, true, 9), "2");
    exchange(session);
    reconnect(session, false);
    expect(publishes(exchange(session))).toEqual(["t 1 1 1", "r 2 1 2 retain"]);
    reconnect(session, true);
    expect(publishes(exchange(session))).toEqual(["t 1 1 1 dup", "r 2 1 2 dup retain"]);
  });

  it("a link that never came to a session changes nothing", () => {
    const session = online();
    publishText(session.client, telemetry, "1");
    exchange(session);
    session.link.down(LinkLoss.Peer);
    passTime(session, 0);
    session.link.down(LinkLoss.Unreachable);
    dial(session);
    session.link.down(LinkLoss.Peer);
    connect(session, true);
    expect(publishes(exchange(session))).toEqual(["t 1 1 1 dup"]);
  });

  it("[MQTT-4.3.1-1] a QoS 0 message that was on its way is gone, and never sent again", () => {
    const session = online();
    publishText(session.client, live, "1");
    publishText(session.client, telemetry, "2");
    publishText(session.client, live, "3");
    publishText(session.client, telemetry, "4");
    session.link.flush({ stopAfter: 5 });
    reconnect(session, true);
    expect(publishes(exchange(session))).toEqual(["t 2 1 1", "t 4 1 2"]);
    puback(session, 1, 2);
    expect(outboxCount(session.client.outbox)).toBe(0);
  });

  it("[MQTT-4.4.0-1] nothing is sent again as long as the link lives", () => {
    const session = online({ keepAlive: 5 });
    publishText(session.client, telemetry, "1");
    exchange(session);
    passTime(session, 19000);
    expect(publishes(exchange(session))).toEqual([]);
  });

  // The run ends at every byte, first of new messages, then of messages that are sent again.
  it.each([
    ["in one run", { limit: 2048 }],
    ["in runs of 7 bytes", { limit: 7 }],
    ["a byte at a time", { take: 1 }],
  ])("at any byte, sending %s, no packet is torn and every message arrives, in order", (_what, how) => {
    const texts = ["one", "", "three", "x".repeat(90)];
    for (let first = 0; first < 150; first++) {
      for (const second of [0, 1, 7, 8, 17, 30, first]) {
        const session = online();
        for (const text of texts) publishText(session.client, telemetry, text);
        session.link.flush({ ...how, stopAfter: first });
        const seen = session.link.takePackets();
        reconnect(session, true);
        session.link.flush({ ...how, stopAfter: second });
        seen.push(...session.link.takePackets());
        reconnect(session, true);
        session.link.flush(how);
        expect(session.link.torn()).toBe(0);
        seen.push(...exchange(session));
        expect(firstArrivals(seen)).toEqual(texts);
        expectHonestDup(seen);
        puback(session, 1, 2, 3, 4);
        expect(outboxCount(session.client.outbox)).toBe(0);
      }
    }
  });
});

function firstArrivals(packets: readonly Packet[]): string[] {
  const arrived = new Map<number, string>();
  for (const packet of packets) {
    if (packet.cmd !== "publish" || packet.messageId === undefined || arrived.has(packet.messageId)) continue;
    arrived.set(packet.messageId, packet.payload.toString());
  }
  return [...arrived.values()];
}

/** DUP stands on a message exactly when it had been sent whole before. */
function expectHonestDup(packets: readonly Packet[]): void {
  const before = new Set<number>();
  for (const packet of packets) {
    if (packet.cmd !== "publish" || packet.messageId === undefined) continue;
    expect(packet.dup).toBe(before.has(packet.messageId));
    before.add(packet.messageId);
  }
}

describe("a long life", () => {
  it("of publishing and acknowledging leaves the outbox as it was", () => {
    const session = online({ outboxSize: 300 });
    for (let i = 0; i < 500; i++) {
      publishText(session.client, telemetry, "x".repeat(i % 80));
      if (i % 3 === 0) publishText(session.client, live, "y");
      exchange(session);
      puback(session, session.client.lastId);
      clientPoll(session.client, session.link.now);
    }
    poll(session);
    expect(session.client.stats).toMatchObject({ published: 667, acknowledged: 500, refused: 0, retried: 0 });
    expect(outboxCount(session.client.outbox)).toBe(0);
    expect(queueNumber(session.client.outbox.queue, QueueNumber.Partial)).toBe(0);
    expect(underWay(session)).toBe(0);
  });
});
