/**
 * A rule: something to publish when a reading rises above a limit, once per crossing. It is over again only when the
 * reading has fallen by the hysteresis, so that a value that trembles around the limit does not fire it time and again.
 * A board that is above the limit when it starts has crossed it.
 */
import { type Client } from "../mqtt/client-state";
import { type Publication, createPublication } from "../mqtt/publication";
import { outboxHolds } from "../mqtt/outbox";
import { canPublish, publishText } from "../mqtt/publish";
import { round, textLength } from "#native";
import { type Reading, type ReadingSpec } from "./reading";

/** A rule as an application declares it: `when` names a reading, and `unit` must be that reading's. */
export type RuleSpec<R extends Record<string, ReadingSpec>> = {
  readonly [K in keyof R & string]: {
    readonly when: K;
    readonly above: number;
    readonly hysteresis: number;
    readonly unit: R[K]["sensor"]["unit"];
    /** Below the board's own topic. Published at QoS 1, also later, when there is no session right now. */
    readonly publish: { readonly topic: string; readonly payload: string };
  };
}[keyof R & string];

export interface Rule {
  readonly reading: Reading;
  /** In steps of the reading. */
  readonly above: number;
  readonly below: number;
  readonly publication: Publication;
  readonly payload: string;
  high: boolean;
  /** Has fired, and the message did not get into the outbox yet. */
  pending: boolean;
  /** The packet identifier of a message that the outbox holds; 0: none. */
  queued: number;
  fired: number;
}

/** @boot */
export function createRule(
  reading: Reading,
  above: number,
  hysteresis: number,
  topic: string,
  payload: string,
): Rule {
  return {
    reading,
    above: round(above * reading.scale),
    below: round((above - hysteresis) * reading.scale),
    publication: createPublication(topic, 1, false, textLength(payload)),
    payload,
    high: false,
    pending: false,
    queued: 0,
    fired: 0,
  };
}

/** Looks at the latest sample. A reading without a value decides nothing. */
export function sampleRule(rule: Rule): void {
  if (!rule.reading.valid) return;
  if (!rule.high && rule.reading.value > rule.above) {
    rule.high = true;
    rule.pending = true;
    rule.fired++;
  } else if (rule.high && rule.reading.value <= rule.below) {
    rule.high = false;
  }
}

/** Publishes what has fired, as soon as there is room. */
export function pollRule(rule: Rule, client: Client): void {
  if (rule.queued !== 0 && !outboxHolds(client.outbox, rule.queued)) rule.queued = 0;
  if (!rule.pending || !canPublish(client, rule.publication)) return;
  if (!publishText(client, rule.publication, rule.payload)) return;
  rule.pending = false;
  rule.queued = client.lastId;
}

/** A message was dropped that waited: if it was the rule's, it is published again when there is room. */
export function ruleDropped(rule: Rule, id: number): void {
  if (rule.queued !== id) return;
  rule.queued = 0;
  rule.pending = true;
}
