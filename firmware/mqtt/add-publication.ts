/** Publications that are checked, for applications whose topics are not known to be right. */
import { textLength } from "#native";
import { type Client, Mistake } from "./client-state";
import { createPublication, type Publication, WhenFull } from "./publication";
import { isQos, noteMistake } from "./options-mistake";
import { isTopicName } from "./topic";

/** Where a topic's text begins in the head of a publication: behind its length. */
const TEXT_AT = 2;
/** What the two bytes of a string's length can say. [MQTT-4.7.3-3] */
const LONGEST_TOPIC = 65535;

/**
 * What `client` can publish to `topic`, at most `maxPayload` bytes at a time. `undefined` when it cannot: the name is no
 * topic name, the quality of service is none or needs the feature `exactlyOnce`, or the longest packet would never find
 * room in the outbox; {@link Client.mistake} says which. @boot
 */
export function addPublication(
  client: Client,
  topic: string,
  qos: number,
  retain: boolean,
  maxPayload: number,
  whenFull: WhenFull = WhenFull.Refuse,
): Publication | undefined {
  if (!isQos(qos)) return refuse(client, Mistake.Qos);
  if (qos === 2 && client.exactlyOnce === undefined) return refuse(client, Mistake.ExactlyOnceMissing);
  const length = textLength(topic);
  if (length === 0 || length > LONGEST_TOPIC) return refuse(client, Mistake.TopicName);
  const size = client.options.outboxSize;
  if (length + maxPayload > size) return refuse(client, Mistake.OutboxSize);
  const publication = createPublication(topic, qos, retain, maxPayload, whenFull);
  if (!isTopicName(publication.head, TEXT_AT, length)) return refuse(client, Mistake.TopicName);
  if (publication.room > size) return refuse(client, Mistake.OutboxSize);
  return publication;
}

function refuse(client: Client, mistake: Mistake): Publication | undefined {
  noteMistake(client, mistake);
  return undefined;
}
