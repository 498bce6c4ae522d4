/**
 * CONNECT, and the other packets that never change while a client lives: they are encoded once at boot.
 * Source: MQTT 3.1.1 §3.1, §3.12, §3.14.
 */
import type { Bytes } from "../../hal/hal";
import { allocate, textLength } from "#native";
import { createWriter, type Writer, writeByte, writerOpen, writeText, writeU16 } from "../core/writer";
import { lengthBytes, PacketType, type Qos, RETAIN, stringBytes, writeFixedHeader, writeString } from "./packet";

/** What is published at a moment fixed in advance: the will when the link dies, the birth when it is up. */
export interface Notice {
  readonly topic: string;
  readonly payload: string;
  readonly qos: Qos;
  readonly retain: boolean;
}

/** The protocol level, as CONNECT has it. */
export type Protocol = 3 | 4 | 5;

/** How a client introduces itself. */
export interface ConnectOptions {
  /** How it is spoken: 3 is MQTT 3.1 (`MQIsdp`), 4 is 3.1.1, 5 is 5.0, which needs the feature `five`. Left out: 4. */
  readonly protocol?: Protocol | undefined;
  /**
   * 1 to 65535 bytes; brokers accept at least 23 of letters and digits, and none at all with a clean session. In MQTT
   * 3.1, 1 to 23.
   */
  readonly clientId: string;
  /** False: the broker keeps subscriptions and messages while the client is away. */
  readonly cleanSession: boolean;
  /** Seconds, 0 to 65535: the longest silence before the broker takes the client for dead. 0 turns it off. */
  readonly keepAlive: number;
  /** Left out: no user name. A password without one is not possible in MQTT 3.1.1. [MQTT-3.1.2-22] */
  readonly userName?: string | undefined;
  readonly password?: string | undefined;
  /** What the broker publishes when the link ends without DISCONNECT. */
  readonly will?: Notice | undefined;
}

/** The flags of a CONNECT. [MQTT 3.1.1 §3.1.2.3] */
const CLEAN_SESSION = 0x02;
const WILL = 0x04;
const WILL_QOS_1 = 0x08;
const WILL_RETAIN = 0x20;
const PASSWORD = 0x40;
const USER_NAME = 0x80;

/** The protocol that is spoken unless the options say otherwise. */
const MQTT_3_1_1 = 4;

/** The CONNECT packet of `options`, ready to send. `writer` is lent: what is made at boot is never given back. @boot */
export function createConnectPacket(options: ConnectOptions, writer = createWriter(allocate(1))): Bytes {
  const will = options.will;
  const userName = options.userName;
  const password = userName === undefined ? undefined : options.password;
  let flags = options.cleanSession ? CLEAN_SESSION : 0;
  const protocol = options.protocol ?? MQTT_3_1_1;
  // MQTT 3.1 is known by another name. [MQTT 3.1 §3.1]
  const name = protocol === 3 ? "MQIsdp" : "MQTT";
  let remaining = stringBytes(name) + 4 + stringBytes(options.clientId);
  if (will !== undefined) {
    flags |= WILL | will.qos * WILL_QOS_1 | (will.retain ? WILL_RETAIN : 0);
    remaining += stringBytes(will.topic) + stringBytes(will.payload);
  }
  if (userName !== undefined) {
    flags |= USER_NAME;
    remaining += stringBytes(userName);
  }
  if (password !== undefined) {
    flags |= PASSWORD;
    remaining += stringBytes(password);
  }

  openPacket(writer, PacketType.Connect, 0, remaining);
  writeString(writer, name);
  writeByte(writer, protocol);
  writeByte(writer, flags);
  writeU16(writer, options.keepAlive);
  writeString(writer, options.clientId);
  if (will !== undefined) {
    writeString(writer, will.topic);
    writeString(writer, will.payload);
  }
  if (userName !== undefined) writeString(writer, userName);
  if (password !== undefined) writeString(writer, password);
  return writer.bytes;
}

/** A PUBLISH at QoS 0 whose bytes never change. In MQTT 5.0 it says that it has no properties. `writer` is lent. @boot */
export function createNoticePacket(notice: Notice, protocol: Protocol, writer = createWriter(allocate(1))): Bytes {
  const remaining = stringBytes(notice.topic) + (protocol === 5 ? 1 : 0) + textLength(notice.payload);
  openPacket(writer, PacketType.Publish, notice.retain ? RETAIN : 0, remaining);
  writeString(writer, notice.topic);
  if (protocol === 5) writeByte(writer, 0);
  writeText(writer, notice.payload);
  return writer.bytes;
}

/** Points `writer` at a packet of just that size, behind its fixed header. @boot */
function openPacket(writer: Writer, type: PacketType, flags: number, remaining: number): void {
  const size = 1 + lengthBytes(remaining) + remaining;
  writerOpen(writer, allocate(size), 0, size);
  writeFixedHeader(writer, type, flags, remaining);
}
