import fc from "fast-check";
import { generate, type IPublishPacket } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { clientLeave, clientPoll } from "../../../firmware/mqtt/client";
import { type ClientOptions, ClientState, Fault, PublishError } from "../../../firmware/mqtt/client-state";
import { clientDrop } from "../../../firmware/mqtt/drop";
import { outboxCount } from "../../../firmware/mqtt/outbox";
import { createPublication, WhenFull } from "../../../firmware/mqtt/publication";
import { publishText } from "../../../firmware/mqtt/publish";
import { type PayloadSource, publishFrom, SourceEnd } from "../../../firmware/mqtt/publish-source";
import { createSources } from "../../../firmware/mqtt/source/create";
import { createExactlyOnce } from "../../../firmware/mqtt/exactly-once/create";
import { LinkLoss, LinkState } from "../../../firmware/core/link";
import { hex } from "./scripted-link";
import {
  commands,
  connect,
  createSession,
  exchange,
  finishClosing,
  fromBroker,
  message,
  passTime,
  poll,
  publishes,
  reconnect,
  type Session,
} from "./session";

const STAGE = 64;
const live = createPublication("live", 0, false, 0);
const picture = createPublication("picture", 1, false, 0);
const note = createPublication("note", 1, false, 20);

interface TestSource extends PayloadSource {
  /** What it was asked for: the offsets. */
  readonly offsets: number[];
  readonly ends: SourceEnd[];
  /** It gives no byte from here on. */
  failsAt: number;
  /** The most that it gives at a time. */
  most: number;
  onEnd: () => void;
}

/** Byte `i` of the payload, a letter. */
function letter(i: number): number {
  return 0x61 + (i % 26);
}

function payloadOf(length: number): string {
  return Array.from({ length }, (_, i) => String.fromCharCode(letter(i))).join("");
}

function createSource(): TestSource {
  const source: TestSource = {
    offsets: [],
    ends: [],
    failsAt: Number.MAX_SAFE_INTEGER,
    most: Number.MAX_SAFE_INTEGER,
    onEnd: () => undefined,
    read(offset, into, at, room) {
      source.offsets.push(offset);
      const count = Math.min(room, source.most, source.failsAt - offset);
      for (let i = 0; i < count; i++) into[at + i] = letter(offset + i);
      return count;
    },
    ended(end) {
      source.ends.push(end);
      source.onEnd();
    },
  };
  return source;
}

function online(options: Partial<ClientOptions> = {}): Session {
  const session = createSession({ outboxSize: 100, sources: createSources(STAGE), ...options });
  connect(session);
  exchange(session);
  session.link.runs.length = 0;
  return session;
}

function accept(session: Session, length: number, publication = picture, source = createSource()): TestSource {
  expect(publishFrom(session.client, publication, source, length)).toBe(true);
  return source;
}

function puback(session: Session, messageId: number): void {
  fromBroker(session, { cmd: "puback", messageId });
}

