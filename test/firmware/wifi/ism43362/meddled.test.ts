/**
 * The byte stream between board and module, meddled with at every byte of one session; the module falling over, or silent,
 * at every moment of it. In the end the link has to work.
 *
 * Which bytes may be wrong on a link that was meddled with: `wifi/ism43362/reply.ts` tells what cannot be told. A
 * received payload whose reply lost a byte, or got one more, or a changed one, may be one byte off; so may one that was
 * sent, if a byte was changed or doubled on its way: the module counts, and no more. What was lost on its way never
 * arrives at all, unless the reset line is missing.
 */
import { describe, expect, it } from "vitest";
import { counterByte } from "../recording-user";
import type { Meddle, SimulatedBench } from "../simulated-bench";
import { ism43362, linked } from "./ism43362-bench";

/** Board time in which the driver must be back at work, whatever went wrong. */
const BACK_WITHIN = 90_000;
const TALK_BYTES = 40;

/** Some traffic each way, one after the other, and a close at the end of which the link is opened again. */
function play(bench: SimulatedBench): void {
  bench.user.reopenAfter = 300;
  bench.user.open("broker", 1883);
  let turns = 0;
  const talk = (): void => {
    if (bench.user.state === "up") turns++;
    bench.userSends(TALK_BYTES);
    bench.peerSends(TALK_BYTES);
    if (turns === 4) bench.wifi.link.close();
    bench.clock.after(700, talk);
  };
  bench.clock.after(2_000, talk);
}

/** Whether a sequence is the counter stream with at most one byte missing, one more, or one changed. */
function isAtMostOneOff(bytes: readonly number[]): boolean {
  const wrong = bytes.findIndex((byte, place) => byte !== counterByte(place));
  if (wrong < 0) return true;
  return [[1, 0], [0, 1], [1, 1]].some(([skipped = 0, places = 0]) =>
    bytes.slice(wrong + skipped).every((byte, at) => byte === counterByte(wrong + places + at)));
}

/** In the end both ways work, on a link on which nothing is wrong. */
function expectWorks(bench: SimulatedBench): void {
  expect(bench.until(() => bench.user.state === "up", BACK_WITHIN)).toBe(true);
  expect(bench.until(() => {
    const received = bench.user.inbox.length;
    return bench.user.state === "up" && received >= 3 * TALK_BYTES && (bench.peer?.received.length ?? 0) >= 3 * TALK_BYTES;
  }, BACK_WITHIN)).toBe(true);
}

type Direction = "toHost" | "toModule";

/** Does something to the `nth` byte (from 0) of one direction, and lets the others be. */
function meddle(bench: SimulatedBench, direction: Direction, nth: number, what: Meddle): void {
  let seen = 0;
  bench[direction] = (byte) => {
    if (seen++ < nth) return [byte];
    bench[direction] = undefined;
    return what(byte);
  };
}

/** How many bytes go each way until the session has had its close and some talk on its second link. */
function lengthOfSession(): Record<Direction, number> {
  const bench = ism43362();
  const toHost = { bytes: 0 };
  const toModule = { bytes: 0 };
  bench.toHost = (byte) => [(toHost.bytes++, byte)];
  bench.toModule = (byte) => [(toModule.bytes++, byte)];
  play(bench);
  bench.until(() => bench.user.ups === 2 && bench.user.inbox.length >= 2 * TALK_BYTES, 60_000);
  bench.check();
  expect(bench.wifi.status).toMatchObject({ resets: 1, resyncs: 0, timeouts: 0, damaged: 0, opens: 2 });
  return { toHost: toHost.bytes, toModule: toModule.bytes };
}

const session = lengthOfSession();
/** Compiled Lua with sanitizers is slower: there every 37th byte is meddled with. */
const STRIDE = process.env["MOTH_EXECUTOR"] === "lua" ? 37 : 1;
const WAYS: Record<string, Meddle> = {
  lost: () => [],
  changed: (byte) => [byte ^ 0x15],
  doubled: (byte) => [byte, byte],
};

describe.each<Direction>(["toHost", "toModule"])("a byte %s", (direction) => {
  it.each(Object.entries(WAYS))("that is %s: the link works again, and no other byte is wrong", { timeout: 300_000 }, (name, what) => {
    for (let nth = 0; nth < session[direction]; nth += STRIDE) {
      const bench = ism43362();
      meddle(bench, direction, nth, what);
      play(bench);
      expectWorks(bench);
      const arrived = bench.peers.map(({ received }) => received);
      expect([nth, arrived.filter((bytes) => !isAtMostOneOff(bytes))]).toEqual([nth, []]);
      expect([nth, bench.inboxes.filter((bytes) => !isAtMostOneOff(bytes))]).toEqual([nth, []]);
      const strict = (bytes: readonly number[]): boolean => bytes.every((byte, place) => byte === counterByte(place));
      if (direction === "toHost") expect([nth, arrived.every(strict)]).toEqual([nth, true]);
      else expect([nth, bench.inboxes.every(strict)]).toEqual([nth, true]);
      if (direction === "toModule" && name === "lost") expect([nth, arrived.every(strict)]).toEqual([nth, true]);
    }
  });
});

