/** CONNECT. What never changes is encoded once, at boot; the client identifier may come from the broker. [MQTT 5.0 §3.1] */
import type { Bytes } from "../../../hal/hal";
import { allocate, copy, putText, textLength } from "#native";
import { createWriter, writeByte, writeBytes, writeU16, type Writer } from "../../core/writer";
import type { ConnectOptions } from "../connect";
import type { FiveConnect, WillProperties } from "../five";
import { lengthBytes, stringBytes, writeLength, writeString } from "../packet";
import { authPropertiesSize, writeAuthProperties } from "./auth";
import { MOST, Property } from "./properties";
import {
  BYTE_PROPERTY,
  messagePropertiesSize,
  U16_PROPERTY,
  U32_PROPERTY,
  userPropertiesSize,
  writeByteProperty,
  writeMessageProperties,
  writeU16Property,
  writeU32Property,
  writeUserProperties,
} from "./write-properties";

/** The flags of a CONNECT. [MQTT 5.0 §3.1.2.3] */
const CLEAN_START = 0x02;
const WILL = 0x04;
const WILL_QOS = 0x08;
const WILL_RETAIN = 0x20;
const PASSWORD = 0x40;
const USER_NAME = 0x80;
const PROTOCOL_VERSION = 5;
/** Where the flags stand, behind `MQTT` and the version. */
const FLAGS_AT = 7;
const HEAD_SIZE = 10;

/** A CONNECT in pieces. */
export interface ConnectParts {
  /** The first ten bytes behind the fixed header: name, version, flags, keep alive. */
  readonly head: Bytes;
  /** The properties but those of authentication, and how many bytes they take. */
  readonly properties: Bytes;
  readonly propertiesSize: number;
  /** The client identifier, which the broker may give: with room for `assignedIdSize` bytes if we have none. */
  readonly clientId: Bytes;
  clientIdSize: number;
  /** What comes behind it: will, user name, password. */
  readonly tail: Bytes;
  readonly tailSize: number;
  readonly method: string | undefined;
}

/** The longest client identifier that is taken from a broker, unless the application says otherwise. */
const ASSIGNED_SIZE = 64;

/** A buffer that may have nothing to hold. @boot */
function roomFor(size: number): Bytes {
  return allocate(size === 0 ? 1 : size);
}

/** What a client can take in. */
export interface Intake {
  /** The largest packet, fixed header included; {@link MOST}: any. */
  readonly packetSize: number;
  /** How many messages at QoS 1 and 2 that are not acknowledged; 65535: any number. */
  readonly messages: number;
}

/** @boot */
export function createConnectParts(options: ConnectOptions, own: FiveConnect, intake: Intake): ConnectParts {
  const head = createWriter(allocate(HEAD_SIZE));
  writeString(head, "MQTT");
  writeByte(head, PROTOCOL_VERSION);
  writeByte(head, connectFlags(options));
  writeU16(head, options.keepAlive);

  const propertiesSize = connectPropertiesSize(options, own, intake);
  const properties = createWriter(roomFor(propertiesSize));
  writeConnectProperties(properties, options, own, intake);

  const tailSize = connectTailSize(options, own);
  const tail = createWriter(roomFor(tailSize));
  writeConnectTail(tail, options, own);

  const clientIdSize = textLength(options.clientId);
  const clientId = allocate(clientIdSize === 0 ? (own.assignedIdSize ?? ASSIGNED_SIZE) : clientIdSize);
  putText(clientId, 0, options.clientId);
  return {
    head: head.bytes,
    properties: properties.bytes,
    propertiesSize,
    clientId,
    clientIdSize,
    tail: tail.bytes,
    tailSize,
    method: own.authentication?.method,
  };
}

function connectFlags({ cleanSession, will, userName, password }: ConnectOptions): number {
  let flags = cleanSession ? CLEAN_START : 0;
  if (will !== undefined) flags += WILL + will.qos * WILL_QOS + (will.retain ? WILL_RETAIN : 0);
  if (userName !== undefined) flags += USER_NAME;
  // A password without a user name is possible since MQTT 5.0.
  if (password !== undefined) flags += PASSWORD;
  return flags;
}

/** Seconds that the session is to outlive its link. */
export function sessionExpiryOf({ cleanSession }: ConnectOptions, { sessionExpiry }: FiveConnect): number {
  return sessionExpiry ?? (cleanSession ? 0 : MOST);
}

const ANY_NUMBER = 65535;

