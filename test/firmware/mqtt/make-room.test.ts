import fc from "fast-check";
import type { IPublishPacket } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { type ClientOptions, ClientState, PublishError } from "../../../firmware/mqtt/client-state";
import { outboxCount, outboxUsed } from "../../../firmware/mqtt/outbox";
import { createPublication, type Publication, WhenFull } from "../../../firmware/mqtt/publication";
import { canPublish, publishBegin, publishBytes, publishEnd, publishText } from "../../../firmware/mqtt/publish";
import { LinkLoss } from "../../../firmware/core/link";
import { writeText } from "../../../firmware/core/writer";
import { QueueNumber } from "../../../hal/hal";
import { byteAt, queueAfter, queueFirst, queueNumber, textAt, u16At } from "../../../hal/node/native";
import {
  commands,
  connect,
  createSession,
  exchange,
  fromBroker,
  message,
  publishes,
  reconnect,
  type Session,
} from "./session";

const refuse = createPublication("r", 1, false, 20);
const log = createPublication("log", 1, false, 20, WhenFull.DropOldest);
const state = createPublication("s", 1, false, 20, WhenFull.KeepNewest);
const live = createPublication("live", 0, false, 20);
const liveLog = createPublication("live", 0, false, 20, WhenFull.DropOldest);
const liveState = createPublication("x", 0, false, 20, WhenFull.KeepNewest);

function online(options: Partial<ClientOptions> = {}): Session {
  const session = createSession(options);
  connect(session);
  exchange(session);
  return session;
}

/** What the outbox holds, as `topic payload`, with ` over` for what is over. */
function held({ client }: Session): string[] {
  const queue = client.outboxQueue;
  let at = queueFirst(queue);
  return Array.from({ length: outboxCount(client.outbox) }, () => {
    const first = byteAt(queue, at);
    const end = at + 2 + byteAt(queue, at + 1);
    const topic = textAt(queue, at + 4, u16At(queue, at + 2));
    const payloadAt = at + 4 + topic.length + (topic.startsWith("live") || topic === "x" ? 0 : 2);
    at = queueAfter(queue, at);
    return `${topic} ${textAt(queue, payloadAt, end - payloadAt)}${first === 0 ? " over" : ""}`;
  });
}

function fill(session: Session, publication: Publication, ...payloads: readonly string[]): void {
  for (const payload of payloads) {
    const bytes = Uint8Array.from(Buffer.from(payload));
    expect(publishBytes(session.client, publication, bytes, 0, bytes.length)).toBe(true);
  }
}

