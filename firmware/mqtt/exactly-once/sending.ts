/** What we publish at QoS 2, from the broker's PUBREC on. [MQTT-4.3.3-1] */
import type { Millis } from "../../../hal/hal";
import { queueFind, queueOver } from "#native";
import { arm, type Deadline, disarm } from "../../core/time";
import { type Client } from "../client-state";
import { type IdList } from "../exactly-once";
import { Flow } from "../flow";
import { outboxHolds } from "../outbox";
import { PublishFlag } from "../packet";
import { ACK_PATIENCE } from "../sender";
import { moveWindow, publishEnded } from "../window";
import { type Answers, PUBREL, say } from "./answers";
import { idListAdd, idListAt, idListHas, idListRemove } from "./id-list";

export interface Sending {
  readonly answers: Answers;
  readonly releases: IdList;
  readonly patience: Deadline;
}

/**
 * PUBREC. For a message that was sent on this link: the broker has it, so its bytes go, its identifier is kept as a
 * release, and PUBREL goes out. For a release: PUBREL again. For an identifier that nobody knows: PUBREL too, which ends
 * what the broker remembers of it.
 *
 * For any other message that is held it says nothing. One at QoS 1 waits for PUBACK. One that is due again was not sent
 * on this link: the PUBLISH goes first, and its copy is answered by a PUBREC of its own.
 */
export function pubrecCame(sending: Sending, client: Client, now: Millis, id: number): void {
  const { answers, releases } = sending;
  const outbox = client.outbox;
  const at = queueFind(outbox.queue, PublishFlag.Qos2, id, true);
  if (at >= 0) {
    // There is room: no more are under way than the list holds.
    if (!idListAdd(releases, id)) return;
    if (client.keeper !== undefined && !client.keeper.identifiers(client)) {
      // It stays a message that waits for PUBREC. Patience with that ends the link, and the next one sends it again.
      idListRemove(releases, id);
      return;
    }
    const oldest = queueOver(outbox.queue, at);
    moveWindow(client, -1);
    publishEnded(client, now, oldest);
    if (!sending.patience.armed) arm(sending.patience, now, ACK_PATIENCE);
    say(answers, client, PUBREL, id, true);
  } else if (idListHas(releases, id)) {
    say(answers, client, PUBREL, id, true);
  } else if (!outboxHolds(outbox, id)) {
    say(answers, client, PUBREL, id, false);
  }
}

/** PUBREC with a reason code of 0x80 or more: the broker did not take the message, and its flow is over. [MQTT5-4.3.3-4] */
export function pubrecRefused(client: Client, now: Millis, id: number): void {
  const queue = client.outbox.queue;
  const at = queueFind(queue, PublishFlag.Qos2, id, true);
  if (at < 0) return;
  const oldest = queueOver(queue, at);
  client.quota++;
  client.stats.acknowledged++;
  publishEnded(client, now, oldest);
}

/** PUBCOMP: the flow is over. One of nothing that is owed is late or repeated, and does no harm. */
export function pubcompCame(sending: Sending, client: Client, now: Millis, id: number): void {
  const { releases, patience } = sending;
  const place = idListRemove(releases, id);
  if (place < 0) return;
  if (client.keeper !== undefined) client.keeper.identifiers(client);
  moveWindow(client, 1);
  client.quota++;
  client.stats.acknowledged++;
  // As with PUBACK: only what ends the oldest debt gives the next one its full time.
  if (releases.count === 0) disarm(patience);
  else if (place === 0) arm(patience, now, ACK_PATIENCE);
}

/** The session goes on: PUBRELs are said again, in the order of their PUBRECs. [MQTT-4.4.0-1] [MQTT-4.6.0-4] */
export function resumeReleases(sending: Sending, client: Client, now: Millis): void {
  const { answers, releases, patience } = sending;
  releases.flow = Flow.AwaitComp;
  if (releases.count === 0) return;
  for (let i = 0; i < releases.count; i++) say(answers, client, PUBREL, idListAt(releases, i), true);
  arm(patience, now, ACK_PATIENCE);
}
