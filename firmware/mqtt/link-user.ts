/**
 * What the link asks of a client. All that is done for every message is written out here, with what never changes at
 * hand: on a chip a call costs as much as what most functions do.
 */
import type { Millis } from "../../hal/hal";
import { byteAt, queueNext, queuePiece, queueRun, queueTaken } from "#native";
import { type LinkLoss, type LinkUser } from "../core/link";
import { type Client, ClientState } from "./client-state";
import { PublishFlag } from "./packet";
import { readerFeed, ReaderState } from "./reader";
import { controlTaken, messagesTaken, planRun, senderRoom, senderWaiting } from "./sender";

/** The longest remaining length that takes one byte. [MQTT 3.1.1 §2.2.3] */
const SHORT = 127;

/** What happens to a client when its link comes and goes. */
export interface LinkChanges {
  up(this: void, client: Client, now: Millis): void;
  down(this: void, client: Client, now: Millis, loss: LinkLoss): void;
}

/** @boot */
export function createLinkUser(client: Client, changes: LinkChanges): LinkUser {
  const reader = client.reader;
  const events = reader.events;
  const short = reader.size < SHORT ? reader.size : SHORT;
  const control = client.control;
  const outbox = client.outbox.queue;
  const coalesce = client.options.coalesce;
  const { hold, byHand } = client;
  return {
    linkUp(now) {
      changes.up(client, now);
    },
    linkDown(now, loss) {
      changes.down(client, now, loss);
    },
    room() {
      let room = senderRoom(client);
      if (hold !== undefined) room = hold.room(room);
      return byHand === undefined ? room : byHand.room(client, room);
    },
    received(now, bytes, at, count) {
      // What most often comes is one packet that is short, and all of it.
      const remaining = count - 2;
      if (remaining >= 0 && remaining <= short && byteAt(bytes, at + 1) === remaining && reader.state === ReaderState.First) {
        events.packet(now, byteAt(bytes, at), bytes, at + 2, remaining);
      } else {
        const taken = readerFeed(reader, now, bytes, at, count);
        if (taken < count && hold !== undefined) hold.store(client, bytes, at + taken, count - taken);
      }
    },
    waiting() {
      return senderWaiting(client);
    },
    offer(limit) {
      if (client.controlDue || client.state !== ClientState.Online) return planRun(client, limit);
      return queueRun(outbox, limit, coalesce);
    },
    piece(span) {
      const queue = client.planControl > 0 ? control : outbox;
      span.bytes = queue;
      span.at = queueNext(queue);
      span.count = queuePiece(queue);
    },
    taken(now, count) {
      // The keep alive interval begins again. [MQTT-3.1.2-23]
      client.sentAt = now;
      if (client.planControl > 0) {
        controlTaken(client, count);
        return;
      }
      const owed = queueTaken(outbox, count, PublishFlag.QosBits);
      if (owed > 0) messagesTaken(client, now, owed);
    },
  };
}