describe("a message that finds the outbox full", () => {
  it("is refused when its publication says so, and nothing else changes", () => {
    const session = online({ outboxSlots: 3 });
    fill(session, log, "1", "2");
    fill(session, refuse, "3");
    expect(canPublish(session.client, refuse)).toBe(false);
    expect(publishText(session.client, refuse, "4")).toBe(false);
    expect(held(session)).toEqual(["log 1", "log 2", "r 3"]);
    expect(session.client.publishError).toBe(PublishError.Full);
    expect(session.client.stats).toMatchObject({ refused: 1, published: 3, displaced: 0, overwritten: 0, replaced: 0 });
  });

  it("takes the place of the oldest one, of whatever topic, when its publication says so", () => {
    const session = online({ outboxSlots: 3 });
    fill(session, refuse, "1", "2");
    fill(session, log, "3");
    expect(canPublish(session.client, log)).toBe(true);
    fill(session, log, "4", "5");
    expect(held(session)).toEqual(["log 3", "log 4", "log 5"]);
    expect(session.client.stats).toMatchObject({ refused: 0, published: 5, overwritten: 2 });
    expect(publishes(exchange(session))).toEqual(["log 3 1 3", "log 4 1 4", "log 5 1 5"]);
  });

  it("drops as many of the oldest as it needs, and no more", () => {
    const session = online({ outboxSize: 60, outboxSlots: 20 });
    fill(session, log, "aaaa", "bbbb", "cccc", "dddd");
    expect(outboxUsed(session.client.outbox)).toBe(52);
    fill(session, log, "12345678901234567890");
    expect(held(session)).toEqual(["log cccc", "log dddd", "log 12345678901234567890"]);
  });

  it("drops nothing when all that may go would not be enough", () => {
    const session = online({ outboxSize: 60, outboxSlots: 20 });
    fill(session, log, "sent", "sent too");
    exchange(session);
    fill(session, log, "1", "2");
    expect(canPublish(session.client, log)).toBe(true);
    fill(session, log, "12345678901234567890", "12345678901234567890");
    const before = held(session);
    expect(before).toEqual(["log sent", "log sent too", "log 12345678901234567890"]);
    const wide = createPublication("wide", 1, false, 30, WhenFull.DropOldest);
    expect(canPublish(session.client, wide)).toBe(false);
    expect(publishText(session.client, wide, "x")).toBe(false);
    expect(held(session)).toEqual(before);
    expect(session.client.stats).toMatchObject({ refused: 1, overwritten: 3 });
  });

  it("never drops what is being sent, was sent, or is to be sent again", () => {
    const session = online({ outboxSlots: 4 });
    fill(session, log, "1", "2", "3", "4");
    session.link.flush({ limit: 15, stopAfter: 5 });
    // "1" is under way.
    fill(session, log, "5");
    expect(held(session)).toEqual(["log 1", "log 3", "log 4", "log 5"]);
    expect(publishes(exchange(session))).toEqual(["log 1 1 1", "log 3 1 3", "log 4 1 4", "log 5 1 5"]);
    expect(publishText(session.client, log, "6")).toBe(false);
    reconnect(session, true);
    expect(publishText(session.client, log, "6")).toBe(false);
    fromBroker(session, { cmd: "puback", messageId: 1 });
    expect(publishes(exchange(session))).toEqual(["log 1 1 1 dup", "log 3 1 3 dup", "log 4 1 4 dup", "log 5 1 5 dup"]);
  });

  it("at QoS 1 drops those that wait at QoS 0 first, whatever its own policy", () => {
    const session = online({ outboxSlots: 3 });
    fill(session, log, "1");
    fill(session, live, "2", "3");
    fill(session, refuse, "4");
    expect(held(session)).toEqual(["log 1", "live 3", "r 4"]);
    fill(session, log, "5", "6");
    expect(held(session)).toEqual(["r 4", "log 5", "log 6"]);
    expect(session.client.stats).toMatchObject({ displaced: 2, overwritten: 1, refused: 0 });
  });

  it("at QoS 0 drops none at QoS 1", () => {
    const session = online({ outboxSlots: 2 });
    fill(session, log, "1");
    fill(session, live, "2");
    fill(session, liveLog, "3");
    expect(held(session)).toEqual(["log 1", "live 3"]);
    fill(session, log, "4");
    expect(publishText(session.client, liveLog, "5")).toBe(false);
    expect(held(session)).toEqual(["log 1", "log 4"]);
  });

  it("has the room of what was acknowledged out of order before anything is dropped", () => {
    const session = online({ outboxSize: 60, outboxSlots: 9 });
    fill(session, log, "1234567", "1234567", "1234567");
    exchange(session);
    fromBroker(session, { cmd: "puback", messageId: 2 });
    fill(session, refuse, "12345678901234567890");
    expect(session.client.stats).toMatchObject({ refused: 0, overwritten: 0 });
    expect(held(session)).toEqual(["log 1234567", "log 1234567", "r 12345678901234567890"]);
  });
});

