import { describe, expect, test } from "vitest";
import type { PersonalityName } from "../../../sim/module/personalities";
import { Bench } from "./bench";

const OK = "\r\nOK\r\n";
const ERROR = "\r\nERROR\r\n";
const NAMES: readonly PersonalityName[] = ["nonos-1.7", "esp-at-2.2", "esp-at-5"];

function opened(name: PersonalityName = "esp-at-5"): Bench {
  const bench = Bench.joined({ name, multiple: true });
  bench.ask('AT+CIPSTART=0,"TCP","peer",7');
  return bench;
}

/** Writes as fast as the line goes. */
function pour(bench: Bench, text: string): void {
  for (let at = 0; at < text.length; at += 500) {
    bench.write(text.slice(at, at + 500));
    bench.clock.runFor(45);
  }
}

describe("AT+CIPSENDL", () => {
  test("passes on what comes while it comes, tells how far it is, and ends with SEND OK", () => {
    const bench = opened();
    expect(bench.ask("AT+CIPSENDL=0,3000")).toBe(`${OK}\r\n>`);
    pour(bench, "x".repeat(1_500));
    bench.wait(30);
    expect(bench.peer.text.length).toBe(1_500);
    pour(bench, "y".repeat(1_500));
    const said = bench.wait(100);
    expect(said).toMatch(/\+CIPSENDL:2048,\d+\r\n\+CIPSENDL:3000,3000\r\n\r\nSEND OK\r\n$/);
    expect(bench.peer.text).toBe("x".repeat(1_500) + "y".repeat(1_500));
    expect(bench.ask("AT")).toBe(OK);
  });

  test("reports in the steps, and sends in the blocks, that AT+CIPSENDLCFG sets", () => {
    const bench = opened();
    expect(bench.ask("AT+CIPSENDLCFG?")).toBe(`+CIPSENDLCFG:1024,2920\r\n${OK}`);
    expect(bench.ask("AT+CIPSENDLCFG=100,150")).toBe(OK);
    expect(bench.ask("AT+CIPSENDLCFG=100")).toBe(OK);
    expect(bench.ask("AT+CIPSENDLCFG?")).toBe(`+CIPSENDLCFG:100,150\r\n${OK}`);
    bench.ask("AT+CIPSENDL=0,250");
    bench.write("z".repeat(250));
    expect(bench.wait(100)).toBe("+CIPSENDL:100,200\r\n+CIPSENDL:200,250\r\n+CIPSENDL:250,250\r\n\r\nSEND OK\r\n");
    for (const bad of ["99", "1048577", "100,99", "100,2921", "", "100,100,1"]) {
      expect([bad, bench.ask(`AT+CIPSENDLCFG=${bad}`)]).toEqual([bad, ERROR]);
    }
  });

  test("is cancelled by +++ alone", () => {
    const bench = opened();
    bench.ask("AT+CIPSENDL=0,1000");
    bench.write("some");
    bench.wait(50);
    bench.write("+++");
    expect(bench.wait(50)).toBe("\r\nSEND CANCELLED\r\n");
    expect(bench.peer.text).toBe("some");
    expect(bench.ask("AT")).toBe(OK);
  });

  test("goes on eating after the link is gone, and then fails", () => {
    const bench = opened();
    bench.ask("AT+CIPSENDL=0,1000");
    bench.peer.socket.end();
    bench.wait(50);
    pour(bench, "x".repeat(999));
    expect(bench.wait(1_000)).not.toContain("SEND");
    bench.write("x");
    expect(bench.wait(100)).toContain("\r\nSEND FAIL\r\n");
    expect(bench.ask("AT")).toBe(OK);
  });

  test("stops reading the host when the peer takes nothing, and what the ring cannot hold is lost", () => {
    const bench = opened();
    bench.peer.socket.pause();
    bench.ask("AT+CIPSENDL=0,40000");
    pour(bench, "x".repeat(30_000));
    expect(bench.line.module.lost).toBeGreaterThan(5_000);
    bench.peer.socket.resume();
    bench.wait(1_000);
    const arrived = 30_000 - bench.line.module.lost;
    expect(bench.peer.text.length).toBe(arrived);
    pour(bench, "x".repeat(40_000 - arrived));
    expect(bench.wait(1_000)).toContain("\r\nSEND OK\r\n");
  });

  test("is refused where there is no link, and unknown to the older ones", () => {
    const bench = opened();
    for (const bad of ["1,5", "0,0", "0", "0,2147483648", "5,5"]) {
      expect([bad, bench.ask(`AT+CIPSENDL=${bad}`)]).toEqual([bad, ERROR]);
    }
    expect(opened("esp-at-2.2").ask("AT+CIPSENDL=0,5")).toBe(ERROR);
    expect(opened("nonos-1.7").ask("AT+CIPSENDL=0,5")).toBe(ERROR);
  });
});

