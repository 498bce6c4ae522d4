/**
 * A board begins, and its module is in whatever state a board before has left it in: every state, with and without a reset
 * line, in every generation. Each state is looked at before the board begins, so that none is there in name only.
 */
import { describe, expect, it } from "vitest";
import { RATES } from "../../../firmware/wifi/esp-at-rate";
import type { PersonalityName } from "../../../sim/module/personalities";
import { SimulatedBench } from "./simulated-bench";

const GENERATIONS: readonly PersonalityName[] = ["nonos-1.7", "esp-at-2.2", "esp-at-5"];
const BAUD = 115200;
const FAST = 921600;
/** When the board begins; and how long it may take from then on, in ms. Without a reset line it hunts at 12 rates. */
const BEGINS = 60_000;
const UP_WITHIN = 100_000;

/** A hunt without a reset line takes its time: in the runtime the ends of the list will do, and one between. */
const AT_RATES = process.env["MOTH_EXECUTOR"] === "lua" ? [2000000, 76800, 9600] : RATES;

const JOIN = ["AT+CWMODE=1", 'AT+CWJAP="home","secret99"'];
const SINGLE = [...JOIN, 'AT+CIPSTART="TCP","broker",1883'];
const MULTIPLE = [...JOIN, "AT+CIPMUX=1", 'AT+CIPSTART=0,"TCP","broker",1883'];

/** What a board before has said, waiting for each answer; and what the module says last, which shows that it is so. */
interface State {
  readonly said: readonly string[];
  readonly shows: RegExp;
  readonly only?: readonly PersonalityName[];
}

const STATES: Record<string, State> = {
  "just booted: echo on, not joined": { said: [], shows: /ready\r\n$/ },
  "echo off": { said: ["ATE0", "AT"], shows: /ATE0\r[^]*OK\r\n\r\nOK\r\n$/ },
  "a line that has begun": { said: ["AT", "AT+CWMO~"], shows: /AT\+CWMO$/ },
  "joined": { said: JOIN, shows: /GOT IP\r\n\r\nOK\r\n$/ },
  "joining, and busy with it": { said: ["AT+CWMODE=1", 'AT+CWJAP="elsewhere","secret99"~'], shows: /secret99"\r*\n?$/ },
  "a link": { said: MULTIPLE, shows: /0,CONNECT\r\n\r\nOK\r\n$/ },
  "a link, and the only one there can be": { said: SINGLE, shows: /\nCONNECT\r\n\r\nOK\r\n$/ },
  "passive receive, unread data": { said: [...MULTIPLE, "AT+CIPRECVMODE=1", "peer"], shows: /\+IPD,0,300\r\n$/ },
  "a send that waits for its payload": { said: [...MULTIPLE, "AT+CIPSEND=0,700"], shows: /> ?$/ },
  "a send that has half of its payload": { said: [...MULTIPLE, "AT+CIPSEND=0,700", `${"x".repeat(350)}~`], shows: /> ?x*$/ },
  "a send at another rate": { said: [...SINGLE, "AT+UART_CUR=921600,8,1,0,0", "AT+CIPSEND=90"], shows: /> ?$/ },
  "a long send": { said: [...MULTIPLE, "AT+CIPSENDL=0,70000"], shows: />$/, only: ["esp-at-5"] },
  "the transparent mode": { said: [...SINGLE, "AT+CIPMODE=1", "AT+CIPSEND"], shows: /> ?$/ },
  "the transparent mode at another rate": {
    said: [...SINGLE, "AT+CIPMODE=1", "AT+UART_CUR=460800,8,1,0,0", "AT+CIPSEND"], shows: /> ?$/,
  },
  "a transparent mode that each reset leads to": {
    said: ["AT+CWMODE=1", 'AT+CWJAP="home","secret99"', 'AT+SAVETRANSLINK=1,"broker",1883', "AT+RST"], shows: /ready\r\n(WIFI [A-Z ]+\r\n)*$/,
  },
};

interface Seen {
  text: string;
}

/** A bench whose board begins late, and what its module says until then. */
function bench(personality: PersonalityName, resetLine: boolean): { readonly on: SimulatedBench; readonly seen: Seen } {
  const seen: Seen = { text: "" };
  const toHost = (bytes: Uint8Array): void => {
    seen.text += Buffer.from(bytes).toString("latin1");
  };
  const on = new SimulatedBench({ seed: 7, personality, resetLine, startAfter: BEGINS, driver: { maxBaud: FAST }, observer: { toHost } });
  on.user.reopenAfter = 500;
  on.user.open("broker", 1883);
  on.clock.runFor(1000);
  return { on, seen };
}

/** A board before says this. What ends with ~ goes without a line end, or leaves no time for an answer. */
function leave(on: SimulatedBench, said: readonly string[]): void {
  for (const line of said) {
    if (line === "peer") {
      on.peer?.socket.write(new Uint8Array(300));
      on.clock.runFor(100);
      continue;
    }
    const hasty = line.endsWith("~");
    const text = hasty ? line.slice(0, -1) : line;
    on.line.host.write(Buffer.from(text + (hasty && !text.startsWith("AT+CWJAP") ? "" : "\r\n")));
    on.clock.runFor(hasty ? 60 : line.startsWith("AT+CWJAP") ? 6000 : line === "AT+RST" ? 5000 : 500);
    const rate = /UART_CUR=(\d+)/.exec(line);
    if (rate !== null) on.line.host.setBaud(Number(rate[1]));
  }
}

/** The board begins, gets its link at the highest rate, and bytes go both ways on it. */
function begins(on: SimulatedBench): void {
  expect(on.clock.now).toBeLessThan(BEGINS);
  on.line.host.setBaud(BAUD);
  const works = (): boolean => on.user.state === "up";
  expect(on.until(works, BEGINS + UP_WITHIN - on.clock.now), JSON.stringify({ ...on.wifi.status, commands: on.commands.slice(-12) })).toBe(true);
  on.inboxes.splice(0, on.inboxes.length, on.user.inbox);
  on.peers.splice(0, on.peers.length - 1);
  on.userSends(1500);
  on.peerSends(2500);
  const all = (): boolean => on.peer?.received.length === 1500 && on.user.inbox.length === 2500;
  expect(on.until(all, 20_000)).toBe(true);
  on.check();
  expect(on.wifi.status.baud).toBe(FAST);
}

describe.each(GENERATIONS)("a module with %s", (personality) => {
  describe.each([true, false])("and a reset line: %s", (resetLine) => {
    it.each(Object.entries(STATES).filter(([, { only }]) => only?.includes(personality) !== false))("in the state \"%s\" is found", (_, { said, shows }) => {
      const { on, seen } = bench(personality, resetLine);
      // A join in vain lasts 4 s: the module is still at it when the board begins.
      if (said.at(-1)?.includes("elsewhere") === true) on.clock.runUntil(BEGINS - 700);
      leave(on, said);
      expect(seen.text).toMatch(shows);
      begins(on);
      // Without a line there are ways out of each that are no reset.
      expect(on.wifi.status.resets).toBe(resetLine ? 1 : 0);
    });

    it("at any rate is found", () => {
      for (const rate of AT_RATES) {
        const { on, seen } = bench(personality, resetLine);
        leave(on, [`AT+UART_CUR=${rate},8,1,0,0`, "AT"]);
        expect(seen.text, String(rate)).toMatch(/OK\r\n[^]*OK\r\n$/);
        begins(on);
      }
    });
  });
});