function connectPropertiesSize(options: ConnectOptions, own: FiveConnect, intake: Intake): number {
  return (
    (sessionExpiryOf(options, own) === 0 ? 0 : U32_PROPERTY) +
    (intake.messages === ANY_NUMBER ? 0 : U16_PROPERTY) +
    (intake.packetSize === MOST ? 0 : U32_PROPERTY) +
    (own.aliasesIn === undefined ? 0 : U16_PROPERTY) +
    (own.requestResponseInformation === true ? BYTE_PROPERTY : 0) +
    (own.requestProblemInformation === false ? BYTE_PROPERTY : 0) +
    userPropertiesSize(own.userProperties)
  );
}

function writeConnectProperties(writer: Writer, options: ConnectOptions, own: FiveConnect, intake: Intake): void {
  const sessionExpiry = sessionExpiryOf(options, own);
  if (sessionExpiry !== 0) writeU32Property(writer, Property.SessionExpiry, sessionExpiry);
  if (intake.messages !== ANY_NUMBER) writeU16Property(writer, Property.ReceiveMaximum, intake.messages);
  if (intake.packetSize !== MOST) writeU32Property(writer, Property.MaximumPacketSize, intake.packetSize);
  if (own.aliasesIn !== undefined) writeU16Property(writer, Property.TopicAliasMaximum, own.aliasesIn);
  if (own.requestResponseInformation === true) writeByteProperty(writer, Property.RequestResponseInformation, 1);
  if (own.requestProblemInformation === false) writeByteProperty(writer, Property.RequestProblemInformation, 0);
  writeUserProperties(writer, own.userProperties);
}

function willPropertiesSize(will: WillProperties | undefined): number {
  if (will === undefined) return 0;
  return (will.delay === undefined ? 0 : U32_PROPERTY) + messagePropertiesSize(will);
}

function connectTailSize({ will, userName, password }: ConnectOptions, own: FiveConnect): number {
  let size = 0;
  if (will !== undefined) {
    const properties = willPropertiesSize(own.will);
    size += lengthBytes(properties) + properties + stringBytes(will.topic) + stringBytes(will.payload);
  }
  if (userName !== undefined) size += stringBytes(userName);
  if (password !== undefined) size += stringBytes(password);
  return size;
}

/** Will, user name, password, in this order behind the client identifier. [MQTT5-3.1.3-1] */
function writeConnectTail(writer: Writer, { will, userName, password }: ConnectOptions, own: FiveConnect): void {
  if (will !== undefined) {
    writeLength(writer, willPropertiesSize(own.will));
    if (own.will?.delay !== undefined) writeU32Property(writer, Property.WillDelay, own.will.delay);
    if (own.will !== undefined) writeMessageProperties(writer, own.will);
    writeString(writer, will.topic);
    writeString(writer, will.payload);
  }
  if (userName !== undefined) writeString(writer, userName);
  if (password !== undefined) writeString(writer, password);
}

/** The most bytes of the CONNECT behind its head, with `data` bytes of authentication data. */
export function connectRoom(parts: ConnectParts, data: number): number {
  const properties = propertiesSizeWith(parts, data);
  return lengthBytes(properties) + properties + 2 + parts.clientId.length + parts.tailSize;
}

function propertiesSizeWith(parts: ConnectParts, data: number): number {
  return parts.propertiesSize + (parts.method === undefined ? 0 : authPropertiesSize(parts.method, data));
}

/** What stands behind the head, with `count` bytes of authentication data. */
export function writeConnect(writer: Writer, parts: ConnectParts, data: Bytes, count: number): void {
  writeLength(writer, propertiesSizeWith(parts, count));
  writeBytes(writer, parts.properties, 0, parts.propertiesSize);
  if (parts.method !== undefined) writeAuthProperties(writer, parts.method, data, count);
  writeU16(writer, parts.clientIdSize);
  writeBytes(writer, parts.clientId, 0, parts.clientIdSize);
  writeBytes(writer, parts.tail, 0, parts.tailSize);
}

/** From now on the session is gone on with: the next CONNECT does not ask for a new one. */
export function connectResumes(parts: ConnectParts): void {
  const flags = parts.head[FLAGS_AT] ?? 0;
  parts.head[FLAGS_AT] = flags & ~CLEAN_START;
}

/** Whether the CONNECT asks for a new session. */
export function connectIsClean(parts: ConnectParts): boolean {
  return ((parts.head[FLAGS_AT] ?? 0) & CLEAN_START) !== 0;
}

/**
 * The broker has given us the client identifier in the `count` bytes at `at`: later links are made with it
 * [MQTT5-3.2.2-16]. False: it is too long to be kept.
 */
export function adoptClientId(parts: ConnectParts, bytes: Bytes, at: number, count: number): boolean {
  if (count > parts.clientId.length) return false;
  copy(bytes, at, parts.clientId, 0, count);
  parts.clientIdSize = count;
  return true;
}
