/**
 * MQTT 5.0, as the client sees it: what an application may ask for and is told. The code stands in `five/`, and is only
 * in the image of an application that hands the client a `createFive(…)`.
 */
import type { Bytes, Millis } from "../../hal/hal";
import { type Writer } from "../core/writer";
import { type Client, type ClientOptions, type Fault } from "./client-state";
import { type Publication } from "./publication";
import { type ReaderEvents } from "./reader";

/** A pair of texts with a meaning that only the two ends know. */
export interface UserProperty {
  readonly name: string;
  readonly value: string;
}

/** What a message says of itself, besides its topic and payload. [MQTT 5.0 §3.3.2.3, §3.1.3.2] */
export interface MessageProperties {
  /** Seconds after which nobody wants it any more, 0 to 2147483647. Left out: it does not grow old. */
  readonly expiry?: number | undefined;
  /** The payload is UTF-8 text. */
  readonly text?: boolean | undefined;
  /** Such as `application/json`. */
  readonly contentType?: string | undefined;
  /** Where an answer is awaited: a topic name. */
  readonly responseTopic?: string | undefined;
  /** What the answer is to repeat, so that it is known for what it answers. */
  readonly correlation?: string | undefined;
  readonly userProperties?: readonly UserProperty[] | undefined;
}

/** What the broker publishes when the link ends without DISCONNECT. */
export interface WillProperties extends MessageProperties {
  /** Seconds that the broker waits with it, for a client that is back soon: 0 to 2147483647. */
  readonly delay?: number | undefined;
}

/** Which stored messages a subscription is sent. [MQTT 5.0 §3.8.3.1] */
export const enum RetainHandling {
  /** All that match, whenever it is made, which is at every new session. */
  Always = 0,
  /** All that match, unless the broker had the subscription already. */
  WhenNew = 1,
  Never = 2,
}

/** What {@link MessageProperties} become for a publication. */
export interface PublicationExtras {
  /** All of them in the form in which they are sent, the expiry first, and how many bytes they take. */
  readonly properties: Bytes;
  readonly size: number;
  /** Where the correlation data are among them, and how many bytes they take, 0 for none: an answer leaves them out. */
  readonly correlationAt: number;
  readonly correlationSize: number;
  /** Seconds; -1: it does not grow old. */
  readonly expiry: number;
  /** The number that may stand for the topic, 0 for none. */
  readonly alias: number;
}

/** How a subscription is to be served. */
export interface SubscriptionOptions {
  /** What this client publishes itself is not sent to it. Not for `$share/…` [MQTT5-3.8.3-4]. */
  readonly noLocal?: boolean | undefined;
  /** A message keeps the RETAIN flag that it was published with. */
  readonly retainAsPublished?: boolean | undefined;
  readonly retainHandling?: RetainHandling | undefined;
  /** 1 to 268435455: comes with every message that the broker sends for this subscription. */
  readonly identifier?: number | undefined;
}

/**
 * An authentication that takes more than a password, as the application drives it. [MQTT 5.0 §4.12]
 * Data is lent for the length of a call; `into` is a buffer of {@link Authentication.room} bytes.
 */
export interface Authentication {
  readonly method: string;
  /** The most bytes of data that it sends at a time. */
  readonly room: number;
  /** Begins: on every new link, and when a session is authenticated again. Writes to `into`; gives how many bytes, 0 for none. */
  begin(into: Bytes): number;
  /** The broker asks on. As {@link begin}; below 0: it is not to be believed, and the link is closed. */
  challenge(bytes: Bytes, at: number, count: number, into: Bytes): number;
  /** The broker is content, and may have sent data that says so. False: it is not to be believed, and the link is closed. */
  accepted(bytes: Bytes, at: number, count: number): boolean;
}

