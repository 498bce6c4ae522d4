/** PUBACK, PUBREC, PUBREL and PUBCOMP: identifier, reason code, properties. [MQTT 5.0 §3.4 to §3.7] */
import type { Bytes } from "../../../hal/hal";
import { allocate, byteAt, u16At } from "#native";
import { PacketType } from "../packet";
import { type Properties, propertiesNone, propertiesOpen } from "./properties";
import { isFailure, Reason } from "./reason";

export interface Ack {
  id: number;
  reason: number;
}

/** @boot */
export function createAck(): Ack {
  return { id: 0, reason: 0 };
}

/**
 * Reads the `count` bytes behind the fixed header of a `packet`. Without a reason code it means success, and without a
 * length of properties it has none. `Success`, or what is wrong with it.
 */
export function readAck(ack: Ack, properties: Properties, packet: PacketType, bytes: Bytes, at: number, count: number): Reason {
  if (count < 2) return Reason.MalformedPacket;
  const end = at + count;
  ack.id = u16At(bytes, at);
  ack.reason = count === 2 ? Reason.Success : byteAt(bytes, at + 2);
  propertiesNone(properties, bytes, end);
  if (ack.id === 0) return Reason.ProtocolError;
  if (!mayMean(packet, ack.reason)) return Reason.ProtocolError;
  if (count <= 3) return Reason.Success;
  const wrong = propertiesOpen(properties, bytes, at + 3, end, packet);
  if (wrong !== Reason.Success) return wrong;
  // Nothing comes behind the properties.
  return properties.end === end ? Reason.Success : Reason.MalformedPacket;
}

/** A failure that this client does not know is a failure all the same. [MQTT5-3.4.2-1] [MQTT5-3.5.2-1] */
function mayMean(packet: PacketType, reason: number): boolean {
  if (reason === Reason.Success || isFailure(reason)) return true;
  return reason === Reason.NoSubscribers && (packet === PacketType.Puback || packet === PacketType.Pubrec);
}

/** An acknowledgement that says why: identifier 0 and `reason` in its last three bytes. [MQTT5-3.4.2-1] @boot */
export function createReasonedAck(first: number): Bytes {
  const packet = allocate(5);
  packet[0] = first;
  packet[1] = 3;
  return packet;
}
