/** A text in UTF-8. Most are short and of ASCII: a small array of their own costs less than a part of Buffer's pool. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit >= 128) {
      return Buffer.from(text);
    }
    bytes[i] = unit;
  }
  return bytes;
}
