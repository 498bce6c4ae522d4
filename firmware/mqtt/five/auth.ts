/** AUTH: one step of an authentication that takes more than a password. [MQTT 5.0 §3.15] */
import type { Bytes } from "../../../hal/hal";
import { byteAt, isText } from "#native";
import { type Writer } from "../../core/writer";
import { lengthBytes, PacketType, stringBytes, writeLength } from "../packet";
import { findProperty, type Properties, propertiesNone, propertiesOpen, Property } from "./properties";
import { Reason } from "./reason";
import { writeBytesProperty, writeTextProperty } from "./write-properties";

/** As `readDisconnect`. What a broker sends is a step of the exchange, or that a re-authentication is through. */
export function readAuth(properties: Properties, bytes: Bytes, at: number, count: number): number {
  propertiesNone(properties, bytes, at + count);
  // [MQTT 5.0 §3.15.2.1]: without anything, success.
  if (count === 0) return Reason.Success;
  const reason = byteAt(bytes, at);
  if (reason !== Reason.Success && reason !== Reason.ContinueAuthentication) return -1 - Reason.ProtocolError;
  if (count === 1) return -1 - Reason.MalformedPacket;
  const wrong = propertiesOpen(properties, bytes, at + 1, at + count, PacketType.Auth);
  if (wrong !== Reason.Success) return -1 - wrong;
  return properties.end === at + count ? reason : -1 - Reason.MalformedPacket;
}

/** Whether a packet names `method`, and no other; `undefined`: that it names none. [MQTT5-4.12.0-5] [MQTT5-4.12.0-6] */
export function namesMethod(properties: Properties, method: string | undefined): boolean {
  const named = findProperty(properties, Property.AuthenticationMethod);
  if (method === undefined) return !named && !findProperty(properties, Property.AuthenticationData);
  return named && isText(properties.bytes, properties.at, properties.count, method);
}

/** The most bytes behind the reason code of an AUTH with `data` bytes. */
export function authRoom(method: string, data: number): number {
  const properties = authPropertiesSize(method, data);
  return lengthBytes(properties) + properties;
}

/** What method and data take as properties, in an AUTH or a CONNECT. */
export function authPropertiesSize(method: string, data: number): number {
  return 1 + stringBytes(method) + (data > 0 ? 3 + data : 0);
}

/** Method and data, as they stand in an AUTH or a CONNECT. */
export function writeAuthProperties(writer: Writer, method: string, data: Bytes, count: number): void {
  writeTextProperty(writer, Property.AuthenticationMethod, method);
  if (count > 0) writeBytesProperty(writer, Property.AuthenticationData, data, 0, count);
}

/** What stands behind the reason code of an AUTH. */
export function writeAuth(writer: Writer, method: string, data: Bytes, count: number): void {
  writeLength(writer, authPropertiesSize(method, count));
  writeAuthProperties(writer, method, data, count);
}
