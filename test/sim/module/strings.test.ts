/** The literal strings of facts/esp-at.md, 1.1 and 1.9, in each generation. */
import { describe, expect, test } from "vitest";
import type { PersonalityName } from "../../../sim/module/personalities";
import { Bench } from "./bench";

const OK = "\r\nOK\r\n";
const ERROR = "\r\nERROR\r\n";
const NAMES = ["nonos-1.7", "esp-at-2.2", "esp-at-5"] as const;

function ready(name: PersonalityName): Bench {
  return Bench.ready(1, {}, name);
}

function joined(name: PersonalityName, options: { multiple?: boolean; passive?: boolean } = {}): Bench {
  return Bench.joined({ name, ...options });
}

function opened(name: PersonalityName, options: { passive?: boolean } = {}): Bench {
  const bench = joined(name, { multiple: true, ...options });
  bench.ask('AT+CIPSTART=0,"TCP","peer",7');
  return bench;
}

describe.each(NAMES)("every generation, %s too,", (name) => {
  test("says ready, OK and ERROR between line ends", () => {
    const bench = new Bench(1, {}, name);
    bench.module.powerOn();
    expect(bench.wait(1000)).toMatch(/\r\nready\r\n$/);
    bench.ask("ATE0");
    expect(bench.ask("AT")).toBe(OK);
    expect(bench.ask("AT+NOPE")).toBe(ERROR);
  });

  test("answers ATE0 with an echo and ATE1 without", () => {
    const bench = ready(name);
    expect(bench.ask("ATE1")).toBe(OK);
    expect(bench.ask("ATE0")).toMatch(/^ATE0\r(\r)?\n\r\nOK\r\n$/);
  });

  test("tells of links without a line end before it", () => {
    const single = joined(name);
    expect(single.ask('AT+CIPSTART="TCP","peer",7')).toBe(`CONNECT\r\n${OK}`);
    expect(single.ask("AT+CIPCLOSE")).toBe(`CLOSED\r\n${OK}`);
    const several = joined(name, { multiple: true });
    expect(several.ask('AT+CIPSTART=2,"TCP","peer",7')).toBe(`2,CONNECT\r\n${OK}`);
    several.peer.socket.end();
    expect(several.wait(20)).toBe("2,CLOSED\r\n");
  });

  test("counts a payload, and says SEND OK", () => {
    const bench = opened(name);
    bench.ask("AT+CIPSEND=0,5");
    bench.write("hello");
    expect(bench.wait(60)).toBe("\r\nRecv 5 bytes\r\n\r\nSEND OK\r\n");
  });

  test("says SEND FAIL when the link dies under the prompt", () => {
    const bench = opened(name);
    bench.ask("AT+CIPSEND=0,5");
    bench.peer.socket.destroy();
    expect(bench.wait(20)).toBe("0,CLOSED\r\n");
    bench.write("hello");
    expect(bench.wait(60)).toBe("\r\nRecv 5 bytes\r\n\r\nSEND FAIL\r\n");
  });

  test("says busy p... while a command runs", () => {
    const bench = ready(name);
    bench.ask("AT+CWMODE=1");
    bench.ask('AT+CWJAP="moth","12345678"', 20);
    expect(bench.ask("AT", 20)).toBe("\r\nbusy p...\r\n");
  });

  test("tells how it joins, that the network is lost, and that it is back", () => {
    const bench = ready(name);
    bench.ask("AT+CWMODE=1");
    expect(bench.ask('AT+CWJAP="moth","12345678"', 5_000)).toBe(`WIFI CONNECTED\r\nWIFI GOT IP\r\n${OK}`);
    bench.air.drop(20_000);
    expect(bench.wait(40_000)).toBe("WIFI DISCONNECT\r\nWIFI CONNECTED\r\nWIFI GOT IP\r\n");
  });

  test("gives notice of data in passive mode, once until it is read, and again after the OK of a read that left some", () => {
    const bench = opened(name, { passive: true });
    bench.peer.socket.write(Buffer.from("hello"));
    expect(bench.wait(20)).toBe("\r\n+IPD,0,5\r\n");
    bench.peer.socket.write(Buffer.from("!"));
    expect(bench.wait(20)).toBe("");
    expect(bench.ask("AT+CIPRECVDATA=0,4")).toMatch(/hell\r\nOK\r\n\r\n\+IPD,0,2\r\n$/);
  });

  test("closes everything with link 5", () => {
    const bench = opened(name);
    expect(bench.ask("AT+CIPCLOSE=5")).toBe(`0,CLOSED\r\n${OK}`);
    expect(bench.ask("AT+CIPCLOSE=5")).toBe(OK);
  });
});

