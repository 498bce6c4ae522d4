/**
 * An application that speaks MQTT 5.0 with all that it has: properties, aliases both ways, messages that grow old,
 * answers, refusals, an authentication in steps, on a link that is lost again and again. It restarts the board when one
 * of these has not worked.
 */
import type { Bytes, Hal, Millis } from "../../../hal/hal";
import { allocate, byteAt, copy, mod, putText, putU16 } from "#native";
import { LinkState } from "../../../firmware/core/link";
import { addSubscription, clientPoll, clientStart, createClient } from "../../../firmware/mqtt/client";
import { type Client, ClientState } from "../../../firmware/mqtt/client-state";
import { createExactlyOnce } from "../../../firmware/mqtt/exactly-once/create";
import { authenticateAgain } from "../../../firmware/mqtt/five/authenticate";
import { createFive, refuseMessage } from "../../../firmware/mqtt/five/create";
import { findProperty, nextProperty, propertiesRewind, Property } from "../../../firmware/mqtt/five/properties";
import { answerWith, withProperties } from "../../../firmware/mqtt/five/send";
import { type FiveState } from "../../../firmware/mqtt/five/state";
import { subscribeWith } from "../../../firmware/mqtt/five/subscriptions";
import { createPublication, type Publication } from "../../../firmware/mqtt/publication";
import { publishText } from "../../../firmware/mqtt/publish";
import { createWire, endWire, send, type Wire } from "./wire";

/** Milliseconds between two turns of the loop, turns between two losses of the link, and turns in all. */
const TURN = 200;
const LOSS_EVERY = 401;
const TURNS = 9000;

interface Rig {
  readonly hal: Hal;
  readonly wire: Wire;
  readonly client: Client;
  readonly five: FiveState;
  readonly publications: Publication[];
  readonly answers: Publication;
  readonly auth: Bytes;
  readonly connack: Bytes;
  readonly puback: Bytes;
  readonly suback: Bytes;
  readonly stream: Bytes;
  readonly disconnect: Bytes;
  turn: number;
  heard: number;
  told: number;
  unsent: number;
  steps: number;
}

/** @boot */
function bytesOf(values: readonly number[]): Bytes {
  const bytes = allocate(values.length);
  for (let i = 0; i < values.length; i++) bytes[i] = values[i] ?? 0;
  return bytes;
}

/** @boot */
function createRig(hal: Hal): Rig {
  const wire = createWire();
  const five = createFive({
    sessionExpiry: 3600,
    aliasesIn: 2,
    aliasTopicSize: 16,
    aliasesOut: 1,
    will: { delay: 5, contentType: "t" },
    authentication: {
      method: "M",
      room: 8,
      begin(into) {
        return putText(into, 0, "hello");
      },
      challenge(bytes, at, count, into) {
        rig.steps++;
        copy(bytes, at, into, 0, count);
        return count;
      },
      accepted() {
        return true;
      },
    },
    events: {
      told() {
        rig.told++;
      },
      unsent() {
        rig.unsent++;
      },
    },
  });
  const options = {
    host: "broker", port: 1883, clientId: "", cleanSession: true, keepAlive: 30, outboxSize: 512, outboxSlots: 8,
    receiveSize: 64, subscribeRoom: 64, coalesce: 8, protocol: 5, five,
    exactlyOnce: createExactlyOnce({ sending: 8, receiving: 8 }),
    will: { topic: "w", payload: "gone", qos: 0, retain: false },
  } as const;
  const client = createClient(options, wire, hal.entropy, { online() {}, offline() {} });
  const often = createPublication("often", 0, false, 8);
  const old = createPublication("old", 1, false, 8);
  const kept = createPublication("kept", 1, true, 8);
  const large = createPublication("large", 1, false, 70);
  withProperties(five, often, { contentType: "t" }, true);
  withProperties(five, old, { expiry: 3, userProperties: [{ name: "n", value: "v" }] }, false);
  const rig: Rig = {
    hal, wire, client, five,
    publications: [often, old, kept, large],
    answers: createPublication("unused", 0, false, 8),
    // Method `M`, and one byte of data.
    auth: bytesOf([0xf0, 10, 0x18, 8, 0x15, 0, 1, 0x4d, 0x16, 0, 1, 7]),
    // Receive Maximum 2, Maximum Packet Size 80, Topic Alias Maximum 1, nothing retained, a client identifier.
    connack: bytesOf([
      0x20, 29, 0, 0, 26, 0x21, 0, 2, 0x27, 0, 0, 0, 80, 0x22, 0, 1, 0x25, 0, 0x12, 0, 2, 0x69, 0x64, 0x15, 0, 1,
      0x4d, 0x16, 0, 1, 7,
    ]),
    puback: bytesOf([0x40, 8, 0, 1, 0x97, 4, 0x1f, 0, 1, 0x78]),
    suback: bytesOf([0x90, 4, 0, 0, 0, 1]),
    stream: bytesOf([
      // An alias with its topic, at QoS 0; then alone, at QoS 1, with a response topic.
      0x30, 10, 0, 1, 0x61, 3, 0x23, 0, 1, 0x78, 0x79, 0x7a,
      0x32, 14, 0, 0, 0, 9, 7, 0x23, 0, 1, 0x08, 0, 1, 0x72, 0x31, 0x32,
    ]),
    disconnect: bytesOf([0xe0, 1, 0x8e]),
    turn: 0, heard: 0, told: 0, unsent: 0, steps: 0,
  };
  const subscription = addSubscription(client, "a", 1, {
    message() {
      heard(rig);
    },
  });
  if (subscription !== undefined) subscribeWith(subscription, { noLocal: true, identifier: 300 });
  return rig;
}

