/** What comes from a broker that speaks MQTT 5.0, besides PUBLISH. */
import type { Bytes, Millis } from "../../../hal/hal";
import { div, queueFind } from "#native";
import { disarm } from "../../core/time";
import { Breach } from "../breach";
import { type Client, ClientState, Fault } from "../client-state";
import { closeLink, pubackCame, violation } from "../incoming";
import { PacketType, PublishFlag, RESERVED_FLAGS } from "../packet";
import { readAck } from "./acks";
import { authCame } from "./authenticate";
import { readDisconnect } from "./disconnect";
import { isFailure, Reason } from "./reason";
import { connackCame } from "./session";
import { type FiveState } from "./state";
import { answerCame } from "./subscriptions";
import { prepareReport, reportMessage, tell } from "./tell";
import { wrong } from "./wrong";

export function packetCame(
  five: FiveState,
  client: Client,
  now: Millis,
  first: number,
  bytes: Bytes,
  at: number,
  count: number,
): void {
  const type: PacketType = div(first, 16);
  if (client.state === ClientState.Connecting) {
    // AUTH may come first. [MQTT5-3.2.0-1]
    if (type !== PacketType.Connack && type !== PacketType.Auth) {
      violation(client, Breach.BeforeConnack);
      return;
    }
  } else if (type === PacketType.Connack) {
    violation(client, Breach.SecondConnack);
    return;
  }
  // [MQTT5-2.1.3-1] [MQTT5-3.14.1-1] [MQTT5-3.15.1-1]
  if (first !== type * 16 + (type === PacketType.Pubrel ? RESERVED_FLAGS : 0)) {
    violation(client, Breach.Flags);
    return;
  }
  switch (type) {
    case PacketType.Connack:
      connackCame(five, client, now, bytes, at, count);
      return;
    case PacketType.Puback:
    case PacketType.Pubrec:
    case PacketType.Pubrel:
    case PacketType.Pubcomp:
      confirmationCame(five, client, now, type, bytes, at, count);
      return;
    case PacketType.Suback:
    case PacketType.Unsuback:
      answerCame(five, client, now, type, bytes, at, count);
      return;
    case PacketType.Pingresp:
      if (count === 0) disarm(client.pingresp);
      else violation(client, Breach.Length);
      return;
    case PacketType.Disconnect:
      disconnectCame(five, client, now, bytes, at, count);
      return;
    case PacketType.Auth:
      authCame(five, client, now, bytes, at, count);
      return;
    case PacketType.Connect:
    case PacketType.Publish:
    case PacketType.Subscribe:
    case PacketType.Unsubscribe:
    case PacketType.Pingreq:
      violation(client, Breach.ClientPacket);
      return;
    default:
      violation(client, Breach.UnknownType);
  }
}

/** PUBACK, PUBREC, PUBREL or PUBCOMP. */
function confirmationCame(
  five: FiveState,
  client: Client,
  now: Millis,
  type: PacketType,
  bytes: Bytes,
  at: number,
  count: number,
): void {
  const ack = five.ack;
  const fault = readAck(ack, five.properties, type, bytes, at, count);
  if (fault !== Reason.Success) {
    wrong(five, client, fault);
    return;
  }
  if (type !== PacketType.Puback && client.exactlyOnce === undefined) {
    violation(client, Breach.Qos2NotAsked);
    return;
  }
  const { id, reason } = ack;
  prepareReport(five, type, reason, id);
  const worthTelling = isFailure(reason) || five.report.text.count > 0;
  let rejected = false;
  if (worthTelling && type <= PacketType.Pubrec) {
    const kind = type === PacketType.Puback ? PublishFlag.Qos1 : PublishFlag.Qos2;
    const message = queueFind(client.outboxQueue, kind, id, true);
    if (message >= 0) reportMessage(five, client.outboxQueue, message);
    rejected = message >= 0 && isFailure(reason);
  }
  confirmed(client, now, type, id, reason);
  if (rejected) five.stats.rejected++;
  if (rejected && client.sources !== undefined) client.sources.rejected(id);
  if (worthTelling) tell(five, now);
}

/** A flow that has failed is over as one that has succeeded: its message is not sent again. [MQTT5-4.4.0-2] */
function confirmed(client: Client, now: Millis, type: PacketType, id: number, reason: number): void {
  const exactlyOnce = client.exactlyOnce;
  if (type === PacketType.Puback) {
    pubackCame(client, client.outbox, client.stats, now, id);
  } else if (exactlyOnce === undefined) {
    return;
  } else if (type === PacketType.Pubrec) {
    // [MQTT5-4.3.3-4]
    if (isFailure(reason)) exactlyOnce.pubrecRefused(client, now, id);
    else exactlyOnce.pubrec(client, now, id);
  } else if (type === PacketType.Pubrel) {
    exactlyOnce.pubrel(client, id);
  } else {
    exactlyOnce.pubcomp(client, now, id);
  }
}

/** The broker ends the link. Nothing is sent any more. */
function disconnectCame(five: FiveState, client: Client, now: Millis, bytes: Bytes, at: number, count: number): void {
  const reason = readDisconnect(five.properties, bytes, at, count);
  if (reason < 0) {
    wrong(five, client, -1 - reason);
    return;
  }
  client.refusal = reason;
  prepareReport(five, PacketType.Disconnect, reason, 0);
  closeLink(client, Fault.Dismissed);
  tell(five, now);
}
