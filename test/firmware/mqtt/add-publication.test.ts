import { describe, expect, it } from "vitest";
import { addPublication } from "../../../firmware/mqtt/add-publication";
import { addSubscription, clientStart } from "../../../firmware/mqtt/client";
import { ClientState, Mistake } from "../../../firmware/mqtt/client-state";
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
  it("is refused by name: QoS 2 without what it takes, a filter that is none, no room for it", () => {
    const { client } = createSession({ subscribeRoom: 20 });
    expect(addSubscription(client, "a", 2, createListener())).toBeUndefined();
    expect(client.mistake).toBe(Mistake.ExactlyOnceMissing);
    expect(addSubscription(client, "a/#/b", 1, createListener())).toBeUndefined();
    expect(client.mistake).toBe(Mistake.TopicFilter);
    expect(addSubscription(client, "a filter that is long", 1, createListener())).toBeUndefined();
    expect(client.mistake).toBe(Mistake.SubscribeRoom);
    expect(client.subscriptions).toEqual([]);
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