describe("AT+CIPSENDEX", () => {
  test.each(NAMES)("sends at \\0, or when it has all, with %s", (name) => {
    const bench = opened(name);
    bench.ask("AT+CIPSENDEX=0,100");
    bench.write("hello\\0");
    expect(bench.wait(100)).toBe("\r\nRecv 5 bytes\r\n\r\nSEND OK\r\n");
    bench.ask("AT+CIPSENDEX=0,3");
    bench.write("abc");
    expect(bench.wait(100)).toBe("\r\nRecv 3 bytes\r\n\r\nSEND OK\r\n");
    expect(bench.peer.text).toBe("helloabc");
  });

  test("takes a backslash for itself only in pairs", () => {
    const bench = opened();
    bench.ask("AT+CIPSENDEX=0,100");
    bench.write("a\\\\0\\b");
    bench.wait(20);
    bench.write("\\");
    bench.wait(20);
    bench.write("0");
    expect(bench.wait(100)).toContain("SEND OK");
    expect(bench.peer.text).toBe("a\\0b");
  });

  test("is cancelled by +++ alone, with ESP-AT", () => {
    const bench = opened();
    bench.ask("AT+CIPSENDEX=0,100");
    bench.write("+++");
    expect(bench.wait(50)).toBe("\r\nSEND Canceled\r\n");
    expect(bench.ask("AT")).toBe(OK);
  });

  test("is refused as AT+CIPSEND is", () => {
    const bench = opened();
    for (const bad of ["1,5", "0,0", "0,8193", "0", "0,1,2"]) {
      expect([bad, bench.ask(`AT+CIPSENDEX=${bad}`)]).toEqual([bad, ERROR]);
    }
    expect(opened("nonos-1.7").ask("AT+CIPSENDEX=0,2049")).toBe(`too long\r\n${ERROR}`);
  });
});

describe("AT+CIPSTARTEX", () => {
  test("takes the first link that is free", () => {
    const bench = opened();
    expect(bench.ask('AT+CIPSTARTEX="TCP","peer",7')).toBe(`1,CONNECT\r\n${OK}`);
    bench.ask("AT+CIPCLOSE=0");
    expect(bench.ask('AT+CIPSTARTEX="TCP","peer",7,60')).toBe(`0,CONNECT\r\n${OK}`);
    for (let id = 2; id < 5; id += 1) {
      expect(bench.ask('AT+CIPSTARTEX="TCP","peer",7')).toBe(`${id},CONNECT\r\n${OK}`);
    }
    expect(bench.ask('AT+CIPSTARTEX="TCP","peer",7')).toBe(ERROR);
  });

  test("needs AT+CIPMUX=1, and is unknown to NonOS AT", () => {
    expect(Bench.joined().ask('AT+CIPSTARTEX="TCP","peer",7')).toBe(ERROR);
    expect(opened("nonos-1.7").ask('AT+CIPSTARTEX="TCP","peer",7')).toBe(ERROR);
  });
});

describe("AT+CIPCONNPERSIST", () => {
  test("has a link outlive a loss of the network: what both ends wrote arrives afterwards", () => {
    const bench = opened();
    expect(bench.ask("AT+CIPCONNPERSIST=0,1")).toBe(OK);
    expect(bench.ask("AT+CIPCONNPERSIST?")).toBe(`+CIPCONNPERSIST:1,0,0,0,0\r\n${OK}`);
    bench.air.drop(10_000);
    bench.wait(7_000);
    bench.ask("AT+CIPSEND=0,2");
    bench.write("hi");
    expect(bench.wait(100)).toContain("SEND OK");
    bench.peer.socket.write(Buffer.from("yo"));
    expect(bench.wait(1_000)).toBe("");
    expect(bench.peer.text).toBe("");
    expect(bench.wait(10_000)).toBe("WIFI CONNECTED\r\nWIFI GOT IP\r\n\r\n+IPD,0,2:yo\r\n");
    expect(bench.peer.text).toBe("hi");
    expect(bench.peer.closed).toBe(false);
  });

  test("refuses what is wrong", () => {
    const bench = opened();
    for (const bad of ["0", "0,2", "5,1", "1"]) {
      expect([bad, bench.ask(`AT+CIPCONNPERSIST=${bad}`)]).toEqual([bad, ERROR]);
    }
  });
});
