/** SUBACK and UNSUBACK, and what stands before the filters of a SUBSCRIBE. [MQTT 5.0 §3.8 to §3.11] */
import type { Bytes } from "../../../hal/hal";
import { byteAt, u16At } from "#native";
import { writeByte, type Writer } from "../../core/writer";
import { lengthBytes, PacketType, writeLength } from "../packet";
import { type Properties, propertiesOpen, Property } from "./properties";
import { isFailure, Reason } from "./reason";
import { type SubscriptionOptions } from "../five";

/** What a SUBACK or an UNSUBACK is for, and where the reason codes begin that stand at its end. */
export interface Answer {
  id: number;
  codesAt: number;
  codes: number;
}

/** @boot */
export function createAnswer(): Answer {
  return { id: 0, codesAt: 0, codes: 0 };
}

/** The most bytes that the properties of a SUBSCRIBE take: the number of its identifier, and their length. */
export const SUBSCRIBE_PROPERTIES_ROOM = 6;

/** The largest subscription identifier. */
export const LARGEST_IDENTIFIER = 268435455;

/** The properties of a SUBSCRIBE: `identifier`, 1 to {@link LARGEST_IDENTIFIER}, unless it is 0. */
export function writeSubscribeProperties(writer: Writer, identifier: number): void {
  if (identifier === 0) {
    writeByte(writer, 0);
    return;
  }
  writeByte(writer, 1 + lengthBytes(identifier));
  writeByte(writer, Property.SubscriptionIdentifier);
  writeLength(writer, identifier);
}

/** What stands behind a filter in a SUBSCRIBE: its QoS, and in the bits above how it is to be served. [MQTT 5.0 §3.8.3.1] */
export function subscriptionByte(qos: number, options: SubscriptionOptions | undefined): number {
  if (options === undefined) return qos;
  const { noLocal, retainAsPublished, retainHandling } = options;
  return qos + (noLocal === true ? 4 : 0) + (retainAsPublished === true ? 8 : 0) + (retainHandling ?? 0) * 16;
}

/** Reads a SUBACK or an UNSUBACK. `Success`, or what is wrong with it. */
export function readAnswer(
  answer: Answer,
  properties: Properties,
  packet: PacketType,
  bytes: Bytes,
  at: number,
  count: number,
): Reason {
  // An identifier, no properties, and a code.
  if (count < 4) return Reason.MalformedPacket;
  answer.id = u16At(bytes, at);
  const wrong = propertiesOpen(properties, bytes, at + 2, at + count, packet);
  if (wrong !== Reason.Success) return wrong;
  answer.codesAt = properties.end;
  answer.codes = at + count - properties.end;
  for (let i = 0; i < answer.codes; i++) {
    if (!mayMean(packet, byteAt(bytes, answer.codesAt + i))) return Reason.ProtocolError;
  }
  return answer.id === 0 || answer.codes === 0 ? Reason.ProtocolError : Reason.Success;
}

/** [MQTT5-3.9.3-2] [MQTT5-3.11.3-2] */
function mayMean(packet: PacketType, code: number): boolean {
  if (isFailure(code)) return true;
  return packet === PacketType.Suback ? code <= 2 : code === Reason.Success || code === Reason.NoSubscription;
}
