import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LinkLoss } from "../../../../firmware/core/link";
import { clientLeave, clientPoll, clientWait } from "../../../../firmware/mqtt/client";
import { type ClientOptions, ClientState, Fault } from "../../../../firmware/mqtt/client-state";
import { clientDrop } from "../../../../firmware/mqtt/drop";
import { createPublication } from "../../../../firmware/mqtt/publication";
import { publishText } from "../../../../firmware/mqtt/publish";
import { clientResume, createHold, type Held, notNow } from "../../../../firmware/mqtt/receive/hold";
import {
  commands,
  connect,
  createListener,
  createSession,
  describeMessage,
  exchange,
  finishClosing,
  fromBroker,
  message,
  passTime,
  poll,
  publishes,
  reconnect,
  type Session,
} from "../session";
import { acks, bytesOf, settle, subscribe } from "./rig";

interface Busy {
  readonly session: Session;
  readonly hold: Held;
  /** What was taken. */
  readonly heard: string[];
  /** How often the handler is to say "not now". */
  refusals: number;
}

/** Online; the handler of all that begins with `a` says "not now" for as long as it is told to. */
function busy(options: Partial<ClientOptions> = {}, size = 64): Busy {
  const hold = createHold(size);
  const session = createSession({ ...options, hold });
  const rig: Busy = { session, hold, heard: [], refusals: 0 };
  subscribe(session, "a/#", {
    message(_now, given) {
      if (rig.refusals > 0) {
        rig.refusals--;
        notNow(session.client);
      } else {
        rig.heard.push(describeMessage(given));
      }
    },
  });
  settle(session);
  return rig;
}

const forEver = 1_000_000;
const first = message("a/1", "first", { qos: 1, messageId: 7 });

describe('a message to which its handler says "not now"', () => {
  it("stays, is not acknowledged, and comes again at the next poll", () => {
    const rig = busy();
    rig.refusals = 1;
    fromBroker(rig.session, first);
    expect(rig.heard).toEqual([]);
    expect(rig.session.link.flush()).toHaveLength(0);
    poll(rig.session);
    expect(rig.heard).toEqual(["a/1 first 1"]);
    expect(acks(exchange(rig.session))).toEqual([7]);
    expect(rig.hold).toMatchObject({ refusals: 1, lost: 0, holding: false });
    expect(rig.session.client.stats).toMatchObject({ received: 1, unmatched: 0 });
  });

  it.each([1, 2, 5, 64])("comes as it was, with its flags, in reads of %i bytes", (chunk) => {
    const rig = busy();
    rig.refusals = 3;
    const given = message("a/°", "\ufeffpayload", { qos: 1, messageId: 9, dup: true, retain: true });
    expect(rig.session.link.receive(bytesOf(given), chunk)).toHaveLength(0);
    for (let turn = 0; turn < 3; turn++) poll(rig.session);
    expect(rig.heard).toEqual(["a/° \ufeffpayload 1 retain dup"]);
    expect(acks(exchange(rig.session))).toEqual([9]);
  });

  it("stops the link from being read, until it is taken", () => {
    const rig = busy();
    const user = rig.session.link.user();
    expect(user.room()).toBe(64);
    rig.refusals = forEver;
    fromBroker(rig.session, first);
    expect(user.room()).toBe(0);
    expect(rig.session.link.receive(bytesOf(first))).toHaveLength(bytesOf(first).length);
    passTime(rig.session, 5000);
    expect(user.room()).toBe(0);
    rig.refusals = 0;
    poll(rig.session);
    expect(user.room()).toBe(64);
  });

  it("comes again at once when the application says so", () => {
    const rig = busy();
    rig.refusals = 1;
    fromBroker(rig.session, first);
    clientResume(rig.session.client, rig.session.link.now);
    expect(rig.heard).toEqual(["a/1 first 1"]);
    clientResume(rig.session.client, rig.session.link.now);
    expect(rig.heard).toHaveLength(1);
  });

  it("is tried again within 50 ms by a loop that sleeps for as long as it may, and is no reason not to sleep", () => {
    const rig = busy();
    rig.refusals = forEver;
    fromBroker(rig.session, first);
    expect(clientWait(rig.session.client, rig.session.link.now)).toBe(50);
    passTime(rig.session, 1000);
    expect(rig.hold.refusals).toBe(1 + 1 + 20);
  });

  it("is not asked for again by a handler from within itself", () => {
    const hold = createHold(64);
    const session = createSession({ hold });
    let calls = 0;
    subscribe(session, "a", {
      message() {
        calls++;
        notNow(session.client);
        clientResume(session.client, session.link.now);
      },
    });
    settle(session);
    fromBroker(session, message("a", "x"));
    expect(calls).toBe(1);
    poll(session);
    expect(calls).toBe(2);
  });

  it("comes again only to those of several handlers that have not taken it, in their order", () => {
    const hold = createHold(64);
    const session = createSession({ hold });
    const heard: string[] = [];
    const times = [0, 2, 0, 1, 0];
    times.forEach((_, i) =>
      subscribe(session, i === 2 ? "b" : "a", {
        message() {
          const left = times[i] ?? 0;
          times[i] = left - 1;
          heard.push(`${i} ${left > 0 ? "not now" : "takes"}`);
          if (left > 0) notNow(session.client);
        },
      }),
    );
    settle(session);
    fromBroker(session, message("a", "x", { qos: 1, messageId: 3 }));
    for (let turn = 0; turn < 5; turn++) poll(session);
    expect(heard).toEqual(["0 takes", "1 not now", "1 not now", "1 takes", "3 not now", "3 takes", "4 takes"]);
    expect(acks(exchange(session))).toEqual([3]);
  });
});

