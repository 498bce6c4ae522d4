/**
 * A publication is a topic that is published to again and again. What never changes, the topic with its length, is
 * encoded once at boot; each publish copies it into the outbox and writes its payload behind it.
 */
import type { Bytes } from "../../hal/hal";
import { allocate } from "#native";
import { createWriter } from "../core/writer";
import { lengthBytes, type Qos, stringBytes, writeString } from "./packet";

export interface Publication {
  /** The topic as MQTT has it: two bytes of length, then the name. */
  readonly topic: Bytes;
  readonly qos: Qos;
  readonly retain: boolean;
  /** The longest payload in bytes: what is reserved in the outbox for the time of writing. */
  readonly maxPayload: number;
  /** The longest fixed header that a packet of this publication can have, and the longest packet. */
  readonly headerRoom: number;
  readonly room: number;
}

/** @boot */
export function createPublication(topic: string, qos: Qos, retain: boolean, maxPayload: number): Publication {
  const writer = createWriter(allocate(stringBytes(topic)));
  writeString(writer, topic);
  const remaining = writer.bytes.length + (qos === 0 ? 0 : 2) + maxPayload;
  const headerRoom = 1 + lengthBytes(remaining);
  return { topic: writer.bytes, qos, retain, maxPayload, headerRoom, room: headerRoom + remaining };
}
