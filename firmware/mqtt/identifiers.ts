/**
 * Packet identifiers: 1 to 65535, one series for PUBLISH, SUBSCRIBE and UNSUBSCRIBE together, and never one that is
 * still under way. [MQTT-2.3.1-1] [MQTT-2.3.1-2]
 *
 * One is found in constant time: up to which one they are free is known, so the next is the one behind the last, and
 * only at the end of such a stretch is all that is held looked at, to see how far the next one goes. In 65,535
 * identifiers that is once, and once more for every group of neighbours that is held all that time.
 */
import { queueUnused, queueUsed } from "#native";
import { type Client } from "./client-state";
import { PublishFlag } from "./packet";

const LAST_ID = 65535;

/** A packet identifier that nothing under way uses. */
export function nextId(client: Client): number {
  if (client.lastId >= client.freeTo) findFreeIds(client);
  const id = client.lastId + 1;
  client.lastId = id;
  return id;
}

/** Goes on behind what is held next to the last identifier, and finds how far it is free from there. */
function findFreeIds(client: Client): void {
  const queue = client.outboxQueue;
  let id = client.lastId;
  let held = 0;
  do {
    id = id >= LAST_ID ? 1 : id + 1;
    id = queueUnused(queue, PublishFlag.QosBits, id);
    held = queueUsed(queue, PublishFlag.QosBits, id);
    if (client.exactlyOnce !== undefined) held = client.exactlyOnce.nearestRelease(id, held);
    held = nearest(id, held, client.subscribeId);
    held = nearest(id, held, client.unsubscribeId);
  } while (held === id || id > LAST_ID);
  client.lastId = id - 1;
  client.freeTo = held - 1;
}

/** The lower one of `held` and `other`, of which only the second may be below `id`, and then does not count. */
export function nearest(id: number, held: number, other: number): number {
  return other >= id && other < held ? other : held;
}
