/** What a client under test has, in the words of the oracle. */
import { type Span } from "../../firmware/core/link";
import { type Properties, Property } from "../../firmware/mqtt/five/properties";

const digits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function hexOf(bytes: ArrayLike<number>, at: number, count: number): string {
  let text = "";
  for (let i = at; i < at + count; i++) text += digits[bytes[i] ?? 0] ?? "";
  return text;
}

export function hexOfSpan({ bytes, at, count }: Span): string {
  return hexOf(bytes, at, count);
}

/** The properties that have a text, or data. */
const spans: readonly number[] = [
  Property.ContentType,
  Property.ResponseTopic,
  Property.CorrelationData,
  Property.AssignedClientId,
  Property.AuthenticationMethod,
  Property.AuthenticationData,
  Property.ResponseInformation,
  Property.ServerReference,
  Property.ReasonString,
];

export function textOfProperty({ id, value, bytes, at, count, valueAt, valueCount }: Properties): string {
  if (id === Property.UserProperty) return ` ${id}:${hexOf(bytes, at, count)}=${hexOf(bytes, valueAt, valueCount)}`;
  return ` ${id}:${spans.includes(id) ? hexOf(bytes, at, count) : value}`;
}

/** The packets of a stream that is right, each in hex. */
export function packetsIn(stream: readonly number[]): string[] {
  const packets: string[] = [];
  let at = 0;
  while (at < stream.length) {
    let body = at + 1;
    let length = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = stream[body] ?? 0;
      body++;
      length += (byte & 127) * factor;
      if (byte < 128) break;
    }
    const count = body - at + length;
    packets.push(at + count > stream.length ? "a packet that is cut" : hexOf(stream, at, count));
    at += count;
  }
  return packets;
}
