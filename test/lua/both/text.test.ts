import { describe, expect, it } from "vitest";
import * as probe from "../probes/text";

/** All but the empty one have bytes to look at. */
const texts = ["moth", "21.5 °C", "é€", "😀", "Ünïcödé/topic", "a\u0000b", "\u007f\u0080", "line\r\nend", "\ufeffmark"];

describe.each(texts)("the text %j", (text) => {
  const bytes = [...Buffer.from(text)];

  it("is as long as its UTF-8", () => {
    expect(probe.length(text)).toBe(bytes.length);
  });

  it("goes through a buffer unchanged", () => {
    expect(probe.copied(text)).toBe(text);
    expect(probe.joined(text, text)).toBe(text + text);
    expect(probe.length(probe.joined("°", text))).toBe(2 + bytes.length);
  });

  it("is its bytes, one after the other", () => {
    expect(bytes.map((_, at) => probe.byteOf(text, at))).toEqual(bytes);
  });

  it("is only the same as itself", () => {
    expect(texts.map((other) => probe.isSame(text, other))).toEqual(texts.map((other) => other === text));
  });

  it("is only held by the same bytes", () => {
    expect(texts.map((other) => probe.holds(text, other))).toEqual(texts.map((other) => other === text));
  });
});

it("the empty text has no bytes, and is a text", () => {
  expect(probe.length("")).toBe(0);
  expect(probe.isSame("", "")).toBe(true);
  expect(probe.isSame("", "a")).toBe(false);
  expect(probe.joined("", "a")).toBe("a");
});