describe("a message from a source", () => {
  it.each([0, 1, 5, 55, 56, 57, 116, 117, 118, 119, 1000, 16372, 16373, 16374, 16375])(
    "[MQTT 3.1.1 §2.2.3] of %i bytes is one packet that mqtt-packet writes the same, whatever the outbox holds",
    (length) => {
      const session = online();
      const source = accept(session, length);
      const sent = session.link.flush();
      const whole = generate(message("picture", payloadOf(length), { qos: 1, messageId: 1 }));
      expect(Buffer.compare(sent, whole)).toBe(0);
      expect(Math.max(...session.link.runs)).toBeLessThanOrEqual(STAGE);
      expect(source.ends).toEqual([]);
      puback(session, 1);
      expect(source.ends).toEqual([SourceEnd.Done]);
      expect([outboxCount(session.client.outbox), session.client.stats.acknowledged]).toEqual([0, 1]);
      expect(session.client.options.sources?.stats).toEqual({ accepted: 1, done: 1, lost: 0, failed: 0 });
    },
  );

  it("says a length of two million bytes in its header, and may be as long as MQTT has it", () => {
    const session = online();
    accept(session, 2097152 - 6, live);
    expect(hex(session.link.flush({ stopAfter: 13 }))).toBe("308080800100046c6976656162");
    const other = online();
    accept(other, 268435455 - 6, live);
    expect(hex(other.link.flush({ stopAfter: 11 }))).toBe("30ffffff7f00046c697665");
  });

  it("asks its source for bytes without a gap, as many as have room, also when it gives them one by one", () => {
    const session = online();
    const source = createSource();
    source.most = 1;
    accept(session, 100, live, source);
    expect(publishes(exchange(session))).toEqual([`live ${payloadOf(100)} 0 0`]);
    expect(source.offsets).toEqual(Array.from({ length: 100 }, (_, i) => i));
    const quick = accept(session, 100, live);
    exchange(session);
    // 2 + 6 bytes stand before the payload.
    expect(quick.offsets).toEqual([0, 56]);
  });

  it("ends at QoS 0 when all of it has gone, and is not asked before it has its turn", () => {
    const session = online();
    const source = accept(session, 10, live);
    expect(source.offsets).toEqual([]);
    session.link.flush({ stopAfter: 17 });
    expect(source.ends).toEqual([]);
    session.link.flush();
    expect(source.ends).toEqual([SourceEnd.Done]);
  });

  it("takes its turn, and nothing comes between its bytes: acknowledgements and pings wait for its end, and no longer", () => {
    const session = online();
    publishText(session.client, note, "before");
    accept(session, 200);
    publishText(session.client, note, "after");
    session.link.flush({ limit: 50, stopAfter: 100 });
    expect(publishes(session.link.takePackets())).toEqual(["note before 1 1"]);
    fromBroker(session, message("a", "x", { qos: 1, messageId: 9 }));
    session.link.flush();
    const packets = session.link.takePackets();
    expect(commands(packets)).toEqual(["publish", "puback", "publish"]);
    expect(publishes(packets)).toEqual([`picture ${payloadOf(200)} 1 2`, "note after 1 3"]);
  });

  it("needs no ping while its bytes go out", () => {
    const session = online({ keepAlive: 10 });
    accept(session, 400, live);
    for (let turn = 0; turn < 5; turn++) {
      session.link.now += 9000;
      poll(session);
      session.link.flush({ limit: 20, stopAfter: 20 });
    }
    expect(session.client.stats.pings).toBe(0);
  });

  it("waits for the send window as others do", () => {
    const session = online({ maxInFlight: 1 });
    publishText(session.client, note, "1");
    const source = accept(session, 10);
    expect(publishes(exchange(session))).toEqual(["note 1 1 1"]);
    expect([session.link.user().waiting(), session.link.user().offer(999), source.offsets]).toEqual([false, 0, []]);
    puback(session, 1);
    publishText(session.client, note, "2");
    expect(publishes(exchange(session))).toEqual([`picture ${payloadOf(10)} 1 2`]);
    puback(session, 2);
    expect(publishes(exchange(session))).toEqual(["note 2 1 3"]);
  });

  it("is dropped for no other, and takes no more room than its topic", () => {
    const session = online({ outboxSlots: 2 });
    const log = createPublication("log", 1, false, 9, WhenFull.DropOldest);
    accept(session, 10000);
    for (const text of ["1", "2", "3"]) expect(publishText(session.client, log, text)).toBe(true);
    const same = createPublication("picture", 1, false, 9, WhenFull.KeepNewest);
    expect(publishText(session.client, same, "newer")).toBe(false);
    expect(publishes(exchange(session))).toEqual([`picture ${payloadOf(10000)} 1 1`, "log 3 1 4"]);
  });

  it("may be published offline at QoS 1, and goes in the first session", () => {
    const session = createSession({ sources: createSources(STAGE) });
    accept(session, 100);
    connect(session);
    expect(publishes(exchange(session))).toEqual([`picture ${payloadOf(100)} 1 1`]);
  });

  it("may be followed by another when it has ended, and from within that", () => {
    const session = online();
    const second = createSource();
    const first = createSource();
    first.onEnd = () => expect(publishFrom(session.client, live, second, 70)).toBe(true);
    accept(session, 3, live, first);
    expect(publishes(exchange(session))).toEqual(["live abc 0 0", `live ${payloadOf(70)} 0 0`]);
    expect([first.ends, second.ends]).toEqual([[SourceEnd.Done], [SourceEnd.Done]]);
  });

  it("that was begun is finished by a client that leaves; at QoS 1 it is waited for", () => {
    const session = online();
    accept(session, 200, live);
    session.link.flush({ limit: 20, stopAfter: 20 });
    clientLeave(session.client, session.link.now, 1000);
    session.link.now += 2000;
    poll(session);
    expect(session.client.state).toBe(ClientState.Leaving);
    session.link.flush();
    expect(commands(session.link.takePackets())).toEqual(["publish", "disconnect"]);

    const other = online();
    accept(other, 20);
    clientLeave(other.client, other.link.now, 1000);
    expect(commands(exchange(other))).toEqual(["publish"]);
    puback(other, 1);
    expect(commands(exchange(other))).toEqual(["disconnect"]);
  });
});