describe("what comes behind it", () => {
  const behind = [
    message("a/2", "second"),
    message("a/3", "third", { qos: 1, messageId: 8 }),
    message("b", "nobody's", { qos: 1, messageId: 9 }),
  ];
  const stream = bytesOf(first, ...behind);
  const expected = ["a/1 first 1", "a/2 second 0", "a/3 third 1"];

  it("waits, and follows in order; nothing is acknowledged before its time [MQTT-4.6.0-2]", () => {
    const rig = busy();
    rig.refusals = 1;
    expect(rig.session.link.receive(stream)).toHaveLength(0);
    expect(rig.heard).toEqual([]);
    poll(rig.session);
    expect(rig.heard).toEqual(expected);
    expect(acks(exchange(rig.session))).toEqual([7, 8, 9]);
  });

  it("is understood wherever the read is cut, whichever message is refused, and however often", () => {
    for (let split = 0; split <= stream.length; split++) {
      for (const refusals of [[1], [0, 2], [0, 0, 1], [1, 1, 1]]) {
        const rig = busy();
        const plan = [...refusals];
        // What had been asked for comes, though the handler has said "not now" meanwhile.
        const { link } = rig.session;
        const promised = link.user().room();
        expect(promised).toBeGreaterThanOrEqual(stream.length);
        for (const piece of [stream.subarray(0, split), stream.subarray(split)]) {
          rig.refusals = plan[rig.heard.length] ?? 0;
          if (piece.length > 0) link.user().received(link.now, piece.slice(), 0, piece.length);
        }
        for (let turn = 0; turn < 8; turn++) {
          rig.refusals = Math.max(0, (plan[rig.heard.length] ?? 0) - turn);
          poll(rig.session);
        }
        expect(rig.heard).toEqual(expected);
        expect(acks(exchange(rig.session))).toEqual([7, 8, 9]);
        expect(rig.session.client.stats).toMatchObject({ received: 4, unmatched: 1, violations: 0 });
      }
    }
  });

  it("keeps its order when more of what was asked for comes after some was taken and the next was not", () => {
    const hold = createHold(200);
    const session = createSession({ hold });
    const { link, client } = session;
    const busyWith = new Set(["first", "third"]);
    const heard: string[] = [];
    subscribe(session, "a/#", {
      message(_now, given) {
        const payload = describeMessage(given).split(" ")[1] ?? "";
        if (busyWith.delete(payload)) notNow(client);
        else heard.push(payload);
      },
    });
    settle(session);
    const all = Uint8Array.from([...stream, ...bytesOf(message("a/4", "fourth"), message("a/5", "fifth"))]);
    const cut = stream.length + 5;
    link.user().received(link.now, all.slice(0, cut), 0, cut);
    clientResume(client, link.now);
    expect(heard).toEqual(["first", "second"]);
    link.user().received(link.now, all.slice(cut), 0, all.length - cut);
    poll(session);
    expect(heard).toEqual(["first", "second", "third", "fourth", "fifth"]);
    expect(acks(exchange(session))).toEqual([7, 8, 9]);
  });

  it("may be refused, too, one after the other", () => {
    const rig = busy();
    const seen: number[] = [];
    rig.refusals = 1;
    rig.session.link.receive(stream);
    for (let turn = 0; turn < 6; turn++) {
      rig.refusals = turn % 2;
      poll(rig.session);
      seen.push(rig.heard.length);
    }
    expect(rig.heard).toEqual(expected);
    expect(seen[0]).toBe(3);
  });

  it("fills the hold to the last byte when as much was asked for", () => {
    const rig = busy({}, stream.length);
    rig.refusals = 1;
    expect(rig.session.link.user().room()).toBe(stream.length);
    rig.session.link.receive(stream);
    poll(rig.session);
    expect(rig.heard).toEqual(expected);
    expect(rig.session.link.user().room()).toBe(stream.length);
  });

  it("[MQTT-4.8.0-2] ends the link when it is more than was asked for, rather than lose a part of the stream", () => {
    const rig = busy({}, 32);
    rig.refusals = forEver;
    const { link, client } = rig.session;
    link.user().received(link.now, stream.slice(), 0, stream.length);
    expect(client).toMatchObject({ state: ClientState.Closing, fault: Fault.Full });
    finishClosing(rig.session);
    rig.refusals = 0;
    connect(rig.session, true);
    fromBroker(rig.session, first);
    expect(rig.heard).toEqual(["a/1 first 1"]);
  });

  it("is a violation only when its turn comes", () => {
    const rig = busy();
    rig.refusals = 1;
    rig.session.link.receive(Uint8Array.from([...bytesOf(first), 0x36, 0, ...bytesOf(first)]));
    expect(rig.session.client.fault).toBe(Fault.None);
    poll(rig.session);
    expect(rig.heard).toEqual(["a/1 first 1"]);
    expect(rig.session.client).toMatchObject({ state: ClientState.Closing, fault: Fault.Violation });
    expect(rig.session.link.flush()).toHaveLength(0);
  });

  it("after a violation is nothing that is kept", () => {
    const rig = busy({}, 32);
    rig.session.link.receive(Uint8Array.of(0x36, 0, 1, 2, 3));
    for (let each = 0; each < 3; each++) {
      rig.session.link.user().received(rig.session.link.now, new Uint8Array(20), 0, 20);
    }
    expect(rig.session.client.fault).toBe(Fault.Violation);
    expect(rig.hold.count).toBe(0);
  });

  it("is not acted on when the handler that takes it at last cuts the link", () => {
    const hold = createHold(64);
    const session = createSession({ hold });
    let calls = 0;
    subscribe(session, "a/#", {
      message() {
        calls++;
        if (calls === 1) notNow(session.client);
        else clientDrop(session.client);
      },
    });
    settle(session);
    session.link.receive(stream);
    poll(session);
    expect(calls).toBe(2);
    finishClosing(session);
    expect(hold).toMatchObject({ holding: false, count: 0, lost: 0 });
  });
});

