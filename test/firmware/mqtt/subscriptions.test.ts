import { generate, type Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { LinkLoss } from "../../../firmware/core/link";
import { addSubscription } from "../../../firmware/mqtt/client";
import { Breach } from "../../../firmware/mqtt/breach";
import { ClientState, Fault, Mistake } from "../../../firmware/mqtt/client-state";
import { createPublication } from "../../../firmware/mqtt/publication";
import { publishText } from "../../../firmware/mqtt/publish";
import type { Qos } from "../../../firmware/mqtt/packet";
import {
  createSubscription,
  largestSubscribe,
  subscribeAgain,
  type Subscription,
  SubscriptionState,
  unsubscribe,
} from "../../../firmware/mqtt/subscriptions";
import {
  commands,
  connect,
  createListener,
  createSession,
  dial,
  exchange,
  fromBroker,
  goOnBehind,
  message,
  passTime,
  reconnect,
  type Session,
  underWay,
} from "./session";

const silent = { message: () => undefined };

function add(session: Session, filter: string, qos: Qos = 1, handler = createListener()): Subscription {
  const subscription = addSubscription(session.client, filter, qos, handler);
  if (subscription === undefined) throw new Error(`the client refuses ${filter}`);
  return subscription;
}

function suback(session: Session, ...granted: readonly number[]): void {
  fromBroker(session, { cmd: "suback", messageId: session.client.subscribeId, granted: [...granted] });
}

function unsuback(session: Session): void {
  fromBroker(session, { cmd: "unsuback", messageId: session.client.unsubscribeId, granted: [] });
}

/** The filters of the SUBSCRIBE and UNSUBSCRIBE packets, each with its QoS, or with `-` in front. */
function filters(packets: readonly Packet[]): string[] {
  return packets.flatMap((packet) => {
    if (packet.cmd === "subscribe") return packet.subscriptions.map(({ topic, qos }) => `${topic} ${qos}`);
    return packet.cmd === "unsubscribe" ? packet.unsubscriptions.map((topic) => `-${topic}`) : [];
  });
}

describe("SUBSCRIBE", () => {
  it("[MQTT-3.8.1-1] [MQTT-3.8.3-3] asks for every filter in one packet, as mqtt-packet writes it", () => {
    const session = createSession();
    add(session, "a/+", 1);
    add(session, "°/#", 0);
    connect(session);
    const packets = exchange(session);
    expect(commands(packets)).toEqual(["subscribe"]);
    expect(filters(packets)).toEqual(["a/+ 1", "°/# 0"]);
    expect(packets[0]?.messageId).toBe(1);
  });

  it("is not sent when there is nothing to ask for", () => {
    const session = createSession();
    connect(session);
    expect(exchange(session)).toEqual([]);
  });

  it("is sent once, however often the loop turns", () => {
    const session = createSession();
    add(session, "a");
    connect(session);
    passTime(session, 5000);
    expect(commands(exchange(session))).toEqual(["subscribe"]);
    expect(exchange(session)).toEqual([]);
  });

  it("[MQTT-3.1.2-6] renews every subscription, refused ones too, when the session is lost", () => {
    const session = createSession();
    add(session, "a");
    const refused = add(session, "b");
    connect(session);
    exchange(session);
    suback(session, 1, 128);
    reconnect(session, false);
    expect(filters(exchange(session))).toEqual(["a 1", "b 1"]);
    suback(session, 1, 1);
    expect(refused.state).toBe(SubscriptionState.Granted);
  });

  it("[MQTT-3.1.2-4] renews nothing when the session is present", () => {
    const session = createSession();
    const listener = createListener();
    add(session, "a", 1, listener);
    connect(session);
    exchange(session);
    suback(session, 1);
    reconnect(session, true);
    expect(exchange(session)).toEqual([]);
    fromBroker(session, message("a", "still"));
    expect(listener.heard).toEqual(["a still 0"]);
  });

  // The broker had lost the session and began a new one, which it says is present when it is asked again.
  it("[MQTT-3.1.2-4] renews every subscription when a CONNACK was lost, though the session is present then", () => {
    const session = createSession();
    add(session, "a");
    connect(session);
    exchange(session);
    suback(session, 1);
    session.link.down(LinkLoss.Network);
    dial(session);
    session.link.down(LinkLoss.Network);
    connect(session, true);
    expect(filters(exchange(session))).toEqual(["a 1"]);
    suback(session, 1);
    reconnect(session, true);
    expect(exchange(session)).toEqual([]);
  });

  it("is sent again when the link was lost before the answer, with the session present or not", () => {
    for (const present of [true, false]) {
      const session = createSession();
      add(session, "a");
      connect(session);
      exchange(session);
      reconnect(session, present);
      expect(filters(exchange(session))).toEqual(["a 1"]);
    }
  });

  it("is sent by a board that has restarted, though the broker still knows the session", () => {
    const session = createSession();
    add(session, "a");
    connect(session, true);
    expect(filters(exchange(session))).toEqual(["a 1"]);
  });

  it("asks again for what was ended or refused", () => {
    const session = createSession();
    const refused = add(session, "a");
    connect(session);
    exchange(session);
    suback(session, 128);
    expect(exchange(session)).toEqual([]);
    subscribeAgain(refused);
    expect(filters(exchange(session))).toEqual(["a 1"]);
    subscribeAgain(refused);
    expect(exchange(session)).toEqual([]);
    suback(session, 0);
    subscribeAgain(refused);
    expect(exchange(session)).toEqual([]);
  });
});

describe("SUBACK", () => {
  it("[MQTT-3.8.4-5] [MQTT-3.8.4-6] grants or refuses each filter by its place, at the QoS asked for or lower", () => {
    const session = createSession();
    const subscriptions = [add(session, "a", 1), add(session, "b", 1), add(session, "c", 0), add(session, "d", 1)];
    connect(session);
    exchange(session);
    suback(session, 1, 128, 0, 0);
    expect(subscriptions.map(({ state }) => state)).toEqual([
      SubscriptionState.Granted,
      SubscriptionState.Refused,
      SubscriptionState.Granted,
      SubscriptionState.Granted,
    ]);
    expect(subscriptions.map(({ granted }) => granted)).toEqual([1, 0, 0, 0]);
    expect(session.client.subscribeId).toBe(0);
  });

  it.each([
    ["fewer codes than filters", [1]],
    ["more codes than filters", [1, 1, 1]],
    ["[MQTT-3.9.3-2] a code that does not exist", [1, 3]],
    ["[MQTT-3.9.3-2] another code that does not exist", [127, 1]],
    ["[MQTT-3.9.3-2] a code above 0x80", [1, 0x81]],
    ["a higher QoS than was asked for", [1, 2]],
  ])("with %s ends the link, and nothing is granted", (_what, granted) => {
    const session = createSession();
    const first = add(session, "a");
    add(session, "b");
    connect(session);
    exchange(session);
    suback(session, ...granted);
    expect(session.client.fault).toBe(Fault.Violation);
    expect(session.client.breach).toBe(Breach.SubackCodes);
    expect(first.state).not.toBe(SubscriptionState.Granted);
    expect(session.link.closes).toBe(1);
  });

  it("[MQTT-2.3.1-7] with an identifier that nobody waits for is ignored", () => {
    const session = createSession();
    const subscription = add(session, "a");
    connect(session);
    exchange(session);
    fromBroker(session, { cmd: "suback", messageId: 77, granted: [1, 1, 1] });
    fromBroker(session, { cmd: "unsuback", messageId: session.client.subscribeId, granted: [] });
    fromBroker(session, { cmd: "puback", messageId: session.client.subscribeId });
    expect(subscription.state).toBe(SubscriptionState.Asked);
    suback(session, 1);
    expect(subscription.state).toBe(SubscriptionState.Granted);
    fromBroker(session, { cmd: "suback", messageId: 1, granted: [128] });
    expect(subscription.state).toBe(SubscriptionState.Granted);
    expect(session.client.stats.violations).toBe(0);
  });

  it("[MQTT-2.3.1-7] does not end a message that has the same identifier on another link", () => {
    const session = createSession();
    publishText(session.client, createPublication("t", 1, false, 5), "x");
    connect(session);
    exchange(session);
    fromBroker(session, { cmd: "suback", messageId: 1, granted: [0] });
    expect(underWay(session)).toBe(1);
  });
});

describe("a message of a subscription", () => {
  it("[MQTT-3.8.4-3] is delivered when it comes before the SUBACK", () => {
    const session = createSession();
    const listener = createListener();
    add(session, "a", 1, listener);
    connect(session);
    exchange(session);
    fromBroker(session, message("a", "stored", { retain: true }));
    expect(listener.heard).toEqual(["a stored 0 retain"]);
  });

  // The broker kept the session of the board and sends what it has stored right behind its CONNACK. The board, which
  // has restarted, acknowledges it: if it did not deliver it, it would be lost.
  it("[MQTT-3.1.2-5] is delivered when it comes before the SUBSCRIBE of a board that has restarted", () => {
    const session = createSession();
    const listener = createListener();
    add(session, "a", 1, listener);
    dial(session);
    session.link.receive(
      Uint8Array.from([
        ...generate({ cmd: "connack", returnCode: 0, sessionPresent: true }),
        ...generate(message("a", "kept", { qos: 1, messageId: 1 })),
      ]),
    );
    expect(listener.heard).toEqual(["a kept 1"]);
  });

  it("[MQTT-3.1.2-5] is delivered when the SUBACK was lost with the link and the broker goes on", () => {
    const session = createSession();
    const listener = createListener();
    add(session, "a", 1, listener);
    connect(session);
    exchange(session);
    session.link.down(LinkLoss.Network);
    dial(session);
    fromBroker(session, { cmd: "connack", returnCode: 0, sessionPresent: true });
    fromBroker(session, message("a", "kept", { qos: 1, messageId: 1 }));
    expect(listener.heard).toEqual(["a kept 1"]);
  });

  it("[MQTT-3.10.4-3] may still come until the UNSUBACK, and is delivered; after it none is", () => {
    const session = createSession();
    const listener = createListener();
    const subscription = add(session, "a", 1, listener);
    connect(session);
    exchange(session);
    suback(session, 1);
    unsubscribe(subscription);
    fromBroker(session, message("a", "1"));
    exchange(session);
    fromBroker(session, message("a", "2"));
    unsuback(session);
    fromBroker(session, message("a", "3"));
    expect(listener.heard).toEqual(["a 1 0", "a 2 0"]);
  });

  it("is not for a subscription that was refused", () => {
    const session = createSession();
    const refused = createListener();
    const granted = createListener();
    add(session, "a", 1, refused);
    add(session, "#", 1, granted);
    connect(session);
    exchange(session);
    suback(session, 128, 1);
    fromBroker(session, message("a", "x"));
    expect([refused.heard, granted.heard]).toEqual([[], ["a x 0"]]);
  });
});

describe("UNSUBSCRIBE", () => {
  function granted(...names: readonly string[]): { session: Session; subscriptions: Subscription[] } {
    const session = createSession();
    const subscriptions = names.map((name) => add(session, name));
    connect(session);
    exchange(session);
    suback(session, ...names.map(() => 1));
    return { session, subscriptions };
  }

  function only(subscriptions: readonly Subscription[]): Subscription {
    const first = subscriptions[0];
    if (first === undefined) throw new Error("no subscription");
    return first;
  }

  it("[MQTT-3.10.1-1] [MQTT-3.10.3-2] ends the filters it names and no others", () => {
    const { session, subscriptions } = granted("a", "b", "c");
    for (const subscription of subscriptions.slice(0, 2)) unsubscribe(subscription);
    const packets = exchange(session);
    expect(commands(packets)).toEqual(["unsubscribe"]);
    expect(filters(packets)).toEqual(["-a", "-b"]);
    unsuback(session);
    expect(subscriptions.map(({ state }) => state)).toEqual([
      SubscriptionState.Off,
      SubscriptionState.Off,
      SubscriptionState.Granted,
    ]);
    reconnect(session, false);
    expect(filters(exchange(session))).toEqual(["c 1"]);
  });

  it("[MQTT-2.3.1-1] [MQTT-2.3.1-2] leaves its identifier, that of a SUBSCRIBE and 0 out for what follows", () => {
    const { session, subscriptions } = granted("a", "b");
    for (const subscription of subscriptions) unsubscribe(subscription);
    exchange(session);
    unsuback(session);
    subscribeAgain(only(subscriptions));
    exchange(session);
    suback(session, 1);
    unsubscribe(only(subscriptions));
    for (const subscription of subscriptions.slice(1)) subscribeAgain(subscription);
    goOnBehind(session, 65535);
    expect(exchange(session).map(({ cmd, messageId }) => `${cmd} ${messageId ?? 0}`)).toEqual([
      "subscribe 1",
      "unsubscribe 2",
    ]);
    goOnBehind(session, 65534);
    for (const id of [65535, 3]) {
      publishText(session.client, createPublication("t", 1, false, 5), "x");
      expect(session.client.lastId).toBe(id);
    }
  });

  it("is sent again when the link was lost before the answer, unless the session is lost too", () => {
    for (const present of [true, false]) {
      const { session, subscriptions } = granted("a", "b");
      unsubscribe(only(subscriptions));
      exchange(session);
      reconnect(session, present);
      expect(filters(exchange(session))).toEqual(present ? ["-a"] : ["b 1"]);
    }
  });

  it("is sent though the subscription was ended twice", () => {
    const { session, subscriptions } = granted("a");
    unsubscribe(only(subscriptions));
    unsubscribe(only(subscriptions));
    expect(filters(exchange(session))).toEqual(["-a"]);
    unsubscribe(only(subscriptions));
    reconnect(session, true);
    expect(filters(exchange(session))).toEqual(["-a"]);
  });

  it("is sent as soon as the SUBACK is there when the subscription was ended before", () => {
    const session = createSession();
    const subscription = add(session, "a");
    connect(session);
    exchange(session);
    unsubscribe(subscription);
    expect(exchange(session)).toEqual([]);
    suback(session, 1);
    expect(filters(exchange(session))).toEqual(["-a"]);
    unsuback(session);
    expect(subscription.state).toBe(SubscriptionState.Off);
  });

  it("is not sent for a subscription that was refused after it was ended", () => {
    const session = createSession();
    const subscription = add(session, "a");
    connect(session);
    exchange(session);
    unsubscribe(subscription);
    suback(session, 128);
    expect(exchange(session)).toEqual([]);
    reconnect(session, false);
    expect(exchange(session)).toEqual([]);
  });

  it("is sent for a subscription that was ended while its SUBACK was lost with the link", () => {
    const session = createSession();
    const subscription = add(session, "a");
    connect(session);
    exchange(session);
    unsubscribe(subscription);
    reconnect(session, true);
    expect(filters(exchange(session))).toEqual(["-a"]);
  });

  it("[MQTT-3.10.4-5] is over with its UNSUBACK, also when the broker knew of no such subscription", () => {
    const session = createSession();
    const listener = createListener();
    const subscription = add(session, "a", 1, listener);
    unsubscribe(subscription);
    connect(session, true);
    expect(filters(exchange(session))).toEqual(["-a"]);
    unsuback(session);
    expect(subscription.state).toBe(SubscriptionState.Off);
    fromBroker(session, message("a", "late", { qos: 1, messageId: 1 }));
    expect(listener.heard).toEqual([]);
    expect(commands(exchange(session))).toEqual(["puback"]);
  });

  it("is not sent, nor a SUBSCRIBE, for what was ended before there was a session", () => {
    const session = createSession();
    const subscription = add(session, "a");
    unsubscribe(subscription);
    connect(session);
    expect(exchange(session)).toEqual([]);
  });

  it("is followed by a SUBSCRIBE when the subscription is wanted again before the answer", () => {
    const { session, subscriptions } = granted("a");
    unsubscribe(only(subscriptions));
    exchange(session);
    subscribeAgain(only(subscriptions));
    expect(exchange(session)).toEqual([]);
    unsuback(session);
    expect(filters(exchange(session))).toEqual(["a 1"]);
  });

  it("leaves the subscription up when it is wanted again before anything was sent", () => {
    const { session, subscriptions } = granted("a");
    unsubscribe(only(subscriptions));
    subscribeAgain(only(subscriptions));
    expect(filters(exchange(session))).not.toContain("-a");
    reconnect(session, false);
    expect(filters(exchange(session))).toEqual(["a 1"]);
  });
});

describe("a client", () => {
  it.each(["", "a#", "a/#/b", "b+", "a\0b"])("[MQTT-4.7.1-2] [MQTT-4.7.1-3] refuses the filter %j", (filter) => {
    const session = createSession();
    expect(addSubscription(session.client, filter, 1, silent)).toBeUndefined();
    expect(session.client.subscriptions).toEqual([]);
  });

  it.each(["$share/", "$share//a", "$share/g", "$share/g/", "$share/g+/a", "$share/#/a", "$share/g/a#"])(
    "[MQTT5-4.8.2-1] [MQTT5-4.8.2-2] refuses the shared filter %j, and says why",
    (filter) => {
      const session = createSession();
      expect(addSubscription(session.client, filter, 1, silent)).toBeUndefined();
      expect(session.client.mistake).toBe(Mistake.TopicFilter);
    },
  );

  it("[MQTT5-4.8.2-2] sends a shared filter as it is, and knows its messages by what stands behind the share's name", () => {
    const session = createSession();
    const shared = createListener();
    const below = createListener();
    const subscription = add(session, "$share/group/a/+", 1, shared);
    add(session, "$share/group/#", 1, below);
    connect(session);
    expect(filters(exchange(session))).toEqual(["$share/group/a/+ 1", "$share/group/# 1"]);
    suback(session, 1, 1);
    fromBroker(session, message("a/b", "1"));
    fromBroker(session, message("b", "2"));
    fromBroker(session, message("$SYS/a", "3"));
    fromBroker(session, message("$share/group/a/b", "4"));
    expect([shared.heard, below.heard]).toEqual([["a/b 1 0"], ["a/b 1 0", "b 2 0"]]);
    unsubscribe(subscription);
    expect(filters(exchange(session))).toEqual(["-$share/group/a/+"]);
  });

  it("[MQTT-4.7.3-3] [MQTT5-4.7.3-3] refuses a filter of more than 65535 bytes", () => {
    expect(createSubscription("x".repeat(65536), 1, silent)).toBeUndefined();
    expect(createSubscription("x".repeat(65535), 1, silent)).toBeDefined();
  });

  it.each([20, 60, 126, 127, 128, 129, 130, 131, 132, 133, 140])(
    "takes subscriptions as long as they fit in one SUBSCRIBE of %i bytes, and refuses the next",
    (subscribeRoom) => {
      for (const length of [1, 5, 20, 119, 120, 121, 122, 123, 124]) {
        const session = createSession({ subscribeRoom });
        while (addSubscription(session.client, "x".repeat(length), 1, silent) !== undefined);
        const { subscriptions } = session.client;
        const remaining = 2 + subscriptions.length * (length + 3);
        expect(largestSubscribe(subscriptions, 0)).toBe(remaining + (remaining < 128 ? 2 : 3));
        expect(largestSubscribe(subscriptions, 0)).toBeLessThanOrEqual(subscribeRoom);
        const more = remaining + length + 3;
        expect(more + (more < 128 ? 2 : 3)).toBeGreaterThan(subscribeRoom);
      }
    },
  );

  it("sends a SUBSCRIBE that fills its room to the last byte", () => {
    const session = createSession({ subscribeRoom: 128 + 3 });
    add(session, "x".repeat(123));
    connect(session);
    session.link.flush();
    expect(session.link.takePackets()).toHaveLength(1);
    expect(session.client.state).toBe(ClientState.Online);
  });
});
