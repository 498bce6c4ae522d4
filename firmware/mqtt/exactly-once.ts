/**
 * What the client asks of QoS 2, when the application carries it: `createExactlyOnce` makes one. [MQTT 3.1.1 §4.3.3]
 *
 *     we publish     PUBLISH → , ← PUBREC      the packet waits in the outbox, as one at QoS 1 does
 *                    PUBREL → , ← PUBCOMP      only its identifier is left, in `releases`
 *     we receive     → PUBLISH, PUBREC ←       its identifier goes into `received`, then it is delivered
 *                    → PUBREL, PUBCOMP ←       the identifier leaves the list
 */
import type { Bytes, Millis } from "../../hal/hal";
import { type Deadline } from "../core/time";
import { type Client } from "./client-state";
import { type Flow } from "./flow";

/** The exchanges of one direction that stand at the same point. */
export interface IdList {
  /** Where they stand. */
  flow: Flow;
  /** How many there may be. */
  readonly capacity: number;
  /** How many there are. This and what follows is for `exactly-once/id-list.ts` to change. */
  count: number;
  /** Their packet identifiers, oldest first, two bytes each, and how many had room in front of them. */
  readonly bytes: Bytes;
  first: number;
  /** In a long list: a 1 for each identifier that is in it, that of the identifier 1 first. */
  readonly marks: Bytes | undefined;
}

/** Counters since power-on. */
export interface ExactlyOnceStats {
  /** Our own messages that were given up because the broker had forgotten the session: see `ClientEvents.sessionLost`. */
  discarded: number;
  /** Copies that came of messages that were delivered already. They are not among those that were received. */
  duplicates: number;
  /** Messages that closed the link, because too many others had not come to their PUBREL. */
  overruns: number;
}

export interface ExactlyOnce {
  /** How many messages we may have under way: what `releases` holds. The send window is never larger. */
  readonly capacity: number;
  /** Outbound: PUBREC has come, PUBCOMP has not; in the order of PUBREC, in which PUBRELs go. [MQTT-4.6.0-4] */
  readonly releases: IdList;
  /** Inbound: the message was delivered, its PUBREL has not come. What comes with such an identifier is a copy. */
  readonly received: IdList;
  readonly stats: ExactlyOnceStats;
  /** A message came for whose identifier there was no room: the link is closed when all that was confirmed has gone. */
  overrun: boolean;
  /** The end of patience with PUBCOMP. */
  readonly patience: Deadline;

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
  /** PUBACK of what is not owed at QoS 1. It ends nothing, unless the application knows that its broker means it so. */
  puback(this: void, client: Client, now: Millis, id: number): void;

  /**
   * A PUBLISH came: whether it is to be delivered, and then confirmed. The low half of `flags` are its flags. Its
   * identifier is borne in mind from here on, unless acknowledgements are given by hand: then only when they are. A copy
   * of what was delivered is confirmed here.
   *
   * False, too, when there is no room for its identifier, or it could not be kept: the link is closed, soon or at once,
   * and the broker will send the message again.
   */
  isNew(this: void, client: Client, flags: number, id: number): boolean;
  /** Whether a PUBLISH with this identifier is a copy of what was delivered. */
  isCopy(this: void, id: number, dup: boolean): boolean;
  /**
   * Whether a PUBLISH with this identifier is another message than those in `received`, and those are `most` already. As
   * long as they may be of another session nobody can tell how many are under way in this one: then never.
   */
  isBeyond(this: void, id: number, most: number): boolean;
  /** The message was not taken in after all: what comes with its identifier is to be delivered. */
  forget(this: void, client: Client, id: number): void;
  /**
   * Says PUBREC, and bears the identifier in mind if that was not done before. Does not say anything when a handler has
   * ended the session.
   */
  confirm(this: void, client: Client, id: number): void;
  /** PUBREL came: the identifier is free again. PUBCOMP goes out, whether it was known or not. */
  pubrel(this: void, client: Client, id: number): void;

  /** The link is gone: every PUBREL is owed again. */
  linkLost(this: void): void;
  /**
   * CONNACK, and the session goes on: every PUBREL that is owed goes out, before any PUBLISH. Not `certain` when it may be
   * another one, which MQTT 3.1 does not tell, and which a lost CONNACK may have told: then a PUBLISH without DUP is a
   * new message even if its identifier is in `received`.
   */
  resume(this: void, client: Client, now: Millis, certain: boolean): void;
  /**
   * CONNACK, and there is another session: both lists are emptied. `discarded` messages of the outbox were given up;
   * gives how many those are together with the releases.
   */
  sessionLost(this: void, client: Client, discarded: number): number;
  /** The lowest identifier of a release that is `id` or more and less than `held`; `held` when there is none. */
  nearestRelease(this: void, id: number, held: number): number;
}
