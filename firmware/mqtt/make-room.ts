/**
 * Room for a message that finds none: what is dropped for it, and for whose sake. Only what has never been sent may go,
 * and never what is in the run that is being sent; when all of that would not be enough, nothing is dropped.
 *
 * A message at QoS 1 or 2 does not wait for one at QoS 0: whatever its policy, those that wait go first.
 */
import { byteAt, queueCompact, queueCouldFit, queueDrop, queueNumber, queueWaiting } from "#native";
import { QueueNumber } from "../../hal/hal";
import { type Client, ClientState, PublishError } from "./client-state";
import { outboxFits, outboxIdAt } from "./outbox";
import { DUP, PLACEHOLDER, QOS_BITS } from "./packet";
import { type Publication, WhenFull } from "./publication";

/** What was sent before, and what stands for a message that lies elsewhere, is never dropped. */
const NEVER = DUP | PLACEHOLDER;
/** The first byte of a PUBLISH has some of these. */
const ANY = 0xff;

/** Which other messages may be dropped: those that have none of these bits in their first byte. */
function unless(publication: Publication): number {
  if (publication.whenFull === WhenFull.DropOldest) return publication.qos === 0 ? QOS_BITS : 0;
  return publication.qos === 0 ? ANY : QOS_BITS;
}

/** Whether {@link makeRoom} would make room for a packet of `size` bytes. */
export function couldMakeRoom(client: Client, publication: Publication, size: number): boolean {
  const topic = publication.whenFull === WhenFull.KeepNewest ? publication.topicSize : 0;
  return queueCouldFit(client.outboxQueue, size, NEVER, unless(publication), publication.head, topic);
}

/**
 * Makes room for a packet of `size` bytes, as far as the policy of its publication goes. False when that is not far
 * enough: then nothing was dropped, and it is counted and named. The application, told of what is dropped, cannot
 * publish from within: the room is not its to take.
 */
export function makeRoom(client: Client, publication: Publication, size: number): boolean {
  if (client.draftOf !== undefined) return refuse(client, PublishError.Busy);
  if (size > queueNumber(client.outboxQueue, QueueNumber.Size)) return refuse(client, PublishError.LargerThanOutbox);
  if (!couldMakeRoom(client, publication, size)) return refuse(client, whyFull(client));
  const direct = client.direct;
  client.direct = false;
  client.draftOf = publication;
  queueCompact(client.outboxQueue);
  while (!outboxFits(client.outbox, size) && dropOne(client, publication)) queueCompact(client.outboxQueue);
  client.draftOf = undefined;
  client.direct = direct;
  return outboxFits(client.outbox, size) || refuse(client, whyFull(client));
}

function whyFull(client: Client): PublishError {
  return client.state === ClientState.Online ? PublishError.Full : PublishError.FullOffline;
}

/** Counts and names a message that is refused. */
function refuse(client: Client, error: PublishError): boolean {
  client.stats.refused++;
  client.publishError = error;
  return false;
}

/** Drops what can best be missed. False when there is nothing. */
function dropOne(client: Client, publication: Publication): boolean {
  if (publication.whenFull === WhenFull.KeepNewest && dropSame(client, publication, 0)) return true;
  const stats = client.stats;
  if (publication.qos !== 0 && drop(client, publication, QOS_BITS, 0, 0)) {
    stats.displaced++;
    return true;
  }
  if (publication.whenFull !== WhenFull.DropOldest || !drop(client, publication, unless(publication), 0, 0)) return false;
  stats.overwritten++;
  return true;
}

/** The newest message of a topic is in the outbox: the older ones that wait are dropped. */
export function dropOlder(client: Client, publication: Publication): void {
  while (dropSame(client, publication, 1)) {}
}

/** Drops the oldest message of the topic that waits, if it is not among the `spare` newest of all. */
function dropSame(client: Client, publication: Publication, spare: number): boolean {
  if (!drop(client, publication, ANY, publication.topicSize, spare)) return false;
  client.stats.replaced++;
  return true;
}

function drop(client: Client, publication: Publication, bits: number, topicSize: number, spare: number): boolean {
  const queue = client.outboxQueue;
  const at = queueWaiting(queue, NEVER, bits, publication.head, topicSize, spare);
  if (at < 0) return false;
  const id = (byteAt(queue, at) & QOS_BITS) === 0 ? 0 : outboxIdAt(client.outbox, at);
  queueDrop(queue, at);
  if (id !== 0) client.events.dropped?.(id);
  return true;
}
