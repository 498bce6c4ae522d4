import { describe, expect, it } from "vitest";
import { addSubscription } from "../../../firmware/mqtt/client";
import { createExactlyOnce } from "../../../firmware/mqtt/exactly-once/create";
import { nextId } from "../../../firmware/mqtt/identifiers";
import { createPublication } from "../../../firmware/mqtt/publication";
import { publishText } from "../../../firmware/mqtt/publish";
import { subscribeAgain, unsubscribe } from "../../../firmware/mqtt/subscriptions";
import { connect, createListener, createSession, exchange, fromBroker, goOnBehind, poll, type Session } from "./session";

const once = createPublication("t", 1, false, 4);
const twice = createPublication("t", 2, false, 4);

function online(): Session {
  const session = createSession({
    outboxSize: 4000,
    outboxSlots: 64,
    exactlyOnce: createExactlyOnce({ sending: 32, receiving: 1 }),
  });
  connect(session);
  return session;
}

function publishAs(session: Session, id: number, publication = once): void {
  goOnBehind(session, id - 1);
  publishText(session.client, publication, "x");
  expect(session.client.lastId).toBe(id);
}

describe("packet identifiers", () => {
  it("[MQTT-2.3.1-2] are never those of a PUBLISH, a PUBREL, a SUBSCRIBE or an UNSUBSCRIBE under way, through three rounds", () => {
    const session = online();
    const { client } = session;
    const subscription = addSubscription(client, "a", 1, createListener());
    if (subscription === undefined) throw new Error("no subscription");
    goOnBehind(session, 299);
    poll(session);
    const subscribeId = client.subscribeId;
    publishAs(session, 65535);
    publishAs(session, 1);
    publishAs(session, 2, twice);
    for (const id of [1000, 1001, 1003]) publishAs(session, id, twice);
    exchange(session);
    // Its bytes have left the outbox; its identifier is held by the PUBREL.
    for (const id of [1001, 2]) fromBroker(session, { cmd: "pubrec", messageId: id });
    exchange(session);
    const held = new Set([subscribeId, 65535, 1, 2, 1000, 1001, 1003]);
    expect(subscribeId).toBe(300);
    const seen = new Set<number>();
    for (let i = 0; i < 3 * (65535 - held.size); i++) {
      const id = nextId(client);
      if (i < 65535 - held.size) seen.add(id);
      if (held.has(id) || id < 1 || id > 65535) throw new Error(`${id} was given`);
    }
    expect(seen.size).toBe(65535 - held.size);
  });

  it("[MQTT-2.3.1-2] are not that of an UNSUBSCRIBE under way", () => {
    const session = online();
    const { client } = session;
    const subscription = addSubscription(client, "a", 1, createListener());
    if (subscription === undefined) throw new Error("no subscription");
    for (const packet of exchange(session)) {
      if (packet.cmd === "subscribe") fromBroker(session, { cmd: "suback", messageId: packet.messageId ?? 0, granted: [1] });
    }
    unsubscribe(subscription);
    goOnBehind(session, 65534);
    poll(session);
    expect(client.unsubscribeId).toBe(65535);
    subscribeAgain(subscription);
    goOnBehind(session, 65534);
    expect(nextId(client)).toBe(1);
  });

  it("[MQTT-2.3.1-1] begin at 1 again behind 65535", () => {
    const session = online();
    goOnBehind(session, 65534);
    expect(nextId(session.client)).toBe(65535);
    expect(nextId(session.client)).toBe(1);
  });

  it("are found without looking at what is held, but for once a round and once a group of neighbours that is held", () => {
    const session = online();
    const { client } = session;
    for (const id of [10, 11, 12, 500, 501, 40000]) publishAs(session, id);
    goOnBehind(session, 65535);
    let looks = 0;
    let from = 0;
    for (let i = 0; i < 65535 - 6; i++) {
      if (client.lastId >= client.freeTo) looks++;
      from = nextId(client);
    }
    expect(from).toBe(65535);
    // From 1, behind 12, behind 501, behind 40000.
    expect(looks).toBe(4);
  });
});
