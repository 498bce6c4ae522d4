import { describe, expect, test } from "vitest";
import { Bench } from "./bench";

const OK = "\r\nOK\r\n";
const ERROR = "\r\nERROR\r\n";

function ready(): Bench {
  return Bench.ready(1, {}, "nonos-1.7");
}

function opened(): Bench {
  const bench = Bench.joined({ multiple: true, name: "nonos-1.7" });
  expect(bench.ask('AT+CIPSTART=0,"TCP","peer",7')).toBe(`0,CONNECT\r\n${OK}`);
  return bench;
}

describe("the receive task of NonOS AT", () => {
  test("echoes every byte but LF, and CR LF once the line is whole", () => {
    const bench = ready();
    bench.ask("ATE1");
    expect(bench.ask("AT")).toBe(`AT\r\r\n${OK}`);
    expect(bench.ask("AT+CIPMUX=1")).toBe(`AT+CIPMUX=1\r\r\n${OK}`);
  });

  test("echoes a payload too, and does not put the CR LF of a line behind it", () => {
    const bench = opened();
    bench.ask("ATE1");
    bench.ask("AT+CIPSEND=0,4");
    bench.write("ab\nc");
    expect(bench.wait(60)).toBe("abc\r\nRecv 4 bytes\r\n\r\nSEND OK\r\n");
  });

  test("answers a lone LF, with or without CR, with ERROR", () => {
    const bench = ready();
    bench.write("\n");
    expect(bench.wait(20)).toBe(ERROR);
    expect(bench.ask("")).toBe(ERROR);
    expect(bench.ask("rubbish")).toBe(ERROR);
  });

  test("finds AT behind whatever comes first, NUL too", () => {
    const bench = ready();
    expect(bench.ask("rubbish\0AT")).toBe(OK);
    expect(bench.ask("AAT")).toBe(OK);
    expect(bench.ask("aTAT")).toBe(OK);
  });

  test("takes a line that ends in LF alone for no command", () => {
    const bench = ready();
    bench.write("AT\n");
    expect(bench.wait(20)).toBe(ERROR);
  });

  test("knows `at`, and commands in capitals only", () => {
    const bench = ready();
    expect(bench.ask("at")).toBe(OK);
    expect(bench.ask("at+GMR")).toContain("AT version:1.7");
    expect(bench.ask("at+gmr")).toBe(ERROR);
    expect(bench.ask("aT")).toBe(ERROR);
  });

  test("drops a line of 256 bytes without a word, and answers its LF with ERROR", () => {
    const bench = ready();
    bench.write(`AT${"x".repeat(300)}`);
    expect(bench.wait(60)).toBe("");
    bench.write("\r\n");
    expect(bench.wait(20)).toBe(ERROR);
    expect(bench.ask("AT")).toBe(OK);
  });

  test("takes a line of 255 bytes", () => {
    const bench = ready();
    const line = `AT+CIPDOMAIN="${"h".repeat(253 - 15)}"`;
    bench.write(`${line}\r\n`);
    expect(line).toHaveLength(253);
    expect(bench.wait(60)).toBe(ERROR);
    expect(bench.ask("AT")).toBe(OK);
  });

  test("says busy p... once an LF while a command runs", () => {
    const bench = ready();
    bench.ask("AT+CWMODE_CUR=1");
    bench.ask('AT+CWJAP_CUR="moth","12345678"', 20);
    expect(bench.ask("AT\r\nAT\r\nAT", 20)).toBe("\r\nbusy p...\r\n".repeat(3));
    bench.write("AT");
    expect(bench.wait(20)).toBe("");
    bench.write("\r\n");
    expect(bench.wait(20)).toBe("\r\nbusy p...\r\n");
    // There is no way out of it but to wait.
    expect(bench.ask("AT+RST", 20)).toBe("\r\nbusy p...\r\n");
  });

  test("is busy for the second of two lines in one write", () => {
    expect(ready().ask("AT\r\nATE1")).toBe(`\r\nbusy p...\r\n${OK}`);
  });

  test("says busy s... once an LF between the last byte of a payload and SEND OK", () => {
    const bench = opened();
    bench.ask("AT+CIPSEND=0,1");
    bench.write("xAT\r\nAT\r\n");
    expect(bench.wait(60)).toBe(`${"\r\nbusy s...\r\n".repeat(2)}\r\nRecv 1 bytes\r\n\r\nSEND OK\r\n`);
    expect(bench.peer.text).toBe("x");
  });

  test("throws a surplus without LF away without a word", () => {
    const bench = opened();
    bench.ask("AT+CIPSEND=0,3");
    bench.write("abcdef");
    expect(bench.wait(60)).toBe("\r\nRecv 3 bytes\r\n\r\nSEND OK\r\n");
    expect(bench.peer.text).toBe("abc");
  });

  test("takes +++ for payload like anything else", () => {
    const bench = opened();
    bench.ask("AT+CIPSEND=0,3");
    bench.write("+++");
    expect(bench.wait(60)).toBe("\r\nRecv 3 bytes\r\n\r\nSEND OK\r\n");
    expect(bench.peer.text).toBe("+++");
  });

  test("echoes in slices that events get between", () => {
    const bench = opened();
    bench.ask("ATE1");
    bench.write("AT+CIPSEND=0,");
    const begin = bench.wait(2);
    bench.peer.socket.destroy();
    const event = bench.wait(3);
    bench.write("98\r\n");
    expect(begin + event + bench.wait(60)).toMatch(/^AT\+CIPSEND=0,0,CLOSED\r\n98\r\r\n/);
  });
});
