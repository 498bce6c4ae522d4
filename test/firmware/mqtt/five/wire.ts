/** Bytes of MQTT 5.0 packets by hand, and what the firmware's readers see in them, in the words of mqtt-packet. */
import { textAt } from "../../../../hal/node/native";
import type { Bytes } from "../../../../hal/hal";
import {
  nextProperty,
  type Properties,
  propertiesRewind,
  Property,
} from "../../../../firmware/mqtt/five/properties";

export function text(value: string): number[] {
  const bytes = [...Buffer.from(value)];
  return [bytes.length >> 8, bytes.length & 255, ...bytes];
}

/** A length, 7 bits a byte. */
export function varying(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varying(Math.floor(value / 128))];
}

/** Properties with their length before them. */
export function section(...properties: readonly number[][]): number[] {
  const bytes = properties.flat();
  return [...varying(bytes.length), ...bytes];
}

export function u32(value: number): number[] {
  return [Math.floor(value / 16777216) % 256, (value >> 16) & 255, (value >> 8) & 255, value & 255];
}

/** A value that each property may have, with its number before it. */
export const VALID: ReadonlyMap<number, readonly number[]> = new Map([
  [Property.PayloadFormat, [1, 1]],
  [Property.MessageExpiry, [2, ...u32(70000)]],
  [Property.ContentType, [3, ...text("text/plain")]],
  [Property.ResponseTopic, [8, ...text("answers/1")]],
  [Property.CorrelationData, [9, 0, 2, 0, 255]],
  [Property.SubscriptionIdentifier, [11, ...varying(300)]],
  [Property.SessionExpiry, [17, ...u32(3600)]],
  [Property.AssignedClientId, [18, ...text("given")]],
  [Property.ServerKeepAlive, [19, 0, 60]],
  [Property.AuthenticationMethod, [21, ...text("SCRAM-SHA-1")]],
  [Property.AuthenticationData, [22, 0, 1, 7]],
  [Property.RequestProblemInformation, [23, 1]],
  [Property.WillDelay, [24, ...u32(5)]],
  [Property.RequestResponseInformation, [25, 1]],
  [Property.ResponseInformation, [26, ...text("answers/")]],
  [Property.ServerReference, [28, ...text("other:1883")]],
  [Property.ReasonString, [31, ...text("no")]],
  [Property.ReceiveMaximum, [33, 0, 10]],
  [Property.TopicAliasMaximum, [34, 0, 4]],
  [Property.TopicAlias, [35, 0, 2]],
  [Property.MaximumQos, [36, 1]],
  [Property.RetainAvailable, [37, 0]],
  [Property.UserProperty, [38, ...text("name"), ...text("value")]],
  [Property.MaximumPacketSize, [39, ...u32(256)]],
  [Property.WildcardsAvailable, [40, 1]],
  [Property.SubscriptionIdentifiersAvailable, [41, 1]],
  [Property.SharedAvailable, [42, 0]],
]);

/** Every property that was read, in order: `38 name=value`, `17 3600`. Data is told as text. */
export function tellProperties(properties: Properties): string[] {
  const told: string[] = [];
  propertiesRewind(properties);
  while (nextProperty(properties)) told.push(`${properties.id} ${valueOf(properties)}`);
  return told;
}

const TEXTS: readonly number[] = [3, 8, 9, 18, 21, 22, 26, 28, 31];

function valueOf({ id, bytes, at, count, value, valueAt, valueCount }: Properties): string {
  const told = TEXTS.includes(id) || id === 38 ? span(bytes, at, count) : String(value);
  return id === 38 ? `${told}=${span(bytes, valueAt, valueCount)}` : told;
}

function span(bytes: Bytes, at: number, count: number): string {
  return textAt(bytes, at, count);
}