describe("a message from a source whose link is lost", () => {
  const length = 90;
  const size = 2 + 9 + 2 + length;

  it.each(Array.from({ length: size + 1 }, (_, cut) => cut))(
    "[MQTT-4.4.0-1] [MQTT-3.3.1-1] after byte %i of it is sent again from its start, as a repetition if all of it had gone",
    (cut) => {
      for (const sessionPresent of [true, false]) {
        const session = online();
        const source = accept(session, length);
        publishText(session.client, note, "after");
        if (cut > 0) session.link.flush({ limit: 40, stopAfter: cut });
        session.link.takePackets();
        reconnect(session, sessionPresent);
        source.offsets.length = 0;
        const dup = cut === size && sessionPresent ? " dup" : "";
        expect(publishes(exchange(session))).toEqual([`picture ${payloadOf(length)} 1 1${dup}`, "note after 1 2"]);
        expect(source.offsets[0]).toBe(0);
        expect(source.ends).toEqual([]);
        puback(session, 1);
        expect(source.ends).toEqual([SourceEnd.Done]);
      }
    },
  );

  it.each([0, 1, 50, 97])("after byte %i of it has ended at QoS 0", (cut) => {
    const session = online();
    const source = accept(session, length, live);
    if (cut > 0) session.link.flush({ stopAfter: cut });
    session.link.takePackets();
    session.link.down(LinkLoss.Network);
    expect(source.ends).toEqual([SourceEnd.LinkLost]);
    connect(session);
    expect(publishes(exchange(session))).toEqual([]);
    expect(session.client.options.sources?.stats).toMatchObject({ accepted: 1, lost: 1 });
    expect(publishFrom(session.client, live, source, 1)).toBe(true);
  });

  it("keeps its place among those that are sent again", () => {
    const session = online();
    publishText(session.client, note, "1");
    accept(session, 100);
    publishText(session.client, note, "2");
    exchange(session);
    puback(session, 1);
    reconnect(session, true);
    expect(publishes(exchange(session))).toEqual([`picture ${payloadOf(100)} 1 2 dup`, "note 2 1 3 dup"]);
    expect(session.client.stats.retried).toBe(2);
  });
});

describe("a message from a source at QoS 2", () => {
  const length = 90;
  const size = 2 + 9 + 2 + length;
  const ledger = createPublication("picture", 2, false, 0);
  const whole = `picture ${payloadOf(length)} 2 1`;

  function exactly(): Session {
    return online({ exactlyOnce: createExactlyOnce({ sending: 4, receiving: 4 }) });
  }

  it("[MQTT-4.3.3-1] is the broker's with PUBREC: its source has ended, and its identifier is let go of by PUBCOMP", () => {
    const session = exactly();
    const source = accept(session, length, ledger);
    expect(publishes(exchange(session))).toEqual([whole]);
    expect(source.ends).toEqual([]);
    fromBroker(session, { cmd: "pubrec", messageId: 1 });
    expect(source.ends).toEqual([SourceEnd.Done]);
    expect(commands(exchange(session))).toEqual(["pubrel"]);
    fromBroker(session, { cmd: "pubcomp", messageId: 1 });
    expect([session.client.stats.acknowledged, outboxCount(session.client.outbox)]).toEqual([1, 0]);
  });

  it.each([0, 1, 2, 11, 13, 14, 64, 65, size - 1, size])(
    "[MQTT-4.4.0-1] whose link is lost after byte %i is sent again from its start, with DUP if all of it had gone",
    (cut) => {
      const session = exactly();
      const source = accept(session, length, ledger);
      if (cut > 0) session.link.flush({ stopAfter: cut });
      session.link.takePackets();
      reconnect(session, true);
      expect(publishes(exchange(session))).toEqual([whole + (cut === size ? " dup" : "")]);
      fromBroker(session, { cmd: "pubrec", messageId: 1 });
      expect(source.ends).toEqual([SourceEnd.Done]);
    },
  );

  it("is never sent again after PUBREC: the source is not asked, PUBREL is", () => {
    const session = exactly();
    const source = accept(session, length, ledger);
    exchange(session);
    fromBroker(session, { cmd: "pubrec", messageId: 1 });
    source.offsets.length = 0;
    reconnect(session, true);
    expect(commands(exchange(session))).toEqual(["pubrel"]);
    expect(source.offsets).toEqual([]);
  });

  it("is given up when all of it had gone and the broker has forgotten the session; otherwise it is sent as new", () => {
    const session = exactly();
    const source = accept(session, length, ledger);
    exchange(session);
    reconnect(session, false);
    expect(publishes(exchange(session))).toEqual([]);
    expect(source.ends).toEqual([SourceEnd.Discarded]);

    const other = exactly();
    accept(other, length, ledger);
    other.link.flush({ stopAfter: size - 1 });
    other.link.takePackets();
    reconnect(other, false);
    expect(publishes(exchange(other))).toEqual([whole]);
  });

  it("that its source cannot repeat is put to an end in good order, since the broker may have it", () => {
    const session = exactly();
    const source = accept(session, length, ledger);
    exchange(session);
    source.failsAt = 0;
    reconnect(session, true);
    expect(commands(exchange(session))).toEqual(["pubrel"]);
    expect(source.ends).toEqual([SourceEnd.SourceFailed]);
    fromBroker(session, { cmd: "pubcomp", messageId: 1 });
    expect([outboxCount(session.client.outbox), session.client.quota]).toEqual([0, session.client.window]);
  });
});

