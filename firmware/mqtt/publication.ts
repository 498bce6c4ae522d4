/**
 * A publication is a topic that is published to again and again. What never changes is encoded once at boot; each
 * publish copies it into the outbox and writes its payload behind it.
 */
import type { Bytes } from "../../hal/hal";
import { allocate, putText, putU16, textLength } from "#native";
import { type PublicationExtras } from "./five";
import { lengthBytes, PacketType, type Qos, qosBits, RETAIN, stringBytes } from "./packet";

/** What becomes of a message that finds no room in the outbox. */
export const enum WhenFull {
  /** It is refused; what is held is kept. */
  Refuse,
  /** The oldest messages that have never been sent are dropped for it; for one at QoS 0, only such at QoS 0. */
  DropOldest,
  /**
   * Only the newest message of the topic is kept, also when there is room: those before it that have never been sent are
   * dropped, and it goes to the end.
   */
  KeepNewest,
}

export interface Publication {
  /** What comes before the payload: the topic, and room for the packet identifier at QoS 1 and 2. [MQTT 3.1.1 §3.3.2] */
  readonly head: Bytes;
  /** How many bytes of that are the topic, with its length. */
  readonly topicSize: number;
  /** The first byte of a first send: DUP is never set in it. [MQTT-3.3.1-1] [MQTT-3.3.1-2] */
  readonly first: number;
  readonly qos: Qos;
  /** The longest payload in bytes: what is reserved in the outbox for the time of writing. */
  readonly maxPayload: number;
  /** The longest packet. */
  readonly room: number;
  readonly whenFull: WhenFull;
  /** What MQTT 5.0 sends with every message: see `withProperties`. */
  extras: PublicationExtras | undefined;
}

/**
 * What to hand to {@link publishBegin} again and again. QoS 2 is for a client with the feature `exactlyOnce`:
 * `addPublication` makes one for a client and says what is wrong with it. @boot
 */
export function createPublication(
  topic: string,
  qos: Qos,
  retain: boolean,
  maxPayload: number,
  whenFull: WhenFull = WhenFull.Refuse,
): Publication {
  const topicSize = stringBytes(topic);
  // Without a writer: what is made at boot is never given back.
  const head = allocate(topicSize + (qos === 0 ? 0 : 2));
  putU16(head, 0, textLength(topic));
  putText(head, 2, topic);
  const first = PacketType.Publish * 16 + qosBits(qos) + (retain ? RETAIN : 0);
  const remaining = head.length + maxPayload;
  return {
    head,
    topicSize,
    first,
    qos,
    maxPayload,
    room: 1 + lengthBytes(remaining) + remaining,
    whenFull,
    extras: undefined,
  };
}
