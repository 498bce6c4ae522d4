import { describe, expect, it } from "vitest";
import { addPublication } from "../../../firmware/mqtt/add-publication";
import { addSubscription, clientStart } from "../../../firmware/mqtt/client";
import { type ClientOptions, ClientState, Mistake } from "../../../firmware/mqtt/client-state";
import { type Notice } from "../../../firmware/mqtt/connect";
import { type Qos } from "../../../firmware/mqtt/packet";
import { publishText } from "../../../firmware/mqtt/publish";
import { connect, createListener, createSession, exchange, publishes } from "./session";

describe("a publication that is made for a client", () => {
  it("is published to as any other", () => {
    const session = createSession();
    connect(session);
    const publication = addPublication(session.client, "garden/temperature", 1, true, 10);
    expect(publication).toBeDefined();
    if (publication !== undefined) publishText(session.client, publication, "21.5");
    expect(publishes(exchange(session))).toEqual(["garden/temperature 21.5 1 1 retain"]);
    expect(session.client.mistake).toBe(Mistake.None);
  });

  const wrong: readonly (readonly [string, string, number, number, Mistake])[] = [
    ["[MQTT-4.7.3-1] an empty topic", "", 0, 10, Mistake.TopicName],
    ["[MQTT-3.3.2-2] a wildcard in the topic", "a/+", 0, 10, Mistake.TopicName],
    ["[MQTT-4.7.3-2] a U+0000 in the topic", "a\0b", 0, 10, Mistake.TopicName],
    ["[MQTT-4.7.3-3] a topic of 65536 bytes", "x".repeat(65536), 0, 10, Mistake.TopicName],
    ["[MQTT-3.3.1-4] a QoS of 3", "a", 3, 10, Mistake.Qos],
    ["a QoS of a half", "a", 0.5, 10, Mistake.Qos],
    ["QoS 2 without what it takes", "a", 2, 10, Mistake.ExactlyOnceMissing],
    ["a payload that no outbox of this size could hold", "a", 1, 1018, Mistake.OutboxSize],
    ["a topic that no outbox of this size could hold", "x".repeat(1000), 0, 40, Mistake.OutboxSize],
  ];

  it.each(wrong)("is refused for %s, by name, and nothing changes", (_what, topic, qos, maxPayload, mistake) => {
    const session = createSession();
    connect(session);
    expect(addPublication(session.client, topic, qos, false, maxPayload)).toBeUndefined();
    expect(session.client.mistake).toBe(mistake);
    expect(exchange(session)).toEqual([]);
    expect(session.client.state).toBe(ClientState.Online);
  });

  it("may be as long as the outbox", () => {
    const session = createSession();
    // First byte, two of length, two of the topic's length, the topic, two of the identifier.
    expect(addPublication(session.client, "a", 1, false, 1024 - 8)).toBeDefined();
    expect(addPublication(session.client, "a", 1, false, 1024 - 7)).toBeUndefined();
  });
});

describe("a subscription", () => {
  const wrong: readonly (readonly [string, string, number, Mistake])[] = [
    ["QoS 2 without what it takes", "a", 2, Mistake.ExactlyOnceMissing],
    ["a QoS of 3", "a", 3, Mistake.Qos],
    ["[MQTT-4.7.3-1] an empty filter", "", 1, Mistake.TopicFilter],
    ["[MQTT-4.7.1-2] a wildcard that does not fill its level", "a/#/b", 1, Mistake.TopicFilter],
    ["[MQTT-4.7.3-2] a U+0000 in the filter", "a\0b", 1, Mistake.TopicFilter],
    ["[MQTT-4.7.3-3] a filter of 65536 bytes", "x".repeat(65536), 1, Mistake.TopicFilter],
    ["a filter that there is no room for", "a filter that is long", 1, Mistake.SubscribeRoom],
  ];

  it.each(wrong)("is refused for %s, by name, and nothing changes", (_what, filter, qos, mistake) => {
    const session = createSession({ subscribeRoom: 20 });
    connect(session);
    expect(addSubscription(session.client, filter, qos, createListener())).toBeUndefined();
    expect(session.client.mistake).toBe(mistake);
    expect(session.client.subscriptions).toEqual([]);
    expect(exchange(session)).toEqual([]);
    expect(session.client.state).toBe(ClientState.Online);
  });
});

