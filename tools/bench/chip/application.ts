/**
 * The program that `npm run bench -- chip` measures on a board: the MQTT client over a link that takes everything at
 * once, with the message that the figures of other clients are for: 62 bytes of payload on a topic of 29 bytes.
 *
 * Each case runs {@link ROUNDS} times between a rise and a fall of {@link MARK_PIN}; whoever measures counts there.
 * The first case does nothing: what it costs is the loop's own.
 */
import type { Bytes, Hal, Millis } from "../../../hal/hal";
import { PinMode } from "../../../hal/hal";
import { allocate, div, putText, putU16, textLength } from "#native";
import { type Link, LinkState, type LinkUser, NOBODY, type Span } from "../../../firmware/core/link";
import { writeBytes } from "../../../firmware/core/writer";
import { addSubscription, clientPoll, clientStart, createClient } from "../../../firmware/mqtt/client";
import { type Client, ClientState } from "../../../firmware/mqtt/client-state";
import { type ExactlyOnce } from "../../../firmware/mqtt/exactly-once";
import { createPublication, type Publication } from "../../../firmware/mqtt/publication";
import { publishBegin, publishBytes, publishEnd } from "../../../firmware/mqtt/publish";
import { ROUNDS, MARK_PIN, Case, CASES } from "./cases";

export const TOPIC = "greenhouse/bay-3/sensor-12/t1";
const PAYLOAD = '{"seq":1234,"temperature":21.5,"humidity":48.2,"relay":"OFF"} ';
const LIMIT = 2048;

interface BenchLink extends Link {
  state: LinkState;
  user: LinkUser;
  readonly span: Span;
}

export interface Rig {
  readonly hal: Hal;
  readonly link: BenchLink;
  readonly client: Client;
  readonly plain: Publication;
  readonly acknowledged: Publication;
  readonly payload: Bytes;
  readonly payloadLength: number;
  readonly puback: Bytes;
  readonly connack: Bytes;
  readonly suback: Bytes;
  /** A PUBLISH as a broker sends it, at QoS 0 and at QoS 1. */
  readonly incoming: Bytes;
  readonly incomingAcknowledged: Bytes;
  readonly incomingLength: number;
  readonly incomingAcknowledgedLength: number;
}

/** @boot */
function createLink(): BenchLink {
  const link: BenchLink = {
    state: LinkState.Down,
    user: NOBODY,
    span: { bytes: allocate(1), at: 0, count: 0 },
    attach(user: LinkUser) {
      link.user = user;
    },
    open() {
      link.state = LinkState.Opening;
    },
    close() {
      link.state = LinkState.Down;
    },
  };
  return link;
}

/** Takes what the client has to send, as a driver does that has room for one run. */
export function sendRun(link: BenchLink, now: Millis): void {
  const user = link.user;
  const span = link.span;
  let left = user.offer(LIMIT);
  while (left > 0) {
    user.piece(span);
    const count = span.count;
    user.taken(now, count);
    left -= count;
  }
}

/** @boot */
export function createIncoming(qos: number): Bytes {
  const length = 2 + textLength(TOPIC) + (qos === 0 ? 0 : 2) + textLength(PAYLOAD);
  const packet = allocate(2 + length);
  packet[0] = 0x30 + 2 * qos;
  packet[1] = length;
  putU16(packet, 2, textLength(TOPIC));
  putText(packet, 4, TOPIC);
  if (qos !== 0) putU16(packet, 4 + textLength(TOPIC), 7);
  putText(packet, packet.length - textLength(PAYLOAD), PAYLOAD);
  return packet;
}

/** @boot */
export function bytesOf(a: number, b: number, c: number, d: number): Bytes {
  const bytes = allocate(4);
  bytes[0] = a;
  bytes[1] = b;
  bytes[2] = c;
  bytes[3] = d;
  return bytes;
}

