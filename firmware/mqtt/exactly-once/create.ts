/**
 * QoS 2 in both directions: what an application hands to its client that publishes or subscribes at it.
 *
 *     createClient({ …, exactlyOnce: createExactlyOnce({ sending: 16, receiving: 32 }) }, link, entropy, events);
 *
 * What it remembers of an exchange is its identifier, two bytes; the message itself is in the outbox until its PUBREC.
 */
import { createDeadline, disarm } from "../../core/time";
import { type ExactlyOnce, type ExactlyOnceStats } from "../exactly-once";
import { afterLinkLoss, afterSessionLoss, Flow } from "../flow";
import { nearest } from "../identifiers";
import { openWindow } from "../window";
import { createIdList, idListAt, idListClear, idListHas } from "./id-list";
import { createAnswers } from "./answers";
import { confirm, forget, isCopy, isNew, pubrelCame, type Receiving } from "./receiving";
import { packetCame } from "./packets";
import { pubcompCame, pubrecCame, pubrecRefused, resumeReleases, type Sending } from "./sending";

export interface ExactlyOnceOptions {
  /**
   * How many of our own messages, at QoS 1 and 2 together, may be under way; and how many of the broker's at QoS 2. Each
   * 1 to 16383. The broker must be told the second, or keep to it by itself: Mosquitto has 20 under way at most unless
   * it is configured otherwise, but 2.0 more, if more are waiting: give it room for as many as may wait. If it sends more,
   * the link is closed, and the next one goes on with what is left.
   */
  readonly sending: number;
  readonly receiving: number;
  /**
   * For RabbitMQ, which has no QoS 2: it takes a message at it as one at QoS 1, and says PUBACK. True: that is the end of
   * it, at least once. Left out: a PUBACK is not for such a message [MQTT-2.3.1-6], and it is sent again on the next link.
   */
  readonly pubackEnds?: boolean | undefined;
}

/** @boot */
export function createExactlyOnce(options: ExactlyOnceOptions): ExactlyOnce {
  const answers = createAnswers();
  const releases = createIdList(options.sending, Flow.AwaitComp);
  const received = createIdList(options.receiving, Flow.AwaitRel);
  const patience = createDeadline();
  const sending: Sending = { answers, releases, patience };
  const stats: ExactlyOnceStats = { discarded: 0, duplicates: 0, overruns: 0 };
  const receiving: Receiving = { answers, received, stats, certain: true };
  const exactlyOnce: ExactlyOnce = {
    capacity: options.sending,
    releases,
    received,
    stats,
    overrun: false,
    patience,
    packet(client, now, first, bytes, at, count) {
      packetCame(exactlyOnce, client, now, first, bytes, at, count);
    },
    pubrec(client, now, id) {
      pubrecCame(sending, client, now, id);
    },
    pubrecRefused,
    pubcomp(client, now, id) {
      pubcompCame(sending, client, now, id);
    },
    puback(client, now, id) {
      if (options.pubackEnds === true) pubrecRefused(client, now, id);
    },
    isNew(client, flags, id) {
      return isNew(receiving, client, flags, id);
    },
    isCopy(id, dup) {
      return isCopy(receiving, id, dup);
    },
    isBeyond(id, most) {
      return receiving.certain && received.count >= most && !idListHas(received, id);
    },
    forget(client, id) {
      forget(receiving, client, id);
    },
    confirm(client, id) {
      confirm(receiving, client, id);
    },
    pubrel(client, id) {
      pubrelCame(receiving, client, id);
    },
    linkLost() {
      releases.flow = afterLinkLoss(releases.flow, 2);
      received.flow = afterLinkLoss(received.flow, 2);
      exactlyOnce.overrun = false;
      disarm(patience);
    },
    resume(client, now, certain) {
      if (!certain) receiving.certain = false;
      // What is left of a session in doubt leaves it in doubt.
      else if (received.count === 0) receiving.certain = true;
      openWindow(client, client.maxInFlight);
      resumeReleases(sending, client, now);
    },
    sessionLost(client, discarded) {
      const all = discarded + releases.count;
      if (afterSessionLoss(releases.flow, 2) === Flow.Ended) idListClear(releases);
      if (afterSessionLoss(received.flow, 2) === Flow.Ended) idListClear(received);
      receiving.certain = true;
      stats.discarded += all;
      openWindow(client, client.maxInFlight);
      return all;
    },
    nearestRelease(id, held) {
      let lowest = held;
      for (let i = 0; i < releases.count; i++) lowest = nearest(id, lowest, idListAt(releases, i));
      return lowest;
    },
  };
  return exactlyOnce;
}
