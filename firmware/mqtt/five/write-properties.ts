/**
 * Writing properties. What never changes is written once at boot: `…Size` functions say how much it takes, so that it
 * gets a buffer of just that size.
 */
import { writeByte, writeBytes, writeU16, type Writer } from "../../core/writer";
import type { Bytes } from "../../../hal/hal";
import type { MessageProperties, UserProperty } from "../five";
import { stringBytes, writeString } from "../packet";
import { highHalf, lowHalf, Property } from "./properties";

/** How many bytes a property takes whose value is a byte, two bytes, four bytes. */
export const BYTE_PROPERTY = 2;
export const U16_PROPERTY = 3;
export const U32_PROPERTY = 5;

export function writeByteProperty(writer: Writer, id: Property, value: number): void {
  writeByte(writer, id);
  writeByte(writer, value);
}

export function writeU16Property(writer: Writer, id: Property, value: number): void {
  writeByte(writer, id);
  writeU16(writer, value);
}

/** `value`: 0 to 2147483647, the latter standing for 4294967295. */
export function writeU32Property(writer: Writer, id: Property, value: number): void {
  writeByte(writer, id);
  writeU16(writer, highHalf(value));
  writeU16(writer, lowHalf(value));
}

export function writeTextProperty(writer: Writer, id: Property, text: string): void {
  writeByte(writer, id);
  writeString(writer, text);
}

/** Data, or a text that is there as bytes. */
export function writeBytesProperty(writer: Writer, id: Property, bytes: Bytes, at: number, count: number): void {
  writeByte(writer, id);
  writeU16(writer, count);
  writeBytes(writer, bytes, at, count);
}

/** The order of user properties is kept. */
export function writeUserProperties(writer: Writer, all: readonly UserProperty[] | undefined): void {
  if (all === undefined) return;
  for (let i = 0; i < all.length; i++) {
    const each = all[i];
    if (each === undefined) continue;
    writeTextProperty(writer, Property.UserProperty, each.name);
    writeString(writer, each.value);
  }
}

export function userPropertiesSize(all: readonly UserProperty[] | undefined): number {
  let size = 0;
  if (all === undefined) return size;
  for (let i = 0; i < all.length; i++) {
    const each = all[i];
    if (each !== undefined) size += 1 + stringBytes(each.name) + stringBytes(each.value);
  }
  return size;
}

/** What {@link writeMessageProperties} takes. */
export function messagePropertiesSize(message: MessageProperties): number {
  return correlationPlace(message) + correlationSize(message) + userPropertiesSize(message.userProperties);
}

/** What of that comes before the correlation data, and what they take. */
export function correlationPlace({ expiry, text, contentType, responseTopic }: MessageProperties): number {
  return (
    (expiry === undefined ? 0 : U32_PROPERTY) +
    (text === true ? BYTE_PROPERTY : 0) +
    (contentType === undefined ? 0 : 1 + stringBytes(contentType)) +
    (responseTopic === undefined ? 0 : 1 + stringBytes(responseTopic))
  );
}

export function correlationSize({ correlation }: MessageProperties): number {
  return correlation === undefined ? 0 : 1 + stringBytes(correlation);
}

/** What a message says of itself. The expiry comes first, where it is found while the message waits. */
export function writeMessageProperties(writer: Writer, message: MessageProperties): void {
  const { expiry, text, contentType, responseTopic, correlation } = message;
  if (expiry !== undefined) writeU32Property(writer, Property.MessageExpiry, expiry);
  if (text === true) writeByteProperty(writer, Property.PayloadFormat, 1);
  if (contentType !== undefined) writeTextProperty(writer, Property.ContentType, contentType);
  if (responseTopic !== undefined) writeTextProperty(writer, Property.ResponseTopic, responseTopic);
  if (correlation !== undefined) writeTextProperty(writer, Property.CorrelationData, correlation);
  writeUserProperties(writer, message.userProperties);
}
