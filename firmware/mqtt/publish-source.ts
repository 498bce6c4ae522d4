/**
 * Publishing what is larger than any buffer: the payload comes from a source that is asked for it piece by piece, while
 * the link takes it. An application that wants it hands `createSources(…)` to its client.
 *
 *     const picture: PayloadSource = {
 *       read(offset, into, at, room) {
 *         return readFlash(PICTURE + offset, into, at, room);
 *       },
 *       ended(end) {
 *         busy = false;
 *       },
 *     };
 *     busy = publishFrom(client, pictures, picture, PICTURE_SIZE);
 */
import type { Bytes, Millis } from "../../hal/hal";
import { type LinkUser } from "../core/link";
import { type Client, PublishError } from "./client-state";
import { type Publication } from "./publication";

/** How a message from a source has ended. The source is asked no more. */
export const enum SourceEnd {
  /** At QoS 0 all of it was handed to the link; at QoS 1 the broker has acknowledged it; at QoS 2 the broker owns it. */
  Done,
  /** At QoS 0 the link was lost before all of it had gone. */
  LinkLost,
  /** The source gave nothing. If a part of the message had gone on this link, the link was dropped: see `Fault.Source`. */
  SourceFailed,
  /**
   * The broker has forgotten the session, and to send it again at QoS 2 could deliver it twice: it was given up. MQTT 5.0:
   * it was dropped while it waited, see `FiveEvents.unsent`.
   */
  Discarded,
  /** MQTT 5.0: the broker takes no packet of that size. */
  TooLarge,
  /** MQTT 5.0: the broker has not taken it, and has said so: see `FiveEvents.told`. */
  Rejected,
}

export interface PayloadSource {
  /**
   * Writes bytes of the payload, from `offset` on, into `into` at `at`: at least 1 and at most `room` of them. Gives how
   * many; 0 or less: it cannot, and the message has ended. Offsets rise without a gap, but begin at 0 again on every
   * link on which the message is sent again: until it is told the end, a source must be able to give the same bytes
   * again. Called while the link is about to send, with all of the outbox waiting behind it: have the bytes at hand.
   */
  read(offset: number, into: Bytes, at: number, room: number): number;
  /** The last call, once for each message that was accepted. It may publish from within, also from a source. */
  ended(end: SourceEnd): void;
}

/** Counters since power-on. */
export interface SourceStats {
  /** Messages from sources that were accepted, and how they ended. */
  accepted: number;
  done: number;
  lost: number;
  failed: number;
}

/** What the client asks of this feature: `createSources` makes one. */
export interface Sources {
  readonly stats: SourceStats;
  /** Stands between the link and what the client is to it. @boot */
  user(this: void, client: Client, user: LinkUser): LinkUser;
  /** The client's turn of the main loop: looks whether the broker has what was sent. */
  poll(this: void, client: Client, now: Millis): void;
  /** The broker has not taken the message with this identifier, which is over. */
  rejected(this: void, id: number): void;
  /** A message is being sent: its placeholder in the outbox stays as it is. */
  sending(this: void): boolean;
  publish(this: void, client: Client, publication: Publication, source: PayloadSource, length: number): boolean;
}

/**
 * Publishes the `length` bytes (0 to 268435455, less the topic) that `source` gives. What {@link Publication} says of
 * the payload's length is not regarded: make it with 0. Gives whether it was accepted; if not, it was counted as
 * `refused` or `offline`, `client.publishError` says why, and the source is not asked.
 *
 * It takes its turn: it goes when all that was published before has gone, as one packet that nothing can interrupt, so
 * acknowledgements, pings and other messages wait meanwhile. At a link's pace that must take less than one and a half
 * keep alive intervals, since some brokers only count whole packets. In the outbox it takes no more room than its topic.
 *
 * One message from a source is under way at a time, until its source is told the end: another is refused. At QoS 1 and
 * 2 it survives the loss of a link, not of power: a client that keeps its session in storage (`keeper`) refuses it.
 */
export function publishFrom(client: Client, publication: Publication, source: PayloadSource, length: number): boolean {
  if (client.sources !== undefined) return client.sources.publish(client, publication, source, length);
  client.stats.refused++;
  client.publishError = PublishError.SourcesMissing;
  return false;
}