describe("while a message is held", () => {
  it("what the application publishes goes out, and acknowledgements that are due", () => {
    const rig = busy();
    rig.refusals = forEver;
    rig.session.link.receive(bytesOf(message("b", "x", { qos: 1, messageId: 1 }), message("a/1", "x")));
    publishText(rig.session.client, createPublication("t", 1, false, 9), "out");
    const sent = exchange(rig.session);
    expect(acks(sent)).toEqual([1]);
    expect(publishes(sent)).toEqual(["t out 1 2"]);
  });

  it("[MQTT-3.1.2-23] PINGREQs go on, one in each keep alive, though no answer can be read", () => {
    const rig = busy({ keepAlive: 30 });
    rig.refusals = forEver;
    fromBroker(rig.session, first);
    rig.session.client.sentAt = rig.session.link.now;
    for (let each = 0; each < 10; each++) {
      passTime(rig.session, 29_999);
      expect(commands(exchange(rig.session))).toEqual([]);
      passTime(rig.session, 1);
      expect(commands(exchange(rig.session))).toEqual(["pingreq"]);
    }
    expect(rig.session.client.state).toBe(ClientState.Online);
  });

  it("the client has patience with answers that it has not read; once it reads, it has none without end", () => {
    const rig = busy({ keepAlive: 30 });
    rig.refusals = forEver;
    fromBroker(rig.session, first);
    publishText(rig.session.client, createPublication("t", 1, false, 9), "out");
    exchange(rig.session);
    passTime(rig.session, 200_000);
    expect(rig.session.client.state).toBe(ClientState.Online);
    rig.refusals = 0;
    poll(rig.session);
    // From here on, the PINGRESP and the PUBACK that are owed have their full time.
    passTime(rig.session, 9999);
    expect(rig.session.client.state).toBe(ClientState.Online);
    passTime(rig.session, 1);
    expect(rig.session.client).toMatchObject({ state: ClientState.Closing, fault: Fault.PingrespMissing });
  });

  it("a PINGRESP that was held behind it counts when its turn comes", () => {
    const rig = busy({ keepAlive: 30 });
    passTime(rig.session, 30000);
    expect(commands(exchange(rig.session))).toEqual(["pingreq"]);
    rig.refusals = forEver;
    rig.session.link.receive(bytesOf(first, { cmd: "pingresp" }));
    passTime(rig.session, 15000);
    rig.refusals = 0;
    poll(rig.session);
    passTime(rig.session, 15000);
    expect(rig.session.client.state).toBe(ClientState.Online);
  });

  it("leaving does not wait for it: it comes again in the next session", () => {
    const rig = busy();
    rig.refusals = forEver;
    fromBroker(rig.session, first);
    clientLeave(rig.session.client, rig.session.link.now, 1000);
    expect(commands(exchange(rig.session))).toEqual(["disconnect"]);
    finishClosing(rig.session);
    expect(rig.session.client.state).toBe(ClientState.Idle);
    expect(rig.hold.holding).toBe(false);
  });
});