/** As a program says it that is not type-checked. */
const odd: { qos: Qos } = { qos: 1 };
Object.assign(odd, { qos: 3 });

describe("a client is told at once, and does not start, when", () => {
  const notice = { topic: "t/availability", payload: "offline", qos: 1, retain: true } as const;
  const withWill = (wrong: Partial<Notice>): Partial<ClientOptions> => ({ will: { ...notice, ...wrong } });

  const wrong: readonly (readonly [string, Partial<ClientOptions>, Mistake])[] = [
    ["[MQTT-4.7.3-1] the topic of its will is empty", withWill({ topic: "" }), Mistake.Notice],
    ["[MQTT5-3.3.2-2] a wildcard is in the topic of its will", withWill({ topic: "a/#" }), Mistake.Notice],
    ["[MQTT-3.1.3-10] [MQTT-4.7.3-2] a U+0000 is in the topic of its will", withWill({ topic: "a\0" }), Mistake.Notice],
    ["[MQTT-4.7.3-3] the topic of its will is 65536 bytes long", withWill({ topic: "x".repeat(65536) }), Mistake.Notice],
    ["[MQTT-3.1.2-14] its will is at QoS 3", withWill(odd), Mistake.Notice],
    ["the payload of its will is 65536 bytes long", withWill({ payload: "x".repeat(65536) }), Mistake.Notice],
    ["a wildcard is in the topic of its birth notice", { birth: { ...notice, topic: "+" } }, Mistake.Notice],
    ["the topic of its farewell notice is empty", { farewell: { ...notice, topic: "" } }, Mistake.Notice],
    ["[MQTT-3.1.3-4] a U+0000 is in its name", { clientId: "a\0" }, Mistake.ClientId],
    ["its name is 65536 bytes long", { clientId: "x".repeat(65536) }, Mistake.ClientId],
    ["[MQTT-3.1.3-11] a U+0000 is in its user name", { userName: "a\0" }, Mistake.UserName],
    ["its user name is 65536 bytes long", { userName: "x".repeat(65536) }, Mistake.UserName],
    ["its password is 65536 bytes long", { userName: "u", password: "x".repeat(65536) }, Mistake.UserName],
    ["all of it together has no room", { userName: "x".repeat(40000), password: "x".repeat(30000) }, Mistake.ControlSize],
    ["its keep alive interval is too long", { keepAlive: 65536 }, Mistake.KeepAlive],
    ["its keep alive interval is negative", { keepAlive: -1 }, Mistake.KeepAlive],
  ];

  it.each(wrong)("%s", (_what, options, mistake) => {
    const session = createSession(options);
    expect(session.client.mistake).toBe(mistake);
    // What is refused besides does not hide it.
    expect(addPublication(session.client, "", 0, false, 1)).toBeUndefined();
    expect(addSubscription(session.client, "", 0, createListener())).toBeUndefined();
    expect(session.client.mistake).toBe(mistake);
    clientStart(session.client, 0);
    expect(session.client.state).toBe(ClientState.Idle);
    expect(session.link.opened).toEqual([]);
  });

  it("it has a mistake, and not for one in a publication", () => {
    const session = createSession({ will: notice, birth: notice, farewell: notice, userName: "u", password: "p" });
    expect(session.client.mistake).toBe(Mistake.None);
    expect(addPublication(session.client, "", 0, false, 1)).toBeUndefined();
    connect(session);
    expect(session.client.state).toBe(ClientState.Online);
  });
});

describe("a client that is to speak MQTT 5.0", () => {
  it("does not start without what it takes", () => {
    const session = createSession({ protocol: 5 });
    expect(session.client.mistake).toBe(Mistake.FiveMissing);
    clientStart(session.client, 0);
    expect(session.client.state).toBe(ClientState.Idle);
    expect(session.link.opened).toEqual([]);
  });
});
