/**
 * MQTT 5.0, as the client sees it: what an application may ask for and is told. The code stands in `five/`, and is only
 * in the image of an application that hands the client a `createFive(…)`.
 */
import type { Bytes } from "../../hal/hal";

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
  /** How many QoS 1 and 2 messages may come that are not acknowledged, 1 to 65535. Left out: 65535. */
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

/** What the client asks of MQTT 5.0, when the application carries it. */
export interface Five {
  /** The protocol level that it speaks. */
  readonly protocol: 5;
}
