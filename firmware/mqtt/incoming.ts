/**
 * What a client does with each packet from the broker. Anything that MQTT does not allow ends the link: a stream that
 * was wrong once is not to be believed. [MQTT-4.8.0-1]
 */
import type { Bytes, Millis } from "../../hal/hal";
import { byteAt, div, isUtf8, isUtf8Without, matchFilter, putU16, queueFind, queueOver, u16At } from "#native";
import { arm, disarm } from "../core/time";
import { Breach } from "./breach";
import { DUP, PacketType, PublishFlag, QOS_1, QOS_2, QOS_BITS, RETAIN } from "./packet";
import { type Client, ClientState, type ClientStats, Fault } from "./client-state";
import { type Outbox, outboxSessionLost } from "./outbox";
import { type ReaderEvents, readerStop } from "./reader";
import { ACK_PATIENCE, ackCame, sendControl } from "./sender";
import {
  areSubackCodes,
  subackCame,
  subscriptionsDoubted,
  subscriptionsForgotten,
  SubscriptionState,
  unsubackCame,
} from "./subscriptions";
import { isTopicName, Wildcard } from "./topic";

/**
 * A session that has lasted this long, in milliseconds, was a success: the next loss starts with a short backoff. It is
 * longer than the longest backoff, so that two clients with one identifier, each of which ends the session of the other
 * when it comes back, never take such a session for a success: then they would end each other's at once, for ever.
 */
const LASTING = 120000;

/** Ends the link. In MQTT 5.0 the broker is told why. */
export function fail(client: Client, fault: Fault): void {
  if (client.five === undefined || !client.five.dismiss(client, fault)) closeLink(client, fault);
}

/** Ends the link without more words. */
export function closeLink(client: Client, fault: Fault): void {
  client.fault = fault;
  client.state = ClientState.Closing;
  readerStop(client.reader);
  client.link.close();
}

/** The broker has broken the protocol: the link is ended, and the next one comes after a backoff. */
export function violation(client: Client, breach: Breach): void {
  client.stats.violations++;
  client.breach = breach;
  fail(client, Fault.Violation);
}

/** What the reader tells of. What comes with every message is written out here, as in `link-user.ts`. @boot */
export function createReaderEvents(client: Client): ReaderEvents {
  const { outbox, subscriptions, filters, message, stats, hold, byHand } = client;
  // Without QoS 2, nothing was subscribed at it, so nothing may come at it. 3 does not exist.
  const highest = client.exactlyOnce === undefined ? PublishFlag.Qos1 : PublishFlag.Qos2;
  return {
    packet(now, first, bytes, at, count) {
      if (first < PacketType.Publish * 16 || first >= (PacketType.Publish + 1) * 16) {
        if (first === PacketType.Puback * 16 && client.state === ClientState.Online && count === 2) {
          pubackCame(client, outbox, stats, now, byteAt(bytes, at) * 256 + byteAt(bytes, at + 1));
        } else {
          otherCame(client, now, first, bytes, at, count);
        }
        return;
      }
      // PUBLISH: topic, packet identifier at QoS 1 and 2, payload. [MQTT 3.1.1 §3.3]
      const flags = first & 15;
      const qos = flags & PublishFlag.QosBits;
      const end = at + count;
      const topicAt = at + 2;
      const topicLength = count < 2 ? 0 : byteAt(bytes, at) * 256 + byteAt(bytes, at + 1);
      const idAt = topicAt + topicLength;
      const payloadAt = qos === 0 ? idAt : idAt + 2;
      if (
        payloadAt > end ||
        // Without QoS, no DUP.
        (qos === 0 ? flags > PublishFlag.Retain : qos > highest) ||
        // The first packet of a session is another. [MQTT-3.2.0-1]
        client.state === ClientState.Connecting ||
        topicLength === 0 ||
        !isUtf8Without(bytes, topicAt, topicLength, Wildcard.Plus, Wildcard.Hash)
      ) {
        violation(client, publishBreach(client, flags, bytes, at, count));
        return;
      }
      let id = 0;
      if (qos !== 0) {
        id = u16At(bytes, idAt);
        if (id === 0) {
          violation(client, Breach.ZeroIdentifier);
          return;
        }
        // Of a copy of what was delivered at QoS 2 there is nothing to be done here.
        if (qos !== PublishFlag.Qos1 && client.exactlyOnce?.isNew(client, flags, id) !== true) return;
      }
      message.bytes = bytes;
      message.topicAt = topicAt;
      message.topicLength = topicLength;
      message.payloadAt = payloadAt;
      message.payloadLength = end - payloadAt;
      if (message.flags !== flags) {
        message.flags = flags;
        message.qos = div(qos, QOS_1);
        message.retain = (flags & RETAIN) !== 0;
        message.dup = (flags & DUP) !== 0;
      }
      stats.received++;
      const last = subscriptions.length - 1;
      let wanted = false;
      let place = matchFilter(filters, 0, bytes, topicAt, topicLength);
      while (place >= 0) {
        const subscription = subscriptions[place];
        // `isListening`, written out.
        if (
          subscription !== undefined &&
          subscription.state !== SubscriptionState.Refused &&
          subscription.state !== SubscriptionState.Off
        ) {
          wanted = true;
          subscription.handler.message(now, message);
          if (hold !== undefined && message.refused) {
            hold.keep(client, first, bytes, at, count, place);
            return;
          }
        }
        place = place === last ? -1 : matchFilter(filters, place + 1, bytes, topicAt, topicLength);
      }
      if (!wanted) stats.unmatched++;
      if (qos === 0) return;
      if (byHand === undefined && qos === PublishFlag.Qos1) acknowledge(client, id);
      else if (byHand === undefined) confirm(client, 2, id);
      else byHand.settle(client, now, message.qos, id);
    },
    oversize(now, first, id) {
      oversizeCame(client, now, first, id);
    },
    malformed(_now, breach) {
      violation(client, breach);
    },
  };
}

