import { describe, expect, test } from "vitest";
import type { PersonalityName } from "../../../sim/module/personalities";
import { Bench } from "./bench";

const OK = "\r\nOK\r\n";
const ERROR = "\r\nERROR\r\n";
const NAMES: readonly PersonalityName[] = ["nonos-1.7", "esp-at-2.2", "esp-at-5"];

describe("the module's own address", () => {
  test("can be fixed in place of DHCP, and is then kept in flash", () => {
    const bench = Bench.ready();
    bench.ask("AT+CWMODE=1");
    expect(bench.ask('AT+CIPSTA="10.1.2.3","10.1.2.1","255.255.0.0"')).toBe(OK);
    expect(bench.ask("AT+CWDHCP?")).toBe(`+CWDHCP:0\r\n${OK}`);
    bench.ask('AT+CWJAP="moth","12345678"', 3_000);
    const told = '+CIPSTA:ip:"10.1.2.3"\r\n+CIPSTA:gateway:"10.1.2.1"\r\n+CIPSTA:netmask:"255.255.0.0"\r\n';
    expect(bench.ask("AT+CIPSTA?")).toBe(`${told}${OK}`);
    bench.ask("AT+RST", 5_000);
    expect(bench.ask("AT+CIPSTA?")).toContain(told);
    bench.ask("ATE0");
    expect(bench.ask("AT+CWDHCP=1,1")).toBe(OK);
    bench.ask("AT+RST", 5_000);
    expect(bench.ask("AT+CIPSTA?")).toContain('ip:"192.168.1.100"');
  });

  test("of NonOS AT has its DHCP command the other way round, and forms that spare the flash", () => {
    const bench = Bench.joined({ name: "nonos-1.7" });
    expect(bench.ask("AT+CWDHCP_CUR?")).toContain("+CWDHCP_CUR:2");
    expect(bench.ask("AT+CWDHCP_CUR=0,0")).toContain("OK");
    expect(bench.ask("AT+CWDHCP_CUR?")).toContain("+CWDHCP_CUR:2");
    expect(bench.ask("AT+CWDHCP_CUR=1,0")).toContain("OK");
    expect(bench.ask("AT+CWDHCP_CUR?")).toContain("+CWDHCP_CUR:0");
    expect(bench.ask('AT+CIPSTA_CUR="10.1.2.3"')).toContain("OK");
    expect(bench.ask("AT+CIPSTA_CUR?", 100)).toContain('+CIPSTA_CUR:ip:"10.1.2.3"');
    bench.ask("AT+RST", 6_000);
    expect(bench.ask("AT+CIPSTA_CUR?", 100)).toContain('ip:"192.168.1.100"');
    expect(bench.ask("AT+CWDHCP_CUR=2,2")).toContain("ERROR");
  });

  test("never comes without DHCP and without being fixed: the join runs out of time", () => {
    const bench = Bench.ready();
    bench.ask("AT+CWMODE=1");
    bench.ask("AT+CWDHCP=0,1");
    expect(bench.ask('AT+CWJAP="moth","12345678"', 14_000)).toBe("WIFI CONNECTED\r\n");
    expect(bench.ask("AT+CWSTATE?")).toBe("\r\nbusy p...\r\n");
    expect(bench.wait(2_000)).toBe(`+CWJAP:1\r\n${ERROR}`);
    expect(bench.ask("AT+CWSTATE?")).toContain("+CWSTATE:1,");
  });

  test("is not set to what is none", () => {
    const bench = Bench.joined();
    for (const bad of ['"10.1.2"', '"10.1.2.3","10.1.2.1"', '"10.1.2.3","x","255.0.0.0"', "10.1.2.3", '"a.b.c.d"']) {
      expect([bad, bench.ask(`AT+CIPSTA=${bad}`)]).toEqual([bad, ERROR]);
    }
    for (const bad of ["1", "2,1", "1,0", "1,4", "1,1,1"]) {
      expect([bad, bench.ask(`AT+CWDHCP=${bad}`)]).toEqual([bad, ERROR]);
    }
  });
});

