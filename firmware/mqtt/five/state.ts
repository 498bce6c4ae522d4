/** What MQTT 5.0 has to bear in mind for one client, and what an application sees of it. */
import type { Bytes, Millis } from "../../../hal/hal";
import { type Span } from "../../core/link";
import { type Deadline } from "../../core/time";
import { type Five, type FiveConnect } from "../five";
import { type PacketType } from "../packet";
import { type Ack } from "./acks";
import { type AliasesIn } from "./aliases";
import { type Granted } from "./connack";
import { type ConnectParts } from "./connect";
import { type Properties } from "./properties";
import { type Inbound } from "./publish";
import { type Reason } from "./reason";
import { type Answer } from "./subscribe";

/** Why a message is not sent. */
export const enum Unsent {
  /** Its packet is larger than the broker takes. */
  TooLarge,
  /** Its quality of service is higher than the broker's. */
  Qos,
  /** It is to be retained, and the broker retains nothing. */
  Retain,
  /** Nobody wants it any more. */
  Expired,
}

/** What the broker has said with a packet. Everything is lent for the length of the call. */
export interface Report {
  /** CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, DISCONNECT or AUTH. */
  packet: PacketType;
  /** Its reason code. From 0x80 on it tells of a failure. [MQTT 5.0 §2.4] */
  reason: number;
  /** The packet identifier, 0 if it has none. */
  id: number;
  /** The topic of the message, or the filter of the subscription, that it is about. Empty if it is about none. */
  readonly topic: Span;
  /** What went wrong, in words for people; and another broker to go to. Empty if it does not say. */
  readonly text: Span;
  readonly reference: Span;
}

/** What the application is told. It may publish from within. */
export interface FiveEvents {
  /**
   * Every CONNACK and DISCONNECT of the broker, and every other packet that tells of a failure or has a text. Whatever
   * it tells of has been dealt with: a message that was not taken is over and is not sent again, a subscription that was
   * refused is `Refused`, a link that the broker ends is closed. All of its properties are in `five.properties`.
   */
  told?(now: Millis, report: Report): void;
  /** A message that was accepted is not sent, and is dropped. Its topic is lent. */
  unsent?(now: Millis, why: Unsent, topic: Span): void;
}

/** Counters since power-on. */
export interface FiveStats {
  /** Messages that the broker did not take, with a reason of 0x80 or more. */
  rejected: number;
  /** Messages that were not accepted, or were dropped, for each reason that there is to. */
  tooLarge: number;
  qosTooHigh: number;
  retainRefused: number;
  expired: number;
}

export interface FiveOptions extends FiveConnect {
  /** How many of our own topics may have an alias: see `withProperties`. Left out: none. */
  readonly aliasesOut?: number | undefined;
  /** How many messages with an expiry may wait in the outbox and grow old; any more keep what they have. Left out: 16. */
  readonly expiries?: number | undefined;
  readonly events?: FiveEvents | undefined;
}

/** How far the broker knows one of our aliases. */
export const enum AliasState {
  Unknown,
  /** A message with the topic and the alias is in the outbox, or was. */
  Told,
  /** And it has gone out: the alias stands for the topic. */
  Known,
}

/** A message in the outbox that grows old. */
export interface Expiry {
  /** Its packet identifier, 0 for none. */
  id: number;
  /** When it was published, and how many seconds it had then. */
  since: Millis;
  seconds: number;
}

export interface FiveState extends Five {
  readonly own: FiveOptions;
  /** What the broker grants in this session. */
  readonly granted: Granted;
  /** The properties of the packet that is being dealt with: in a handler, those of its message. */
  readonly properties: Properties;
  readonly report: Report;
  readonly stats: FiveStats;
  /** What is sent in DISCONNECT when the client leaves: `leaveWith`. */
  leaveReason: Reason;
  leaveExpiry: number;
  /** What was wrong with the packet for which the link is ended; `Success` when something else is the cause. */
  fault: Reason;

  /** Set by {@link FiveState.prepare}. */
  parts: ConnectParts;
  /** A PUBLISH as MQTT 3.1.1 has it, behind its properties. */
  room: Bytes;

  readonly inbound: Inbound;
  readonly ack: Ack;
  readonly answer: Answer;
  readonly aliasesIn: AliasesIn;
  /** Packets may come that are larger than the client takes in: then they are read over. */
  readsOver: boolean;
  /** The largest packet that may come, with its fixed header; and whether the client could take in larger ones. */
  packetSize: number;
  packetIsLimited: boolean;
  /** How many of our messages may be under way, whatever the broker takes. */
  maxInFlight: number;
  /** How many QoS 2 messages may come that are not released, if there is a limit. */
  intake: number;

  /** For each of our aliases, 1 first; and how many have been given out. */
  readonly aliases: AliasState[];
  aliasesGiven: number;

  /** What goes with the next publish: see `answerWith`. */
  readonly answerTo: Span;
  readonly correlation: Span;
  /** The alias of the publish that is being written, 0 for none. */
  draftAlias: number;
  /** The time of the last poll. */
  now: Millis;

  readonly expiries: Expiry[];
  readonly expiryDue: Deadline;

  readonly refusalPacket: Bytes;

  /** Authentication data, and one byte: the reason that an AUTH or DISCONNECT begins with. */
  readonly authData: Bytes;
  readonly reasonByte: Bytes;
  /** An authentication that we have begun anew in this session is not through. */
  authenticating: boolean;
}
