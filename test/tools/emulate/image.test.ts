import { expect, test } from "vitest";
import { readUf2 } from "../../../tools/emulate/image";

/** One block of UF2, written here from its description and not by our own builder. */
function block(address: number, bytes: readonly number[], flags = 0x2000): Uint8Array {
  const block = new Uint8Array(512);
  const view = new DataView(block.buffer);
  [0x0a324655, 0x9e5d5157, flags, address, bytes.length, 0, 1, 0xe48bff56].forEach((word, index) => {
    view.setUint32(4 * index, word, true);
  });
  view.setUint32(508, 0x0ab16f30, true);
  block.set(bytes, 32);
  return block;
}

test("a UF2 file is read block by block, and what is not for flash is left out", () => {
  const file = Buffer.concat([block(0x10000000, [1, 2, 3]), block(0x20000000, [9], 0x1), block(0x10000100, [4])]);

  expect(readUf2(file, "x.uf2")).toEqual([
    { address: 0x10000000, bytes: Uint8Array.of(1, 2, 3) },
    { address: 0x10000100, bytes: Uint8Array.of(4) },
  ]);
});

test.each([
  ["of a strange length", new Uint8Array(511)],
  ["that is empty", new Uint8Array(0)],
  ["without the magic numbers", new Uint8Array(512)],
])("a file %s is refused by its name", (_what, file) => {
  expect(() => readUf2(file, "x.uf2")).toThrow(/^x\.uf2: is no UF2 file/);
});
