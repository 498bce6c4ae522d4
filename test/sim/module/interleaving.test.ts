/** Where messages that nobody asked for get between what a command says: facts/esp-at.md, 1.3. */
import { describe, expect, test } from "vitest";
import { PERSONALITIES, type PersonalityName } from "../../../sim/module/personalities";
import { Bench } from "./bench";

const OK = "\r\nOK\r\n";
const NAMES = ["nonos-1.7", "esp-at-2.2", "esp-at-5"] as const;
const STEP_MS = 0.1;

function eventOf(name: PersonalityName): string {
  return `\r\n+IPD,0,1:x${PERSONALITIES[name].strings.activeTail}`;
}

/** What is heard of a command when data comes so many ms after it was written, for many such times. */
function heardAtAllTimes(name: PersonalityName, span: number, command: string, end: (bench: Bench) => void): Set<string> {
  const bench = Bench.joined({ multiple: true, name });
  bench.ask('AT+CIPSTART=0,"TCP","peer",7');
  const heard = new Set<string>();
  for (let at = 0; at < span; at += STEP_MS) {
    bench.write(`${command}\r\n`);
    const before = bench.wait(at);
    bench.peer.socket.write(Buffer.from("x"));
    heard.add((before + bench.wait(60)).replace(eventOf(name), "|"));
    end(bench);
  }
  return heard;
}

function payload(bench: Bench): void {
  bench.write("payload");
  bench.wait(60);
}

describe("data that comes while a prompt is made", () => {
  test("gets between the two writes of NonOS AT", () => {
    const heard = heardAtAllTimes("nonos-1.7", 25, "AT+CIPSEND=0,7", payload);
    expect(heard).toEqual(new Set([`|${OK}> `, `${OK}|> `, `${OK}> |`]));
  });

  test("gets between the two writes of ESP-AT 2", () => {
    const heard = heardAtAllTimes("esp-at-2.2", 15, "AT+CIPSEND=0,7", payload);
    expect(heard).toEqual(new Set([`|${OK}\r\n>`, `${OK}|\r\n>`, `${OK}\r\n>|`]));
  });

  test("stays out of the one write of ESP-AT 5", () => {
    const heard = heardAtAllTimes("esp-at-5", 15, "AT+CIPSEND=0,7", payload);
    expect(heard).toEqual(new Set([`|${OK}\r\n>`, `${OK}\r\n>|`]));
  });
});

describe("data that comes while a query is answered", () => {
  const nothing = (): void => undefined;

  test("gets anywhere between the pieces of NonOS AT, but not into its OK", () => {
    const heard = heardAtAllTimes("nonos-1.7", 10, "AT+CIPMUX?", nothing);
    expect(heard).toEqual(new Set([
      `|+CIPMUX:1\r\n${OK}`, `+CIPMUX:|1\r\n${OK}`, `+CIPMUX:1\r\n|${OK}`, `+CIPMUX:1\r\n${OK}|`,
    ]));
  });

  test.each(["esp-at-2.2", "esp-at-5"] as const)("gets between line and OK of %s, not into either", (name) => {
    const heard = heardAtAllTimes(name, 8, "AT+CIPMUX?", nothing);
    expect(heard).toEqual(new Set([`|+CIPMUX:1\r\n${OK}`, `+CIPMUX:1\r\n|${OK}`, `+CIPMUX:1\r\n${OK}|`]));
  });
});

