import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBase64, NOT_BASE64 } from "../../../firmware/core/base64";

/** Decodes into a buffer with `room` bytes: a chip ends the program at the first that is written behind it. */
function decode(text: string, room = text.length): Uint8Array | undefined {
  const from = new TextEncoder().encode(`?${text}`);
  const into = new Uint8Array(2 + room);
  const count = decodeBase64(from, 1, text.length, into, 2);
  expect([...into.subarray(0, 2)]).toEqual([0, 0]);
  return count === NOT_BASE64 ? undefined : into.slice(2, 2 + count);
}

describe("base64", () => {
  it("gives back whatever was encoded", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), (bytes) => {
        expect(decode(Buffer.from(bytes).toString("base64"), bytes.length)).toEqual(bytes);
      }),
    );
  });

  it.each(["", "A", "AA", "AAA", "AAAAA", "====", "A===", "AA=A", "AA A", "AAA-", "AAA_", "AAA\u007f", "AA{A", "AA[A", "AA:A"])(
    "is refused when it is none: %j",
    (text) => {
      expect(decode(text)).toBeUndefined();
    },
  );
});