/** Which rule a PUBLISH has broken that was refused for its flags, its lengths, its topic, or for coming at all. */
function publishBreach(client: Client, flags: number, bytes: Bytes, at: number, count: number): Breach {
  if (client.state === ClientState.Connecting) return Breach.BeforeConnack;
  const refused = flagsBreach(client, flags);
  if (refused !== Breach.None) return refused;
  const topicLength = count < 2 ? 0 : u16At(bytes, at);
  const head = 2 + topicLength + ((flags & QOS_BITS) === 0 ? 0 : 2);
  if (head > count) return Breach.Length;
  if (topicLength === 0) return Breach.TopicEmpty;
  return isUtf8(bytes, at + 2, topicLength) ? Breach.TopicWildcard : Breach.TopicText;
}

/** Which rule the flags of a PUBLISH break, if any. [MQTT 3.1.1 §3.3.1] */
function flagsBreach(client: Client, flags: number): Breach {
  switch (flags & QOS_BITS) {
    case 0:
      return (flags & DUP) === 0 ? Breach.None : Breach.DupWithoutQos;
    case QOS_1:
      return Breach.None;
    case QOS_BITS:
      return Breach.Qos3;
    default:
      return client.exactlyOnce === undefined ? Breach.Qos2NotAsked : Breach.None;
  }
}

function otherCame(client: Client, now: Millis, first: number, bytes: Bytes, at: number, count: number): void {
  const type: PacketType = div(first, 16);
  // The first packet from the broker is CONNACK, and there is only one. [MQTT-3.2.0-1]
  if ((client.state === ClientState.Connecting) !== (type === PacketType.Connack)) {
    violation(client, type === PacketType.Connack ? Breach.SecondConnack : Breach.BeforeConnack);
    return;
  }
  // Every packet but PUBLISH that a broker sends has no flags [MQTT-2.2.2-2]; in MQTT 3.1 they mean nothing.
  if (first !== type * 16 && isFromBroker(type) && client.options.protocol !== 3) {
    violation(client, Breach.Flags);
    return;
  }
  switch (type) {
    case PacketType.Connack:
      connackCame(client, now, bytes, at, count);
      return;
    case PacketType.Puback:
      if (count === 2) pubackCame(client, client.outbox, client.stats, now, u16At(bytes, at));
      else violation(client, Breach.Length);
      return;
    case PacketType.Suback:
      subscribeAnswered(client, now, bytes, at, count);
      return;
    case PacketType.Unsuback:
      unsubscribeAnswered(client, now, bytes, at, count);
      return;
    case PacketType.Pingresp:
      if (count === 0) disarm(client.pingresp);
      else violation(client, Breach.Length);
      return;
    case PacketType.Pubrec:
    case PacketType.Pubrel:
    case PacketType.Pubcomp:
      if (client.exactlyOnce === undefined) violation(client, Breach.Qos2NotAsked);
      else client.exactlyOnce.packet(client, now, first, bytes, at, count);
      return;
    case PacketType.Connect:
    case PacketType.Subscribe:
    case PacketType.Unsubscribe:
    case PacketType.Pingreq:
    case PacketType.Disconnect:
      violation(client, Breach.ClientPacket);
      return;
    default:
      violation(client, Breach.UnknownType);
  }
}

