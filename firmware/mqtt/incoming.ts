/**
 * What a client does with each packet from the broker. Anything that MQTT does not allow ends the link: a stream that
 * was wrong once is not to be believed. [MQTT-4.8.0-1]
 */
import type { Bytes, Millis } from "../../hal/hal";
import { byteAt, div, u16At } from "#native";
import { arm, disarm } from "../core/time";
import { writeFixedHeader, DUP, PacketType, QOS_BITS, QOS_1, RETAIN } from "./packet";
import { writeU16 } from "../core/writer";
import { type Client, ClientState, Fault } from "./client-state";
import { outboxAcknowledge, outboxSessionLost } from "./outbox";
import { readerStop } from "./reader";
import { ackCame, controlBegin, controlEnd, sendControl } from "./sender";
import { dispatch, subackCame, subscriptionsDoubted, subscriptionsForgotten, unsubackCame } from "./subscriptions";
import { isTopicName } from "./topic";

/** A session that has lasted this long, in milliseconds, was a success: the next loss starts with a short backoff. */
const LASTING = 60000;

/** Ends the link without more words. */
export function fail(client: Client, fault: Fault): void {
  client.fault = fault;
  client.state = ClientState.Closing;
  readerStop(client.reader);
  client.link.close();
}

export function violation(client: Client): void {
  client.stats.violations++;
  fail(client, Fault.Violation);
}

/** A whole packet has come. */
export function packetCame(client: Client, now: Millis, first: number, bytes: Bytes, at: number, count: number): void {
  const type: PacketType = div(first, 16);
  // The first packet from the broker is CONNACK, and there is only one. [MQTT-3.2.0-1]
  if ((client.state === ClientState.Connecting) !== (type === PacketType.Connack)) {
    violation(client);
    return;
  }
  const flags = first & 15;
  if (type === PacketType.Publish) {
    publishCame(client, now, flags, bytes, at, count);
    return;
  }
  // Every other packet that a broker sends has no flags. [MQTT-2.2.2-2]
  if (flags !== 0) {
    violation(client);
    return;
  }
  switch (type) {
    case PacketType.Connack:
      connackCame(client, now, bytes, at, count);
      return;
    case PacketType.Puback:
      pubackCame(client, now, bytes, at, count);
      return;
    case PacketType.Suback:
      subscribeAnswered(client, now, bytes, at, count);
      return;
    case PacketType.Unsuback:
      unsubscribeAnswered(client, now, bytes, at, count);
      return;
    case PacketType.Pingresp:
      if (count === 0) disarm(client.pingresp);
      else violation(client);
      return;
    default:
      // A packet that only clients send, or one of the QoS 2 flow that was never begun.
      violation(client);
  }
}

/** CONNACK: flags, then the return code. [MQTT 3.1.1 §3.2] */
function connackCame(client: Client, now: Millis, bytes: Bytes, at: number, count: number): void {
  if (count !== 2) {
    violation(client);
    return;
  }
  const flags = byteAt(bytes, at);
  const code = byteAt(bytes, at + 1);
  const sessionPresent = flags === 1;
  // Only the lowest flag exists; a refusal never has it; a clean session cannot have been there before. [MQTT-3.2.2-1]
  if (flags > 1 || (sessionPresent && (code !== 0 || client.options.cleanSession))) {
    violation(client);
    return;
  }
  if (code !== 0) {
    client.refusal = code;
    client.stats.refusals++;
    fail(client, Fault.Refused);
    return;
  }
  if (!sessionPresent) {
    outboxSessionLost(client.outbox);
    subscriptionsForgotten(client.subscriptions);
  } else if (client.unanswered > 1) {
    // The session may be a new one that an earlier CONNECT began and whose CONNACK was lost with its link.
    subscriptionsDoubted(client.subscriptions);
  }
  client.unanswered = 0;
  client.state = ClientState.Online;
  client.welcome = true;
  client.fault = Fault.None;
  client.stats.sessions++;
  client.announce = client.birthPacket !== undefined;
  disarm(client.timer);
  arm(client.lasting, now, LASTING);
  announce(client);
  client.events.online(now, sessionPresent);
}

/** Queues the birth notice when it is due. At most one is queued at a time. */
export function announce(client: Client): void {
  const birth = client.birthPacket;
  if (!client.announce || birth === undefined || client.control.used > 0) return;
  if (sendControl(client, birth)) client.announce = false;
}

