/** CONNACK: flags, reason code, and what the broker will and will not do. [MQTT 5.0 §3.2] */
import type { Bytes } from "../../../hal/hal";
import { byteAt } from "#native";
import { PacketType } from "../packet";
import { nextProperty, type Properties, propertiesOpen, propertiesRewind, Property, MOST } from "./properties";
import { isFailure, Reason } from "./reason";

/** What a broker said in its CONNACK, or what counts when it did not say. Intervals are in seconds. */
export interface Granted {
  sessionPresent: boolean;
  reason: number;
  /** How long the session outlives the link; -1: as long as was asked for. */
  sessionExpiry: number;
  /** How many QoS 1 and 2 messages it takes before it has acknowledged one. */
  receiveMaximum: number;
  maximumQos: number;
  retain: boolean;
  /** The largest packet that it takes, all of its bytes. */
  maximumPacketSize: number;
  topicAliasMaximum: number;
  wildcards: boolean;
  subscriptionIdentifiers: boolean;
  shared: boolean;
  /** -1: the one that was asked for. */
  serverKeepAlive: number;
}

/** What a broker grants that says nothing. @boot */
export function createGranted(): Granted {
  return {
    sessionPresent: false,
    reason: 0,
    sessionExpiry: -1,
    receiveMaximum: 65535,
    maximumQos: 2,
    retain: true,
    maximumPacketSize: MOST,
    topicAliasMaximum: 0,
    wildcards: true,
    subscriptionIdentifiers: true,
    shared: true,
    serverKeepAlive: -1,
  };
}

function forget(granted: Granted): void {
  granted.sessionExpiry = -1;
  granted.receiveMaximum = 65535;
  granted.maximumQos = 2;
  granted.retain = true;
  granted.maximumPacketSize = MOST;
  granted.topicAliasMaximum = 0;
  granted.wildcards = true;
  granted.subscriptionIdentifiers = true;
  granted.shared = true;
  granted.serverKeepAlive = -1;
}

/** Reads the `count` bytes behind the fixed header. `Success`, or what is wrong with it: then nothing of it counts. */
export function readConnack(granted: Granted, properties: Properties, bytes: Bytes, at: number, count: number): Reason {
  if (count < 3) return Reason.MalformedPacket;
  const flags = byteAt(bytes, at);
  const reason = byteAt(bytes, at + 1);
  // [MQTT5-3.2.2-1]
  if (flags > 1) return Reason.MalformedPacket;
  const wrong = propertiesOpen(properties, bytes, at + 2, at + count, PacketType.Connack);
  if (wrong !== Reason.Success) return wrong;
  if (properties.end !== at + count) return Reason.MalformedPacket;
  // [MQTT5-3.2.2-6] [MQTT5-3.2.2-8]
  if (reason !== Reason.Success && (flags !== 0 || !isFailure(reason))) return Reason.ProtocolError;
  granted.sessionPresent = flags === 1;
  granted.reason = reason;
  forget(granted);
  propertiesRewind(properties);
  while (nextProperty(properties)) grant(granted, properties.id, properties.value);
  return Reason.Success;
}

function grant(granted: Granted, id: Property, value: number): void {
  switch (id) {
    case Property.SessionExpiry:
      granted.sessionExpiry = value;
      return;
    case Property.ReceiveMaximum:
      granted.receiveMaximum = value;
      return;
    case Property.MaximumQos:
      granted.maximumQos = value;
      return;
    case Property.RetainAvailable:
      granted.retain = value !== 0;
      return;
    case Property.MaximumPacketSize:
      granted.maximumPacketSize = value;
      return;
    case Property.TopicAliasMaximum:
      granted.topicAliasMaximum = value;
      return;
    case Property.WildcardsAvailable:
      granted.wildcards = value !== 0;
      return;
    case Property.SubscriptionIdentifiersAvailable:
      granted.subscriptionIdentifiers = value !== 0;
      return;
    case Property.SharedAvailable:
      granted.shared = value !== 0;
      return;
    case Property.ServerKeepAlive:
      granted.serverKeepAlive = value;
      return;
    default:
      // Texts: whoever wants them finds them in the properties.
      return;
  }
}

