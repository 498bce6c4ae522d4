/** Texts that a board keeps, as its driver reads them. */
import type { PemSource } from "../../../firmware/wifi/module";
import { view } from "../../../hal/node/view";

export function pemSource(text: string | Uint8Array): PemSource {
  const bytes = Buffer.from(text);
  return {
    length: () => bytes.length,
    read(from, to, at, count) {
      if (from < 0 || count < 0 || from + count > bytes.length) throw new RangeError(`${count} bytes from ${from} of ${bytes.length}`);
      view(to).set(bytes.subarray(from, from + count), at);
    },
  };
}

export const NO_PEM = pemSource("");
