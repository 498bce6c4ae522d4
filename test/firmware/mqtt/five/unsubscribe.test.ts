import { describe, expect, it } from "vitest";
import { SubscriptionState, unsubscribe } from "../../../../firmware/mqtt/subscriptions";
import { commands, exchange, fromBroker } from "../session";
import { listening, publish } from "./rig";

describe("a message of MQTT 5.0 for a subscription that is being ended", () => {
  it("[MQTT5-3.10.4-3] is delivered and acknowledged until the UNSUBACK, and acknowledged after it", () => {
    const session = listening();
    const [subscription] = session.client.subscriptions;
    if (subscription === undefined) throw new Error("no subscription");
    unsubscribe(subscription);
    expect(commands(exchange(session))).toEqual(["unsubscribe"]);
    publish(session, "a/x", "on its way", {}, { qos: 1, messageId: 7 });
    expect(session.heard).toHaveLength(1);
    expect(commands(exchange(session))).toEqual(["puback"]);
    fromBroker(session, { cmd: "unsuback", messageId: session.client.unsubscribeId, granted: [0] });
    publish(session, "a/x", "too late", {}, { qos: 1, messageId: 8 });
    expect(session.heard).toHaveLength(1);
    expect(commands(exchange(session))).toEqual(["puback"]);
  });

  it("[MQTT5-3.10.4-5] ends, too, when the broker says that it knew none", () => {
    const session = listening();
    const [subscription] = session.client.subscriptions;
    if (subscription === undefined) throw new Error("no subscription");
    unsubscribe(subscription);
    exchange(session);
    fromBroker(session, { cmd: "unsuback", messageId: session.client.unsubscribeId, granted: [0x11] });
    expect(subscription.state).toBe(SubscriptionState.Off);
    expect(commands(exchange(session))).toEqual([]);
  });
});
