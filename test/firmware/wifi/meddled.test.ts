/**
 * The byte stream between board and ESP-AT module, meddled with at every byte of one full session, both ways: boot, set-up,
 * a higher rate, join, connect, subscribe, messages at every QoS, a close, a loss of the network and the join behind it.
 * In the end the board is connected, and every QoS has kept its promise, within a bound. (`ism43362/meddled.test.ts` has
 * the other family.)
 *
 * What nobody can tell without TLS, as neither AT nor MQTT has a checksum: that a byte of a payload is another one, and that
 * one came twice on its way to the module, which counts and no more, so that the one behind the last is missing. Then up
 * to {@link MOST_ALTERED} messages may have come to harm, and those that are given afterwards have to arrive. Whatever else
 * is lost or doubled is noticed, and nothing of it handed to MQTT.
 *
 *     MOTH_STRIDE=1 MOTH_OFFSET=0     every so many-th byte, from which on (default: every byte in turn, over many runs)
 */
import { describe, expect, it } from "vitest";
import type { PersonalityName } from "../../../sim/module/personalities";
import { SessionBench } from "./session-bench";
import type { Meddle } from "./simulated-board";

const GENERATIONS: readonly PersonalityName[] = ["nonos-1.7", "esp-at-2.2", "esp-at-5"];
/** Board time in which the whole session must be over, in ms. Undisturbed it takes {@link USUALLY}. */
const WITHIN = 120_000;
const USUALLY = 25_000;
/** What a message may come to that other bytes were put in: it, and those whose identifiers they hit. */
const MOST_ALTERED = 4;
const PAUSE = 300;
/** A plug is pulled for so long, in ms. */
const PULLED = 2_000;

type Direction = "toHost" | "toModule";
const DIRECTIONS: readonly Direction[] = ["toHost", "toModule"];

interface Way {
  readonly what: Meddle;
  /** With a plug that is pulled it goes on until it is put back. */
  readonly lasts?: true;
  /** Where nobody can tell. */
  readonly alters: readonly Direction[];
}

const WAYS: Readonly<Record<string, Way>> = {
  "is lost": { what: () => [], alters: [] },
  "comes twice": { what: (byte) => [byte, byte], alters: ["toModule"] },
  "has another bit": { what: (byte) => [byte ^ 0x10], alters: DIRECTIONS },
  "is 0xFF": { what: () => [0xff], alters: DIRECTIONS },
  "is lost with all that follow in two seconds": { what: () => [], lasts: true, alters: [] },
};

/** What follows one another in a session. */
const SCENES: readonly ((bench: SessionBench) => void)[] = [
  exchange,
  ({ wifi }) => wifi.link.close(),
  exchange,
  ({ air }) => air.dismissAll(),
  exchange,
];

function exchange(bench: SessionBench): void {
  for (const qos of [0, 1, 2] as const) {
    bench.publish(qos);
    bench.deliver(qos);
  }
}

function benchFor(personality: PersonalityName, resetLine: boolean): SessionBench {
  return new SessionBench({ personality, resetLine, driver: { maxBaud: 230400 } });
}

/** Plays the session: each scene as soon as what the one before was about has been settled. Gives whether it got to the end. */
function play(bench: SessionBench): boolean {
  const { clock, broker } = bench;
  const there = (): boolean => bench.settled && broker.sent.some(({ packet }) => packet.cmd === "suback");
  for (const scene of SCENES) {
    while (!there()) {
      if (clock.now > WITHIN) return false;
      clock.runFor(20);
    }
    scene(bench);
    clock.runFor(PAUSE);
  }
  return bench.until(there, WITHIN - clock.now);
}

/** Does it to the `nth` byte (from 0) of one direction. */
function meddle(bench: SessionBench, direction: Direction, nth: number, { what, lasts }: Way): void {
  let seen = 0;
  bench[direction] = (byte) => {
    if (seen++ < nth) return [byte];
    if (lasts !== true) {
      bench[direction] = undefined;
    } else if (seen === nth + 1) {
      bench.clock.after(PULLED, () => {
        bench[direction] = undefined;
      });
    }
    return what(byte);
  };
}

