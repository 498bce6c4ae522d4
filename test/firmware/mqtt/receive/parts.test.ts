import { describe, expect, it } from "vitest";
import { LinkLoss } from "../../../../firmware/core/link";
import { clientLeave } from "../../../../firmware/mqtt/client";
import { Breach } from "../../../../firmware/mqtt/breach";
import { type ClientOptions, ClientState, Fault } from "../../../../firmware/mqtt/client-state";
import { clientDrop } from "../../../../firmware/mqtt/drop";
import { Acknowledged, acknowledge, byHand, createByHand } from "../../../../firmware/mqtt/receive/by-hand";
import { createHold, notNow } from "../../../../firmware/mqtt/receive/hold";
import { createParts, type PartsState } from "../../../../firmware/mqtt/receive/parts";
import { type MessageHandler, unsubscribe } from "../../../../firmware/mqtt/subscriptions";
import { textAt } from "../../../../hal/node/native";
import {
  commands,
  connect,
  createListener,
  createSession,
  describeMessage,
  dial,
  exchange,
  finishClosing,
  fromBroker,
  message,
  poll,
  raw,
  reconnect,
  type Session,
} from "../session";
import { acks, bytesOf, settle, subscribe } from "./rig";

/** A handler that writes down what it is told, and joins the parts. */
interface Taker extends MessageHandler {
  readonly told: string[];
  readonly joined: string[];
}

function createTaker(whilePart: () => void = () => undefined): Taker {
  const told: string[] = [];
  const joined: string[] = [];
  let text = "";
  let due = 0;
  return {
    told,
    joined,
    message(_now, given) {
      told.push(`whole: ${describeMessage(given)}`);
    },
    parts: {
      begin(_now, given, total) {
        told.push(`begin ${describeMessage(given)} ${total}`);
        text = "";
        due = total;
      },
      part(_now, given, bytes, at, count, offset) {
        if (count < 1) throw new Error("an empty part");
        const before = text;
        if (offset !== before.length) throw new Error(`offset ${offset} after ${before.length} bytes`);
        whilePart();
        if (!given.refused) text = before + textAt(bytes, at, count);
      },
      end(_now, given) {
        if (text.length !== due) throw new Error(`${text.length} bytes of ${due}`);
        told.push(`end ${textAt(given.bytes, given.topicAt, given.topicLength)}`);
        joined.push(text);
      },
      aborted() {
        told.push("aborted");
      },
    },
  };
}

interface Taking {
  readonly session: Session;
  readonly parts: PartsState;
  readonly taker: Taker;
}

const RECEIVE = 32;

function taking(options: Partial<ClientOptions> = {}, taker = createTaker()): Taking {
  const parts = createParts();
  const session = createSession({ receiveSize: RECEIVE, ...options, parts });
  subscribe(session, "a/#", taker);
  settle(session);
  return { session, parts, taker };
}

function counted(length: number): string {
  return Array.from({ length }, (_, i) => String.fromCharCode(97 + (i % 26))).join("");
}

const payload = counted(100);
const large = message("a/b", payload, { qos: 1, messageId: 0x0102 });
const whole = ["begin a/b  1 100", "end a/b"];