/** The packets without flags that a broker may send: for others there is a better name than wrong flags. */
function isFromBroker(type: PacketType): boolean {
  switch (type) {
    case PacketType.Connack:
    case PacketType.Puback:
    case PacketType.Suback:
    case PacketType.Unsuback:
    case PacketType.Pingresp:
      return true;
    default:
      return false;
  }
}

/** CONNACK: flags, then the return code. [MQTT 3.1.1 §3.2] */
function connackCame(client: Client, now: Millis, bytes: Bytes, at: number, count: number): void {
  if (count !== 2) {
    violation(client, Breach.Length);
    return;
  }
  const flags = byteAt(bytes, at);
  const code = byteAt(bytes, at + 1);
  // MQTT 3.1 says nothing with it.
  const silent = client.options.protocol === 3;
  const sessionPresent = flags === 1 && !silent;
  // Only the lowest flag exists, and a refusal never has it. [MQTT-3.2.2-4]
  if (!silent && (flags > 1 || (sessionPresent && code !== 0))) {
    violation(client, Breach.ConnackFlags);
    return;
  }
  // A clean session cannot have been there before. [MQTT-3.2.2-1]
  if (sessionPresent && client.options.cleanSession) {
    violation(client, Breach.SessionNotAsked);
    return;
  }
  if (code !== 0) {
    client.refusal = code;
    client.stats.refusals++;
    fail(client, Fault.Refused);
    return;
  }
  sessionBegins(client, now, sessionPresent, silent && !client.options.cleanSession);
}

/**
 * The broker has accepted the CONNECT. `sessionPresent`: it still knows the session before; `unknown`: it does not say.
 * Then what is under way goes on as if it did, which does no harm if it does not, and the subscriptions are renewed.
 */
export function sessionBegins(client: Client, now: Millis, sessionPresent: boolean, unknown: boolean): void {
  const wasHeld = client.sessionHeld;
  const kept = sessionPresent || unknown;
  let discarded = 0;
  if (!kept) {
    discarded = outboxSessionLost(client.outbox);
    client.stats.retried = client.outbox.resent;
    if (client.exactlyOnce !== undefined) discarded = client.exactlyOnce.sessionLost(client, discarded);
    subscriptionsForgotten(client.subscriptions);
  }
  // It may also be a new session that an earlier CONNECT began and whose CONNACK was lost with its link.
  const certain = !unknown && client.unanswered <= 1;
  if (kept && !certain) subscriptionsDoubted(client.subscriptions);
  if (client.keeper !== undefined && !client.keeper.session(client)) {
    fail(client, Fault.Full);
    return;
  }
  client.unanswered = 0;
  client.sessionHeld = client.five === undefined ? !client.options.cleanSession : client.five.sessionKept;
  client.state = ClientState.Online;
  client.welcome = true;
  client.fault = Fault.None;
  client.stats.sessions++;
  client.announce = client.birthPacket !== undefined;
  disarm(client.timer);
  arm(client.lasting, now, LASTING);
  if (kept && client.exactlyOnce !== undefined) client.exactlyOnce.resume(client, now, certain);
  announce(client);
  const events = client.events;
  if (events.sessionLost !== undefined && !kept && (wasHeld || discarded > 0)) events.sessionLost(now, discarded);
  events.online(now, sessionPresent);
}

/** Queues the birth notice when it is due. At most one is queued at a time. */
export function announce(client: Client): void {
  const birth = client.birthPacket;
  if (!client.announce || birth === undefined || client.controlDue) return;
  const tooLarge = client.five !== undefined && !client.five.takes(birth.length);
  if (tooLarge || sendControl(client, birth)) client.announce = false;
}

/**
 * Every QoS 1 message is acknowledged, also an unwanted one, or the broker would send it again for ever and hold back
 * what comes after it. [MQTT-4.3.2-2]
 */
function acknowledge(client: Client, id: number): void {
  if (!client.plain && client.five !== undefined && client.five.refused(client, 1, id)) return;
  // A handler may have ended the session.
  if (client.state !== ClientState.Online) return;
  const puback = client.pubackPacket;
  putU16(puback, 2, id);
  if (!sendControl(client, puback)) fail(client, Fault.Full);
}

