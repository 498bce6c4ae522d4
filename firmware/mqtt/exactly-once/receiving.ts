/** What the broker publishes to us at QoS 2. [MQTT-4.3.3-2] */
import { type Client, ClientState, Fault } from "../client-state";
import { type ExactlyOnceStats, type IdList } from "../exactly-once";
import { fail } from "../incoming";
import { DUP } from "../packet";
import { type Answers, PUBCOMP, PUBREC, say } from "./answers";
import { idListAdd, idListAt, idListHas, idListRemove } from "./id-list";

export interface Receiving {
  readonly answers: Answers;
  readonly received: IdList;
  readonly stats: ExactlyOnceStats;
  /** The session is known to be the one in which all of the list came. */
  certain: boolean;
}

export function isNew(receiving: Receiving, client: Client, flags: number, id: number): boolean {
  const { received, stats, answers, certain } = receiving;
  const known = idListHas(received, id);
  if (known && (certain || (flags & DUP) !== 0)) {
    stats.duplicates++;
    say(answers, client, PUBREC, id, true);
    return false;
  }
  if (client.exactlyOnce?.overrun !== false) return false;
  const hand = client.byHand;
  if (hand === undefined) return known || take(receiving, client, id);
  // It was delivered, and the application has not said yet that it has taken it over: PUBREC goes when it does.
  if (!hand.owes(id)) return true;
  stats.duplicates++;
  return false;
}

export function isCopy({ received, certain }: Receiving, id: number, dup: boolean): boolean {
  // In a new session the broker's identifiers begin anew; but what it sends for the first time has no DUP.
  return (certain || dup) && idListHas(received, id);
}

/**
 * Bears an identifier in mind that is not. False when there is no room, or it could not be kept: the link is closed. For
 * want of room that is done once all that was confirmed has gone, so that the broker releases it on the next link before
 * it sends the rest again: Mosquitto 2.0 has far more under way than its `max_inflight_messages`, and a link closed at
 * once would be followed by one like it, for ever. What is new until then is passed over: it must not overtake what comes
 * again.
 */
function take({ received, stats, certain }: Receiving, client: Client, id: number): boolean {
  // What is left of a session that the broker may have forgotten need not be released by it, ever. The broker that still
  // knows it sends no more than there is room for, so what comes to a full list is of another session.
  if (!certain && received.count === received.capacity) idListRemove(received, idListAt(received, 0));
  if (!idListAdd(received, id)) {
    stats.overruns++;
    if (client.exactlyOnce !== undefined) client.exactlyOnce.overrun = true;
    return false;
  }
  if (isKept(client)) return true;
  idListRemove(received, id);
  // A handler may have ended the session.
  if (client.state === ClientState.Online) fail(client, Fault.Full);
  return false;
}

/** Whether what the lists say now could be kept, where anybody keeps it. */
function isKept(client: Client): boolean {
  return client.keeper === undefined || client.keeper.identifiers(client);
}

export function forget({ received }: Receiving, client: Client, id: number): void {
  if (idListRemove(received, id) >= 0) isKept(client);
}

export function confirm(receiving: Receiving, client: Client, id: number): void {
  if (idListHas(receiving.received, id) || take(receiving, client, id)) say(receiving.answers, client, PUBREC, id, true);
}

export function pubrelCame({ received, answers }: Receiving, client: Client, id: number): void {
  const known = idListRemove(received, id) >= 0;
  if (!known || isKept(client)) {
    say(answers, client, PUBCOMP, id, known);
  } else {
    // With PUBCOMP said, the broker may give the identifier to another message, and a restarted board would drop that.
    idListAdd(received, id);
    fail(client, Fault.Full);
  }
}