/** @boot */
export function createRig(hal: Hal, exactlyOnce?: ExactlyOnce): Rig {
  const link = createLink();
  const client = createClient(
    {
      host: "broker",
      port: 1883,
      clientId: "bench",
      cleanSession: true,
      keepAlive: 30,
      outboxSize: 1024,
      outboxSlots: 8,
      receiveSize: 256,
      subscribeRoom: 128,
      coalesce: 8,
      exactlyOnce,
    },
    link,
    hal.entropy,
    { online() {}, offline() {} },
  );
  let heard = 0;
  addSubscription(client, TOPIC, exactlyOnce === undefined ? 1 : 2, {
    message() {
      heard++;
    },
  });
  const payload = allocate(textLength(PAYLOAD));
  putText(payload, 0, PAYLOAD);
  const suback = allocate(5);
  suback[0] = 0x90;
  suback[1] = 3;
  suback[4] = 1;
  const incoming = createIncoming(0);
  const incomingAcknowledged = createIncoming(1);
  return {
    hal,
    link,
    client,
    plain: createPublication(TOPIC, 0, false, 64),
    acknowledged: createPublication(TOPIC, 1, false, 64),
    payload,
    payloadLength: payload.length,
    puback: bytesOf(0x40, 2, 0, 0),
    connack: bytesOf(0x20, 2, 0, 0),
    suback,
    incoming,
    incomingAcknowledged,
    incomingLength: incoming.length,
    incomingAcknowledgedLength: incomingAcknowledged.length,
  };
}

export function publish(rig: Rig, publication: Publication): void {
  publishBytes(rig.client, publication, rig.payload, 0, rig.payloadLength);
  sendRun(rig.link, 0);
}

/** The payload is written piece by piece, as an application does. Here it is one piece. */
function write(rig: Rig, publication: Publication): void {
  const writer = publishBegin(rig.client, publication);
  if (writer === undefined) return;
  writeBytes(writer, rig.payload, 0, rig.payloadLength);
  publishEnd(rig.client);
  sendRun(rig.link, 0);
}

export function receive(rig: Rig, bytes: Bytes, count: number): void {
  rig.link.user.received(0, bytes, 0, count);
}

export function oneRound(rig: Rig, which: Case): void {
  if (which === Case.PublishQos0) publish(rig, rig.plain);
  else if (which === Case.PublishQos1) {
    publish(rig, rig.acknowledged);
    const id = rig.client.lastId;
    const puback = rig.puback;
    // What the broker does is not to cost much: a byte that is written here is cheaper than a call.
    puback[2] = div(id, 256);
    puback[3] = id & 255;
    receive(rig, puback, 4);
  } else if (which === Case.ReceiveQos0) receive(rig, rig.incoming, rig.incomingLength);
  else if (which === Case.ReceiveQos1) {
    receive(rig, rig.incomingAcknowledged, rig.incomingAcknowledgedLength);
    sendRun(rig.link, 0);
  } else if (which === Case.WriteQos0) write(rig, rig.plain);
}

/** Brings the session up, by hand. */
export function connect(rig: Rig): void {
  const { client, link } = rig;
  clientStart(client, 0);
  clientPoll(client, 0);
  link.state = LinkState.Up;
  link.user.linkUp(0);
  sendRun(link, 0);
  receive(rig, rig.connack, 4);
  // The client subscribes when it is polled.
  clientPoll(client, 0);
  sendRun(link, 0);
  putU16(rig.suback, 2, client.subscribeId);
  receive(rig, rig.suback, 5);
}

function measure(rig: Rig, which: Case): void {
  rig.hal.pins.write(MARK_PIN, true);
  for (let i = 0; i < ROUNDS; i++) oneRound(rig, which);
  rig.hal.pins.write(MARK_PIN, false);
}

export default {
  name: "chip bench",
  /** @boot */
  boot(hal: Hal) {
    const rig = createRig(hal);
    hal.pins.configure(MARK_PIN, PinMode.Output);
    let done = false;
    return {
      poll() {
        if (!done) {
          done = true;
          connect(rig);
          if (rig.client.state === ClientState.Online) {
            for (let which = 0; which < CASES; which++) measure(rig, which);
          }
        }
        hal.idle(hal.clock.now() + 1000);
      },
    };
  },
};
