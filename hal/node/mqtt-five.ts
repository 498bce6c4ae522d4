/** MQTT 5.0 between the client in Node and the firmware's: properties that go out and come in, and what is checked of them. */
import type { FiveConnect, MessageProperties, PublicationExtras, SubscriptionOptions, UserProperty } from "../../firmware/mqtt/five";
import { MOST, nextProperty, type Properties, propertiesRewind, Property } from "../../firmware/mqtt/five/properties";
import { LARGEST_IDENTIFIER } from "../../firmware/mqtt/five/subscribe";
import { messagePropertiesSize, writeBytesProperty, writeMessageProperties } from "../../firmware/mqtt/five/write-properties";
import { createWriter } from "../../firmware/core/writer";
import { lengthBytes } from "../../firmware/mqtt/packet";
import type { Publication } from "../../firmware/mqtt/publication";
import { isTopicName } from "../../firmware/mqtt/topic";
import { allocate, textAt } from "./native";
import { view } from "./view";

/** What is said of a message with {@link MessageProperties}; the correlation data may also be bytes. */
export interface PublishProperties extends Omit<MessageProperties, "correlation"> {
  readonly correlation?: string | Uint8Array | undefined;
}

/** What a message that came in says of itself. It is the handler's own. */
export interface ReceivedProperties {
  /** Seconds that are left of its expiry. */
  readonly expiry: number | undefined;
  /** The payload is UTF-8 text, says who has published it. */
  readonly text: boolean;
  readonly contentType: string | undefined;
  readonly responseTopic: string | undefined;
  readonly correlation: Buffer | undefined;
  /** In the order in which they were sent. */
  readonly userProperties: readonly UserProperty[];
  /** The identifiers of the subscriptions that it came for. */
  readonly subscriptionIdentifiers: readonly number[];
}

/** The most bytes of a text, and of all properties of a message. */
const LONGEST = 65535;
const SHARE = "$share/";

/** Copies the properties of the message that is being dealt with. */
export function readProperties(properties: Properties): ReceivedProperties {
  let expiry: number | undefined;
  let text = false;
  let contentType: string | undefined;
  let responseTopic: string | undefined;
  let correlation: Buffer | undefined;
  const userProperties: UserProperty[] = [];
  const subscriptionIdentifiers: number[] = [];
  propertiesRewind(properties);
  while (nextProperty(properties)) {
    const { bytes, at, count, value, valueAt, valueCount } = properties;
    switch (properties.id) {
      case Property.MessageExpiry:
        expiry = value;
        break;
      case Property.PayloadFormat:
        text = value === 1;
        break;
      case Property.ContentType:
        contentType = textAt(bytes, at, count);
        break;
      case Property.ResponseTopic:
        responseTopic = textAt(bytes, at, count);
        break;
      case Property.CorrelationData:
        correlation = Buffer.from(view(bytes).subarray(at, at + count));
        break;
      case Property.UserProperty:
        userProperties.push({ name: textAt(bytes, at, count), value: textAt(bytes, valueAt, valueCount) });
        break;
      case Property.SubscriptionIdentifier:
        subscriptionIdentifiers.push(value);
        break;
    }
  }
  return { expiry, text, contentType, responseTopic, correlation, userProperties, subscriptionIdentifiers };
}

/** The properties as they are sent, or what is wrong with them. */
export function extrasOf(wanted: PublishProperties): PublicationExtras | string {
  const problem = problemIn(wanted);
  if (problem !== undefined) return problem;
  const { correlation, ...others } = wanted;
  // In the form in which they are sent, text and bytes are the same.
  const data = typeof correlation === "string" ? Buffer.from(correlation) : correlation;
  const correlationAt = messagePropertiesSize(others);
  const correlationSize = data === undefined ? 0 : 3 + data.length;
  const size = correlationAt + correlationSize;
  if (size > LONGEST) return `properties of ${size} bytes`;
  const writer = createWriter(allocate(size === 0 ? 1 : size));
  writeMessageProperties(writer, others);
  if (data !== undefined) writeBytesProperty(writer, Property.CorrelationData, data, 0, data.length);
  return { properties: writer.bytes, size, correlationAt, correlationSize, expiry: wanted.expiry ?? -1, alias: 0 };
}

