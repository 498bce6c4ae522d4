/** Texts and topics. [MQTT 3.1.1 §1.5.3, §4.7] */

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Well-formed, and without U+0000. */
export function isText(bytes: Uint8Array): boolean {
  if (bytes.includes(0)) return false;
  // `TextDecoder` takes a while, and most of what is sent is ASCII.
  if (bytes.every((byte) => byte < 0x80)) return true;
  try {
    utf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

export function hasWildcard(bytes: Uint8Array): boolean {
  return bytes.includes(0x23) || bytes.includes(0x2b);
}

/** The name of a topic. */
export function isTopic(bytes: Uint8Array): boolean {
  return bytes.length > 0 && !hasWildcard(bytes) && isText(bytes);
}

/** The two filters there are, matched by hand. */
export function matching(topic: Uint8Array): number[] {
  const text = Buffer.from(topic).toString("latin1");
  const found: number[] = [];
  if (/^a\/[^/]*$/s.test(text)) found.push(0);
  if (/^b(\/.*)?$/s.test(text)) found.push(1);
  return found;
}
