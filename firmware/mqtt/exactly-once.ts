/**
 * What the client asks of QoS 2, when the application carries it: `createExactlyOnce` makes one. [MQTT 3.1.1 §4.3.3]
 *
 *     we publish     PUBLISH → , ← PUBREC      the packet waits in the outbox, as one at QoS 1 does
 *                    PUBREL → , ← PUBCOMP      only its identifier is left, in `releases`
 *     we receive     → PUBLISH, PUBREC ←       its identifier goes into `received`, then it is delivered
 *                    → PUBREL, PUBCOMP ←       the identifier leaves the list
 */
import type { Bytes, Millis } from "../../hal/hal";
import { type Client } from "./client-state";

/** Packet identifiers, oldest first, two bytes each as `u16At` reads them. */
export interface IdList {
  readonly bytes: Bytes;
  /** How many there may be, and how many there are. */
  readonly capacity: number;
  count: number;
}

export interface ExactlyOnce {
  /** How many messages we may have under way: what `releases` holds. The send window is never larger. */
  readonly capacity: number;
  /** Outbound: PUBREC has come, PUBCOMP has not; in the order of PUBREC, in which PUBRELs go. [MQTT-4.6.0-4] */
  readonly releases: IdList;
  /** Inbound: the message was delivered, its PUBREL has not come. What comes with such an identifier is a copy. */
  readonly received: IdList;

  /** PUBREC, PUBREL or PUBCOMP came, as MQTT 3.1 and 3.1.1 write them. Anything wrong with it is a violation. */
  packet(this: void, client: Client, now: Millis, first: number, bytes: Bytes, at: number, count: number): void;

  /**
   * The steps of what we publish. PUBREC: the message leaves the outbox, PUBREL goes out, also for an identifier that
   * nobody knows. `pubrecRefused` (5.0, reason 0x80 or more): it is over. PUBCOMP: it is over, and its share of the
   * window comes back.
   */
  pubrec(this: void, client: Client, now: Millis, id: number): void;
  pubrecRefused(this: void, client: Client, now: Millis, id: number): void;
  pubcomp(this: void, client: Client, now: Millis, id: number): void;

  /** Whether a PUBLISH with this identifier is a copy of what was delivered: then it is only confirmed again. */
  isCopy(this: void, client: Client, id: number, dup: boolean): boolean;
  /**
   * Bears the identifier of a new message in mind, before it is delivered. False when there is no room, or it could not
   * be kept: the link is closed, and the message must not be delivered; the broker will send it again.
   */
  take(this: void, client: Client, now: Millis, id: number): boolean;
  /** Says PUBREC: once a message was delivered, and for every copy. Does nothing when a handler has ended the session. */
  confirm(this: void, client: Client, id: number): void;
  /** PUBREL came: the identifier is free again. PUBCOMP goes out, whether it was known or not. */
  pubrel(this: void, client: Client, now: Millis, id: number): void;

  /** CONNACK with the session present: every PUBREL that is owed goes out, before any PUBLISH. */
  resume(this: void, client: Client): void;
  /** CONNACK without it: both lists are emptied. Gives how many releases were given up. */
  sessionLost(this: void, client: Client): number;
}
