import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createWriter,
  writeByte,
  writeBytes,
  writeDecimal,
  writeFixed,
  writerOpen,
  writeText,
  writeU16,
  written,
  type Writer,
} from "../../../firmware/core/writer";
import { allocate, textAt } from "../../../hal/node/native";

function writerOf(size: number): Writer {
  return createWriter(allocate(size));
}

function textIn(writer: Writer): string {
  return textAt(writer.bytes, writer.start, written(writer));
}

function fixed(steps: number, decimals: number): string {
  const writer = writerOf(30);
  writeFixed(writer, steps, decimals);
  expect(writer.overflow).toBe(false);
  return textIn(writer);
}

describe("a writer", () => {
  it("fills its range to the last byte", () => {
    const writer = writerOf(9);
    writeText(writer, "héé");
    writeU16(writer, 0x3132);
    writeByte(writer, 0x33);
    writeBytes(writer, Uint8Array.of(9, 0x34, 9), 1, 1);
    expect(writer.overflow).toBe(false);
    expect(textIn(writer)).toBe("héé1234");
    expect(written(writer)).toBe(9);
  });

  it.each([
    ["a byte", (writer: Writer) => writeByte(writer, 1), 1],
    ["two bytes", (writer: Writer) => writeU16(writer, 1), 2],
    ["bytes", (writer: Writer) => writeBytes(writer, Uint8Array.of(1, 2, 3), 0, 3), 3],
    ["a text, counted in UTF-8", (writer: Writer) => writeText(writer, "°C"), 3],
    ["a number, for which it wants the room of the longest", (writer: Writer) => writeDecimal(writer, 7), 11],
  ] as const)("writes %s that fits exactly, and nothing of it with one byte less", (_what, write, size) => {
    const fitting = writerOf(size);
    write(fitting);
    expect(fitting.overflow).toBe(false);

    const bytes = allocate(size + 10);
    const tight = createWriter(bytes);
    writerOpen(tight, bytes, 5, size - 1);
    write(tight);
    expect(tight.overflow).toBe(true);
    expect(written(tight)).toBe(0);
    expect(bytes).toEqual(new Uint8Array(size + 10));
  });

  it("writes nothing more after an overflow, so that no text has a hole", () => {
    const writer = writerOf(4);
    writeText(writer, "ab");
    writeText(writer, "cde");
    writeText(writer, "f");
    writeByte(writer, 0x67);
    writeBytes(writer, Uint8Array.of(0x68), 0, 1);
    writeBytes(writer, Uint8Array.of(0x68), 0, 0);
    expect(writer.overflow).toBe(true);
    expect(textIn(writer)).toBe("ab");
  });

  it("is usable again when it is opened anew, on a part of a buffer that it does not leave", () => {
    const bytes = allocate(8);
    const writer = createWriter(bytes);
    writeText(writer, "much too long");
    writerOpen(writer, bytes, 2, 3);
    expect(writer.overflow).toBe(false);
    writeText(writer, "xyz");
    writeText(writer, "!");
    expect(textAt(bytes, 0, 8)).toBe("\0\0xyz\0\0\0");
  });

  it("takes an empty text and an empty range when it is full", () => {
    const writer = writerOf(2);
    writeText(writer, "ab");
    writeText(writer, "");
    writeBytes(writer, Uint8Array.of(1), 0, 0);
    expect(writer.overflow).toBe(false);
  });
});

describe("a fixed-point number", () => {
  it.each([
    [215, 1, "21.5"],
    [-5, 1, "-0.5"],
    [5, 1, "0.5"],
    [0, 1, "0.0"],
    [0, 0, "0"],
    [-1, 0, "-1"],
    [1, 3, "0.001"],
    [-1, 3, "-0.001"],
    [1000, 3, "1.000"],
    [10, 2, "0.10"],
    [-2150, 2, "-21.50"],
    [2147483647, 0, "2147483647"],
    [2147483647, 9, "2.147483647"],
    [-2147483647, 9, "-2.147483647"],
    [-2147483647, 0, "-2147483647"],
  ])("of %i steps with %i decimals is %s", (steps, decimals, text) => {
    expect(fixed(steps, decimals)).toBe(text);
  });

  it("is read back as the same value, for any number of steps and decimals", () => {
    const steps = fc.integer({ min: -2147483647, max: 2147483647 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 9 }), (value, decimals) => {
        const text = fixed(value, decimals);
        expect(text).toMatch(decimals === 0 ? /^-?\d+$/ : new RegExp(`^-?\\d+\\.\\d{${decimals}}$`));
        expect(Number(text.replace(".", ""))).toBe(value);
        expect(text.length).toBeLessThanOrEqual(12);
      }),
    );
  });

  it("is latched as an overflow when its decimals do not fit", () => {
    const writer = writerOf(12);
    writeFixed(writer, 1, 9);
    expect(writer.overflow).toBe(false);
    const tight = writerOf(11);
    writeFixed(tight, -21, 1);
    expect(tight.overflow).toBe(true);
  });
});