describe("a link that is lost while a message is held", () => {
  it("takes it along: at QoS 1 it comes again, and nothing is left of what was behind it", () => {
    const rig = busy();
    rig.refusals = forEver;
    rig.session.link.receive(bytesOf(first, message("a/2", "x", { qos: 1, messageId: 8 })));
    rig.refusals = 0;
    reconnect(rig.session, true);
    expect(rig.heard).toEqual([]);
    fromBroker(rig.session, { ...first, dup: true });
    fromBroker(rig.session, message("a/2", "x", { qos: 1, messageId: 8, dup: true }));
    expect(rig.heard).toEqual(["a/1 first 1 dup", "a/2 x 1 dup"]);
    expect(acks(exchange(rig.session))).toEqual([7, 8]);
    expect(rig.hold.lost).toBe(0);
  });

  it("takes messages at QoS 0 for good, which are counted: the one that is held, and those behind it", () => {
    const rig = busy({}, 200);
    rig.refusals = forEver;
    rig.session.link.receive(
      bytesOf(message("a/1", "1"), first, message("b", "x".repeat(100)), message("a", "2"), { cmd: "pingresp" }),
    );
    rig.session.link.down(LinkLoss.Network);
    expect(rig.hold).toMatchObject({ lost: 3, holding: false, count: 0 });
    rig.session.link.now += 1;
    connect(rig.session, true);
    expect(rig.session.link.user().room()).toBe(200);
    rig.session.link.down(LinkLoss.Network);
    expect(rig.hold.lost).toBe(3);
  });

  it("at any byte of what is behind it, leaves a client that works", () => {
    const stream = bytesOf(first, message("a/2", "x"), message("a/3", "y", { qos: 1, messageId: 9 }));
    for (let length = 1; length <= stream.length; length++) {
      const rig = busy();
      rig.refusals = forEver;
      rig.session.link.receive(stream.subarray(0, length));
      rig.refusals = 0;
      reconnect(rig.session, true);
      rig.session.link.receive(stream, 5);
      expect(rig.heard).toEqual(["a/1 first 1", "a/2 x 0", "a/3 y 1"]);
      expect(acks(exchange(rig.session))).toEqual([7, 9]);
    }
  });
});

