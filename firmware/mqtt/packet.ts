/** What MQTT packets are made of. Sources: MQTT 3.1.1 §2.2 (fixed header), §3 (the packets). */
import type { Bytes } from "../../hal/hal";
import { allocate, div, textLength } from "#native";
import { writeByte, writeText, writeU16, type Writer } from "../core/writer";

/** The packet types, as they stand in the high half of the first byte. [MQTT 3.1.1 §2.2.1] */
export const enum PacketType {
  Connect = 1,
  Connack = 2,
  Publish = 3,
  Puback = 4,
  Pubrec = 5,
  Pubrel = 6,
  Pubcomp = 7,
  Subscribe = 8,
  Suback = 9,
  Unsubscribe = 10,
  Unsuback = 11,
  Pingreq = 12,
  Pingresp = 13,
  Disconnect = 14,
  /** MQTT 5.0 only. */
  Auth = 15,
}

/** The flags in the low half of the first byte of a PUBLISH. [MQTT 3.1.1 §3.3.1] */
export const RETAIN = 0x01;
export const QOS_1 = 0x02;
export const QOS_2 = 0x04;
export const QOS_BITS = 0x06;
export const DUP = 0x08;

/** In the outbox only: the packet keeps the place of one whose bytes are elsewhere, see `Native.queueWindow`. */
export const PLACEHOLDER = 0x80;

/** The same, for what runs with every message: on a chip these are no variables. */
export const enum PublishFlag {
  Retain = 0x01,
  Qos1 = 0x02,
  Qos2 = 0x04,
  QosBits = 0x06,
  Dup = 0x08,
}

/** SUBSCRIBE, UNSUBSCRIBE and PUBREL carry these flags and no others. [MQTT-2.2.2-1] */
export const RESERVED_FLAGS = 0x02;

/** Quality of service: at most once, at least once, and exactly once, which needs the feature `exactlyOnce`. */
export type Qos = 0 | 1 | 2;

/** How a PUBLISH says its quality of service in its first byte. */
export function qosBits(qos: Qos): number {
  return qos * QOS_1;
}

/** How many bytes a remaining length takes, 1 to 4. [MQTT 3.1.1 §2.2.3] */
export function lengthBytes(remaining: number): number {
  if (remaining < 128) return 1;
  if (remaining < 16384) return 2;
  if (remaining < 2097152) return 3;
  return 4;
}

/** Writes the first byte and the remaining length, in as few bytes as it fits. */
export function writeFixedHeader(writer: Writer, type: PacketType, flags: number, remaining: number): void {
  writeByte(writer, type * 16 + flags);
  writeLength(writer, remaining);
}

/** Writes a length, 0 to 268435455: 7 bits a byte, the lowest first, in as few bytes as it fits. [MQTT5-1.5.5-1] */
export function writeLength(writer: Writer, length: number): void {
  let left = length;
  while (left >= 128) {
    const rest = div(left, 128);
    writeByte(writer, 128 + left - rest * 128);
    left = rest;
  }
  writeByte(writer, left);
}

/** Writes a string as MQTT has it: two bytes of length, then UTF-8. [MQTT-1.5.3] */
export function writeString(writer: Writer, text: string): void {
  writeU16(writer, textLength(text));
  writeText(writer, text);
}

/** How many bytes {@link writeString} takes. */
export function stringBytes(text: string): number {
  return 2 + textLength(text);
}

/** A PUBACK, with 0 for the packet identifier in its last two bytes. @boot */
export function createPuback(): Bytes {
  const packet = allocate(4);
  packet[0] = PacketType.Puback * 16;
  packet[1] = 2;
  return packet;
}
