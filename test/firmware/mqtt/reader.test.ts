import fc from "fast-check";
import { generate, type Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { createReader, type Reader, readerAttach, readerFeed, readerReset, readerStop } from "../../../firmware/mqtt/reader";
import { hex } from "./scripted-link";
import { message } from "./session";

/** A reader that writes down what it reports: `30 0001…` for a packet, `oversize 32 id 7 of 300`, `malformed`. */
function createRecorder(size: number): { readonly reader: Reader; readonly reports: string[] } {
  const reports: string[] = [];
  const reader = createReader(size);
  readerAttach(reader, {
    packet(_now, first, bytes, at, count) {
      reports.push(`${first.toString(16)} ${hex(Uint8Array.from(bytes).subarray(at, at + count))}`);
    },
    oversize(_now, first, id, remaining) {
      reports.push(`oversize ${first.toString(16)} id ${id} of ${remaining}`);
    },
    malformed() {
      reports.push("malformed");
    },
  });
  return { reader, reports };
}

/** Feeds a stream in chunks of these lengths, the last one again and again, each from a window that is used again. */
function feed(reader: Reader, stream: Uint8Array, ...chunks: readonly number[]): void {
  let at = 0;
  for (let turn = 0; at < stream.length; turn++) {
    const count = Math.min(chunks[Math.min(turn, chunks.length - 1)] ?? stream.length, stream.length - at);
    const window = new Uint8Array(count + 6).fill(0xff);
    window.set(stream.subarray(at, at + count), 3);
    readerFeed(reader, 0, window, 3, count);
    window.fill(0xff);
    at += count;
  }
}

function streamOf(packets: readonly Packet[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(packets.map((packet) => generate(packet))));
}

const scripted = streamOf([
  { cmd: "connack", returnCode: 0, sessionPresent: true },
  { cmd: "suback", messageId: 258, granted: [0, 1, 128] },
  message("a/b", "hello", { retain: true }),
  { cmd: "pingresp" },
  message("a", "", { qos: 1, messageId: 65535, dup: true }),
  message("long/topic", "x".repeat(130), { qos: 1, messageId: 513 }),
  { cmd: "puback", messageId: 3 },
  message("a/topic/that/alone/is/longer/than/the/whole/buffer/of/the/reader", "y", { qos: 1, messageId: 514 }),
  { cmd: "unsuback", messageId: 4, granted: [] },
  message("oversize/qos/0", "z".repeat(70)),
  { cmd: "pingresp" },
]);

const understood = [
  "20 0100",
  "90 0102000180",
  "31 0003612f6268656c6c6f",
  "d0 ",
  "3a 000161ffff",
  "oversize 32 id 513 of 144",
  "40 0003",
  "oversize 32 id 514 of 69",
  "b0 0004",
  "oversize 30 id 0 of 86",
  "d0 ",
];
const SIZE = 48;

describe("the reader", () => {
  it("understands a session that comes all at once", () => {
    const { reader, reports } = createRecorder(SIZE);
    feed(reader, scripted, scripted.length);
    expect(reports).toEqual(understood);
  });

  it("[MQTT-7.1.2-1] [P58] understands the same when it is split at any byte", () => {
    for (let split = 1; split < scripted.length; split++) {
      const { reader, reports } = createRecorder(SIZE);
      feed(reader, scripted, split, scripted.length);
      expect(reports).toEqual(understood);
    }
  });

  it("understands the same when it is split at any two bytes", () => {
    for (let split = 1; split < scripted.length; split++) {
      for (let length = 1; length < 8; length++) {
        const { reader, reports } = createRecorder(SIZE);
        feed(reader, scripted, split, length, scripted.length);
        expect(reports.join()).toBe(understood.join());
      }
    }
  });

  it.each([1, 2, 3, 5, 7, 11, 64])("understands the same in pieces of %i bytes", (chunk) => {
    const { reader, reports } = createRecorder(SIZE);
    feed(reader, scripted, chunk);
    expect(reports).toEqual(understood);
  });

  it("delivers a packet that fills its buffer to the last byte, and reads over one that is a byte longer", () => {
    for (const chunk of [1, 100]) {
      const { reader, reports } = createRecorder(20);
      feed(reader, streamOf([message("ab", "x".repeat(16)), message("ab", "x".repeat(17))]), chunk);
      expect(reports).toEqual([`30 00026162${"78".repeat(16)}`, "oversize 30 id 0 of 21"]);
    }
  });

  it("reads over the longest packet there is, chunk by chunk, and understands the next", () => {
    const { reader, reports } = createRecorder(64);
    feed(reader, Uint8Array.of(0x32, 0xff, 0xff, 0xff, 0x7f, 0, 1, 0x61, 0x12, 0x34), 10);
    const chunk = new Uint8Array(65536);
    for (let left = 268435455 - 5; left > 0; left -= chunk.length) {
      readerFeed(reader, 0, chunk, 0, Math.min(left, chunk.length));
    }
    feed(reader, Uint8Array.of(0xd0, 0), 2);
    expect(reports).toEqual(["oversize 32 id 4660 of 268435455", "d0 "]);
  });

  it.each([
    ["in four bytes", [0x30, 0x83, 0x80, 0x80, 0x00, 0x00, 0x01, 0x61], ["30 000161"]],
    ["of 0 in two bytes", [0xd0, 0x80, 0x00], ["d0 "]],
    ["of 127", [0x30, 0x7f, 0, 1, 0x61, ...new Array<number>(124).fill(0x78)], [`30 000161${"78".repeat(124)}`]],
  ])("[MQTT 3.1.1 §2.2.3] takes a remaining length %s", (_what, bytes, expected) => {
    const { reader, reports } = createRecorder(127);
    feed(reader, Uint8Array.from(bytes), 1);
    expect(reports).toEqual(expected);
  });

  it("[MQTT 3.1.1 §2.2.3] gives up at a fourth length byte that promises a fifth, whatever follows", () => {
    for (const chunk of [1, 2, 100]) {
      const { reader, reports } = createRecorder(64);
      feed(reader, Uint8Array.of(0xd0, 0, 0x30, 0xff, 0xff, 0xff, 0xff, 0x00, 0xd0, 0, 0xd0, 0), chunk);
      expect(reports).toEqual(["d0 ", "malformed"]);
    }
  });

  it("gives up at a packet other than PUBLISH that is longer than its buffer", () => {
    for (const chunk of [1, 100]) {
      const { reader, reports } = createRecorder(16);
      feed(reader, Uint8Array.of(0x90, 17, ...new Array<number>(17).fill(0), 0xd0, 0), chunk);
      expect(reports).toEqual(["malformed"]);
    }
  });

  // A topic that claims to be longer than its packet puts the identifier outside of it.
  it.each([
    ["of which one byte is missing", [0x32, 17, 0, 14]],
    ["that is missing", [0x32, 17, 0, 15]],
    ["far outside", [0x32, 17, 0xff, 0xff]],
    ["behind an empty topic", [0x32, 17, 0, 0]],
  ])("gives up at an oversize PUBLISH with an identifier %s", (_what, bytes) => {
    for (const chunk of [1, 3, 100]) {
      const { reader, reports } = createRecorder(16);
      feed(reader, Uint8Array.of(...bytes, ...new Array<number>(15).fill(0x61), 0xd0, 0), chunk);
      expect(reports).toEqual(["malformed"]);
    }
  });

  it("gives up at an oversize PUBLISH at QoS 0 whose topic is longer than the packet", () => {
    const { reader, reports } = createRecorder(16);
    feed(reader, Uint8Array.of(0x30, 17, 0, 16, ...new Array<number>(15).fill(0x61), 0xd0, 0), 100);
    expect(reports).toEqual(["malformed"]);
  });

  it("reads an oversize PUBLISH that is all topic and identifier", () => {
    for (const chunk of [1, 3, 100]) {
      const { reader, reports } = createRecorder(16);
      feed(reader, Uint8Array.of(0x32, 17, 0, 13, ...new Array<number>(13).fill(0x61), 1, 2, 0xd0, 0), chunk);
      expect(reports).toEqual(["oversize 32 id 258 of 17", "d0 "]);
    }
  });

  it("begins anew after a reset, in the middle of whatever was there", () => {
    for (let length = 0; length < scripted.length; length++) {
      const { reader, reports } = createRecorder(SIZE);
      feed(reader, scripted.subarray(0, length), 100);
      reports.length = 0;
      readerReset(reader);
      feed(reader, scripted, 13);
      expect(reports.join()).toBe(understood.join());
    }
  });

  it("reports nothing more when it is stopped, even from within a report", () => {
    const reports: number[] = [];
    const reader = createReader(16);
    readerAttach(reader, {
      packet(_now, first) {
        reports.push(first);
        readerStop(reader);
      },
      oversize() {
        reports.push(-1);
      },
      malformed() {
        reports.push(-2);
      },
    });
    readerFeed(reader, 0, Uint8Array.of(0x40, 2, 0, 1, 0x40, 2, 0, 2, 0xff, 0xff, 0xff, 0xff), 0, 12);
    expect(reports).toEqual([0x40]);
  });

  it("never throws, and reports nothing after a malformed packet, for any bytes in any chunks", () => {
    const bytes = fc.uint8Array({ maxLength: 300, size: "max" });
    // Small numbers make short packets, so that many whole ones are among the noise.
    const small = fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom(0x30, 0x32, 0x40, 0x80, 0xff)), {
      maxLength: 300,
      size: "max",
    });
    const streams = fc.oneof(
      bytes,
      small.map((list) => Uint8Array.from(list)),
    );
    fc.assert(
      fc.property(streams, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (stream, chunks) => {
        const pieces = createRecorder(16);
        feed(pieces.reader, stream, ...chunks);
        const whole = createRecorder(16);
        feed(whole.reader, stream, stream.length);
        expect(pieces.reports).toEqual(whole.reports);
        const malformed = whole.reports.indexOf("malformed");
        if (malformed >= 0) expect(malformed).toBe(whole.reports.length - 1);
      }),
      { numRuns: 1000 },
    );
  });
});