describe.each(NAMES)("data of %s", (name) => {
  test("comes between `>` and Recv, and between Recv and SEND OK", () => {
    const bench = Bench.joined({ multiple: true, name });
    bench.ask('AT+CIPSTART=0,"TCP","peer",7');
    const heard = new Set<string>();
    for (let at = 0; at < 16; at += 0.2) {
      bench.ask("AT+CIPSEND=0,1");
      bench.write("p");
      const before = bench.wait(at);
      bench.peer.socket.write(Buffer.from("x"));
      heard.add((before + bench.wait(60)).replace(eventOf(name), "|"));
    }
    const recv = "\r\nRecv 1 bytes\r\n";
    const sent = "\r\nSEND OK\r\n";
    expect(heard).toEqual(new Set([`|${recv}${sent}`, `${recv}|${sent}`, `${recv}${sent}|`]));
  });

  test("is never broken up by data of another link, and arrives whole", () => {
    const bench = Bench.joined({ multiple: true, name });
    bench.ask('AT+CIPSTART=0,"TCP","peer",7');
    bench.ask('AT+CIPSTART=1,"TCP","peer",7');
    const sent: [string, string] = ["", ""];
    let heard = "";
    for (let turn = 0; turn < 40; turn += 1) {
      const id = turn % 2 === 0 ? 0 : 1;
      const text = String(turn).repeat(1 + ((turn * 37) % 300));
      sent[id] += text;
      bench.peers[id]?.socket.write(Buffer.from(text));
      heard += bench.wait(turn % 7);
    }
    heard += bench.wait(5_000);
    const got: [string, string] = ["", ""];
    for (let at = 0; at < heard.length;) {
      const [head = "", id = "", count = ""] = /^(?:\r\n)?\r\n\+IPD,(\d),(\d+):/.exec(heard.slice(at)) ?? [];
      if (head === "") {
        expect(heard.slice(at)).toBe("\r\n");
        break;
      }
      const begin = at + head.length;
      at = begin + Number(count);
      got[id === "0" ? 0 : 1] += heard.slice(begin, at);
    }
    expect(got).toEqual(sent);
  });
});

describe("what the host writes while the module prints a lot", () => {
  function flooded(name: PersonalityName, flow: boolean): { bench: Bench; lost: number } {
    let lost = 0;
    const bench = Bench.ready(1, { lost: (count, cause) => (lost += cause === "overflow" ? count : 0) }, name);
    if (flow) {
      bench.line.host.setFlow({ rts: true, cts: true });
      expect(bench.ask("AT+UART_CUR=115200,8,1,0,3")).toBe(OK);
    }
    bench.ask("AT+CWMODE=1");
    bench.ask('AT+CWJAP="moth","12345678"', 5_000);
    bench.ask('AT+CIPSTART="TCP","peer",7');
    bench.ask("AT+CIPSEND=400");
    bench.peer.socket.write(new Uint8Array(1400));
    bench.wait(4);
    bench.write("p".repeat(400));
    bench.wait(1000);
    return { bench, lost };
  }

  test("is lost on NonOS AT, but for the 128 bytes of the UART's FIFO and what comes with the last of the print", () => {
    const { bench, lost } = flooded("nonos-1.7", false);
    expect(lost).toBeGreaterThan(150);
    expect(bench.peer.text).toBe("");
  });

  test("is not lost there with RTS and CTS", () => {
    const { bench, lost } = flooded("nonos-1.7", true);
    expect(lost).toBe(0);
    expect(bench.peer.text).toBe("p".repeat(400));
  });

  test.each(["esp-at-2.2", "esp-at-5"] as const)("is read by the other task of %s", (name) => {
    const { bench, lost } = flooded(name, false);
    expect(lost).toBe(0);
    expect(bench.peer.text).toBe("p".repeat(400));
  });

  test("is lost on ESP-AT, too, once its ring is full: while what must be echoed waits for room to be printed", () => {
    let lost = 0;
    const bench = Bench.ready(1, { lost: (count, cause) => (lost += cause === "overflow" ? count : 0) }, "esp-at-2.2");
    bench.ask("AT+CWMODE=1");
    bench.ask('AT+CWJAP="moth","12345678"', 5_000);
    bench.ask("ATE1");
    bench.ask('AT+CIPSTART="TCP","peer",7');
    bench.peer.socket.write(new Uint8Array(5760));
    bench.wait(20);
    for (let turn = 0; turn < 40; turn += 1) {
      bench.write(`AT${"x".repeat(98)}`);
      bench.wait(8.8);
    }
    bench.wait(1000);
    expect(lost).toBeGreaterThan(0);
  });
});
