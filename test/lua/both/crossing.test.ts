/** What a test and the firmware hand to each other, which must look the same in both executors. */
import { describe, expect, it } from "vitest";
import { allocate } from "../../../hal/node/native";
import * as probe from "../probes/crossing";

class Ear implements probe.Listener {
  readonly name = "ear";
  heard = 0;
  readonly values: number[] = [];

  hear(value: number): number {
    this.values.push(value);
    return value * 2;
  }
}

describe("an object of the test", () => {
  it("is read, written and called as a method by the firmware", () => {
    const ear = new Ear();
    expect([probe.tell(ear, 3), probe.tell(ear, -4)]).toEqual([6, -8]);
    expect(ear).toMatchObject({ heard: 2, values: [3, -4] });
  });

  it("comes back as itself", () => {
    const ear = new Ear();
    expect(probe.same(ear)).toBe(ear);
  });

  it("may call the firmware again while the firmware calls it", () => {
    const inner = new Ear();
    const outer: probe.Listener = { name: "outer", heard: 0, hear: (value) => probe.tell(inner, value) + 1 };
    expect(probe.tell(outer, 5)).toBe(11);
    expect([outer.heard, inner.values]).toEqual([1, [5]]);
  });

  it("may throw: the test sees what was thrown, and the firmware goes on", () => {
    const thrown = new TypeError("not today");
    const deaf: probe.Listener = {
      name: "deaf",
      heard: 0,
      hear() {
        throw thrown;
      },
    };
    const around: probe.Listener = { name: "around", heard: 0, hear: (value) => probe.tell(deaf, value) };
    let seen: unknown;
    try {
      probe.tell(around, 1);
    } catch (error) {
      seen = error;
    }
    expect(seen).toBe(thrown);
    expect(probe.tell(new Ear(), 1)).toBe(2);
  });

  it("may be a list", () => {
    expect([probe.sumOf([]), probe.sumOf([1, 2, 3])]).toEqual([0, 6]);
  });
});

describe("a record of the firmware", () => {
  it("is read, written and called as a method by the test", () => {
    const counter = probe.createCounter();
    counter.next();
    counter.count = 10;
    expect(counter.next()).toBe(11);
    expect(counter).toMatchObject({ count: 11, list: [1, 11] });
    expect({ ...counter }.count).toBe(11);
  });

  it("has lists that begin at 0, and that a test may read in every way", () => {
    const counter = probe.createCounter();
    const { list } = counter;
    expect(list).toEqual([]);
    counter.count = 4;
    counter.next();
    counter.next();
    expect([list[0], list[1], list[2], list.length, list.at(-1)]).toEqual([5, 6, undefined, 2, 6]);
    expect([...list].map((each) => each + 1)).toEqual([6, 7]);
    list.push(1);
    list[0] = 0;
    expect(probe.sumOf(list)).toBe(7);
    list.length = 1;
    expect(list).toEqual([0]);
  });
});

describe("a buffer", () => {
  it.each([
    ["of the firmware", () => allocate(4)],
    ["of the test", () => new Uint8Array(4)],
    ["of the test, a part of a larger one", () => new Uint8Array(9).subarray(2, 6)],
  ])("%s is the same bytes for both", (_whose, create) => {
    const bytes = create();
    probe.fill(bytes, 7);
    expect(bytes).toEqual(Uint8Array.of(7, 7, 7, 7));
    bytes[2] = 9;
    expect(probe.readAt(bytes, 2)).toBe(9);
    expect(bytes.length).toBe(4);
  });

  it("of the test stays the same bytes when the firmware keeps it", () => {
    const kept: probe.Kept = { bytes: undefined };
    const bytes = new Uint8Array(3);
    probe.keep(kept, bytes);
    probe.fillKept(kept, 5);
    expect(bytes).toEqual(Uint8Array.of(5, 5, 5));
    expect(kept.bytes).toBe(bytes);
  });

  it("is a RangeError beyond its end", () => {
    expect(() => probe.readAt(new Uint8Array(2), 2)).toThrow(RangeError);
  });
});