describe("what generations say otherwise:", () => {
  test.each([
    ["nonos-1.7", `${OK}> `], ["esp-at-2.2", `${OK}\r\n>`], ["esp-at-5", `${OK}\r\n>`],
  ] as const)("the prompt of %s", (name, prompt) => {
    expect(opened(name).ask("AT+CIPSEND=0,5")).toBe(prompt);
  });

  test.each([
    ["nonos-1.7", 2], ["esp-at-2.2", 2], ["esp-at-5", 1],
  ] as const)("the prompt of %s is %i writes", (name, count) => {
    const writes: string[] = [];
    const bench = Bench.ready(1, { toHost: (bytes) => writes.push(Buffer.from(bytes).toString()) }, name);
    bench.ask("AT+CWMODE=1");
    bench.ask('AT+CWJAP="moth","12345678"', 5_000);
    bench.ask('AT+CIPSTART="TCP","peer",7');
    writes.length = 0;
    bench.ask("AT+CIPSEND=5");
    expect(writes).toHaveLength(count);
  });

  test.each([
    ["nonos-1.7", "+CWJAP:2\r\n\r\nFAIL\r\n"], ["esp-at-2.2", `+CWJAP:2\r\n${ERROR}`], ["esp-at-5", `+CWJAP:2\r\n${ERROR}`],
  ] as const)("a join that %s fails", (name, reply) => {
    const bench = ready(name);
    bench.ask("AT+CWMODE=1");
    expect(bench.ask('AT+CWJAP="moth","wrong"', 6_000)).toBe(reply);
  });

  test.each([
    ["nonos-1.7", "\r\n+IPD,0,2:hi", "\r\n+IPD,0,2,10.0.0.1,7:hi"],
    ["esp-at-2.2", "\r\n+IPD,0,2:hi\r\n", '\r\n+IPD,0,2,"10.0.0.1",7:hi\r\n'],
    ["esp-at-5", "\r\n+IPD,0,2:hi\r\n", '\r\n+IPD,0,2,"10.0.0.1",7:hi\r\n'],
  ] as const)("data from %s, and where it came from", (name, plain, detailed) => {
    const bench = opened(name);
    bench.peer.socket.write(Buffer.from("hi"));
    expect(bench.wait(20)).toBe(plain);
    bench.ask("AT+CIPDINFO=1");
    bench.peer.socket.write(Buffer.from("hi"));
    expect(bench.wait(20)).toBe(detailed);
  });

  test.each([
    ["nonos-1.7", "+CIPDINFO:TRUE"], ["esp-at-2.2", "+CIPDINFO:true"], ["esp-at-5", "+CIPDINFO:true"],
  ] as const)("AT+CIPDINFO? of %s", (name, line) => {
    const bench = ready(name);
    bench.ask("AT+CIPDINFO=1");
    expect(bench.ask("AT+CIPDINFO?")).toBe(`${line}\r\n${OK}`);
  });

  test.each([
    ["nonos-1.7", "\r\n+CIPRECVDATA,2:hi", "\r\n+CIPRECVDATA,2:hi"],
    ["esp-at-2.2", "+CIPRECVDATA:2,hi", '+CIPRECVDATA:2,"10.0.0.1",7,hi'],
    ["esp-at-5", "+CIPRECVDATA:2,hi", '+CIPRECVDATA:2,"10.0.0.1",7,hi'],
  ] as const)("data that was asked of %s, and where it came from", (name, plain, detailed) => {
    const bench = opened(name, { passive: true });
    bench.peer.socket.write(Buffer.from("hi"));
    bench.wait(20);
    expect(bench.ask("AT+CIPRECVDATA=0,100")).toBe(plain + OK);
    bench.ask("AT+CIPDINFO=1");
    bench.peer.socket.write(Buffer.from("hi"));
    bench.wait(20);
    expect(bench.ask("AT+CIPRECVDATA=0,100")).toBe(detailed + OK);
  });

  test.each([
    ["nonos-1.7", "0,0,0,0,0"], ["esp-at-2.2", "0,-1,-1,-1,-1"], ["esp-at-5", "0,0,0,0,0"],
  ] as const)("the lengths that %s tells of links that are not open", (name, lengths) => {
    expect(opened(name, { passive: true }).ask("AT+CIPRECVLEN?")).toBe(`+CIPRECVLEN:${lengths}\r\n${OK}`);
  });

  test.each([
    ["nonos-1.7", "10.0.0.1"], ["esp-at-2.2", '"10.0.0.1"'], ["esp-at-5", '"10.0.0.1"'],
  ] as const)("an address that %s has found", (name, address) => {
    expect(joined(name).ask('AT+CIPDOMAIN="peer"')).toBe(`+CIPDOMAIN:${address}\r\n${OK}`);
  });

  test.each([
    ["nonos-1.7", `No AP\r\n${OK}`], ["esp-at-2.2", OK], ["esp-at-5", OK],
  ] as const)("AT+CWJAP? of %s outside of a network", (name, reply) => {
    expect(ready(name).ask("AT+CWJAP?")).toBe(reply);
  });

  test.each([
    ["nonos-1.7", '+CWJAP:"moth","a4:2b:b0:c8:11:07",6,-52'], ["esp-at-2.2", '+CWJAP:"moth","a4:2b:b0:c8:11:07",6,-52,0,1,3,0,1'],
    ["esp-at-5", '+CWJAP:"moth","a4:2b:b0:c8:11:07",6,-52,0,1,3,0,1'],
  ] as const)("AT+CWJAP? of %s within one", (name, line) => {
    expect(joined(name).ask("AT+CWJAP?")).toBe(`${line}\r\n${OK}`);
  });

  test.each([["nonos-1.7", 2048], ["esp-at-2.2", 2048], ["esp-at-5", 8192]] as const)(
    "%s takes %i bytes a send", (name, most) => {
      const bench = opened(name);
      expect(bench.ask(`AT+CIPSEND=0,${most + 1}`)).toContain(ERROR);
      expect(bench.ask(`AT+CIPSEND=0,${most}`)).toContain(">");
    });

  test.each([
    ["nonos-1.7", "+UART_CUR:115200,"], ["esp-at-2.2", "+UART_CUR:115273,"], ["esp-at-5", "+UART_CUR:115201,"],
  ] as const)("the rate that %s tells", (name, line) => {
    expect(ready(name).ask("AT+UART_CUR?").startsWith(line)).toBe(true);
  });

  test.each([["nonos-1.7", 2], ["esp-at-2.2", 3], ["esp-at-5", 3]] as const)(
    "the last sleep mode of %s is %i", (name, last) => {
      const bench = ready(name);
      expect(bench.ask(`AT+SLEEP=${last}`)).toBe(OK);
      expect(bench.ask(`AT+SLEEP=${last + 1}`)).toBe(ERROR);
    });

  test("a connect with a timeout is for ESP-AT 5 only", () => {
    const start = 'AT+CIPSTART=0,"TCP","peer",7,60,"192.168.1.100",5000';
    expect(NAMES.map((name) => joined(name, { multiple: true }).ask(start).endsWith(OK))).toEqual([false, false, true]);
  });

  test("the error code of AT+SYSLOG=1 is for ESP-AT", () => {
    const replies = NAMES.map((name) => {
      const bench = ready(name);
      bench.ask("AT+SYSLOG=1");
      return bench.ask("AT+NOPE");
    });
    const code = "ERR CODE:0x01090000\r\n";
    expect(replies).toEqual([ERROR, code + ERROR, code + ERROR]);
  });

  test("the long form of AT+SYSMSG=2 is for ESP-AT", () => {
    const long = '+LINK_CONN:0,1,"TCP",0,"10.0.0.1",7,49152\r\n';
    for (const name of ["esp-at-2.2", "esp-at-5"] as const) {
      const bench = joined(name, { multiple: true });
      bench.ask("AT+SYSMSG=2");
      expect(bench.ask('AT+CIPSTART=1,"TCP","peer",7')).toBe(long + OK);
    }
  });
});