describe("a payload that is larger than the buffer", () => {
  it("comes in parts to a handler that takes them, split at any byte, and is acknowledged once, at the end", () => {
    const stream = bytesOf(message("a/s", "small"), large, message("a/s", "behind", { qos: 1, messageId: 9 }));
    for (let split = 0; split <= stream.length; split++) {
      const { session, taker, parts } = taking();
      session.link.receive(stream.subarray(0, split));
      session.link.receive(stream.subarray(split));
      expect(taker.told).toEqual(["whole: a/s small 0", ...whole, "whole: a/s behind 1"]);
      expect(taker.joined).toEqual([payload]);
      expect(acks(exchange(session))).toEqual([0x0102, 9]);
      expect(session.client.stats).toMatchObject({ received: 3, oversize: 0, unmatched: 0 });
      expect(parts).toMatchObject({ completed: 1, aborted: 0 });
    }
  });

  it.each([1, 2, 3, 7, 31, 32, 33])("comes in parts in reads of %i bytes", (chunk) => {
    const { session, taker } = taking();
    session.link.receive(bytesOf(large, large), chunk);
    expect(taker.told).toEqual([...whole, ...whole]);
    expect(taker.joined).toEqual([payload, payload]);
  });

  it("[MQTT-4.3.2-2] is not acknowledged before its last byte has come", () => {
    const { session } = taking();
    const stream = bytesOf(large);
    session.link.receive(stream.subarray(0, -1));
    expect(exchange(session)).toEqual([]);
    session.link.receive(stream.subarray(-1));
    expect(acks(exchange(session))).toEqual([0x0102]);
  });

  it("may have any length: one byte more than the buffer, or far more", () => {
    // Topic, its length and the identifier take 7 bytes.
    for (const length of [RECEIVE - 6, RECEIVE - 5, RECEIVE, 128, 5000, 100_000]) {
      const { session, taker } = taking();
      fromBroker(session, message("a/b", counted(length), { qos: 1, messageId: 1 }), 700);
      expect(taker.told).toEqual([`begin a/b  1 ${length}`, "end a/b"]);
      expect(taker.joined).toEqual([counted(length)]);
    }
    const { session, taker } = taking();
    fromBroker(session, message("a/b", counted(RECEIVE - 7), { qos: 1, messageId: 1 }));
    expect(taker.told).toEqual([`whole: a/b ${counted(RECEIVE - 7)} 1`]);
  });

  it("comes with its flags, at QoS 0 without an acknowledgement", () => {
    const { session, taker } = taking();
    fromBroker(session, message("a/b", payload, { retain: true }));
    fromBroker(session, message("a/b", payload, { qos: 1, messageId: 3, dup: true, retain: true }));
    expect(taker.told).toEqual(["begin a/b  0 retain 100", "end a/b", "begin a/b  1 retain dup 100", "end a/b"]);
    expect(acks(exchange(session))).toEqual([3]);
  });

  it("leaves nothing behind for the next message, which has other flags", () => {
    const { session, taker } = taking();
    for (const plain of [message("a/c", "x"), message("a/c", "x", { qos: 1, messageId: 3 })]) {
      fromBroker(session, plain);
      fromBroker(session, message("a/b", payload, { retain: true }));
      taker.told.length = 0;
      fromBroker(session, plain);
      expect(taker.told).toEqual([`whole: a/c x ${plain.qos}`]);
    }
  });

  it("whose topic fills the buffer to the last byte begins with the first byte behind it", () => {
    const topic = `a/${"t".repeat(RECEIVE - 2 - 2 - 2)}`;
    const { session, taker } = taking();
    fromBroker(session, message(topic, payload, { qos: 1, messageId: 5 }), 3);
    expect(taker.told).toEqual([`begin ${topic}  1 100`, `end ${topic}`]);
    expect(acks(exchange(session))).toEqual([5]);
  });

  it("whose topic is larger than the buffer is read over as a whole, counted, and acknowledged", () => {
    const topic = `a/${"t".repeat(RECEIVE)}`;
    for (const chunk of [1, 1000]) {
      const { session, taker } = taking();
      fromBroker(session, message(topic, payload, { qos: 1, messageId: 5 }), chunk);
      expect(taker.told).toEqual([]);
      expect(session.client.stats).toMatchObject({ oversize: 1, received: 0 });
      expect(acks(exchange(session))).toEqual([5]);
    }
  });

  it("[MQTT-4.3.2-2] that nobody takes in parts is never cut short: read over as a whole, counted, acknowledged", () => {
    const { session, taker } = taking();
    const listener = createListener();
    subscribe(session, "b", listener);
    fromBroker(session, message("b", payload, { qos: 1, messageId: 5 }), 9);
    fromBroker(session, message("c", payload, { qos: 1, messageId: 6 }), 9);
    expect([taker.told, listener.heard]).toEqual([[], []]);
    expect(session.client.stats).toMatchObject({ oversize: 2, received: 0 });
    expect(acks(exchange(session))).toEqual([5, 6]);
  });

  it("comes to every handler that takes parts; that another has to go without it is counted", () => {
    const { session, taker } = taking();
    const other = createTaker();
    const listener = createListener();
    subscribe(session, "#", listener);
    subscribe(session, "+/b", other);
    settleAgain(session);
    fromBroker(session, large, 11);
    expect([taker.joined, other.joined, listener.heard]).toEqual([[payload], [payload], []]);
    expect(session.client.stats).toMatchObject({ oversize: 1, received: 1 });
    expect(acks(exchange(session))).toEqual([0x0102]);
  });

  it("comes to eight handlers at most, in the order in which they were added; the ninth is counted", () => {
    const { session, taker } = taking();
    const more = Array.from({ length: 9 }, () => createTaker());
    for (const each of more) subscribe(session, "#", each);
    settleAgain(session);
    fromBroker(session, large, 11);
    expect([taker, ...more].map(({ joined }) => joined.length)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
    expect(session.client.stats.oversize).toBe(1);
  });
});

function settleAgain(session: Session): void {
  exchange(session);
  const { subscriptions, subscribeId } = session.client;
  const asked = subscriptions.filter(({ granted }) => granted === 0).map(() => 1);
  if (subscribeId !== 0) fromBroker(session, { cmd: "suback", messageId: subscribeId, granted: asked });
}

describe("a link that is lost in the middle", () => {
  it("at any byte: the handler is told, nothing is acknowledged, and it comes again from the start", () => {
    const stream = bytesOf(large);
    for (let length = 1; length < stream.length; length++) {
      const { session, taker, parts } = taking();
      session.link.receive(stream.subarray(0, length), 10);
      session.link.down(LinkLoss.Network);
      const begun = taker.told.length > 0;
      expect(taker.told).toEqual(begun ? ["begin a/b  1 100", "aborted"] : []);
      expect(parts.aborted).toBe(begun ? 1 : 0);
      connect(session, true);
      fromBroker(session, { ...large, dup: true }, 10);
      expect(taker.told.slice(begun ? 2 : 0)).toEqual(["begin a/b  1 dup 100", "end a/b"]);
      expect(taker.joined).toEqual([payload]);
      expect(acks(exchange(session))).toEqual([0x0102]);
    }
  });

  it("is told once, also after the end of the session, and not for a message that was over", () => {
    const { session, taker } = taking();
    fromBroker(session, large);
    exchange(session);
    reconnect(session, true);
    fromBroker(session, large);
    expect(taker.told).toEqual([...whole, ...whole]);
    taker.told.splice(0, 2);
    session.link.receive(bytesOf(large).subarray(0, 60));
    clientLeave(session.client, session.link.now, 100);
    expect(commands(exchange(session))).toEqual(["puback", "disconnect"]);
    finishClosing(session);
    expect(taker.told).toEqual([...whole, "begin a/b  1 100", "aborted"]);
    connect(session, true);
    reconnect(session, true);
    expect(taker.told).toHaveLength(4);
  });

  it("by a handler that cuts it: no more parts, and then it is told", () => {
    let parts = 0;
    const taker = createTaker(() => {
      parts++;
      if (parts === 2) clientDrop(cut.session.client);
    });
    const cut = taking({}, taker);
    const other = createTaker();
    subscribe(cut.session, "#", other);
    cut.session.link.receive(bytesOf(large, large), 20);
    expect(parts).toBe(2);
    finishClosing(cut.session);
    expect(taker.told).toEqual(["begin a/b  1 100", "aborted"]);
    expect(other.told).toEqual(["begin a/b  1 100", "aborted"]);
    connect(cut.session, true);
    fromBroker(cut.session, large);
    expect([taker.joined, other.joined]).toEqual([[payload], [payload]]);
  });

  it("by a handler that cuts it before the first part: the others are told nothing but the end", () => {
    const told: string[] = [];
    const rig = taking();
    subscribe(rig.session, "#", {
      message: () => undefined,
      parts: {
        begin() {
          told.push("begin");
          clientDrop(rig.session.client);
        },
        part: () => told.push("part"),
        end: () => told.push("end"),
        aborted: () => told.push("aborted"),
      },
    });
    const last = createTaker();
    subscribe(rig.session, "#", last);
    rig.session.link.receive(bytesOf(large), 40);
    finishClosing(rig.session);
    expect(told).toEqual(["begin", "aborted"]);
    expect(rig.taker.told).toEqual(["begin a/b  1 100", "aborted"]);
    expect(last.told).toEqual([]);
    expect(rig.taker.joined).toEqual([]);
  });

  it("by a handler that cuts it with the last part, or at the beginning", () => {
    for (const at of [1, 5]) {
      let parts = 0;
      const cut = taking(
        {},
        createTaker(() => {
          parts++;
          if (parts === at) clientDrop(cut.session.client);
        }),
      );
      cut.session.link.receive(bytesOf(large), 27);
      expect(parts).toBe(at);
      finishClosing(cut.session);
      expect(cut.taker.told).toEqual(["begin a/b  1 100", "aborted"]);
      connect(cut.session, true);
      expect(acks(exchange(cut.session))).toEqual([]);
    }
  });
});

describe("a handler of parts", () => {
  it("may publish and end its subscription in the middle: it has the message to its end", () => {
    let parts = 0;
    const rig = taking(
      {},
      createTaker(() => {
        parts++;
        const [subscription] = rig.session.client.subscriptions;
        if (parts === 2 && subscription !== undefined) unsubscribe(subscription);
      }),
    );
    const stream = bytesOf(large);
    rig.session.link.receive(stream.subarray(0, 70), 20);
    expect(commands(exchange(rig.session))).toEqual(["unsubscribe"]);
    rig.session.link.receive(stream.subarray(70), 20);
    expect(rig.taker.joined).toEqual([payload]);
    expect(acks(exchange(rig.session))).toEqual([0x0102]);
  });

  it('may say "not now" to any part, in any read: it comes again, in order, and nothing is lost', () => {
    for (const chunk of [1, 5, 13, 64]) {
      for (let refuseAt = 1; refuseAt < 40; refuseAt++) {
        let calls = 0;
        const rig = taking(
          { hold: createHold(64) },
          createTaker(() => {
            calls++;
            if (calls === refuseAt || calls === refuseAt + 1) notNow(rig.session.client);
          }),
        );
        let left = bytesOf(large, message("a/s", "behind", { qos: 1, messageId: 9 }));
        for (let turn = 0; turn < 60 && left.length > 0; turn++) {
          left = rig.session.link.receive(left, chunk);
          poll(rig.session);
        }
        poll(rig.session);
        expect(rig.taker.told).toEqual([...whole, "whole: a/s behind 1"]);
        expect(rig.taker.joined).toEqual([payload]);
        expect(acks(exchange(rig.session))).toEqual([0x0102, 9]);
      }
    }
  });

  it('may say "not now" while others take the part: each gets each byte once', () => {
    for (const chunk of [1, 9, 64]) {
      for (let refuser = 0; refuser < 3; refuser++) {
        const hold = createHold(64);
        const session = createSession({ receiveSize: RECEIVE, hold, parts: createParts() });
        let turn = 0;
        const takers = [0, 1, 2].map((i) =>
          createTaker(() => {
            turn++;
            if (i === refuser && turn % 4 < 2) notNow(session.client);
          }),
        );
        for (const each of takers) subscribe(session, "#", each);
        settle(session);
        let left = bytesOf(large);
        for (let i = 0; i < 400 && (left.length > 0 || hold.holding); i++) {
          // What has been asked for comes in several pieces, also after the refusal.
          const promised = Math.min(session.link.user().room(), left.length);
          for (let at = 0; at < promised; at += chunk) {
            const end = Math.min(at + chunk, promised);
            session.link.user().received(session.link.now, left.slice(at, end), 0, end - at);
          }
          left = left.subarray(promised);
          poll(session);
        }
        expect(takers.map(({ joined }) => joined)).toEqual([[payload], [payload], [payload]]);
        expect(acks(exchange(session))).toEqual([0x0102]);
        expect(hold.refusals).toBeGreaterThan(0);
      }
    }
  });

  it('that has said "not now" when the link is lost is told that it is off', () => {
    let busy = true;
    const hold = createHold(64);
    const rig = taking(
      { hold },
      createTaker(() => {
        if (busy) notNow(rig.session.client);
      }),
    );
    rig.session.link.receive(bytesOf(message("a/b", payload), message("a/s", "x")));
    expect(rig.session.link.user().room()).toBe(0);
    rig.session.link.down(LinkLoss.Network);
    expect(rig.taker.told).toEqual(["begin a/b  0 100", "aborted"]);
    busy = false;
    connect(rig.session, true);
    fromBroker(rig.session, large, 9);
    expect(rig.taker.joined).toEqual([payload]);
  });

  it("counts a message at QoS 0 that was behind a part in the hold", () => {
    const hold = createHold(200);
    const rig = taking(
      { hold },
      createTaker(() => notNow(rig.session.client)),
    );
    rig.session.link.receive(bytesOf(large, message("b", "x"), message("b", "y", { qos: 1, messageId: 1 }), message("b", "")));
    rig.session.link.down(LinkLoss.Network);
    expect(hold.lost).toBe(2);
  });

  it("acknowledges by hand once all has come", () => {
    const hand = createByHand(2);
    const tokens: number[] = [];
    const taker = createTaker();
    const rig = taking({ byHand: hand });
    const { parts } = taker;
    if (parts === undefined) throw new Error("it takes no parts");
    subscribe(
      rig.session,
      "h",
      byHand(hand, {
        message: (_now, { token }) => tokens.push(token),
        parts: {
          begin(now, given, total) {
            tokens.push(given.token);
            parts.begin(now, given, total);
          },
          part(now, given, bytes, at, count, offset) {
            parts.part(now, given, bytes, at, count, offset);
          },
          end(now, given) {
            tokens.push(given.token);
            parts.end(now, given);
          },
          aborted(now) {
            parts.aborted(now);
          },
        },
      }),
    );
    settleAgain(rig.session);
    const { client, link } = rig.session;
    link.receive(bytesOf(message("h", payload, { qos: 1, messageId: 3 })).subarray(0, 50), 9);
    reconnect(rig.session, true);
    expect(hand.lost).toBe(0);
    fromBroker(rig.session, message("h", payload, { qos: 1, messageId: 3 }), 9);
    expect(exchange(rig.session)).toEqual([]);
    expect(tokens.slice(0, 2)).toEqual([0, 0]);
    expect(acknowledge(client, hand, link.now, tokens[2] ?? 0)).toBe(Acknowledged.Done);
    expect(acks(exchange(rig.session))).toEqual([3]);
    expect(taker.told).toEqual(["begin h  1 100", "aborted", "begin h  1 100", "end h"]);
  });
});

describe("a large PUBLISH that MQTT does not allow", () => {
  const filler = new Array<number>(60).fill(0x78);
  const bad: readonly (readonly [what: string, breach: Breach, bytes: readonly number[]])[] = [
    ["[MQTT-3.3.1-4] at QoS 3", Breach.Qos3, [0x36, 66, 0, 2, 0x61, 0x2f, 0, 1, ...filler]],
    ["[MQTT-3.3.1-2] at QoS 0 with DUP", Breach.DupWithoutQos, [0x38, 64, 0, 2, 0x61, 0x2f, ...filler]],
    ["[MQTT-2.3.1-1] with identifier 0", Breach.ZeroIdentifier, [0x32, 66, 0, 2, 0x61, 0x2f, 0, 0, ...filler]],
    ["[MQTT-4.7.3-1] to an empty topic", Breach.TopicEmpty, [0x32, 64, 0, 0, 0, 1, ...filler]],
    ["[MQTT-3.3.2-2] to a topic with +", Breach.TopicWildcard, [0x32, 67, 0, 3, 0x61, 0x2f, 0x2b, 0, 1, ...filler]],
    ["[MQTT-3.3.2-2] to a topic with #", Breach.TopicWildcard, [0x30, 65, 0, 3, 0x61, 0x2f, 0x23, ...filler]],
    ["[MQTT-1.5.3-2] to a topic with U+0000", Breach.TopicText, [0x30, 65, 0, 3, 0x61, 0x2f, 0, ...filler]],
    ["[MQTT-1.5.3-1] to an ill-formed topic", Breach.TopicText, [0x32, 67, 0, 3, 0x61, 0x2f, 0xc3, 0, 1, ...filler]],
  ];

  it.each(bad)("closes the link, whether it would be taken in parts or read over: %s", (_what, breach, bytes) => {
    for (const options of [{}, { parts: createParts() }]) {
      for (const chunk of [1, 1000]) {
        const session = createSession({ receiveSize: RECEIVE, ...options });
        const taker = createTaker();
        subscribe(session, "#", taker);
        settle(session);
        session.link.receive(Uint8Array.from([...bytes, ...bytesOf(message("a", "ghost", { qos: 1, messageId: 1 }))]), chunk);
        expect(session.client).toMatchObject({ state: ClientState.Closing, fault: Fault.Violation, breach });
        expect(session.client.stats.violations).toBe(1);
        expect(session.link.closes).toBe(1);
        expect(taker.told).toEqual([]);
        expect(session.link.flush()).toHaveLength(0);
      }
    }
  });

  it("[MQTT-3.2.0-1] before CONNACK closes the link", () => {
    const session = createSession({ receiveSize: RECEIVE, parts: createParts() });
    const taker = createTaker();
    subscribe(session, "#", taker);
    dial(session);
    session.link.receive(bytesOf(large));
    expect(session.client).toMatchObject({ fault: Fault.Violation, breach: Breach.BeforeConnack });
    expect(taker.told).toEqual([]);
  });

  it("whose topic is longer than the packet closes the link", () => {
    const { session, taker } = taking();
    raw(session, 0x32, 40, 0, 60, ...new Array<number>(38).fill(0x61));
    expect(session.client).toMatchObject({ fault: Fault.Violation, breach: Breach.Length });
    expect(taker.told).toEqual([]);
  });
});
