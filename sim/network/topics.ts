/** Topic names and filters of MQTT 3.1.1, section 4.7. */

/** Whether a topic name matches a subscription's filter. A leading wildcard does not match topics that begin with $. */
export function topicMatches(filter: string, topic: string): boolean {
  const wanted = filter.split("/");
  const levels = topic.split("/");
  if (topic.startsWith("$") && (wanted[0] === "#" || wanted[0] === "+")) {
    return false;
  }
  for (const [i, want] of wanted.entries()) {
    if (want === "#") {
      return true;
    }
    if (i >= levels.length || (want !== "+" && want !== levels[i])) {
      return false;
    }
  }
  return wanted.length === levels.length;
}

/** Whether a filter is well formed: `#` only as the last level, wildcards only as whole levels. */
export function isFilter(filter: string): boolean {
  const levels = filter.split("/");
  return filter !== "" && !filter.includes("\0") && levels.every((level, i) =>
    level === "+" || (level === "#" && i === levels.length - 1) || !/[+#]/.test(level));
}

/** Whether a topic may be published to: not empty, and without wildcards. */
export function isTopic(topic: string): boolean {
  return topic !== "" && !/[+#\0]/.test(topic);
}