function problemIn({ expiry, contentType, responseTopic, correlation, userProperties }: PublishProperties): string | undefined {
  if (expiry !== undefined && !isWithin(expiry, 0, MOST)) return `expiry is not 0 to ${MOST}`;
  if (contentType !== undefined && !isText(contentType)) return "contentType cannot be sent as text";
  if (responseTopic !== undefined && !isName(responseTopic)) return "responseTopic is no topic name";
  if (correlation !== undefined && Buffer.byteLength(correlation) > LONGEST) return "correlation is longer than 65535 bytes";
  return userPropertiesProblem(userProperties);
}

/** What is wrong with how a client wants to introduce itself. */
export function connectProblem({ sessionExpiry, receiveMaximum, maximumPacketSize, ...own }: FiveConnect): string | undefined {
  if (sessionExpiry !== undefined && !isWithin(sessionExpiry, 0, MOST)) return `sessionExpiry is not 0 to ${MOST}`;
  if (receiveMaximum !== undefined && !isWithin(receiveMaximum, 1, LONGEST)) return "receiveMaximum is not 1 to 65535";
  if (maximumPacketSize !== undefined && !isWithin(maximumPacketSize, 1, MOST)) return `maximumPacketSize is not 1 to ${MOST}`;
  if (own.will?.delay !== undefined && !isWithin(own.will.delay, 0, MOST)) return `the will's delay is not 0 to ${MOST}`;
  return userPropertiesProblem(own.userProperties) ?? (own.will === undefined ? undefined : problemIn(own.will));
}

/** What is wrong with how a subscription is to be served. [MQTT5-3.8.3-4] */
export function subscriptionProblem(filter: string, { identifier, noLocal, retainHandling }: SubscriptionOptions): string | undefined {
  if (identifier !== undefined && !isWithin(identifier, 1, LARGEST_IDENTIFIER)) return `identifier is not 1 to ${LARGEST_IDENTIFIER}`;
  if (noLocal === true && filter.startsWith(SHARE)) return "noLocal is not for shared subscriptions";
  if (retainHandling !== undefined && !isWithin(retainHandling, 0, 2)) return "retainHandling is not 0 to 2";
  return undefined;
}

/** Whether two subscriptions are served in the same way. */
export function isServedAs(a: SubscriptionOptions, b: SubscriptionOptions): boolean {
  return (
    (a.noLocal ?? false) === (b.noLocal ?? false) &&
    (a.retainAsPublished ?? false) === (b.retainAsPublished ?? false) &&
    (a.retainHandling ?? 0) === (b.retainHandling ?? 0) &&
    a.identifier === b.identifier
  );
}

/** A publication for one message: MQTT 5.0 reserves room for the longest payload that there may be. */
export function publicationOfOne(publication: Publication, payload: number, extras: PublicationExtras | undefined): Publication {
  const remaining = publication.head.length + payload;
  return { ...publication, maxPayload: payload, room: 1 + lengthBytes(remaining) + remaining, extras };
}

function userPropertiesProblem(all: readonly UserProperty[] | undefined): string | undefined {
  const wrong = all?.find(({ name, value }) => !isText(name) || !isText(value));
  return wrong === undefined ? undefined : `user property ${JSON.stringify(wrong.name)} cannot be sent as text`;
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

/** [MQTT5-1.5.4-2] */
function isText(text: string): boolean {
  return !text.includes("\0") && Buffer.byteLength(text) <= LONGEST;
}

function isName(topic: string): boolean {
  const bytes = Buffer.from(topic);
  return bytes.length <= LONGEST && isTopicName(bytes, 0, bytes.length);
}
