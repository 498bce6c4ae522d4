/** Where packets begin and end in a stream. [MQTT 3.1.1 §2.2] */

export interface Framed {
  readonly first: number;
  readonly bodyAt: number;
  readonly length: number;
  /** The length takes no more bytes than it needs. */
  readonly minimal: boolean;
}

/** The fixed header at `at`; undefined while it is not whole, a complaint when it never will be one. */
export function frame(bytes: Uint8Array, at: number): Framed | string | undefined {
  let length = 0;
  for (let i = 0; i < 4; i++) {
    const byte = bytes[at + 1 + i];
    if (byte === undefined) return undefined;
    length += (byte & 127) * 128 ** i;
    if (byte < 128) return { first: bytes[at] ?? 0, bodyAt: at + 2 + i, length, minimal: i === 0 || byte > 0 };
  }
  return "a remaining length of five bytes";
}