describe("a client without a hold", () => {
  it("counts the message as taken, and its handler is told so", () => {
    const session = createSession();
    const answers: boolean[] = [];
    subscribe(session, "a", { message: () => answers.push(notNow(session.client)) });
    const other = createListener();
    subscribe(session, "#", other);
    settle(session);
    fromBroker(session, message("a", "x", { qos: 1, messageId: 3 }));
    expect([answers, other.heard]).toEqual([[false], ["a x 1"]]);
    expect(acks(exchange(session))).toEqual([3]);
    clientResume(session.client, session.link.now);
    clientPoll(session.client, session.link.now);
    expect(answers).toHaveLength(1);
  });
});

describe("back-pressure", () => {
  it("loses, repeats and reorders nothing, for any refusals, reads, polls and sizes", () => {
    const steps = fc.array(
      fc.record({
        refuse: fc.integer({ min: 0, max: 3 }),
        read: fc.integer({ min: 1, max: 90 }),
        polls: fc.integer({ min: 0, max: 2 }),
      }),
      { minLength: 5, maxLength: 60 },
    );
    const shape = fc.array(fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 60 })), {
      minLength: 1,
      maxLength: 25,
    });
    const calm = Array.from({ length: 200 }, () => ({ refuse: 0, read: 90, polls: 1 }));
    fc.assert(
      fc.property(shape, steps, fc.integer({ min: 24, max: 120 }), (messages, turns, size) => {
        const rig = busy({}, size);
        const packets = messages.map(([qos, length], i) =>
          message(`a/${i}`, "x".repeat(length), qos === 0 ? {} : { qos: 1, messageId: i + 1 }),
        );
        let left = bytesOf(...packets);
        const sent: number[] = [];
        const { link } = rig.session;
        for (const { refuse, read, polls } of [...turns, ...calm]) {
          rig.refusals = refuse;
          // A driver asks for a while what there is room for, and brings it bit by bit.
          const promised = Math.min(read, link.user().room(), left.length);
          const half = Math.floor(promised / 2);
          for (const [at, end] of [[0, half], [half, promised]] as const) {
            if (end > at) link.user().received(link.now, left.slice(at, end), 0, end - at);
            if (polls > 1) poll(rig.session);
          }
          left = left.subarray(promised);
          for (let i = 0; i < polls; i++) poll(rig.session);
          link.flush();
          sent.push(...acks(link.takePackets()));
        }
        expect(left).toHaveLength(0);
        expect(rig.heard).toEqual(messages.map(([qos, length], i) => `a/${i} ${"x".repeat(length)} ${qos}`));
        expect(sent).toEqual(messages.flatMap(([qos], i) => (qos === 0 ? [] : [i + 1])));
      }),
      { numRuns: 300 },
    );
  });
});