/** Says that a message at QoS 1 or 2 was taken in. */
export function confirm(client: Client, qos: number, id: number): void {
  if (qos === 1) acknowledge(client, id);
  else if (client.five === undefined || !client.five.refused(client, 2, id)) client.exactlyOnce?.confirm(client, id);
}

/** A message was delivered, or will never be: unless an acknowledgement is held back, it is confirmed. */
export function settle(client: Client, now: Millis, qos: number, id: number): void {
  if (qos === 0) return;
  if (client.byHand === undefined) confirm(client, qos, id);
  else client.byHand.settle(client, now, qos, id);
}

/**
 * A PUBLISH too large to be delivered was read over, all of it. It is counted, and acknowledged, or the broker would
 * send it again for ever and hold back what comes after it.
 */
function oversizeCame(client: Client, now: Millis, first: number, id: number): void {
  const breach = largeBreach(client, first, id);
  if (breach !== Breach.None) {
    violation(client, breach);
    return;
  }
  if ((first & QOS_BITS) === QOS_2 && client.exactlyOnce?.isNew(client, first, id) !== true) return;
  client.stats.oversize++;
  settle(client, now, div(first & QOS_BITS, QOS_1), id);
}

/**
 * Which rule a PUBLISH breaks that is larger than the reader's buffer, where its first bytes are. A topic that does not
 * fit in there cannot be looked at.
 */
export function largeBreach(client: Client, first: number, id: number): Breach {
  if (client.state === ClientState.Connecting) return Breach.BeforeConnack;
  const refused = flagsBreach(client, first & 15);
  if (refused !== Breach.None) return refused;
  const { buffer, size } = client.reader;
  const length = u16At(buffer, 0);
  // In MQTT 5.0 an alias may stand for it.
  if (length === 0 && client.five === undefined) return Breach.TopicEmpty;
  if (length > 0 && length <= size - 2 && !isTopicName(buffer, 2, length)) {
    return isUtf8(buffer, 2, length) ? Breach.TopicWildcard : Breach.TopicText;
  }
  return (first & QOS_BITS) !== 0 && id === 0 ? Breach.ZeroIdentifier : Breach.None;
}

/**
 * PUBACK: the message with that identifier is over, if it was waiting for it. One that is due again after a reconnect
 * is not: an acknowledgement on this link cannot be meant for what has not been sent on it. One of nothing that is owed
 * is late or repeated: it ends nothing, and does no harm.
 */
export function pubackCame(client: Client, outbox: Outbox, stats: ClientStats, now: Millis, id: number): void {
  const queue = outbox.queue;
  const at = queueFind(queue, PublishFlag.Qos1, id, true);
  if (at < 0) {
    if (id === 0) violation(client, Breach.ZeroIdentifier);
    else if (client.exactlyOnce !== undefined) client.exactlyOnce.puback(client, now, id);
    return;
  }
  const oldest = queueOver(queue, at);
  const quota = client.quota + 1;
  client.quota = quota;
  stats.acknowledged++;
  // Only what ends the oldest debt gives the next one its full time: later ones must not hide that it is never paid.
  if (oldest && client.subscribeId === 0 && client.unsubscribeId === 0) {
    if (quota < client.window) arm(client.ack, now, ACK_PATIENCE);
    else client.ack.armed = false;
  }
}

function subscribeAnswered(client: Client, now: Millis, bytes: Bytes, at: number, count: number): void {
  if (count < 3) {
    violation(client, Breach.Length);
    return;
  }
  const id = u16At(bytes, at);
  if (id === 0) {
    violation(client, Breach.ZeroIdentifier);
    return;
  }
  // No code beyond these exists, whoever is answered. [MQTT-3.9.3-2]
  if (!areSubackCodes(bytes, at + 2, count - 2)) {
    violation(client, Breach.SubackCodes);
    return;
  }
  if (id !== client.subscribeId) return;
  const refused = subackCame(client.subscriptions, bytes, at + 2, count - 2);
  if (refused < 0) {
    violation(client, Breach.SubackCodes);
    return;
  }
  client.stats.subscriptionsRefused += refused;
  client.subscribeId = 0;
  ackCame(client, now);
}

function unsubscribeAnswered(client: Client, now: Millis, bytes: Bytes, at: number, count: number): void {
  if (count !== 2) {
    violation(client, Breach.Length);
    return;
  }
  const id = u16At(bytes, at);
  if (id === 0) violation(client, Breach.ZeroIdentifier);
  if (id === 0 || id !== client.unsubscribeId) return;
  client.unsubscribeId = 0;
  unsubackCame(client.subscriptions);
  ackCame(client, now);
}