function heard(rig: Rig): void {
  const { five, client } = rig;
  const properties = five.properties;
  rig.heard++;
  propertiesRewind(properties);
  while (nextProperty(properties)) {}
  if (findProperty(properties, Property.ResponseTopic)) {
    answerWith(five, properties.bytes, properties.at, properties.count, 0, 0);
    publishText(client, rig.answers, "42");
    if (mod(rig.turn, 3) === 0) refuseMessage(five, 0x80);
  }
}

function receive(rig: Rig, now: Millis, bytes: Bytes): void {
  if (rig.wire.state === LinkState.Up) rig.wire.user.received(now, bytes, 0, bytes.length);
}

/** What the broker does in a session. */
function answer(rig: Rig, now: Millis): void {
  const { client, five } = rig;
  receive(rig, now, rig.stream);
  if (client.subscribeId !== 0) {
    putU16(rig.suback, 2, client.subscribeId);
    receive(rig, now, rig.suback);
  }
  // It takes some messages, and not others.
  rig.puback[4] = mod(rig.turn, 3) === 0 ? 0x97 : 0;
  for (let i = 0; i < 8; i++) {
    // Which of the last ones was sent it does not look up: one that it knows nothing of does no harm.
    const id = client.lastId - mod(rig.turn, 2) * 8 - i;
    if (id < 1) continue;
    putU16(rig.puback, 2, id);
    receive(rig, now, rig.puback);
  }
  if (mod(rig.turn, 50) === 0 && authenticateAgain(five, client)) receive(rig, now, rig.auth);
  if (mod(rig.turn, 50) === 1 && five.authenticating) {
    rig.auth[2] = 0;
    receive(rig, now, rig.auth);
    rig.auth[2] = 0x18;
  }
  if (mod(rig.turn, 397) === 0) receive(rig, now, rig.disconnect);
}

function turn(rig: Rig, now: Millis): void {
  const { wire, client, publications } = rig;
  rig.turn++;
  clientPoll(client, now);
  const publication = publications[mod(rig.turn, 4)];
  if (publication !== undefined) publishText(client, publication, "value");
  if (wire.state === LinkState.Opening) {
    wire.state = LinkState.Up;
    wire.user.linkUp(now);
    send(wire, now);
    receive(rig, now, rig.auth);
    send(wire, now);
    receive(rig, now, rig.connack);
  } else if (client.state === ClientState.Online) {
    answer(rig, now);
  }
  send(wire, now);
  endWire(wire, now, mod(rig.turn, LOSS_EVERY) === 0);
  if (rig.turn === TURNS && !hasWorked(rig)) rig.hal.system.restart();
}

function hasWorked({ client, five, heard: messages, told, unsent, steps }: Rig): boolean {
  const { sessions, violations, acknowledged } = client.stats;
  return (
    sessions > 10 && violations === 0 && acknowledged > 100 && five.stats.rejected > 10 && five.stats.retainRefused > 10 &&
    messages > 1000 && told > 100 && unsent > 0 && steps > 20 && byteAt(five.parts.clientId, 0) === 0x69
  );
}

export default {
  /** @boot */
  boot(hal: Hal): { poll(): void } {
    const rig = createRig(hal);
    clientStart(rig.client, hal.clock.now());
    return {
      poll() {
        const now = hal.clock.now();
        turn(rig, now);
        hal.idle((now + TURN) | 0);
      },
    };
  },
};
