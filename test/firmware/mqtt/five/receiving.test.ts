/** MQTT 5.0 and how a message is taken in: acknowledged by hand, refused with a reason, held back, in parts. */
import type { Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { LinkLoss } from "../../../../firmware/core/link";
import { Breach } from "../../../../firmware/mqtt/breach";
import { type ClientOptions, ClientState, Fault } from "../../../../firmware/mqtt/client-state";
import { createExactlyOnce } from "../../../../firmware/mqtt/exactly-once/create";
import { refuseMessage } from "../../../../firmware/mqtt/five/create";
import { findProperty, nextProperty, Property } from "../../../../firmware/mqtt/five/properties";
import type { FiveOptions } from "../../../../firmware/mqtt/five/state";
import { Acknowledged, acknowledge, byHand, type ByHandTable, createByHand, refuse } from "../../../../firmware/mqtt/receive/by-hand";
import { createHold, notNow } from "../../../../firmware/mqtt/receive/hold";
import { createParts } from "../../../../firmware/mqtt/receive/parts";
import { SubscriptionState } from "../../../../firmware/mqtt/subscriptions";
import { textAt } from "../../../../hal/node/native";
import { createListener, createSession, describeMessage, exchange, fromBroker, message, passTime, raw } from "../session";
import { settle as settleOld, subscribe as subscribeOld } from "../receive/rig";
import { begin, createFiveSession, type FiveSession, goodbyes, grantAll, publish, settle, subscribe } from "./rig";
import { tellProperties } from "./wire";

/** Each acknowledgement as `puback 3`, with ` for 151` when it has a reason. */
function answers(packets: readonly Packet[]): string[] {
  const told: string[] = [];
  for (const packet of packets) {
    if (packet.cmd !== "puback" && packet.cmd !== "pubrec" && packet.cmd !== "pubcomp") continue;
    const reason = packet.reasonCode ?? 0;
    told.push(`${packet.cmd} ${packet.messageId ?? 0}${reason === 0 ? "" : ` for ${reason}`}`);
  }
  return told;
}

interface Owing {
  readonly session: FiveSession;
  readonly hand: ByHandTable;
  readonly tokens: number[];
  readonly heard: string[];
}

/** What comes to `h` is acknowledged by hand, what comes to `a` is not; a payload of `no` is refused by both at once. */
function owing(slots = 4, options: Partial<ClientOptions> = {}, own: FiveOptions = {}): Owing {
  const hand = createByHand(slots);
  const session = createFiveSession(own, { byHand: hand, ...options }, true);
  const tokens: number[] = [];
  const heard: string[] = [];
  const hear = (line: string): void => {
    heard.push(line);
    if (line.includes(" no ")) refuseMessage(session.five, 0x97);
  };
  subscribe(session, "h", 2, byHand(hand, {
    message(_now, given) {
      tokens.push(given.token);
      hear(describeMessage(given));
    },
    parts: {
      begin: () => undefined,
      part: () => undefined,
      end(_now, given) {
        tokens.push(given.token);
        hear(`parts no ${given.qos}`);
      },
      aborted: () => heard.push("aborted"),
    },
  }));
  subscribe(session, "a", 2, { message: (_now, given) => hear(describeMessage(given)) });
  settle(session);
  return { session, hand, tokens, heard };
}

function say({ session, hand, tokens }: Owing, place: number): Acknowledged {
  return acknowledge(session.client, hand, session.link.now, tokens[place] ?? -1);
}

function deny({ session, hand, tokens }: Owing, place: number, reason: number): Acknowledged {
  return refuse(session.client, hand, session.link.now, tokens[place] ?? -1, reason);
}

function comes({ session }: Owing, topic: string, qos: 0 | 1 | 2, messageId: number, payload = "x"): void {
  publish(session, topic, payload, {}, qos === 0 ? {} : { qos, messageId });
}

describe("a message that is acknowledged by hand, in MQTT 5.0", () => {
  it("[MQTT5-3.4.2-1] [MQTT5-3.5.2-1] is acknowledged when the application says so, with the reason for which it is refused", () => {
    const all = owing();
    comes(all, "h", 1, 1);
    comes(all, "h", 2, 2);
    comes(all, "h", 1, 3);
    comes(all, "h", 2, 4);
    expect(answers(exchange(all.session))).toEqual([]);
    expect(deny(all, 0, 0x83)).toBe(Acknowledged.Done);
    expect(deny(all, 1, 0x99)).toBe(Acknowledged.Done);
    expect(say(all, 2)).toBe(Acknowledged.Done);
    expect(say(all, 3)).toBe(Acknowledged.Done);
    expect(answers(exchange(all.session))).toEqual(["puback 1 for 131", "pubrec 2 for 153", "puback 3", "pubrec 4"]);
  });

  it("[MQTT5-4.3.3-9] that was refused is over: what comes with its identifier is another", () => {
    const all = owing();
    comes(all, "h", 2, 7, "1");
    deny(all, 0, 0x97);
    comes(all, "h", 2, 7, "2");
    expect(all.heard).toEqual(["h 1 2", "h 2 2"]);
    say(all, 1);
    publish(all.session, "h", "2", {}, { qos: 2, messageId: 7, dup: true });
    expect(all.heard).toHaveLength(2);
    expect(answers(exchange(all.session))).toEqual(["pubrec 7 for 151", "pubrec 7", "pubrec 7"]);
    fromBroker(all.session, { cmd: "pubrel", messageId: 7 });
    expect(answers(exchange(all.session))).toEqual(["pubcomp 7"]);
  });

  it("[MQTT5-4.6.0-2] keeps its reason while it waits for those before it", () => {
    const all = owing();
    comes(all, "h", 1, 1);
    comes(all, "h", 1, 2);
    comes(all, "a", 1, 3, "no");
    comes(all, "a", 2, 4);
    expect(deny(all, 1, 0x91)).toBe(Acknowledged.Done);
    expect(answers(exchange(all.session))).toEqual([]);
    say(all, 0);
    expect(answers(exchange(all.session))).toEqual(["puback 1", "puback 2 for 145", "puback 3 for 151", "pubrec 4"]);
  });

  it("that its handler refuses at once is acknowledged by that", () => {
    const all = owing();
    comes(all, "h", 0, 0, "no");
    comes(all, "h", 1, 1, "no");
    comes(all, "h", 2, 2, "no");
    comes(all, "a", 1, 3);
    expect(answers(exchange(all.session))).toEqual(["puback 1 for 151", "pubrec 2 for 151", "puback 3"]);
    expect([say(all, 1), deny(all, 2, 0x80)]).toEqual([Acknowledged.Already, Acknowledged.Already]);
    expect(answers(exchange(all.session))).toEqual([]);
  });

  it("is refused when one of its handlers refuses it, whatever the others say", () => {
    const hand = createByHand(4);
    const session = createFiveSession({}, { byHand: hand }, true);
    const tokens: number[] = [];
    for (const filter of ["h", "+"]) {
      subscribe(session, filter, 1, byHand(hand, { message: (_now, { token }) => tokens.push(token) }));
    }
    settle(session);
    publish(session, "h", "x", {}, { qos: 1, messageId: 1 });
    publish(session, "h", "y", {}, { qos: 1, messageId: 2 });
    const [first = 0, same = 0, second = 0] = tokens;
    expect(acknowledge(session.client, hand, 0, first)).toBe(Acknowledged.Done);
    expect(refuse(session.client, hand, 0, same, 0x80)).toBe(Acknowledged.Done);
    expect(refuse(session.client, hand, 0, second, 0x97)).toBe(Acknowledged.Done);
    expect(acknowledge(session.client, hand, 0, second)).toBe(Acknowledged.Already);
    expect(answers(exchange(session))).toEqual(["puback 1 for 128", "puback 2 for 151"]);
  });

  it("may be acknowledged from within the handler of one that is refused, and has no part in that", () => {
    const hand = createByHand(4);
    const session = createFiveSession({}, { byHand: hand }, true);
    let token = 0;
    subscribe(session, "h", 1, byHand(hand, { message: (_now, given) => (token = given.token) }));
    subscribe(session, "a", 1, {
      message(now) {
        refuseMessage(session.five, 0x99);
        acknowledge(session.client, hand, now, token);
      },
    });
    settle(session);
    publish(session, "h", "x", {}, { qos: 1, messageId: 1 });
    publish(session, "a", "y", {}, { qos: 1, messageId: 2 });
    publish(session, "h", "x", {}, { qos: 1, messageId: 3 });
    acknowledge(session.client, hand, 0, token);
    expect(answers(exchange(session))).toEqual(["puback 1", "puback 2 for 153", "puback 3"]);
  });

  it("is not refused for what is no failure, by name, nor for a link that is gone", () => {
    const all = owing();
    comes(all, "h", 1, 1);
    for (const reason of [-1, 0, 0x10, 0x7f, 0x100]) expect(deny(all, 0, reason)).toBe(Acknowledged.NoReason);
    expect(deny(all, 9, 0x80)).toBe(Acknowledged.NotOwed);
    expect(answers(exchange(all.session))).toEqual([]);
    all.session.link.down(LinkLoss.Peer);
    begin(all.session, {}, true);
    expect(deny(all, 0, 0x80)).toBe(Acknowledged.LinkLost);
    publish(all.session, "h", "x", {}, { qos: 1, messageId: 1, dup: true });
    say(all, 1);
    expect(answers(exchange(all.session))).toEqual(["puback 1"]);
  });

  it("is acknowledged without a reason before MQTT 5.0, which has none", () => {
    const hand = createByHand(2);
    const session = createSession({ byHand: hand });
    let token = 0;
    subscribeOld(session, "h", byHand(hand, { message: (_now, given) => (token = given.token) }));
    settleOld(session);
    fromBroker(session, message("h", "x", { qos: 1, messageId: 5 }));
    expect(refuse(session.client, hand, 0, token, 0x97)).toBe(Acknowledged.Done);
    expect(exchange(session)).toMatchObject([{ cmd: "puback", messageId: 5 }]);
  });

  it("[MQTT5-3.3.4-9] announces no more of them than its table holds", () => {
    for (const [slots, receiveMaximum, announced] of [[4, undefined, 4], [20, undefined, 8], [4, 2, 2], [4, 6, 4]] as const) {
      const session = createFiveSession(receiveMaximum === undefined ? {} : { receiveMaximum }, { byHand: createByHand(slots) }, true);
      expect(begin(session)).toMatchObject({ properties: { receiveMaximum: announced } });
    }
  });

  it("has room for all refusals at once, though the link takes nothing meanwhile", () => {
    const all = owing(255, { exactlyOnce: createExactlyOnce({ sending: 8, receiving: 255 }) });
    for (let messageId = 1; messageId <= 255; messageId++) {
      raw(all.session, 0x32, 6, 0, 1, 0x68, 0, messageId, 0);
    }
    expect(all.tokens).toHaveLength(255);
    for (let place = 254; place >= 0; place--) expect(deny(all, place, 0x97)).toBe(Acknowledged.Done);
    expect(all.session.client.state).toBe(ClientState.Online);
    const said = answers(exchange(all.session));
    expect([said.length, said[0], said[254]]).toEqual([255, "puback 1 for 151", "puback 255 for 151"]);
  });

  it("comes in parts, too, and is refused or taken over at its end", () => {
    const all = owing(4, { parts: createParts(), receiveSize: 64 });
    comes(all, "h", 1, 1, "p".repeat(300));
    comes(all, "h", 2, 2, "p".repeat(300));
    comes(all, "h", 1, 3);
    say(all, 2);
    expect(all.heard).toEqual(["parts no 1", "parts no 2", "h x 1"]);
    expect(answers(exchange(all.session))).toEqual(["puback 1 for 151", "pubrec 2 for 151", "puback 3"]);
  });
});

describe("a message that has to wait, in MQTT 5.0", () => {
  const ALIASES = { aliasesIn: 2, aliasTopicSize: 32 };

  /** Everything below `a/` waits while `busy`; what it has of its properties is told each time. */
  function waiting(options: Partial<ClientOptions> = {}): FiveSession & { heard: string[]; busy: boolean } {
    const session = Object.assign(createFiveSession(ALIASES, { hold: createHold(256), ...options }, true), {
      heard: new Array<string>(),
      busy: true,
    });
    subscribe(session, "a/#", 2, {
      message(_now, given) {
        if (session.busy && notNow(session.client)) return;
        session.heard.push([describeMessage(given), ...tellProperties(session.five.properties).sort()].join(", "));
      },
    });
    settle(session);
    return session;
  }

  it("has its properties and the topic of its alias at last, at every QoS, in whichever pieces it came", () => {
    for (const qos of [0, 1, 2] as const) {
      for (const chunk of [1, 5, 1000]) {
        const session = waiting();
        const more = qos === 0 ? {} : { qos, messageId: 3 };
        session.busy = false;
        publish(session, "a/long", "0", { topicAlias: 1 });
        session.busy = true;
        // What is held is not read, so the rest must be there for the asking.
        publish(session, "", "1", { topicAlias: 1, contentType: "t", correlationData: Buffer.from("c") }, more, chunk);
        passTime(session, 500);
        expect(session.heard).toEqual(["a/long 0 0, 35 1"]);
        session.busy = false;
        passTime(session, 100);
        publish(session, "", "2", { topicAlias: 1 });
        expect(session.heard).toEqual(["a/long 0 0, 35 1", `a/long 1 ${qos}, 3 t, 35 1, 9 c`, "a/long 2 0, 35 1"]);
        expect(answers(exchange(session))).toEqual(qos === 0 ? [] : [`${qos === 1 ? "puback" : "pubrec"} 3`]);
      }
    }
  });

  it("fills the buffer with its payload, and has the topic of its alias all the same", () => {
    const session = waiting();
    session.busy = false;
    publish(session, "a/0123456789", "0", { topicAlias: 1 });
    session.busy = true;
    const payload = "p".repeat(128 - 2 - 2 - 4);
    publish(session, "", payload, { topicAlias: 1 }, { qos: 1, messageId: 3 });
    passTime(session, 200);
    session.busy = false;
    passTime(session, 100);
    expect(session.heard[1]).toBe(`a/0123456789 ${payload} 1, 35 1`);
    expect(answers(exchange(session))).toEqual(["puback 3"]);
  });

  it("keeps its properties though a filter is refused meanwhile that the broker does not know", () => {
    const session = createFiveSession({}, { hold: createHold(256) }, true);
    const heard: string[] = [];
    let busy = true;
    subscribe(session, "a", 1, {
      message() {
        if (busy && notNow(session.client)) return;
        heard.push(...tellProperties(session.five.properties));
      },
    });
    const shared = subscribe(session, "$share/g/b", 1, createListener());
    shared.state = SubscriptionState.Off;
    begin(session, { sharedSubscriptionAvailable: false });
    grantAll(session);
    publish(session, "a", "1", { contentType: "t" }, { qos: 1, messageId: 1 });
    shared.state = SubscriptionState.Wanted;
    passTime(session, 200);
    expect([shared.state, session.told]).toEqual([SubscriptionState.Refused, ["9 reason 158 id 0 about $share/g/b"]]);
    busy = false;
    passTime(session, 100);
    expect(heard).toEqual(["3 t"]);
  });

  it("is refused with its reason when it is tried again, also by hand", () => {
    const hand = createByHand(4);
    for (const qos of [1, 2] as const) {
      const session = createFiveSession({}, { hold: createHold(256), byHand: hand }, true);
      let tries = 0;
      const handler = {
        message(): void {
          tries++;
          if (tries % 2 === 1) notNow(session.client);
          else refuseMessage(session.five, 0x97);
        },
      };
      subscribe(session, "a", 2, handler);
      subscribe(session, "h", 2, byHand(hand, handler));
      settle(session);
      publish(session, "a", "1", {}, { qos, messageId: 1 });
      passTime(session, 100);
      publish(session, "h", "2", {}, { qos, messageId: 2 });
      passTime(session, 100);
      expect(tries).toBe(4);
      const name = qos === 1 ? "puback" : "pubrec";
      expect(answers(exchange(session))).toEqual([`${name} 1 for 151`, `${name} 2 for 151`]);
    }
  });

  it("stays refused by the handler that has refused it while another one lets it wait, unless the link is lost", () => {
    const session = createFiveSession({}, { hold: createHold(256) }, true);
    let busy = true;
    let refusing = true;
    subscribe(session, "+", 1, { message: () => (refusing ? refuseMessage(session.five, 0x99) : undefined) });
    subscribe(session, "a", 1, { message: () => (busy ? notNow(session.client) : undefined) });
    settle(session);
    publish(session, "a", "1", {}, { qos: 1, messageId: 1 });
    passTime(session, 100);
    busy = false;
    passTime(session, 100);
    publish(session, "b", "2", {}, { qos: 1, messageId: 2 });
    expect(answers(exchange(session))).toEqual(["puback 1 for 153", "puback 2 for 153"]);
    busy = true;
    publish(session, "a", "1", {}, { qos: 1, messageId: 3 });
    session.link.down(LinkLoss.Peer);
    busy = false;
    refusing = false;
    begin(session, {}, true);
    publish(session, "a", "1", {}, { qos: 1, messageId: 3, dup: true });
    expect(answers(exchange(session))).toEqual(["puback 3"]);
  });

  it("does not hand its refusal on to one that is read over", () => {
    const session = createFiveSession({ maximumPacketSize: 4096 }, { hold: createHold(256) }, true);
    let tries = 0;
    subscribe(session, "a", 1, {
      message() {
        tries++;
        if (tries === 1) notNow(session.client);
        else refuseMessage(session.five, 0x97);
      },
    });
    settle(session);
    publish(session, "a", "1");
    passTime(session, 100);
    expect(tries).toBe(2);
    publish(session, "b".repeat(200), "2", {}, { qos: 1, messageId: 2 });
    expect(answers(exchange(session))).toEqual(["puback 2"]);
  });
});

describe("a payload in parts, in MQTT 5.0, together with the rest", () => {
  function inParts(own: FiveOptions = {}, options: Partial<ClientOptions> = {}): FiveSession & { heard: string[]; waits: number } {
    const parts = createParts();
    const session = Object.assign(createFiveSession({ aliasesIn: 1, aliasTopicSize: 32, ...own }, { parts, receiveSize: 64, ...options }, true), {
      heard: new Array<string>(),
      waits: 0,
    });
    const properties = session.five.properties;
    const type = (): string => {
      const found = findProperty(properties, Property.ContentType);
      return found ? textAt(properties.bytes, properties.at, properties.count) : nextProperty(properties) ? "?" : "-";
    };
    let length = 0;
    subscribe(session, "a/#", 2, {
      message: (_now, given) => session.heard.push(`whole ${describeMessage(given)}`),
      parts: {
        begin(_now, given, total) {
          length = 0;
          session.heard.push(`begin ${textAt(given.bytes, given.topicAt, given.topicLength)} ${total} ${type()}`);
        },
        part(_now, given, _bytes, _at, count) {
          if (session.waits > 0) {
            session.waits--;
            notNow(session.client);
            return;
          }
          length += count;
          session.heard.push(`part ${textAt(given.bytes, given.topicAt, given.topicLength)} ${type()}`);
        },
        end: (_now, given) => session.heard.push(`end ${length} ${type()} ${given.qos}`),
        aborted: () => session.heard.push("aborted"),
      },
    });
    settle(session);
    return session;
  }

  it("has its properties and the topic of its alias in every part and at the end, also of one that had to wait", () => {
    for (const qos of [0, 1, 2] as const) {
      const session = inParts({}, { hold: createHold(512) });
      const more = qos === 0 ? {} : { qos, messageId: 9 };
      publish(session, "a/b", "", { topicAlias: 1 });
      session.waits = 3;
      publish(session, "", "p".repeat(100), { topicAlias: 1, contentType: "t" }, more);
      expect(session.heard).toEqual(["whole a/b  0", "begin a/b 100 t"]);
      passTime(session, 400);
      expect(session.heard.slice(2)).toEqual(["part a/b t", "part a/b t", `end 100 t ${qos}`]);
      expect(answers(exchange(session))).toEqual(qos === 0 ? [] : [`${qos === 1 ? "puback" : "pubrec"} 9`]);
    }
  });

  it("[MQTT5-3.3.4-9] counts among those that may be under way: one more ends the link when it begins, and a copy does not", () => {
    const session = inParts({ receiveMaximum: 2 });
    for (const messageId of [1, 2]) publish(session, "a", "p".repeat(200), {}, { qos: 2, messageId }, 50);
    publish(session, "a", "p".repeat(200), {}, { qos: 2, messageId: 2, dup: true }, 50);
    expect(answers(exchange(session))).toEqual(["pubrec 1", "pubrec 2", "pubrec 2"]);
    fromBroker(session, { cmd: "pubrel", messageId: 1 });
    publish(session, "a", "p".repeat(200), {}, { qos: 2, messageId: 3 }, 50);
    expect(answers(exchange(session))).toEqual(["pubcomp 1", "pubrec 3"]);
    const before = session.heard.length;
    publish(session, "a", "p".repeat(200), {}, { qos: 2, messageId: 4 }, 50);
    expect(session.heard).toHaveLength(before);
    expect([session.client.fault, session.client.breach]).toEqual([Fault.Violation, Breach.ProtocolError]);
    expect(goodbyes(exchange(session))).toEqual([0x93]);
  });

  it("is off when the link is lost, and comes again from the start with its properties", () => {
    for (const qos of [1, 2] as const) {
      const session = inParts();
      const whole = { topicAlias: 1, contentType: "t" };
      const bytes = "p".repeat(100);
      raw(session, 0x32 + (qos - 1) * 2, 120, 0, 3, 0x61, 0x2f, 0x62, 0, 5, 4, 3, 0, 1, 0x74, ...Buffer.from(bytes).subarray(0, 60));
      expect(session.heard[0]).toBe("begin a/b 108 t");
      session.link.down(LinkLoss.Peer);
      begin(session, {}, true);
      publish(session, "a/b", bytes, whole, { qos, messageId: 5, dup: true });
      expect(session.heard.at(-1)).toBe(`end 100 t ${qos}`);
      expect(session.heard.filter((line) => line === "aborted")).toHaveLength(1);
      expect(answers(exchange(session))).toEqual([`${qos === 1 ? "puback" : "pubrec"} 5`]);
    }
  });
});
