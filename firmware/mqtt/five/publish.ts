/** PUBLISH: between its packet identifier and its payload stand properties. [MQTT 5.0 §3.3] */
import type { Bytes } from "../../../hal/hal";
import { isUtf8, isUtf8Without, u16At } from "#native";
import { PacketType } from "../packet";
import { findProperty, type Properties, propertiesOpen, Property } from "./properties";
import { Wildcard } from "../topic";
import { Reason } from "./reason";

/** What was read of a PUBLISH: where its parts stand in it. */
export interface Inbound {
  topicAt: number;
  /** 0: the alias stands for the topic. */
  topicLength: number;
  /** 0 at QoS 0. */
  id: number;
  /** 0: it has none. */
  alias: number;
  payloadAt: number;
}

/** @boot */
export function createInbound(): Inbound {
  return { topicAt: 0, topicLength: 0, id: 0, alias: 0, payloadAt: 0 };
}

/**
 * Reads the `count` bytes behind the fixed header of a PUBLISH at QoS `qos`, 0 to 2. `Success`, or what is wrong with it.
 * The payload goes on to the end.
 */
export function readPublish(inbound: Inbound, properties: Properties, qos: number, bytes: Bytes, at: number, count: number): Reason {
  const end = at + count;
  if (count < 3) return Reason.MalformedPacket;
  const topicLength = u16At(bytes, at);
  const idAt = at + 2 + topicLength;
  const propertiesAt = qos === 0 ? idAt : idAt + 2;
  if (propertiesAt >= end) return Reason.MalformedPacket;
  inbound.topicAt = at + 2;
  inbound.topicLength = topicLength;
  inbound.id = qos === 0 ? 0 : u16At(bytes, idAt);
  if (qos !== 0 && inbound.id === 0) return Reason.ProtocolError;
  const topic = checkTopic(bytes, at + 2, topicLength);
  if (topic !== Reason.Success) return topic;
  const wrong = propertiesOpen(properties, bytes, propertiesAt, end, PacketType.Publish);
  if (wrong !== Reason.Success) return wrong;
  inbound.payloadAt = properties.end;
  inbound.alias = findProperty(properties, Property.TopicAlias) ? properties.value : 0;
  // Without a topic, something must stand for it.
  return topicLength === 0 && inbound.alias === 0 ? Reason.ProtocolError : Reason.Success;
}

/** [MQTT5-3.3.2-1] [MQTT5-3.3.2-2] */
function checkTopic(bytes: Bytes, at: number, count: number): Reason {
  if (isUtf8Without(bytes, at, count, Wildcard.Plus, Wildcard.Hash)) return Reason.Success;
  return isUtf8(bytes, at, count) ? Reason.TopicNameInvalid : Reason.MalformedPacket;
}
