/** What the broker publishes to us at QoS 2. [MQTT-4.3.3-2] */
import { type Client, ClientState, Fault } from "../client-state";
import { type ExactlyOnceStats, type IdList } from "../exactly-once";
import { fail } from "../incoming";
import { DUP } from "../packet";
import { type Answers, PUBCOMP, PUBREC, say } from "./answers";
import { idListAdd, idListFind, idListRemove } from "./id-list";

export interface Receiving {
  readonly answers: Answers;
  readonly received: IdList;
  readonly stats: ExactlyOnceStats;
  /** The session is known to be the one in which all of the list came. */
  certain: boolean;
}

export function isNew(receiving: Receiving, client: Client, flags: number, id: number): boolean {
  if (isCopy(receiving, id, (flags & DUP) !== 0)) {
    receiving.stats.duplicates++;
    confirm(receiving, client, id);
    return false;
  }
  const hand = client.byHand;
  if (hand === undefined) return take(receiving, client, id);
  // It was delivered, and the application has not said yet that it has taken it over: PUBREC goes when it does.
  if (!hand.owes(id)) return true;
  receiving.stats.duplicates++;
  return false;
}

export function isCopy({ received, certain }: Receiving, id: number, dup: boolean): boolean {
  // In a new session the broker's identifiers begin anew; but what it sends for the first time has no DUP.
  return (certain || dup) && idListFind(received, id) >= 0;
}

/** Bears an identifier in mind. False when there is no room, or it could not be kept: the link is closed. */
function take({ received, stats, certain }: Receiving, client: Client, id: number): boolean {
  if (idListFind(received, id) >= 0) return true;
  // What is left of a session that the broker may have forgotten need not be released by it, ever. The broker that still
  // knows it sends no more than there is room for, so what comes to a full list is of another session.
  if (!certain && received.count === received.capacity) idListRemove(received, 0);
  if (!idListAdd(received, id)) {
    stats.overruns++;
  } else {
    if (client.keeper === undefined || client.keeper.identifiers(client)) return true;
    received.count--;
  }
  // A handler may have ended the session.
  if (client.state === ClientState.Online) fail(client, Fault.Full);
  return false;
}

/** Gives whether that could be kept, too. */
export function forget({ received }: Receiving, client: Client, id: number): boolean {
  const place = idListFind(received, id);
  if (place < 0) return true;
  idListRemove(received, place);
  return client.keeper === undefined || client.keeper.identifiers(client);
}

export function confirm(receiving: Receiving, client: Client, id: number): void {
  if (take(receiving, client, id)) say(receiving.answers, client, PUBREC, id, true);
}

export function pubrelCame(receiving: Receiving, client: Client, id: number): void {
  const { received, answers } = receiving;
  const known = idListFind(received, id) >= 0;
  if (forget(receiving, client, id)) {
    say(answers, client, PUBCOMP, id, known);
  } else {
    // With PUBCOMP said, the broker may give the identifier to another message, and a restarted board would drop that.
    idListAdd(received, id);
    fail(client, Fault.Full);
  }
}