describe("a message of which only the newest counts", () => {
  it("replaces those of its topic that wait, whatever published them, and goes to the end", () => {
    const session = createSession();
    fill(session, createPublication("s", 1, true, 9), "0");
    fill(session, state, "1");
    fill(session, log, "2");
    fill(session, state, "3");
    expect(held(session)).toEqual(["log 2", "s 3"]);
    expect(session.client.stats).toMatchObject({ replaced: 2, published: 4 });
    expect(publishText(session.client, state, "written")).toBe(true);
    expect(held(session)).toEqual(["log 2", "s written"]);
  });

  it("leaves one that is being sent, or was sent, alone", () => {
    const session = online();
    fill(session, state, "1");
    exchange(session);
    fill(session, state, "2", "3");
    session.link.flush({ stopAfter: 2 });
    fill(session, state, "4", "5");
    expect(held(session)).toEqual(["s 1", "s 3", "s 5"]);
    expect(publishes(exchange(session))).toEqual(["s 3 1 3", "s 5 1 5"]);
  });

  it("is no other topic that begins alike", () => {
    const session = createSession();
    fill(session, createPublication("st", 1, false, 9), "1");
    fill(session, createPublication("", 1, false, 9), "s");
    fill(session, state, "2", "3");
    expect(held(session)).toEqual(["st 1", " s", "s 3"]);
  });

  it("finds room where the one before it waits, and has it only when it is written", () => {
    const session = createSession({ outboxSlots: 2 });
    fill(session, refuse, "1");
    fill(session, state, "2", "3");
    expect(held(session)).toEqual(["r 1", "s 3"]);
    expect(canPublish(session.client, state)).toBe(true);
    expect(canPublish(session.client, refuse)).toBe(false);
    const other = createPublication("other", 1, false, 9, WhenFull.KeepNewest);
    expect(publishText(session.client, other, "4")).toBe(false);
    expect(session.client.publishError).toBe(PublishError.FullOffline);
  });

  it("keeps the one before it when it is too long for its publication", () => {
    const session = createSession();
    fill(session, state, "1");
    expect(publishText(session.client, state, "123456789012345678901")).toBe(false);
    expect(session.client.publishError).toBe(PublishError.TooLong);
    expect(held(session)).toEqual(["s 1"]);
  });

  it("may be one at QoS 0", () => {
    const session = online();
    fill(session, liveState, "1");
    fill(session, live, "2");
    fill(session, liveState, "3");
    expect(publishes(exchange(session))).toEqual(["live 2 0 0", "x 3 0 0"]);
  });
});

describe("a message that was accepted and dropped", () => {
  it("is told to the application by its identifier, which is free again; at QoS 0 it is only counted", () => {
    const session = createSession({ outboxSlots: 3 });
    const told: number[] = [];
    session.onDropped = (id) => told.push(id);
    fill(session, state, "1", "2");
    fill(session, log, "3", "4", "5");
    expect(told).toEqual([1, 2]);
    connect(session);
    expect(publishes(exchange(session))).toEqual(["log 3 1 3", "log 4 1 4", "log 5 1 5"]);
    for (const messageId of [3, 4, 5]) fromBroker(session, { cmd: "puback", messageId });
    fill(session, live, "8", "9", "10");
    fill(session, refuse, "11");
    expect([told, session.client.stats.displaced]).toEqual([[1, 2], 1]);
  });

  it("gives no room to a message that is published from within", () => {
    const session = createSession({ outboxSlots: 1 });
    const within: unknown[] = [];
    session.onDropped = () => {
      within.push(publishText(session.client, log, "within"), session.client.publishError);
      within.push(publishBytes(session.client, log, new Uint8Array(1), 0, 1), session.client.publishError);
    };
    fill(session, log, "1", "2");
    expect(within).toEqual([false, PublishError.Busy, false, PublishError.Busy]);
    expect(held(session)).toEqual(["log 2"]);
  });
});

describe("what was wrong with a message that was refused", () => {
  it("has a name, and nothing is queued", () => {
    const session = createSession({ outboxSize: 30, outboxSlots: 2 });
    const { client } = session;
    const refused = (wanted: boolean): PublishError => {
      expect(wanted).toBe(false);
      return client.publishError;
    };
    expect(client.publishError).toBe(PublishError.None);
    expect(refused(publishEnd(client))).toBe(PublishError.NotBegun);
    expect(refused(publishText(client, live, "1"))).toBe(PublishError.NoSession);
    expect(refused(publishBytes(client, live, new Uint8Array(1), 0, 1))).toBe(PublishError.NoSession);
    expect(refused(publishText(client, refuse, "123456789012345678901"))).toBe(PublishError.TooLong);
    expect(refused(publishBytes(client, refuse, new Uint8Array(30), 0, 21))).toBe(PublishError.TooLong);
    expect(refused(publishText(client, createPublication("t", 1, false, 40), ""))).toBe(PublishError.LargerThanOutbox);
    expect([outboxCount(client.outbox), outboxUsed(client.outbox), client.stats.published]).toEqual([0, 0, 0]);

    const writer = publishBegin(client, refuse);
    expect(refused(publishBytes(client, refuse, new Uint8Array(1), 0, 1))).toBe(PublishError.Busy);
    expect(refused(publishBegin(client, refuse) !== undefined)).toBe(PublishError.Busy);
    if (writer !== undefined) writeText(writer, "1");
    expect(publishEnd(client)).toBe(true);
    expect(publishText(client, refuse, "2")).toBe(false);
    expect(publishBytes(client, refuse, new Uint8Array(1), 0, 1)).toBe(true);
    expect(refused(publishText(client, refuse, "3"))).toBe(PublishError.FullOffline);
    connect(session);
    expect(refused(publishText(client, refuse, "3"))).toBe(PublishError.Full);
    // A message that is accepted leaves the name of the last mistake where it is.
    exchange(session);
    fromBroker(session, { cmd: "puback", messageId: client.lastId });
    expect(publishBytes(client, refuse, new Uint8Array(1), 0, 1)).toBe(true);
    expect(client.publishError).toBe(PublishError.Full);
  });
});