describe("a source that fails", () => {
  it("before any byte of its message has gone ends that, and nothing else", () => {
    const session = online();
    const source = createSource();
    source.failsAt = 20;
    accept(session, 100, picture, source);
    publishText(session.client, note, "after");
    expect(publishes(exchange(session))).toEqual(["note after 1 2"]);
    expect([source.ends, session.client.state]).toEqual([[SourceEnd.SourceFailed], ClientState.Online]);
    expect(session.client.options.sources?.stats).toMatchObject({ failed: 1 });
  });

  it("[MQTT-4.8.0-1] in the middle of its packet takes the link with it, and what waits goes on the next", () => {
    const session = online();
    const source = createSource();
    source.failsAt = 70;
    accept(session, 100, picture, source);
    publishText(session.client, note, "after");
    session.link.flush();
    expect([source.ends, session.client.fault]).toEqual([[SourceEnd.SourceFailed], Fault.Source]);
    expect([session.client.state, session.link.state, session.link.torn()]).toEqual([ClientState.Closing, LinkState.Closing, STAGE]);
    expect(session.link.takePackets()).toEqual([]);
    finishClosing(session);
    connect(session, true);
    expect(publishes(exchange(session))).toEqual(["note after 1 2"]);
    expect(session.client.stats.losses).toBe(1);
    accept(session, 10);
  });

  it("when it is asked again ends a message that had gone before", () => {
    const session = online();
    const source = accept(session, 100);
    exchange(session);
    source.failsAt = 0;
    reconnect(session, true);
    expect(publishes(exchange(session))).toEqual([]);
    expect([source.ends, session.client.state]).toEqual([[SourceEnd.SourceFailed], ClientState.Online]);
    expect(outboxCount(session.client.outbox)).toBe(0);
  });

  it("or ends the session while it is asked leaves its message to the next one", () => {
    const session = online();
    const source = createSource();
    let isFirst = true;
    const drops: PayloadSource = {
      read(offset, into, at, room) {
        if (isFirst) clientDrop(session.client);
        isFirst = false;
        return source.read(offset, into, at, room);
      },
      ended(end) {
        source.ended(end);
      },
    };
    expect(publishFrom(session.client, picture, drops, 100)).toBe(true);
    session.link.flush();
    expect([session.link.runs, session.link.torn()]).toEqual([[], 0]);
    finishClosing(session);
    connect(session, true);
    expect(publishes(exchange(session))).toEqual([`picture ${payloadOf(100)} 1 1`]);
  });

  it.each([0, -1, 1000])("is one that gives %i bytes", (count) => {
    const session = online();
    const source = createSource();
    source.read = () => count;
    accept(session, 100, picture, source);
    exchange(session);
    expect(source.ends).toEqual([SourceEnd.SourceFailed]);
  });
});

