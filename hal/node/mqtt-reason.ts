/** What the reason codes of MQTT 5.0 that tell of a failure, or of the end of a link, are called. [MQTT 5.0 §2.4] */
const NAMES = new Map([
  [0x00, "normal disconnection"],
  [0x80, "unspecified error"],
  [0x81, "malformed packet"],
  [0x82, "protocol error"],
  [0x83, "implementation specific error"],
  [0x84, "unsupported protocol version"],
  [0x85, "client identifier not valid"],
  [0x86, "bad user name or password"],
  [0x87, "not authorised"],
  [0x88, "server unavailable"],
  [0x89, "server busy"],
  [0x8a, "banned"],
  [0x8b, "server shutting down"],
  [0x8c, "bad authentication method"],
  [0x8d, "keep alive time-out"],
  [0x8e, "session taken over"],
  [0x8f, "topic filter invalid"],
  [0x90, "topic name invalid"],
  [0x91, "packet identifier in use"],
  [0x92, "packet identifier not found"],
  [0x93, "receive maximum exceeded"],
  [0x94, "topic alias invalid"],
  [0x95, "packet too large"],
  [0x96, "message rate too high"],
  [0x97, "quota exceeded"],
  [0x98, "administrative action"],
  [0x99, "payload format invalid"],
  [0x9a, "retain not supported"],
  [0x9b, "QoS not supported"],
  [0x9c, "use another server"],
  [0x9d, "server moved"],
  [0x9e, "shared subscriptions not supported"],
  [0x9f, "connection rate exceeded"],
  [0xa0, "maximum connect time"],
  [0xa1, "subscription identifiers not supported"],
  [0xa2, "wildcard subscriptions not supported"],
]);

/** Such as `not authorised (135)`, with the broker's own words behind it, if it has said any. */
export function reasonText(code: number, words: string): string {
  const name = NAMES.get(code) ?? "reason unknown";
  return words === "" ? `${name} (${code})` : `${name} (${code}): ${words}`;
}
