/**
 * The retained topic on which something says how it stands. Only the latest state matters: while it cannot go out it
 * is not queued but marked, and what is true when it can go out is what is published.
 */
import { type Client, ClientState } from "../mqtt/client-state";
import { createPublication, type Publication } from "../mqtt/publication";
import { outboxHolds } from "../mqtt/outbox";
import { canPublish, publishBegin, publishEnd } from "../mqtt/publish";
import { type Writer } from "../core/writer";

/** What can say how it stands. */
export interface StateSource {
  writeState(writer: Writer): void;
}

export interface StateTopic {
  readonly publication: Publication;
  readonly source: StateSource;
  /** What the broker holds is not, or may not be, the present state. */
  stale: boolean;
  /** The packet identifier of a message that the outbox holds; 0: none. */
  queued: number;
}

/** @boot */
export function createStateTopic(topic: string, maxPayload: number, source: StateSource): StateTopic {
  return { publication: createPublication(topic, 1, true, maxPayload), source, stale: true, queued: 0 };
}

/** Publishes the state if it is stale and there are session and room for it. */
export function pollStateTopic(state: StateTopic, client: Client): void {
  if (state.queued !== 0 && !outboxHolds(client.outbox, state.queued)) state.queued = 0;
  if (!state.stale || client.state !== ClientState.Online || !canPublish(client, state.publication)) return;
  const payload = publishBegin(client, state.publication);
  if (payload === undefined) return;
  state.source.writeState(payload);
  if (!publishEnd(client)) return;
  state.stale = false;
  state.queued = client.lastId;
}

/** A message was dropped that waited: if it was of this topic, the broker does not hold the present state. */
export function stateDropped(state: StateTopic, id: number): void {
  if (state.queued !== id) return;
  state.queued = 0;
  state.stale = true;
}