describe("what is wrong with a message from a source", () => {
  it("has a name at once; nothing changes, and the source is not asked", () => {
    const source = createSource();
    const without = createSession();
    expect(publishFrom(without.client, picture, source, 1)).toBe(false);
    expect(without.client.publishError).toBe(PublishError.SourcesMissing);

    const session = createSession({ sources: createSources(STAGE), outboxSlots: 2, outboxSize: 100 });
    const { client } = session;
    const refused = (publication = picture, length = 1): PublishError => {
      expect(publishFrom(client, publication, source, length)).toBe(false);
      return client.publishError;
    };
    expect(refused(live)).toBe(PublishError.NoSession);
    expect(refused(picture, -1)).toBe(PublishError.TooLong);
    expect(refused(picture, 268435455 - 10)).toBe(PublishError.TooLong);
    expect(refused(createPublication("x".repeat(56), 1, false, 0))).toBe(PublishError.LargerThanStage);
    expect(outboxCount(client.outbox)).toBe(0);
    publishText(client, note, "1");
    publishText(client, note, "2");
    expect(refused()).toBe(PublishError.FullOffline);
    connect(session);
    expect(refused()).toBe(PublishError.Full);
    exchange(session);
    puback(session, 1);
    accept(session, 1);
    expect(refused()).toBe(PublishError.SourceBusy);
    expect([source.offsets, source.ends, client.stats]).toMatchObject([[], [], { published: 3, offline: 1, refused: 6 }]);
  });
});

const event = fc.oneof(
  fc.record({ kind: fc.constant("note" as const) }),
  fc.record({ kind: fc.constant("live" as const) }),
  fc.record({ kind: fc.constant("from" as const), qos: fc.constantFrom(0, 1), length: fc.integer({ min: 0, max: 300 }) }),
  fc.record({ kind: fc.constant("send" as const), limit: fc.integer({ min: 1, max: 100 }), stopAfter: fc.integer({ min: 1, max: 300 }) }),
  fc.record({ kind: fc.constant("ack" as const), count: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant("lose" as const), sessionPresent: fc.boolean() }),
);

describe("messages from a source among others", () => {
  it("arrive whole, in order, at QoS 1 at least once, and each ends once, whatever is sent, acknowledged and lost", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60, size: "max" }), (events) => {
        const session = online({ outboxSize: 200, outboxSlots: 5 });
        const { client, link } = session;
        /** What was accepted at QoS 1, in order, and what the broker has seen of it. */
        const accepted: string[] = [];
        const arrived: string[] = [];
        const owed: number[] = [];
        const all: TestSource[] = [];
        let number = 0;
        const taken = (): void => {
          for (const packet of link.takePackets()) {
            if (packet.cmd !== "publish") continue;
            const text = packet.payload.toString();
            if (packet.qos === 0) continue;
            owed.push(idOf(packet));
            const first = packet.dup || arrived.includes(`${packet.topic} ${text}`);
            if (!first) arrived.push(`${packet.topic} ${text}`);
          }
        };
        for (const each of events) {
          if (each.kind === "note") {
            const text = String(++number);
            if (publishText(client, note, text)) accepted.push(`note ${text}`);
          } else if (each.kind === "live") {
            publishText(client, createPublication("other", 0, false, 9), String(++number));
          } else if (each.kind === "from") {
            const source = createSource();
            const topic = `from${++number}`;
            const publication = createPublication(topic, each.qos === 0 ? 0 : 1, false, 0);
            if (publishFrom(client, publication, source, each.length)) {
              all.push(source);
              if (each.qos === 1) accepted.push(`${topic} ${payloadOf(each.length)}`);
            }
          } else if (each.kind === "send") {
            link.flush({ limit: each.limit, stopAfter: each.stopAfter });
            taken();
          } else if (each.kind === "ack") {
            for (const id of owed.splice(0, each.count)) puback(session, id);
          } else {
            link.down(LinkLoss.Peer);
            owed.length = 0;
            connect(session, each.sessionPresent);
          }
          expect(all.filter(({ ends }) => ends.length === 0).length).toBeLessThanOrEqual(1);
          expect(arrived).toEqual(accepted.slice(0, arrived.length));
        }
        link.flush();
        taken();
        for (const id of owed) puback(session, id);
        clientPoll(client, link.now);
        expect(arrived).toEqual(accepted);
        expect(all.every(({ ends }) => ends.length === 1)).toBe(true);
        expect(outboxCount(client.outbox)).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});

function idOf(packet: IPublishPacket): number {
  return packet.messageId ?? 0;
}

describe("a client that could send from a source", () => {
  it("can be left alone as any other", () => {
    const session = online();
    accept(session, 100);
    exchange(session);
    puback(session, 1);
    passTime(session, 20000);
    expect(session.client.state).toBe(ClientState.Online);
  });
});
