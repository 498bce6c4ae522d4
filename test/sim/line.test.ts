import { describe, expect, test } from "vitest";
import { SimClock } from "../../sim/clock";
import { SerialLine, type LineOptions } from "../../sim/line";

function setUp(options: LineOptions = {}): { clock: SimClock; line: SerialLine } {
  const clock = new SimClock();
  return { clock, line: new SerialLine(clock, options) };
}

describe("the serial line", () => {
  test("carries 11520 bytes a second at 115200 baud, not one more or less", () => {
    const { clock, line } = setUp({ moduleTransmitRing: 20_000, hostReceiveRing: 20_000 });
    clock.runUntil(12_345.678);
    expect(line.module.write(new Uint8Array(20_000))).toBe(20_000);
    clock.runFor(1000);
    expect(line.host.waiting).toBe(11_520);
    clock.runFor(500);
    expect(line.host.waiting).toBe(11_520 + 5_760);
  });

  test("delivers the bytes that were sent, in order, whenever somebody looks", () => {
    const { clock, line } = setUp({ moduleTransmitRing: 1000 });
    const sent = Uint8Array.from({ length: 700 }, (_, i) => i & 0xff);
    line.module.write(sent);
    const got = new Uint8Array(700);
    let count = 0;
    while (count < 700) {
      clock.runFor(3.3);
      count += line.host.read(got, count);
    }
    expect(got).toEqual(sent);
  });

  test("takes no more than the transmit ring has room for, and tells when there will be room", () => {
    const { clock, line } = setUp({ hostTransmitRing: 100 });
    expect(line.host.write(new Uint8Array(150))).toBe(100);
    expect(line.host.write(new Uint8Array(1))).toBe(0);
    clock.runUntil(line.host.freeAt(30));
    expect(line.host.write(new Uint8Array(150))).toBe(30);
    clock.runUntil(line.host.idleAt());
    expect(line.host.leaving).toBe(0);
  });

  test("drops what does not fit the host's receive ring, counts it, and keeps the oldest bytes", () => {
    const { clock, line } = setUp();
    line.module.write(Uint8Array.from({ length: 1500 }, (_, i) => i & 0xff));
    clock.runFor(1000);
    expect(line.host.waiting).toBe(1024);
    expect(line.host.lost).toBe(476);
    expect(line.host.highWater).toBe(1024);
    const got = new Uint8Array(1024);
    line.host.read(got);
    expect(got[1023]).toBe(1023 & 0xff);
  });

  test("drops what does not fit the module's receive ring while nobody reads it", () => {
    const { clock, line } = setUp({ hostTransmitRing: 3000 });
    line.module.onChunk(() => undefined);
    line.module.setListening(false);
    line.host.write(new Uint8Array(3000));
    clock.runFor(1000);
    expect(line.module.lost).toBe(3000 - 2048);
  });

  test("wakes the host once a millisecond, on whole milliseconds, while bytes come", () => {
    const { clock, line } = setUp();
    const wakes: number[] = [];
    line.host.onWake(() => {
      wakes.push(clock.now);
      line.host.read(new Uint8Array(100));
    });
    clock.runUntil(10.5);
    line.module.write(new Uint8Array(30));
    clock.runFor(100);
    expect(wakes).toEqual([11, 12, 13, 14]);
  });

  test("delivers a short burst to the module as one chunk after ten symbols of silence", () => {
    const { clock, line } = setUp();
    const chunks: [number, number][] = [];
    line.module.onChunk((bytes) => chunks.push([bytes.length, clock.now]));
    line.host.write(new Uint8Array(20));
    clock.runFor(0.5);
    line.host.write(new Uint8Array(20));
    clock.runFor(100);
    expect(chunks).toHaveLength(1);
    expect(chunks[0]?.[0]).toBe(40);
    expect(chunks[0]?.[1]).toBeCloseTo((50 * 10_000) / 115_200, 6);
  });

  test("delivers a long burst to the module in chunks of a hundred", () => {
    const { clock, line } = setUp();
    const chunks: number[] = [];
    line.module.onChunk((bytes) => chunks.push(bytes.length));
    line.host.write(new Uint8Array(95));
    line.host.write(new Uint8Array(158));
    clock.runFor(100);
    expect(chunks).toEqual([100, 100, 53]);
  });

  test("delivers bytes with a pause between them as chunks of their own", () => {
    const { clock, line } = setUp();
    const chunks: number[] = [];
    line.module.onChunk((bytes) => chunks.push(bytes.length));
    for (let i = 0; i < 3; i += 1) {
      line.host.write(new Uint8Array(1));
      clock.runFor(1.1);
    }
    expect(chunks).toEqual([1, 1, 1]);
  });

  test("gives garbage, the same each time, to a receiver at another rate", () => {
    const listen = (hostBaud: number): Uint8Array => {
      const { clock, line } = setUp({ hostBaud });
      line.module.write(new TextEncoder().encode("\r\nready\r\n".repeat(20)));
      clock.runFor(100);
      const got = new Uint8Array(180);
      line.host.read(got);
      return got;
    };
    expect(Buffer.from(listen(115_201)).toString()).toContain("ready");
    const garbage = listen(921_600);
    expect(Buffer.from(garbage).toString("latin1")).not.toContain("ready");
    expect(garbage).toContain(0x00);
    expect(garbage).toContain(0xff);
    expect(listen(921_600)).toEqual(garbage);
  });

  test("refuses a new rate while bytes are leaving", () => {
    const { clock, line } = setUp();
    line.host.write(new Uint8Array(10));
    expect(line.host.setBaud(921_600)).toBe(false);
    expect(line.host.baud).toBe(115_200);
    clock.runFor(1);
    expect(line.host.setBaud(921_600)).toBe(true);
    line.host.write(new Uint8Array(92));
    clock.runFor(1);
    expect(line.host.leaving).toBe(0);
  });

  test("forgets at a new rate how long the bytes before it took", () => {
    const { clock, line } = setUp({ hostBaud: 921_600, moduleBaud: 921_600 });
    const chunks: number[] = [];
    line.module.onChunk(() => chunks.push(clock.now));
    line.host.write(new Uint8Array(1023));
    clock.runFor(11.15);
    chunks.length = 0;
    expect(line.host.setBaud(9600)).toBe(true);
    clock.runFor(20);
    expect(chunks).toHaveLength(1);
  });

  test("loses what was received, what was to be sent and the byte on the wire when an end is reset", () => {
    const { clock, line } = setUp();
    line.module.write(new Uint8Array(100));
    line.host.write(new Uint8Array(100));
    clock.runUntil(4.5 * 10_000 / 115_200);
    line.host.reset();
    expect(line.host.waiting).toBe(0);
    expect(line.host.leaving).toBe(0);
    clock.runFor(100);
    expect(line.host.waiting).toBe(95);
    expect(line.module.waiting).toBe(4);
  });

  test("brings nothing to an end without power", () => {
    const { clock, line } = setUp();
    line.module.setPowered(false);
    line.host.write(new Uint8Array(10));
    clock.runFor(10);
    line.module.setPowered(true);
    expect(line.module.waiting).toBe(0);
    line.host.write(new Uint8Array(10));
    clock.runFor(10);
    expect(line.module.waiting).toBe(10);
    expect(line.module.lost).toBe(0);
  });
});
