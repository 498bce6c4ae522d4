import { describe, expect, test } from "vitest";
import { SimClock } from "../../sim/clock";
import { SerialLine } from "../../sim/line";

const ON = { rts: true, cts: true };
const OFF = { rts: false, cts: false };

function setUp(): { clock: SimClock; line: SerialLine } {
  const clock = new SimClock();
  const line = new SerialLine(clock, { hostTransmitRing: 4000, moduleReceiveRing: 128 });
  return { clock, line };
}

const sent = Uint8Array.from({ length: 1000 }, (_, i) => i & 0xff);

describe("RTS and CTS", () => {
  test.each([
    ["neither end", OFF, OFF], ["the receiver only", OFF, ON], ["the sender only", ON, OFF],
    ["the wrong lines", { rts: true, cts: false }, { rts: false, cts: true }],
  ])("lose bytes when %s has them on", (_, host, module) => {
    const { clock, line } = setUp();
    line.host.setFlow(host);
    line.module.setFlow(module);
    line.host.write(sent);
    clock.runFor(1000);
    expect(line.module.waiting).toBe(128);
    expect(line.module.lost).toBe(872);
  });

  test("lose none when the receiver has RTS and the sender CTS: it waits for as long as it takes", () => {
    const { clock, line } = setUp();
    line.host.setFlow({ rts: false, cts: true });
    line.module.setFlow({ rts: true, cts: false });
    line.host.write(sent);
    clock.runFor(1000);
    expect(line.module.waiting).toBe(120);
    expect(line.host.leaving).toBe(880);
    const got = new Uint8Array(1000);
    let count = 0;
    for (let turns = 0; turns < 1000 && count < 1000; turns += 1) {
      clock.runFor(3.7);
      count += line.module.read(got, count, 7);
    }
    expect(got).toEqual(sent);
    expect(line.module.lost).toBe(0);
    expect(line.module.highWater).toBe(120);
  });

  test("let the sender go on at the moment at which there is room", () => {
    const { clock, line } = setUp();
    line.host.setFlow(ON);
    line.module.setFlow(ON);
    line.host.write(sent);
    clock.runFor(500);
    line.module.read(new Uint8Array(10));
    const byteTime = 10_000 / 115_200;
    clock.runFor(byteTime * 0.9);
    expect(line.module.waiting).toBe(110);
    clock.runFor(byteTime * 0.2);
    expect(line.module.waiting).toBe(111);
    clock.runFor(byteTime * 50);
    expect(line.module.waiting).toBe(120);
  });

  test("hold nothing up while the receiver keeps up", () => {
    const { clock, line } = setUp();
    line.host.setFlow(ON);
    line.module.setFlow(ON);
    let count = 0;
    line.module.onChunk((bytes) => (count += bytes.length));
    line.host.write(new Uint8Array(4000));
    clock.runFor((4000 * 10_000) / 115_200 + 2);
    expect(count).toBe(4000);
  });

  test("keep an end that is told to listen again from waiting for ever", () => {
    const { clock, line } = setUp();
    line.host.setFlow(ON);
    line.module.setFlow(ON);
    let count = 0;
    line.module.onChunk((bytes) => (count += bytes.length));
    line.module.setListening(false);
    line.host.write(sent);
    clock.runFor(5000);
    expect(count).toBe(0);
    line.module.setListening(true);
    clock.runFor(200);
    expect(count).toBe(1000);
    expect(line.module.lost).toBe(0);
  });

  test("that are switched off let go of what they held up, which is lost", () => {
    const { clock, line } = setUp();
    line.host.setFlow(ON);
    line.module.setFlow(ON);
    line.host.write(sent);
    clock.runFor(1000);
    line.host.setFlow(OFF);
    clock.runFor(1000);
    expect(line.host.leaving).toBe(0);
    expect(line.module.lost).toBe(1000 - 128);
  });

  test("do not hold up bytes to an end without power", () => {
    const { clock, line } = setUp();
    line.host.setFlow(ON);
    line.module.setFlow(ON);
    line.module.setPowered(false);
    line.host.write(sent);
    clock.runFor(1000);
    expect(line.host.leaving).toBe(0);
  });
});
