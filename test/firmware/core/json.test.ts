import { describe, expect, it } from "vitest";
import {
  createJsonKey,
  jsonFieldRoom,
  writeJsonBoolean,
  writeJsonEnd,
  writeJsonFixed,
  writeJsonNull,
} from "../../../firmware/core/json";
import { createWriter, written } from "../../../firmware/core/writer";
import { allocate, textAt } from "../../../hal/node/native";

const keys = {
  seq: createJsonKey("seq", true),
  temperature: createJsonKey("temperature", false),
  relay: createJsonKey("relay", false),
  level: createJsonKey("°", false),
};

describe("a JSON object", () => {
  it("is written field by field, without a space", () => {
    const writer = createWriter(allocate(100));
    writeJsonFixed(writer, keys.seq, 3, 0);
    writeJsonFixed(writer, keys.temperature, -5, 1);
    writeJsonBoolean(writer, keys.relay, false);
    writeJsonBoolean(writer, keys.relay, true);
    writeJsonNull(writer, keys.level);
    writeJsonEnd(writer);
    const text = textAt(writer.bytes, 0, written(writer));
    expect(text).toBe('{"seq":3,"temperature":-0.5,"relay":false,"relay":true,"°":null}');
    expect(JSON.parse(text)).toEqual({ seq: 3, temperature: -0.5, relay: true, "°": null });
  });

  it("always fits in the room of its fields and one byte", () => {
    const room = jsonFieldRoom(keys.seq) + jsonFieldRoom(keys.level) + jsonFieldRoom(keys.relay) + 1;
    for (const [steps, decimals] of [
      [2147483647, 9],
      [-2147483647, 9],
      [-2147483647, 1],
      [7, 0],
    ] as const) {
      const writer = createWriter(allocate(room));
      writeJsonFixed(writer, keys.seq, steps, decimals);
      writeJsonFixed(writer, keys.level, steps, decimals);
      writeJsonFixed(writer, keys.relay, steps, decimals);
      writeJsonEnd(writer);
      expect(writer.overflow).toBe(false);
    }
  });
});