describe("name servers", () => {
  test("are those of DHCP, or those set by hand, which are kept in flash", () => {
    const bench = Bench.joined();
    expect(bench.ask("AT+CIPDNS?")).toBe(`+CIPDNS:0,"192.168.1.1"\r\n${OK}`);
    expect(bench.ask('AT+CIPDNS=1,"1.1.1.1","8.8.8.8"')).toBe(OK);
    expect(bench.ask("AT+CIPDNS?")).toBe(`+CIPDNS:1,"1.1.1.1","8.8.8.8"\r\n${OK}`);
    bench.ask("AT+RST", 5_000);
    expect(bench.ask("AT+CIPDNS?")).toContain('+CIPDNS:1,"1.1.1.1","8.8.8.8"');
    bench.ask("ATE0");
    expect(bench.ask("AT+CIPDNS=1")).toBe(OK);
    expect(bench.ask("AT+CIPDNS?")).toContain('+CIPDNS:1,"208.67.222.222","114.114.114.114","8.8.8.8"');
    for (const bad of ["2", '1,"x"', '1,"1.1.1.1","1.1.1.1"', '1,"1.1.1.1","2.2.2.2","3.3.3.3","4.4.4.4"', ""]) {
      expect([bad, bench.ask(`AT+CIPDNS=${bad}`)]).toEqual([bad, ERROR]);
    }
  });

  test("of NonOS AT are told a line each", () => {
    const bench = Bench.joined({ name: "nonos-1.7" });
    expect(bench.ask('AT+CIPDNS_CUR=1,"1.1.1.1","8.8.8.8"')).toContain("OK");
    expect(bench.ask("AT+CIPDNS_CUR?", 100)).toBe(`+CIPDNS_CUR:1.1.1.1\r\n+CIPDNS_CUR:8.8.8.8\r\n${OK}`);
    expect(bench.ask('AT+CIPDNS_CUR=1,"1.1"')).toBe(`IP ERROR\r\n${ERROR}`);
  });
});

describe("a name", () => {
  test.each([
    ["nonos-1.7", "+CIPDOMAIN:10.0.0.1", `DNS Fail\r\n${ERROR}`],
    ["esp-at-2.2", '+CIPDOMAIN:"10.0.0.1"', ERROR],
    ["esp-at-5", '+CIPDOMAIN:"10.0.0.1"', ERROR],
  ] as const)("is found or not, with %s", (name, found, lost) => {
    const bench = Bench.joined({ name });
    expect(bench.ask('AT+CIPDOMAIN="peer"')).toBe(`${found}\r\n${OK}`);
    expect(bench.ask('AT+CIPDOMAIN="nowhere"')).toBe(lost);
    bench.network.namesFail = true;
    expect(bench.ask('AT+CIPDOMAIN="peer"')).toBe(lost);
  });

  test("that takes long is waited for, up to a time that may be given", () => {
    const bench = Bench.joined();
    bench.network.nameDelay = 5_000;
    expect(bench.ask('AT+CIPDOMAIN="peer"', 4_900)).toBe("");
    expect(bench.wait(200)).toBe(`+CIPDOMAIN:"10.0.0.1"\r\n${OK}`);
    expect(bench.ask('AT+CIPDOMAIN="peer",1,2000', 1_950)).toBe("");
    expect(bench.wait(100)).toBe(ERROR);
    expect(bench.wait(10_000)).toBe("");
  });

  test("has no IPv6 address, and wrong parameters are refused", () => {
    const bench = Bench.joined();
    for (const bad of ['"peer",3', '"peer",4', "peer", '"peer",1,60001', `"${"h".repeat(65)}"`]) {
      expect([bad, bench.ask(`AT+CIPDOMAIN=${bad}`)]).toEqual([bad, ERROR]);
    }
  });
});

describe("an echo", () => {
  test.each([
    ["nonos-1.7", "+4\r\n", "+timeout\r\n"], ["esp-at-2.2", "+PING:4\r\n", "+PING:TIMEOUT\r\n"],
    ["esp-at-5", "+PING:4\r\n", "+PING:TIMEOUT\r\n"],
  ] as const)("comes from a host that is there, with %s", (name, answer, timeout) => {
    const bench = Bench.joined({ name });
    expect(bench.ask('AT+PING="10.0.0.1"')).toBe(`${answer}${OK}`);
    expect(bench.ask('AT+PING="peer"')).toBe(`${answer}${OK}`);
    bench.network.silence("peer");
    expect(bench.ask('AT+PING="peer"', 3_950)).toBe("");
    expect(bench.wait(400)).toBe(`${timeout}${ERROR}`);
    expect(bench.ask('AT+PING="nowhere"', 4_500)).toBe(`${timeout}${ERROR}`);
    expect(bench.ask("AT+PING=1")).toContain("ERROR");
  });
});

describe("without a network", () => {
  test.each(NAMES)("nothing is asked of it, with %s", (name) => {
    const bench = Bench.ready(1, {}, name);
    const refusal = name === "nonos-1.7" ? `no ip\r\n${ERROR}` : ERROR;
    expect(bench.ask('AT+PING="peer"')).toBe(refusal);
    expect(bench.ask('AT+CIPDOMAIN="peer"')).toBe(refusal);
  });
});