/** How a client introduces itself to a broker that speaks MQTT 5.0, besides its `ConnectOptions`. */
export interface FiveConnect {
  /**
   * Seconds that the session outlives its link, 0 to 2147483647, which is for ever. Left out: for ever, or not at all
   * with `cleanSession`. With `cleanSession` and a number above 0, the first link of this client begins a new session,
   * and later ones go on with it.
   */
  readonly sessionExpiry?: number | undefined;
  /**
   * The longest client identifier, in bytes, that the broker may give to a client without one: with a longer one there is
   * no session, and {@link Fault.AssignedIdTooLong} says so. Left out: 64.
   */
  readonly assignedIdSize?: number | undefined;
  /**
   * How many QoS 1 and 2 messages may come that are not acknowledged, 1 to 65535. Left out: any number, or as many as the
   * features `exactlyOnce` and `byHand` can bear in mind.
   */
  readonly receiveMaximum?: number | undefined;
  /** The largest packet that may come, with its fixed header. Left out: what the client can take in. */
  readonly maximumPacketSize?: number | undefined;
  /** How many topic aliases the broker may use, and the longest topic that one can stand for. Left out: none. */
  readonly aliasesIn?: number | undefined;
  readonly aliasTopicSize?: number | undefined;
  /** The broker is asked where answers could be sent to: `ResponseInformation` in its CONNACK. */
  readonly requestResponseInformation?: boolean | undefined;
  /** False: the broker is asked to leave out texts about what went wrong. */
  readonly requestProblemInformation?: boolean | undefined;
  readonly userProperties?: readonly UserProperty[] | undefined;
  readonly will?: WillProperties | undefined;
  readonly authentication?: Authentication | undefined;
}

/** What the client asks of MQTT 5.0, when the application carries it: `createFive` makes one. */
export interface Five {
  /** The protocol level that it speaks. */
  readonly protocol: 5;
  /** How many bytes a SUBSCRIBE takes more than in MQTT 3.1.1. */
  readonly subscribeRoom: number;
  /** The broker keeps the session when its link is gone. */
  sessionKept: boolean;

  /** Makes what depends on the client's options. Gives how many bytes of control packets it may have to queue. @boot */
  prepare(this: void, options: ClientOptions, maxInFlight: number): number;
  /** Stands between the reader and the client: `events` is told of each PUBLISH as MQTT 3.1.1 has it. @boot */
  listen(this: void, client: Client, events: ReaderEvents): ReaderEvents;

  /**
   * The first bytes of a PUBLISH at QoS `qos` that is larger than the reader's buffer fill that: says in the client's
   * message where its topic is, with the identifier behind it. Gives how many of these bytes come before the payload; 0
   * when that are not all; -1 when the packet is wrong, and then the link is ended.
   */
  large(this: void, client: Client, qos: number): number;
  /** The link is up: sends CONNECT. */
  connect(this: void, client: Client): void;
  /** The link is gone. */
  linkLost(this: void): void;
  /** The client's turn of the main loop, and how long it can be left alone in a session, in milliseconds. */
  poll(this: void, client: Client, now: Millis): void;
  wait(this: void, now: Millis): number;
  /**
   * Ends the link with a DISCONNECT that says why. False when there is nobody to say it to, or no room: then it is
   * closed without.
   */
  dismiss(this: void, client: Client, fault: Fault): boolean;
  /** Queues the DISCONNECT of a client that leaves in good order. */
  leave(this: void, client: Client): void;

  /** As `publishBegin` and `canPublish`. */
  begin(this: void, client: Client, publication: Publication): Writer | undefined;
  fits(this: void, client: Client, publication: Publication): boolean;
  /** Where the body begins in the outbox of the message that was begun. */
  bodyAt: number;
  /** The payload is written. False, counted, when the broker would not take the message. */
  end(this: void, client: Client, publication: Publication): boolean;

  /** Whether a packet of `size` bytes in all is as small as the broker wants it. */
  takes(this: void, size: number): boolean;
  /** What was said of the next publish does not count any more: it was refused. */
  forgetAnswer(this: void): void;
  /** Whether there is anything to ask of the broker that it knows at all. */
  maySubscribe(this: void, client: Client, now: Millis): boolean;
  /** Writes a SUBSCRIBE behind its identifier, of filters that are wanted and can go in one packet; and an UNSUBSCRIBE. */
  subscribe(this: void, client: Client, writer: Writer): void;
  unsubscribe(this: void, client: Client, writer: Writer): void;
  /** The reason code with which the message that is confirmed next is refused; 0: it is not. */
  refusal: number;
  /** Says that a message at QoS 1 or 2 was not taken, if a handler has said so. False when none has. */
  refused(this: void, client: Client, qos: number, id: number): boolean;
}