describe("a reply that does not fit", () => {
  it("to a send, with another count, gives the stream up", () => {
    const bench = linked();
    bench.userSends(200);
    bench.clock.runFor(1);
    bench.toHost = (byte) => [byte === 0x32 ? 0x31 : byte];
    expect(bench.until(() => bench.user.losses.length > 0, 5_000)).toBe(true);
    expect(bench.user.losses).toEqual(["Damaged"]);
  });

  it("to a receive, with a byte before its beginning, gives the stream up and nothing of it to the user", () => {
    const bench = linked();
    bench.peerSends(TALK_BYTES);
    let first = true;
    bench.toHost = (byte) => {
      const before = first && byte === 0x0d ? [0x78] : [];
      first = false;
      return [...before, byte];
    };
    expect(bench.until(() => bench.user.losses.length > 0, 5_000)).toBe(true);
    expect(bench.user.losses).toEqual(["Damaged"]);
    expect(bench.user.inbox).toEqual([]);
  });
});

describe("the module", () => {
  const moments = Array.from({ length: 90 }, (_, i) => 60 * STRIDE * i + 13).filter((moment) => moment < 12_000);

  it("reboots at any moment of a session, and the link works again", { timeout: 300_000 }, () => {
    for (let nth = 0; nth < 400; nth += STRIDE) {
      const bench = ism43362();
      play(bench);
      bench.clock.after(3 + 41 * nth, () => bench.module.crash());
      bench.clock.runFor(3 + 41 * nth);
      expectWorks(bench);
      bench.check();
    }
  });

  it.each(["lost", "there"])("reboots unseen, its prompt %s on the line, and the link works again", { timeout: 300_000 }, (prompt) => {
    for (const moment of moments) {
      const bench = ism43362();
      play(bench);
      bench.clock.runFor(moment);
      bench.module.crash();
      if (prompt === "lost") bench.toHost = () => [];
      bench.clock.runFor(900);
      bench.toHost = undefined;
      expectWorks(bench);
    }
  });

  it("falls silent at any moment until it has been reset, and the link works again", { timeout: 300_000 }, () => {
    for (const moment of moments) {
      const bench = ism43362();
      play(bench);
      bench.clock.runFor(moment);
      const { resets } = bench.wifi.status;
      bench.toHost = () => [];
      bench.toModule = () => [];
      expect(bench.until(() => bench.wifi.status.resets > resets, BACK_WITHIN)).toBe(true);
      bench.toHost = undefined;
      bench.toModule = undefined;
      expectWorks(bench);
      bench.check();
    }
  });

  it("has no power for ten minutes: it is reset less and less often, and the link works soon after it is back", () => {
    const bench = linked();
    bench.user.reopenAfter = 300;
    bench.module.powerOff();
    const pauses: number[] = [];
    let before = bench.clock.now;
    for (let { resets } = bench.wifi.status; bench.clock.now < 600_000;) {
      bench.clock.runFor(100);
      if (bench.wifi.status.resets === resets) continue;
      ({ resets } = bench.wifi.status);
      pauses.push(bench.clock.now - before);
      before = bench.clock.now;
    }
    expect(pauses.length).toBeGreaterThan(5);
    expect(pauses.length).toBeLessThan(40);
    expect(Math.max(...pauses.slice(-5))).toBeGreaterThan(2 * Math.min(...pauses.slice(0, 2)));
    bench.module.powerOn();
    expect(bench.until(() => bench.user.state === "up", 120_000)).toBe(true);
  });

  it("without a reset line is freed from a send that lacks bytes", () => {
    const bench = linked({ resetLine: false });
    bench.user.reopenAfter = 300;
    let dropped = false;
    bench.toModule = (byte) => {
      if (dropped || byte !== counterByte(20)) return [byte];
      dropped = true;
      return [];
    };
    bench.userSends(200);
    expect(bench.until(() => bench.user.losses.length > 0, 30_000)).toBe(true);
    expect(bench.until(() => bench.user.state === "up", 60_000)).toBe(true);
    bench.userSends(10);
    expect(bench.until(() => bench.peer?.received.length === 10, 2_000)).toBe(true);
  });
});

describe("the line", () => {
  it.each([1, 2, 3, 5, 7])("hands over %i bytes at a time, and nothing is different", (most) => {
    const bench = ism43362({ readAtMost: most });
    play(bench);
    expect(bench.until(() => bench.user.ups === 2 && bench.user.inbox.length >= 2 * TALK_BYTES, 60_000)).toBe(true);
    bench.check();
    expect(bench.wifi.status).toMatchObject({ resets: 1, resyncs: 0, timeouts: 0, damaged: 0, opens: 2 });
  });
});
