import { describe, expect, it } from "vitest";
import { createWriter, written } from "../../../firmware/core/writer";
import { lengthBytes, PacketType, stringBytes, writeFixedHeader, writeString } from "../../../firmware/mqtt/packet";
import { allocate } from "../../../hal/node/native";

describe("a fixed header", () => {
  it.each([
    [0, [0x00]],
    [1, [0x01]],
    [127, [0x7f]],
    [128, [0x80, 0x01]],
    [16383, [0xff, 0x7f]],
    [16384, [0x80, 0x80, 0x01]],
    [2097151, [0xff, 0xff, 0x7f]],
    [2097152, [0x80, 0x80, 0x80, 0x01]],
    [268435455, [0xff, 0xff, 0xff, 0x7f]],
  ])("[MQTT 3.1.1 §2.2.3] says a remaining length of %i in as few bytes as it fits", (remaining, bytes) => {
    const writer = createWriter(allocate(5));
    writeFixedHeader(writer, PacketType.Publish, 3, remaining);
    expect([...Uint8Array.from(writer.bytes)].slice(0, written(writer))).toEqual([0x33, ...bytes]);
    expect(lengthBytes(remaining)).toBe(bytes.length);
  });
});

describe("a string", () => {
  it.each([
    ["", [0, 0]],
    ["MQTT", [0, 4, 0x4d, 0x51, 0x54, 0x54]],
    ["A\u{2A6D4}", [0, 5, 0x41, 0xf0, 0xaa, 0x9b, 0x94]],
    ["\ufeff", [0, 3, 0xef, 0xbb, 0xbf]],
  ])("[MQTT-1.5.3-3] %j is written as its length in bytes and its UTF-8, a BOM kept", (text, bytes) => {
    const writer = createWriter(allocate(10));
    writeString(writer, text);
    expect([...Uint8Array.from(writer.bytes)].slice(0, written(writer))).toEqual(bytes);
    expect(stringBytes(text)).toBe(bytes.length);
  });
});