describe("a full outbox", () => {
  it("holds back no acknowledgement and no ping", () => {
    const session = online({ outboxSlots: 2, maxInFlight: 1, keepAlive: 10 });
    fill(session, refuse, "1", "2");
    exchange(session);
    fromBroker(session, message("a", "x", { qos: 1, messageId: 9 }));
    expect(commands(exchange(session))).toEqual(["puback"]);
    session.link.now = 10000;
    expect(commands(exchange(session))).toEqual(["pingreq"]);
  });
});

interface Held {
  readonly topic: string;
  readonly qos: number;
  readonly id: number;
  readonly text: string;
  readonly size: number;
  /** It has gone on this link; it has gone on one before; it is over. */
  sent: boolean;
  again: boolean;
  over: boolean;
}

const publications = ["a", "b"].flatMap((topic) =>
  ([0, 1] as const).flatMap((qos) =>
    [WhenFull.Refuse, WhenFull.DropOldest, WhenFull.KeepNewest].map((whenFull) => ({
      topic,
      qos,
      whenFull,
      publication: createPublication(topic, qos, false, 60, whenFull),
    })),
  ),
);

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("publish" as const), which: fc.constantFrom(...publications), size: fc.integer({ min: 2, max: 60 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("send" as const),
      limit: fc.integer({ min: 1, max: 200 }),
      stopAfter: fc.integer({ min: 1, max: 200 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("ack" as const), which: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("lose" as const), sessionPresent: fc.boolean() }) },
);

const SIZE = 200;
const SLOTS = 6;

function describeHeld(one: Held): string {
  const id = one.qos === 0 ? "" : ` ${one.id}`;
  return one.over ? "over" : `${one.topic} ${one.text}${id}${one.again && !one.sent ? " again" : ""}`;
}

function inQueue({ client }: Session): string[] {
  const queue = client.outboxQueue;
  let at = queueFirst(queue);
  const sent = outboxCount(client.outbox) - queueNumber(queue, QueueNumber.Due);
  return Array.from({ length: outboxCount(client.outbox) }, (_, place) => {
    const first = byteAt(queue, at);
    const end = at + 2 + byteAt(queue, at + 1);
    const topic = textAt(queue, at + 4, 1);
    const id = (first & 6) === 0 ? "" : ` ${u16At(queue, at + 5)}`;
    const payloadAt = at + (id === "" ? 5 : 7);
    const text = textAt(queue, payloadAt, end - payloadAt);
    at = queueAfter(queue, at);
    return first === 0 ? "over" : `${topic} ${text}${id}${(first & 8) !== 0 && place >= sent ? " again" : ""}`;
  });
}

