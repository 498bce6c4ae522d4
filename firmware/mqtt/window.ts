/**
 * The send window, for whoever changes it: QoS 2, of whose messages only identifiers are left after PUBREC, and MQTT 5.0,
 * where the broker says how many may be under way. [MQTT5 §4.9]
 */
import type { Millis } from "../../hal/hal";
import { type Client } from "./client-state";
import { outboxWindow } from "./outbox";
import { ackCame } from "./sender";

/**
 * A session begins in which at most `most` messages may be under way, as far as the broker is concerned. Nothing of the
 * outbox was sent in it yet; releases are under way from the start.
 */
export function openWindow(client: Client, most: number): void {
  const limit = client.maxInFlight;
  const releases = client.exactlyOnce?.releases.count ?? 0;
  client.window = (most < limit ? most : limit) - releases;
  client.quota = client.window;
  outboxWindow(client.outbox, client.window);
}

/** The outbox may have `more` messages under way than before, or fewer when it is negative. */
export function moveWindow(client: Client, more: number): void {
  client.window += more;
  outboxWindow(client.outbox, client.window);
}

/**
 * A message that waited for PUBACK or PUBREC waits no more, and the window says so. Only what ends the oldest debt gives
 * the next one its full time: later ones must not hide that it is never paid.
 */
export function publishEnded(client: Client, now: Millis, oldest: boolean): void {
  if (oldest && client.subscribeId === 0 && client.unsubscribeId === 0) ackCame(client, now);
}
