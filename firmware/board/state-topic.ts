/**
 * The retained topic on which something says how it stands. Only the latest state matters: while it cannot go out it
 * is not queued but marked, and what is true when it can go out is what is published.
 */
import { type Client, ClientState } from "../mqtt/client-state";
import { createPublication, type Publication } from "../mqtt/publication";
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
}

/** @boot */
export function createStateTopic(topic: string, maxPayload: number, source: StateSource): StateTopic {
  return { publication: createPublication(topic, 1, true, maxPayload), source, stale: true };
}

/** Publishes the state if it is stale and there are session and room for it. */
export function pollStateTopic(state: StateTopic, client: Client): void {
  if (!state.stale || client.state !== ClientState.Online || !canPublish(client, state.publication)) return;
  const payload = publishBegin(client, state.publication);
  if (payload === undefined) return;
  state.source.writeState(payload);
  if (publishEnd(client)) state.stale = false;
}