describe("an outbox with policies", () => {
  it("holds, drops and sends what a plain list does, whatever is published, sent, acknowledged and lost", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
        const session = online({ outboxSize: SIZE, outboxSlots: SLOTS });
        const { client, link } = session;
        const model: Held[] = [];
        let number = 0;
        /** Bytes of the run under way: everything that has one of them is being sent. */
        const busy = (): number =>
          queueNumber(client.outboxQueue, QueueNumber.Run) + queueNumber(client.outboxQueue, QueueNumber.Partial);
        const waiting = (): Held[] => {
          let left = busy();
          return model.filter((one) => {
            if (one.sent) return false;
            left -= one.size;
            return left + one.size <= 0 && !one.again;
          });
        };
        const remove = (one: Held): void => void model.splice(model.indexOf(one), 1);
        const fits = (size: number): boolean => {
          const kept = model.filter(({ over }) => !over);
          return kept.length < SLOTS && kept.reduce((sum, one) => sum + one.size, size) <= SIZE;
        };
        const release = (): void => {
          while (model[0]?.over === true) model.shift();
        };
        const took = (packets: readonly IPublishPacket[]): void => {
          for (const packet of packets) {
            const one = model.find(({ sent }) => !sent);
            expect(one?.text).toBe(packet.payload.toString());
            expect(packet.dup).toBe(one?.again);
            if (one === undefined) continue;
            one.sent = true;
            one.over = one.qos === 0;
          }
          release();
        };
        const sendRest = (options = {}): void => {
          link.flush(options);
          took(link.takePackets().filter((packet) => packet.cmd === "publish"));
        };
        for (const each of steps) {
          if (each.kind === "publish") {
            const { topic, qos, whenFull, publication } = each.which;
            const text = String(++number).padEnd(each.size, ".");
            const size = 2 + 3 + (qos === 0 ? 0 : 2) + text.length;
            const stats = { ...client.stats };
            const accepted = publishBytes(client, publication, Uint8Array.from(Buffer.from(text)), 0, text.length);
            const same = (): Held | undefined => waiting().find((one) => one.topic === topic);
            const cheap = (): Held | undefined => (qos === 0 ? undefined : waiting().find((one) => one.qos === 0));
            const oldest = (): Held | undefined =>
              whenFull === WhenFull.DropOldest ? waiting().find((one) => qos > 0 || one.qos === 0) : undefined;
            if (accepted) {
              let replaced = client.stats.replaced - stats.replaced;
              let displaced = client.stats.displaced - stats.displaced;
              let overwritten = client.stats.overwritten - stats.overwritten;
              const compacts = busy() === 0;
              const room = compacts && displaced + overwritten + replaced > 0 && whenFull !== WhenFull.KeepNewest;
              if (room) expect(fits(size)).toBe(false);
              const last: Held[] = [];
              const take = (one: Held | undefined): void => {
                expect(one).toBeDefined();
                if (one === undefined) return;
                remove(one);
                last.splice(0, 1, one);
              };
              for (; replaced > 0; replaced--) take(same());
              for (; displaced > 0; displaced--) take(cheap());
              for (; overwritten > 0; overwritten--) take(oldest());
              if (whenFull === WhenFull.KeepNewest) expect(same()).toBeUndefined();
              const one = last[0];
              // No more was dropped than was needed.
              if (room && one !== undefined) {
                model.push(one);
                expect(fits(size)).toBe(false);
                model.pop();
              }
              const id = qos === 0 ? 0 : client.lastId;
              model.push({ topic, qos, id, text, size, sent: false, again: false, over: false });
              expect(model.filter(({ over }) => !over).reduce((sum, held) => sum + held.size, 0)).toBeLessThanOrEqual(SIZE);
            } else {
              expect(client.stats).toEqual({ ...stats, refused: stats.refused + 1 });
              // With nothing lent there is no excuse: all that may go would not have been enough.
              if (busy() === 0) {
                const may = new Set(waiting().filter((one) => {
                  if (whenFull === WhenFull.KeepNewest && one.topic === topic) return true;
                  if (whenFull === WhenFull.DropOldest) return qos > 0 || one.qos === 0;
                  return qos > 0 && one.qos === 0;
                }));
                const kept = model.filter((one) => !one.over && !may.has(one));
                const used = kept.reduce((sum, one) => sum + one.size, size);
                expect(kept.length >= SLOTS || used > SIZE).toBe(true);
              }
            }
            // What is over goes when everything is moved together.
            if (inQueue(session).length < model.length) model.splice(0, model.length, ...model.filter(({ over }) => !over));
          } else if (each.kind === "send") {
            sendRest({ limit: each.limit, stopAfter: each.stopAfter });
          } else if (each.kind === "ack") {
            const one = model.filter(({ sent, over }) => sent && !over)[each.which];
            if (one === undefined) continue;
            fromBroker(session, { cmd: "puback", messageId: one.id });
            one.over = true;
            release();
          } else {
            link.down(LinkLoss.Peer);
            const kept = model.filter(({ qos, over }) => qos > 0 && !over);
            for (const one of kept) {
              one.again ||= one.sent;
              one.sent = false;
            }
            model.splice(0, model.length, ...kept);
            expect(inQueue(session)).toEqual(model.map(describeHeld));
            connect(session, each.sessionPresent);
            if (!each.sessionPresent) for (const one of model) one.again = false;
            expect(client.state).toBe(ClientState.Online);
          }
          expect(inQueue(session)).toEqual(model.map(describeHeld));
        }
        sendRest();
        for (const one of model.filter(({ over }) => !over)) fromBroker(session, { cmd: "puback", messageId: one.id });
        expect(outboxCount(client.outbox)).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});