/** PUBLISH: topic, packet identifier at QoS 1, payload. [MQTT 3.1.1 §3.3] */
function publishCame(client: Client, now: Millis, flags: number, bytes: Bytes, at: number, count: number): void {
  const qos = flags & QOS_BITS;
  // Nothing was subscribed at QoS 2, so nothing may come at it; 3 does not exist. DUP without QoS makes no sense.
  const allowed = qos === QOS_1 || (qos === 0 && (flags & DUP) === 0);
  const end = at + count;
  const topicAt = at + 2;
  const topicLength = count < 2 ? 0 : u16At(bytes, at);
  const idAt = topicAt + topicLength;
  const payloadAt = qos === 0 ? idAt : idAt + 2;
  if (!allowed || payloadAt > end || !isTopicName(bytes, topicAt, topicLength)) {
    violation(client);
    return;
  }
  const id = qos === 0 ? 0 : u16At(bytes, idAt);
  if (qos !== 0 && id === 0) {
    violation(client);
    return;
  }
  const message = client.message;
  message.bytes = bytes;
  message.topicAt = topicAt;
  message.topicLength = topicLength;
  message.payloadAt = payloadAt;
  message.payloadLength = end - payloadAt;
  if (message.flags !== flags) {
    message.flags = flags;
    message.qos = qos === 0 ? 0 : 1;
    message.retain = (flags & RETAIN) !== 0;
    message.dup = (flags & DUP) !== 0;
  }
  client.stats.received++;
  if (dispatch(client.subscriptions, client.filters, now, message) === 0) client.stats.unmatched++;
  if (qos !== 0) acknowledge(client, id);
}

/**
 * Every QoS 1 message is acknowledged, also an unwanted one, or the broker would send it again for ever and hold back
 * what comes after it. [MQTT-4.3.2-2]
 */
function acknowledge(client: Client, id: number): void {
  // A handler may have ended the session.
  if (client.state !== ClientState.Online) return;
  const writer = controlBegin(client, 4);
  if (writer === undefined) {
    fail(client, Fault.Full);
    return;
  }
  writeFixedHeader(writer, PacketType.Puback, 0, 2);
  writeU16(writer, id);
  controlEnd(client);
}

/** A PUBLISH too large to be delivered was read over: it is acknowledged, and counted. */
export function oversizeCame(client: Client, first: number, id: number): void {
  const qos = first & QOS_BITS;
  const allowed = qos === QOS_1 ? id !== 0 : qos === 0 && (first & DUP) === 0;
  if (client.state === ClientState.Connecting || !allowed) {
    violation(client);
    return;
  }
  client.stats.oversize++;
  if (qos !== 0) acknowledge(client, id);
}

function pubackCame(client: Client, now: Millis, bytes: Bytes, at: number, count: number): void {
  if (count !== 2) {
    violation(client);
    return;
  }
  // An acknowledgement of nothing that is owed is late or repeated: it ends nothing, and does no harm.
  const held = client.outbox.count;
  if (!outboxAcknowledge(client.outbox, u16At(bytes, at))) return;
  client.stats.acknowledged++;
  // Only what ends the oldest debt gives the next one its full time: later ones must not hide that it is never paid.
  const oldest = client.outbox.count < held && client.subscribeId === 0 && client.unsubscribeId === 0;
  if (oldest) ackCame(client, now);
}

function subscribeAnswered(client: Client, now: Millis, bytes: Bytes, at: number, count: number): void {
  if (count < 3) {
    violation(client);
    return;
  }
  if (client.subscribeId === 0 || u16At(bytes, at) !== client.subscribeId) return;
  const refused = subackCame(client.subscriptions, bytes, at + 2, count - 2);
  if (refused < 0) {
    violation(client);
    return;
  }
  client.stats.subscriptionsRefused += refused;
  client.subscribeId = 0;
  ackCame(client, now);
}

function unsubscribeAnswered(client: Client, now: Millis, bytes: Bytes, at: number, count: number): void {
  if (count !== 2) {
    violation(client);
    return;
  }
  if (client.unsubscribeId === 0 || u16At(bytes, at) !== client.unsubscribeId) return;
  client.unsubscribeId = 0;
  unsubackCame(client.subscriptions);
  ackCame(client, now);
}
