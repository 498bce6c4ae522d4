import fc from "fast-check";
import type { Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { LinkLoss } from "../../../../firmware/core/link";
import { type ClientOptions, ClientState } from "../../../../firmware/mqtt/client-state";
import { clientDrop } from "../../../../firmware/mqtt/drop";
import { createPublication } from "../../../../firmware/mqtt/publication";
import { publishText } from "../../../../firmware/mqtt/publish";
import { Acknowledged, acknowledge, byHand, type ByHandTable, createByHand } from "../../../../firmware/mqtt/receive/by-hand";
import { createHold, notNow } from "../../../../firmware/mqtt/receive/hold";
import {
  commands,
  connect,
  createListener,
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
} from "../session";
import { acks, bytesOf, settle, subscribe } from "./rig";

interface Owing {
  readonly session: Session;
  readonly hand: ByHandTable;
  /** The tokens in the order of arrival. */
  readonly tokens: number[];
}

/** Online: what comes to `h` is acknowledged by hand, what comes to `a` is not. */
function owing(slots = 4, options: Partial<ClientOptions> = {}): Owing {
  const hand = createByHand(slots);
  const session = createSession({ ...options, byHand: hand });
  const tokens: number[] = [];
  subscribe(session, "h", byHand(hand, { message: (_now, { token }) => tokens.push(token) }));
  subscribe(session, "a", createListener());
  settle(session);
  return { session, hand, tokens };
}

function say({ session, hand }: Owing, token: number | undefined): Acknowledged {
  return acknowledge(session.client, hand, session.link.now, token ?? -1);
}

function comes({ session }: Owing, topic: string, messageId: number): void {
  fromBroker(session, message(topic, "x", { qos: 1, messageId }));
}

/** It had been asked for before the client stopped reading. */
function comesUnasked({ link }: Session, packet: Packet): void {
  const bytes = bytesOf(packet);
  link.user().received(link.now, bytes, 0, bytes.length);
}

describe("a message that is acknowledged by hand", () => {
  it("[MQTT-4.3.2-2] is acknowledged when the application says so, not before", () => {
    const rig = owing();
    comes(rig, "h", 7);
    passTime(rig.session, 20_000);
    expect(exchange(rig.session)).toEqual([]);
    expect(say(rig, rig.tokens[0])).toBe(Acknowledged.Done);
    expect(acks(exchange(rig.session))).toEqual([7]);
  });

  it("may be acknowledged from within its handler", () => {
    const hand = createByHand(4);
    const session = createSession({ byHand: hand });
    const said: Acknowledged[] = [];
    subscribe(
      session,
      "#",
      byHand(hand, { message: (now, { token }) => said.push(acknowledge(session.client, hand, now, token)) }),
    );
    settle(session);
    const flood = [1, 2, 3, 4, 5, 6].map((messageId) => message("a", "x", { qos: 1, messageId }));
    session.link.receive(bytesOf(...flood, message("a", "plain")));
    expect(acks(exchange(session))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(said).toEqual([...flood.map(() => Acknowledged.Done), Acknowledged.NotOwed]);
    expect(hand.count).toBe(0);
  });

  it("has no token at QoS 0, and there is nothing to say", () => {
    const rig = owing();
    fromBroker(rig.session, message("h", "x"));
    expect(rig.tokens).toEqual([0]);
    expect(say(rig, 0)).toBe(Acknowledged.NotOwed);
    expect(rig.hand.count).toBe(0);
  });

  it("leaves no token behind for a handler that does not ask for one", () => {
    const hand = createByHand(4);
    const session = createSession({ byHand: hand });
    const tokens: number[] = [];
    subscribe(session, "a", byHand(hand, { message: () => undefined }));
    subscribe(session, "#", { message: (_now, { token }) => tokens.push(token) });
    settle(session);
    fromBroker(session, message("a", "x", { qos: 1, messageId: 1 }));
    expect(tokens).toEqual([0]);
  });

  it("is refused a second acknowledgement, by name, and one for what never came", () => {
    const rig = owing();
    for (const id of [1, 2, 3]) comes(rig, "h", id);
    const [first, second, third] = rig.tokens;
    expect(say(rig, second)).toBe(Acknowledged.Done);
    expect(say(rig, second)).toBe(Acknowledged.Already);
    expect(say(rig, first)).toBe(Acknowledged.Done);
    expect([say(rig, first), say(rig, second)]).toEqual([Acknowledged.Already, Acknowledged.Already]);
    expect(say(rig, (third ?? 0) + 1)).toBe(Acknowledged.NotOwed);
    expect([say(rig, -1), say(rig, 0)]).toEqual([Acknowledged.NotOwed, Acknowledged.NotOwed]);
    expect(acks(exchange(rig.session))).toEqual([1, 2]);
  });

  it("waits for every handler that acknowledges by hand", () => {
    const hand = createByHand(4);
    const session = createSession({ byHand: hand });
    const tokens: number[] = [];
    const handler = byHand(hand, { message: (_now, { token }) => tokens.push(token) });
    for (const filter of ["a", "#", "+"]) subscribe(session, filter, handler);
    settle(session);
    fromBroker(session, message("a", "x", { qos: 1, messageId: 5 }));
    const rig = { session, hand, tokens };
    const token = tokens[0];
    expect(tokens).toEqual([token, token, token]);
    expect([say(rig, token), say(rig, token)]).toEqual([Acknowledged.Done, Acknowledged.Done]);
    expect(exchange(session)).toEqual([]);
    expect([say(rig, token), say(rig, token)]).toEqual([Acknowledged.Done, Acknowledged.Already]);
    expect(acks(exchange(session))).toEqual([5]);
  });

  it("is not sent its acknowledgement while another of its handlers is yet to be called", () => {
    const hand = createByHand(4);
    const session = createSession({ byHand: hand });
    const tokens: number[] = [];
    subscribe(session, "a", byHand(hand, { message: (now, { token }) => acknowledge(session.client, hand, now, token) }));
    subscribe(session, "#", byHand(hand, { message: (_now, { token }) => tokens.push(token) }));
    settle(session);
    fromBroker(session, message("a", "x", { qos: 1, messageId: 5 }));
    expect(exchange(session)).toEqual([]);
    expect(say({ session, hand, tokens }, tokens[0])).toBe(Acknowledged.Done);
    expect(acks(exchange(session))).toEqual([5]);
  });
});

describe("acknowledgements", () => {
  it("[MQTT-4.6.0-2] leave in the order of arrival, in whichever order they are given", () => {
    const rig = owing();
    for (const id of [9, 2, 700, 1]) comes(rig, "h", id);
    const [a, b, c, d] = rig.tokens;
    say(rig, d);
    say(rig, b);
    expect(exchange(rig.session)).toEqual([]);
    say(rig, a);
    expect(acks(exchange(rig.session))).toEqual([9, 2]);
    say(rig, c);
    expect(acks(exchange(rig.session))).toEqual([700, 1]);
  });

  it("[MQTT-4.6.0-2] of other messages wait behind one that is owed, and those before it do not", () => {
    const rig = owing();
    comes(rig, "a", 1);
    comes(rig, "h", 2);
    comes(rig, "a", 3);
    comes(rig, "nobody", 4);
    expect(acks(exchange(rig.session))).toEqual([1]);
    say(rig, rig.tokens[0]);
    expect(acks(exchange(rig.session))).toEqual([2, 3, 4]);
    comes(rig, "a", 5);
    expect(acks(exchange(rig.session))).toEqual([5]);
  });

  it("[MQTT-4.6.0-2] wait also when a message too large to be delivered comes behind", () => {
    const rig = owing();
    comes(rig, "h", 2);
    fromBroker(rig.session, message("a", "x".repeat(300), { qos: 1, messageId: 3 }), 7);
    expect(exchange(rig.session)).toEqual([]);
    say(rig, rig.tokens[0]);
    expect(acks(exchange(rig.session))).toEqual([2, 3]);
  });

  it("come in any order for thousands of messages, and the same table serves all", () => {
    const ring = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 6 })), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(ring, fc.integer({ min: 1, max: 6 }), (steps, slots) => {
        const rig = owing(slots);
        const owed: number[] = [];
        const sent: number[] = [];
        let came = 0;
        const answer = (which: number): void => {
          const [token] = owed.splice(which % Math.max(owed.length, 1), 1);
          if (token !== undefined) expect(say(rig, token)).toBe(Acknowledged.Done);
        };
        for (const [hand, which] of steps) {
          const packet = message(hand ? "h" : "a", "", { qos: 1, messageId: came + 1 });
          const before = rig.tokens.length;
          if (rig.session.link.user().room() >= bytesOf(packet).length) {
            fromBroker(rig.session, packet);
            came++;
            owed.push(...rig.tokens.slice(before));
          } else {
            answer(which);
          }
          sent.push(...acks(exchange(rig.session)));
        }
        while (owed.length > 0) answer(owed.length - 1);
        sent.push(...acks(exchange(rig.session)));
        expect(sent).toEqual(Array.from({ length: came }, (_, i) => i + 1));
        expect(rig.hand.count).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});

describe("a full table", () => {
  it("stops the link from being read, and opens it again with the first acknowledgement", () => {
    const rig = owing(2);
    const user = rig.session.link.user();
    const rest = rig.session.link.receive(
      bytesOf(...[1, 2, 3, 4].map((messageId) => message("h", "", { qos: 1, messageId }))),
    );
    expect(rig.tokens).toHaveLength(2);
    expect([user.room(), rest.length]).toEqual([0, 14]);
    say(rig, rig.tokens[1]);
    expect(user.room()).toBe(0);
    say(rig, rig.tokens[0]);
    expect(user.room()).toBe(14);
    expect(rig.session.link.receive(rest)).toHaveLength(0);
    expect(acks(exchange(rig.session))).toEqual([1, 2]);
  });

  it("has room for every acknowledgement among the bytes that were asked for", () => {
    for (const slots of [1, 2, 5, 20]) {
      const rig = owing(slots);
      const promised = rig.session.link.user().room();
      const flood = bytesOf(...Array.from({ length: 99 }, (_, i) => message("h", "", { qos: 1, messageId: i + 1 })));
      rig.session.link.user().received(rig.session.link.now, flood, 0, promised);
      expect(rig.tokens).toHaveLength(slots);
      expect(rig.session.client.state).toBe(ClientState.Online);
    }
  });

  it("has room for all of them when they leave at once, though the link takes nothing meanwhile", () => {
    const rig = owing(255, { outboxSize: 4096 });
    let id = 0;
    for (;;) {
      const packet = bytesOf(message("h", "", { qos: 1, messageId: id + 1 }));
      if (rig.session.link.user().room() < packet.length) break;
      rig.session.link.receive(packet);
      id++;
    }
    expect(id).toBe(255);
    for (const token of [...rig.tokens].reverse()) say(rig, token);
    expect(rig.session.client.state).toBe(ClientState.Online);
    expect(acks(exchange(rig.session))).toHaveLength(255);
  });

  it("reads no more than it can acknowledge, though other acknowledgements wait to be sent", () => {
    const rig = owing(40);
    const user = rig.session.link.user();
    let id = 0;
    const read = (topic: string): void => {
      id++;
      rig.session.link.receive(bytesOf(message(topic, "", { qos: 1, messageId: id })));
    };
    // The link takes nothing: what is acknowledged stays in the client.
    while (user.room() >= 8 + 7 * 10) read("a");
    while (user.room() >= 8) read("h");
    expect(rig.hand.count).toBeGreaterThan(5);
    for (const token of rig.tokens) say(rig, token);
    expect(rig.session.client.state).toBe(ClientState.Online);
    expect(acks(exchange(rig.session))).toEqual(Array.from({ length: id }, (_, i) => i + 1));
  });

  it("does not try the client's patience with what it has not read; pings go on", () => {
    const rig = owing(1, { keepAlive: 30 });
    comes(rig, "h", 1);
    publishText(rig.session.client, createPublication("t", 1, false, 5), "out");
    expect(publishes(exchange(rig.session))).toEqual(["t out 1 2"]);
    for (let each = 0; each < 4; each++) {
      passTime(rig.session, 30_000);
      expect(commands(exchange(rig.session))).toEqual(["pingreq"]);
    }
    expect(rig.session.client.state).toBe(ClientState.Online);
    say(rig, rig.tokens[0]);
    expect(acks(exchange(rig.session))).toEqual([1]);
    passTime(rig.session, 9999);
    expect(rig.session.client.state).toBe(ClientState.Online);
    passTime(rig.session, 1);
    expect(rig.session.client.state).toBe(ClientState.Closing);
  });
});

describe("a lost link", () => {
  it("ends what was owed: a token of before is refused by name, and the message that comes again has another", () => {
    const rig = owing();
    comes(rig, "h", 1);
    comes(rig, "h", 2);
    const [first, second] = rig.tokens;
    say(rig, second);
    reconnect(rig.session, true);
    expect([say(rig, first), say(rig, second)]).toEqual([Acknowledged.LinkLost, Acknowledged.LinkLost]);
    expect(exchange(rig.session)).toEqual([]);
    expect(rig.hand).toMatchObject({ count: 0, lost: 2 });
    fromBroker(rig.session, message("h", "x", { qos: 1, messageId: 1, dup: true }));
    expect(say(rig, first)).toBe(Acknowledged.LinkLost);
    expect(rig.tokens).toHaveLength(3);
    expect(new Set(rig.tokens).size).toBe(3);
    expect(say(rig, rig.tokens[2])).toBe(Acknowledged.Done);
    expect(acks(exchange(rig.session))).toEqual([1]);
    expect(say(rig, rig.tokens[2])).toBe(Acknowledged.Already);
  });

  it("opens a table that was full", () => {
    const rig = owing(1);
    comes(rig, "h", 1);
    expect(rig.session.link.user().room()).toBe(0);
    rig.session.link.down(LinkLoss.Network);
    expect(say(rig, rig.tokens[0])).toBe(Acknowledged.LinkLost);
    connect(rig.session, true);
    expect(rig.session.link.user().room()).toBeGreaterThan(0);
    expect(rig.session.client.paused).toBe(false);
  });

  it("makes an acknowledgement that is given while it is being closed one that is not sent", () => {
    const rig = owing();
    comes(rig, "h", 1);
    clientDrop(rig.session.client);
    say(rig, rig.tokens[0]);
    expect(rig.session.link.flush()).toHaveLength(0);
    finishClosing(rig.session);
    connect(rig.session, true);
    expect(exchange(rig.session)).toEqual([]);
  });
});

describe("tokens", () => {
  it("begin anew after a billion, and an old one is still known for old", () => {
    const rig = owing(4);
    rig.hand.first = 0x3fffffff - 1;
    rig.hand.linkFirst = 0x3fffffff - 3;
    for (const id of [1, 2, 3, 4]) comes(rig, "h", id);
    expect(rig.tokens).toEqual([0x3fffffff - 1, 0x3fffffff, 1, 2]);
    for (const token of [2, 0x3fffffff, 1]) expect(say(rig, token)).toBe(Acknowledged.Done);
    expect(say(rig, 0x3fffffff - 4)).toBe(Acknowledged.LinkLost);
    expect(say(rig, 0x3fffffff - 3)).toBe(Acknowledged.Already);
    expect(say(rig, 0x3fffffff - 1)).toBe(Acknowledged.Done);
    expect(say(rig, 0x3fffffff)).toBe(Acknowledged.Already);
    expect(acks(exchange(rig.session))).toEqual([1, 2, 3, 4]);
  });
});

describe('a handler that acknowledges by hand and says "not now"', () => {
  function hesitant(others: "before" | "behind" | "none"): Owing & { refusals: number } {
    const hand = createByHand(4);
    const session = createSession({ byHand: hand, hold: createHold(64) });
    const tokens: number[] = [];
    const rig = { session, hand, tokens, refusals: 0 };
    const sure = byHand(hand, { message: (_now, { token }) => tokens.push(token) });
    if (others === "before") subscribe(session, "#", sure);
    subscribe(
      session,
      "h",
      byHand(hand, {
        message(_now, { token }) {
          if (rig.refusals === 0) {
            tokens.push(token);
          } else {
            rig.refusals--;
            notNow(session.client);
          }
        },
      }),
    );
    if (others === "behind") subscribe(session, "#", sure);
    settle(session);
    return rig;
  }

  it("keeps the link from being read for as long as either of the two wants it", () => {
    const hand = createByHand(1);
    const hold = createHold(64);
    const session = createSession({ byHand: hand, hold, keepAlive: 30 });
    const tokens: number[] = [];
    const rig = { session, hand, tokens };
    let busy = true;
    subscribe(session, "h", byHand(hand, { message: (_now, { token }) => rig.tokens.push(token) }));
    subscribe(session, "a", {
      message() {
        if (busy) notNow(session.client);
      },
    });
    settle(session);
    passTime(session, 30_000);
    expect(commands(exchange(session))).toEqual(["pingreq"]);
    busy = false;
    comes(rig, "h", 1);
    expect(rig.tokens).toHaveLength(1);
    // The table is full now, and the hold has something again.
    expect([session.client.paused, session.link.user().room()]).toEqual([true, 0]);
    busy = true;
    comesUnasked(session, message("a", "y"));
    expect(say(rig, rig.tokens[0])).toBe(Acknowledged.Done);
    expect(session.client.paused).toBe(true);
    passTime(session, 20_000);
    expect(session.client.state).toBe(ClientState.Online);
    comesUnasked(session, message("h", "z", { qos: 1, messageId: 2 }));
    busy = false;
    poll(session);
    expect(hold.holding).toBe(false);
    expect(session.client.paused).toBe(true);
    expect(say(rig, rig.tokens[1])).toBe(Acknowledged.Done);
    expect(session.client.paused).toBe(false);
  });

  it("owes nothing after its link was lost in between, and has a new token then", () => {
    const rig = hesitant("before");
    rig.refusals = 1;
    comes(rig, "h", 1);
    expect([rig.hand.count, rig.tokens.length]).toEqual([1, 1]);
    rig.refusals = 0;
    reconnect(rig.session, true);
    expect(rig.hand.count).toBe(0);
    comes(rig, "h", 1);
    const [, second, third] = rig.tokens;
    expect(third).toBe(second);
    expect([say(rig, second), say(rig, third)]).toEqual([Acknowledged.Done, Acknowledged.Done]);
    expect(acks(exchange(rig.session))).toEqual([1]);
  });

  it("owes nothing until it has taken the message", () => {
    const rig = hesitant("none");
    rig.refusals = 2;
    comes(rig, "h", 1);
    expect(rig.hand.count).toBe(0);
    poll(rig.session);
    poll(rig.session);
    expect(rig.tokens).toHaveLength(1);
    expect(say(rig, rig.tokens[0])).toBe(Acknowledged.Done);
    expect(acks(exchange(rig.session))).toEqual([1]);
  });

  it.each(["before", "behind"] as const)("shares one token with a handler %s it", (others) => {
    const rig = hesitant(others);
    rig.refusals = 2;
    comes(rig, "h", 1);
    poll(rig.session);
    poll(rig.session);
    const [first, second, ...more] = rig.tokens;
    expect(second).toBe(first);
    expect(more).toEqual([]);
    expect(say(rig, first)).toBe(Acknowledged.Done);
    expect(exchange(rig.session)).toEqual([]);
    expect(say(rig, second)).toBe(Acknowledged.Done);
    expect(acks(exchange(rig.session))).toEqual([1]);
    expect(rig.hand.count).toBe(0);
  });
});
