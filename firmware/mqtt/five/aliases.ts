/**
 * Topic aliases: a number that stands for a topic for as long as the link lasts. [MQTT 5.0 §3.3.2.3.4]
 *
 * Those of the broker: a table of fixed size, whose topics are kept in buffers of fixed size. Those of our own are for
 * QoS 0 alone: a message that may be sent again on another link must carry its topic [MQTT5-3.3.2-7].
 */
import type { Bytes } from "../../../hal/hal";
import { allocate, copy } from "#native";

/** What the broker's aliases stand for. */
export interface AliasesIn {
  /** For each alias, 1 first: its topic, and how long that is; 0 for none. */
  readonly topics: Bytes;
  readonly lengths: number[];
  /** The longest topic that is kept. */
  readonly topicSize: number;
}

/** For aliases 1 to `count`, and topics of up to `topicSize` bytes. @boot */
export function createAliasesIn(count: number, topicSize: number): AliasesIn {
  const lengths: number[] = [];
  for (let i = 0; i < count; i++) lengths.push(0);
  return { topics: allocate(count * topicSize === 0 ? 1 : count * topicSize), lengths, topicSize };
}

/** A new link: nothing stands for anything. [MQTT5-3.3.2-7] */
export function forgetAliasesIn({ lengths }: AliasesIn): void {
  for (let i = 0; i < lengths.length; i++) lengths[i] = 0;
}

/** Whether the broker may use `alias`. [MQTT5-3.3.2-8] [MQTT5-3.3.2-11] */
export function mayAlias({ lengths }: AliasesIn, alias: number): boolean {
  return alias >= 1 && alias <= lengths.length;
}

/** From now on `alias`, which the broker may use, stands for a topic. False: that is too long to be kept. */
export function keepAlias(aliases: AliasesIn, alias: number, bytes: Bytes, at: number, count: number): boolean {
  const fits = count <= aliases.topicSize;
  aliases.lengths[alias - 1] = fits ? count : 0;
  if (fits) copy(bytes, at, aliases.topics, topicAt(aliases, alias), count);
  return fits;
}

/** How many bytes the topic has that `alias` stands for, 0 if it stands for none; and where it is in `topics`. */
export function topicLength({ lengths }: AliasesIn, alias: number): number {
  return lengths[alias - 1] ?? 0;
}

export function topicAt({ topicSize }: AliasesIn, alias: number): number {
  return (alias - 1) * topicSize;
}