describe("what NonOS AT says to people, and ESP-AT to its log:", () => {
  const remarks: readonly [string, (name: PersonalityName) => Bench, string, string][] = [
    ["a link in use", opened, 'AT+CIPSTART=0,"TCP","peer",7', "ALREADY CONNECTED"],
    ["a send on a link that is not open", (name) => joined(name, { multiple: true }), "AT+CIPSEND=0,5", "link is not valid"],
    ["a send without a network", ready, "AT+CIPSEND=5", "link is not valid"],
    ["a connect without an address", ready, 'AT+CIPSTART="TCP","peer",7', "no ip"],
    ["a name that nobody knows", joined, 'AT+CIPSTART="TCP","nowhere",7', "DNS Fail"],
    ["a look-up of a name that nobody knows", joined, 'AT+CIPDOMAIN="nowhere"', "DNS Fail"],
    ["the end of a link that is none", (name) => joined(name, { multiple: true }), "AT+CIPCLOSE=3", "UNLINK"],
    ["the end of the only link, which is none", joined, "AT+CIPCLOSE", "UNLINK"],
    ["a kind of link that does not exist", joined, 'AT+CIPSTART="TPC","peer",7', "Link type ERROR"],
    ["a link that does not exist", (name) => joined(name, { multiple: true }), 'AT+CIPSTART=7,"TCP","peer",7', "ID ERROR"],
    ["a host without a name", joined, 'AT+CIPSTART="TCP","",7', "IP ERROR"],
    ["a port that does not exist", joined, 'AT+CIPSTART="TCP","peer",70000', "ENTRY ERROR"],
    ["a port that is missing", joined, 'AT+CIPSTART="TCP","peer"', "Miss param"],
    ["more than fits a send", opened, "AT+CIPSEND=0,9000", "too long"],
    ["a link's number without AT+CIPMUX=1", joined, "AT+CIPCLOSE=0", "MUX=0"],
    ["no link's number with it", opened, "AT+CIPCLOSE", "MUX=1"],
    ["AT+CIPMUX with an open link", opened, "AT+CIPMUX=0", "link is builded"],
  ];

  test.each(remarks)("%s", (_, prepare, command, remark) => {
    expect(prepare("nonos-1.7").ask(command)).toBe(`${remark}\r\n${ERROR}`);
    expect(prepare("esp-at-2.2").ask(command)).toBe(ERROR);
    expect(prepare("esp-at-5").ask(command)).toBe(ERROR);
  });
});