/** How many bytes go each way. */
function lengthOf(personality: PersonalityName, resetLine: boolean): Record<Direction, number> {
  const bench = benchFor(personality, resetLine);
  const count = { toHost: 0, toModule: 0 };
  for (const direction of DIRECTIONS) {
    bench[direction] = (byte) => [(count[direction]++, byte)];
  }
  expect(play(bench), bench.story).toBe(true);
  expect(bench.wrong).toEqual([]);
  expect(bench.clock.now).toBeLessThan(USUALLY);
  return count;
}

/** Whether NonOS, which has no command to call a send off, can only be given something for the bytes that it has missed. */
function isFed(personality: PersonalityName, resetLine: boolean, direction: Direction): boolean {
  return personality === "nonos-1.7" && !resetLine && direction === "toModule";
}

/**
 * Whether the module has understood another rate than was meant. Without a reset pin nothing brings it back from one that
 * nobody knows.
 */
function isAtNoKnownRate({ commands }: SessionBench, resetLine: boolean): boolean {
  return !resetLine && commands.some((command) => command.startsWith("AT+UART_CUR=") && command !== "AT+UART_CUR=230400,8,1,0,0");
}

/** Whether the broker was asked for other topics than was meant, and grants them: while the session lasts nobody asks again. */
function isSubscribedElsewhere({ broker }: SessionBench): boolean {
  return broker.received.some(({ packet }) =>
    packet.cmd === "subscribe" && packet.subscriptions.some(({ topic, qos }) => topic !== `down/${qos}`));
}

function problemOf(personality: PersonalityName, resetLine: boolean, direction: Direction, nth: number, way: Way): string | undefined {
  const bench = benchFor(personality, resetLine);
  meddle(bench, direction, nth, way);
  const ended = play(bench);
  const { client, wrong } = bench;
  if (isAtNoKnownRate(bench, resetLine)) return undefined;
  if (way.alters.includes(direction) || isFed(personality, resetLine, direction)) {
    if (isSubscribedElsewhere(bench)) return undefined;
    if (!bench.works(WITHIN)) return `does not work: ${bench.story}`;
    return wrong.length > MOST_ALTERED ? wrong.join("; ") : undefined;
  }
  if (!ended) return `never ended: ${bench.story}`;
  if (wrong.length > 0) return wrong.join("; ");
  const { violations, unmatched, oversize } = client.stats;
  return violations + unmatched + oversize > 0 ? `got garbage: ${bench.story}` : undefined;
}

const { MOTH_STRIDE, MOTH_OFFSET, MOTH_EXECUTOR } = process.env;
/** All of it takes many minutes: a run has every so many-th byte, and another one each time. Compiled Lua with sanitizers is slower. */
const STRIDE = Number(MOTH_STRIDE ?? (MOTH_EXECUTOR === "lua" ? 307 : 61));
const OFFSET = Number(MOTH_OFFSET ?? Math.floor(Date.now() / 1000)) % STRIDE;

describe.each(GENERATIONS)("with %s", (personality) => {
  describe.each(["with", "without"])("and a board %s a reset pin", (pin) => {
    const resetLine = pin === "with";
    describe.each(DIRECTIONS)("a byte %s", (direction) => {
      it.each(Object.entries(WAYS))("that %s does no harm that lasts, and none to a message that can be told", { timeout: 3_600_000 }, (_, way) => {
        const length = lengthOf(personality, resetLine)[direction];
        const problems: string[] = [];
        for (let nth = OFFSET; nth < length; nth += STRIDE) {
          const problem = problemOf(personality, resetLine, direction, nth, way);
          if (problem !== undefined) problems.push(`MOTH_STRIDE=${length} MOTH_OFFSET=${nth}: ${problem}`);
        }
        expect(problems).toEqual([]);
      });
    });
  });
});

// Which makes 22.2 or 22 of 2.2: their connects have more to say than this module knows.
it.each<readonly [string, string, Meddle]>([
  ["lost", "AT version:2", () => []],
  ["there twice", "AT version:", (byte) => [byte, byte]],
])("a version of which a byte is %s is asked for again when no link can be had", (_, told, what) => {
  const bench = benchFor("esp-at-2.2", true);
  let heard = "";
  let meddled = false;
  bench.toHost = (byte) => {
    const hit = !meddled && heard.endsWith(told);
    heard = (heard + String.fromCharCode(byte)).slice(-told.length);
    meddled ||= hit;
    return hit ? what(byte) : [byte];
  };
  expect(play(bench), bench.story).toBe(true);
  expect(meddled).toBe(true);
  expect(bench.wrong).toEqual([]);
});
