import fc from "fast-check";
import { expect, it } from "vitest";
import { CRC_START, crcUpdate } from "../../../firmware/core/crc32";
import { createWriter, writeHex, written } from "../../../firmware/core/writer";
import { crc32 } from "../../../hal/node/crc";

it("the CRC-32 is that of zip, in whatever pieces it is taken", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, cut) => {
      const at = Math.min(cut, bytes.length);
      const first = crcUpdate(CRC_START, bytes, 0, at);
      expect(~crcUpdate(first, bytes, at, bytes.length - at) >>> 0).toBe(crc32(bytes));
    }),
  );
});

it.each([
  [0, "00000000"],
  [-1, "ffffffff"],
  [0x1a2b3c4d, "1a2b3c4d"],
  [-2147483648, "80000000"],
  [-306674912, "edb88320"],
])("%d is written as %s", (value, text) => {
  const writer = createWriter(new Uint8Array(9));
  writeHex(writer, value);
  expect(Buffer.from(new Uint8Array(9).map((_, i) => writer.bytes[i] ?? 0)).toString("latin1")).toBe(`${text}\0`);
  expect(written(writer)).toBe(8);
  writeHex(writer, value);
  expect(writer.overflow).toBe(true);
});
