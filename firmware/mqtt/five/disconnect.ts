/** DISCONNECT, which either side may send: a reason code and properties, both of which may be left out. [MQTT 5.0 §3.14] */
import type { Bytes } from "../../../hal/hal";
import { byteAt } from "#native";
import { type Writer } from "../../core/writer";
import { PacketType, writeLength } from "../packet";
import { MOST, type Properties, propertiesNone, propertiesOpen, Property } from "./properties";
import { isFailure, Reason } from "./reason";
import { U32_PROPERTY, writeU32Property } from "./write-properties";

/**
 * Reads the `count` bytes behind the fixed header: gives the reason code. -1 minus the reason when the packet itself is
 * wrong: -1 - 0x81 if it is malformed.
 */
export function readDisconnect(properties: Properties, bytes: Bytes, at: number, count: number): number {
  propertiesNone(properties, bytes, at + count);
  if (count === 0) return Reason.Success;
  const reason = byteAt(bytes, at);
  if (reason !== Reason.Success && !isFailure(reason)) return -1 - Reason.ProtocolError;
  if (count === 1) return reason;
  const wrong = propertiesOpen(properties, bytes, at + 1, at + count, PacketType.Disconnect);
  if (wrong !== Reason.Success) return -1 - wrong;
  return properties.end === at + count ? reason : -1 - Reason.MalformedPacket;
}

/** The most bytes that {@link writeDisconnect} writes. */
export const DISCONNECT_ROOM = 1 + U32_PROPERTY;

/**
 * What stands behind the reason code: nothing, or `sessionExpiry` in seconds, how long the broker is to keep the session
 * from now on, if that is to change; -1 if it is not.
 */
export function writeDisconnect(writer: Writer, sessionExpiry: number): void {
  if (sessionExpiry < 0) return;
  writeLength(writer, U32_PROPERTY);
  writeU32Property(writer, Property.SessionExpiry, sessionExpiry > MOST ? MOST : sessionExpiry);
}
