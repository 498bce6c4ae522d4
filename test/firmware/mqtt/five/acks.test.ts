import { describe, expect, it } from "vitest";
import { Breach } from "../../../../firmware/mqtt/breach";
import { ClientState, Fault } from "../../../../firmware/mqtt/client-state";
import { outboxCount } from "../../../../firmware/mqtt/outbox";
import { createPublication } from "../../../../firmware/mqtt/publication";
import { publishText } from "../../../../firmware/mqtt/publish";
import { LinkLoss } from "../../../../firmware/core/link";
import { commands, exchange, fromBroker, passTime, publishes, raw } from "../session";
import { begin, createFiveSession, type FiveSession, goodbyes } from "./rig";
import { section, text } from "./wire";

const letter = (): ReturnType<typeof createPublication> => createPublication("a/letter", 1, false, 20);
const exact = (): ReturnType<typeof createPublication> => createPublication("a/exact", 2, false, 20);

function sent(...payloads: string[]): FiveSession {
  const session = createFiveSession({}, {}, true);
  begin(session);
  for (const payload of payloads) publishText(session.client, payload.startsWith("x") ? exact() : letter(), payload);
  exchange(session);
  return session;
}

describe("an acknowledgement of MQTT 5.0", () => {
  it("[MQTT5-2.2.1-5] [MQTT5-4.3.2-3] ends its message and no other, with and without a reason code and properties", () => {
    for (const bytes of [[0x40, 2, 0, 2], [0x40, 3, 0, 2, 0], [0x40, 4, 0, 2, 0x10, 0], [0x40, 4, 0, 2, 0, 0]]) {
      const session = sent("1", "2", "3");
      raw(session, ...bytes);
      expect(session.client.stats.acknowledged).toBe(1);
      expect(session.told).toEqual([]);
      session.link.down(LinkLoss.Peer);
      begin(session, {}, true);
      expect(publishes(exchange(session))).toEqual(["a/letter 1 1 1 dup", "a/letter 3 1 3 dup"]);
    }
  });

  it("[MQTT5-4.4.0-2] with a failure ends its message, which the application is told, and it is never sent again", () => {
    const session = sent("1", "2");
    fromBroker(session, { cmd: "puback", messageId: 1, reasonCode: 0x87, properties: { reasonString: "not yours" } });
    expect(session.told).toEqual(["4 reason 135 id 1 about a/letter: not yours"]);
    expect(session.five.stats.rejected).toBe(1);
    expect(outboxCount(session.client.outbox)).toBe(1);
    session.link.down(LinkLoss.Peer);
    begin(session, {}, true);
    expect(publishes(exchange(session))).toEqual(["a/letter 2 1 2 dup"]);
  });

  it("is told when it has something to say, though it tells of no failure", () => {
    const session = sent("1");
    fromBroker(session, { cmd: "puback", messageId: 1, reasonCode: 0x10, properties: { reasonString: "nobody" } });
    expect(session.told).toEqual(["4 reason 16 id 1 about a/letter: nobody"]);
    expect(session.five.stats.rejected).toBe(0);
  });

  it("[MQTT5-4.3.3-4] [MQTT5-4.3.3-6] is answered by PUBREL when PUBREC tells of no failure", () => {
    const session = sent("x1");
    fromBroker(session, { cmd: "pubrec", messageId: 1, reasonCode: 0x10 });
    expect(exchange(session)).toMatchObject([{ cmd: "pubrel", messageId: 1, reasonCode: 0 }]);
    session.link.down(LinkLoss.Peer);
    begin(session, {}, true);
    expect(commands(exchange(session))).toEqual(["pubrel"]);
    fromBroker(session, { cmd: "pubcomp", messageId: 1 });
    session.link.down(LinkLoss.Peer);
    begin(session, {}, true);
    expect(exchange(session)).toEqual([]);
  });

  it("[MQTT5-4.3.3-4] [MQTT5-4.4.0-2] is answered by nothing when PUBREC tells of a failure: the message is over", () => {
    const session = sent("x1");
    fromBroker(session, { cmd: "pubrec", messageId: 1, reasonCode: 0x97 });
    expect(session.told).toEqual(["5 reason 151 id 1 about a/exact"]);
    expect(session.five.stats.rejected).toBe(1);
    expect(session.client.stats.acknowledged).toBe(1);
    expect(exchange(session)).toEqual([]);
    expect(outboxCount(session.client.outbox)).toBe(0);
    session.link.down(LinkLoss.Peer);
    begin(session, {}, true);
    expect(exchange(session)).toEqual([]);
  });

  it("[MQTT5-2.2.1-3] gives its identifier free for another message", () => {
    const session = sent("x1");
    fromBroker(session, { cmd: "pubrec", messageId: 1, reasonCode: 0x80 });
    session.client.lastId = 65535;
    session.client.freeTo = 65535;
    publishText(session.client, letter(), "next");
    expect(publishes(exchange(session))).toEqual(["a/letter next 1 1"]);
  });

  it("PUBREC of an identifier that nobody knows is answered by PUBREL that says so", () => {
    const session = sent();
    fromBroker(session, { cmd: "pubrec", messageId: 77 });
    expect(exchange(session)).toMatchObject([{ cmd: "pubrel", messageId: 77, reasonCode: 0x92 }]);
  });

  it("[MQTT5-3.6.2-1] [MQTT5-3.7.2-1] PUBCOMP and PUBREL that know no identifier end what is left, and are told", () => {
    const session = sent("x1");
    fromBroker(session, { cmd: "pubrec", messageId: 1 });
    exchange(session);
    fromBroker(session, { cmd: "pubcomp", messageId: 1, reasonCode: 0x92 });
    expect(session.told).toEqual(["7 reason 146 id 1"]);
    session.link.down(LinkLoss.Peer);
    begin(session, {}, true);
    expect(exchange(session)).toEqual([]);
    fromBroker(session, { cmd: "pubrel", messageId: 5, reasonCode: 0x92 });
    expect(exchange(session)).toMatchObject([{ cmd: "pubcomp", messageId: 5, reasonCode: 0x92 }]);
  });

  it("of nothing that is owed does no harm", () => {
    const session = sent("1");
    fromBroker(session, { cmd: "puback", messageId: 9, reasonCode: 0x80 });
    fromBroker(session, { cmd: "puback", messageId: 9 });
    fromBroker(session, { cmd: "pubcomp", messageId: 9 });
    expect(session.client.state).toBe(ClientState.Online);
    expect(session.client.stats.acknowledged).toBe(0);
    expect(session.five.stats.rejected).toBe(0);
    // A PUBACK for a message at QoS 2 ends nothing, either.
    publishText(session.client, exact(), "x");
    exchange(session);
    fromBroker(session, { cmd: "puback", messageId: 2, reasonCode: 0x80 });
    expect(outboxCount(session.client.outbox)).toBe(2);
  });

  it("[MQTT5-3.4.2-1] [MQTT5-3.6.1-1] that is wrong ends the link, which says why", () => {
    const wrong: [readonly number[], number][] = [
      [[0x40, 1, 1], 0x81],
      [[0x40, 2, 0, 0], 0x82],
      [[0x40, 3, 0, 1, 2], 0x82],
      [[0x40, 4, 0, 1, 0, 1], 0x81],
      [[0x40, 5, 0, 1, 0, 0, 0], 0x81],
      [[0x40, 15, 0, 1, 0, ...section([31, ...text("a")], [31, ...text("b")], [31, 0, 2])], 0x82],
      [[0x41, 2, 0, 1], 0x81],
      [[0x60, 2, 0, 1], 0x81],
      [[0x52, 2, 0, 1], 0x81],
      [[0x70, 3, 0, 1, 0x10], 0x82],
    ];
    for (const [bytes, reason] of wrong) {
      const session = sent("1");
      raw(session, ...bytes);
      expect([bytes, session.client.fault]).toEqual([bytes, Fault.Violation]);
      expect(goodbyes(exchange(session))).toEqual([reason]);
    }
  });

  it("of QoS 2 is against the protocol when nothing was asked at that", () => {
    const session = createFiveSession();
    begin(session);
    fromBroker(session, { cmd: "pubrec", messageId: 1 });
    expect(session.client.breach).toBe(Breach.Qos2NotAsked);
    const other = createFiveSession();
    begin(other);
    raw(other, 0x34, 6, ...text("a"), 0, 1, 0);
    expect(other.client.breach).toBe(Breach.Qos2NotAsked);
    expect(goodbyes(exchange(other))).toEqual([0x82]);
  });

  it("that is missing ends the link, and nothing is sent again before another is there", () => {
    const session = sent("1");
    passTime(session, 20000);
    expect(session.client.fault).toBe(Fault.AckMissing);
    const packets = exchange(session);
    expect(publishes(packets)).toEqual([]);
    expect(goodbyes(packets)).toEqual([0x80]);
  });

  it("the application may publish from within what it is told", () => {
    const told: number[] = [];
    const session = createFiveSession({
      events: {
        told(_now, report) {
          told.push(report.reason);
          if (report.packet === 4) publishText(session.client, letter(), "again");
        },
      },
    });
    begin(session);
    publishText(session.client, letter(), "1");
    exchange(session);
    fromBroker(session, { cmd: "puback", messageId: 1, reasonCode: 0x97 });
    expect(told).toEqual([0, 0x97]);
    expect(publishes(exchange(session))).toEqual(["a/letter again 1 2"]);
  });
});
