import { describe, expect } from "vitest";
import type { Bench } from "../bench";
import { inEach } from "./table";

const START = 'AT+CIPSTART=0,"TCP","peer",7';
const CONNECTED = "0,CONNECT\r\n";
const CLOSED = "0,CLOSED\r\n";

function hear(bench: Bench, text: string): void {
  bench.peer.socket.write(Buffer.from(text));
}

describe("a connect", () => {
  inEach("link.error_then_closed", "fails, and is closed after that", (its) => {
    const bench = its.joined({ multiple: true });
    bench.module.faults.strike("link.error_then_closed", 100);
    const failed = bench.ask(START, 200);
    expect(failed.endsWith(CLOSED)).toBe(true);
    expect(failed).toContain(its.error);
    expect(bench.ask(START, 200)).toBe(CONNECTED + its.ok);
  });

  inEach("link.connect_late", "succeeds after the stack's own patience", (its) => {
    const bench = its.joined({ multiple: true });
    bench.module.faults.strike("link.connect_late", 25_000);
    expect(bench.ask(START, 24_900)).toBe("");
    expect(bench.wait(300)).toBe(CONNECTED + its.ok);
    bench.ask("AT+CIPSEND=0,2");
    bench.write("hi");
    bench.wait(100);
    expect(bench.peer.text).toBe("hi");
  });

  inEach("link.connect_late", "fails late when the peer has gone meanwhile", (its) => {
    const bench = its.joined({ multiple: true });
    bench.module.faults.strike("link.connect_late", 5000);
    bench.ask(START, 1000);
    bench.peer.socket.end();
    const said = bench.wait(5000);
    expect(said).toContain(its.error);
    expect(said).not.toContain("CONNECT");
    expect(bench.ask(START, 200)).toBe(CONNECTED + its.ok);
  });

  inEach("link.already", "is refused for a link that nobody has, till it is closed", (its) => {
    const bench = its.joined({ multiple: true });
    bench.module.faults.strike("link.already");
    for (let attempt = 0; attempt < 2; attempt += 1) {
      expect(bench.ask(START, 200)).toMatch(/^(ALREADY CONNECTED\r\n)?\r\nERROR\r\n$/);
    }
    expect(bench.peers).toHaveLength(0);
    expect(bench.ask("AT+CIPCLOSE=0")).toBe(CLOSED + its.ok);
    expect(bench.ask(START, 200)).toBe(CONNECTED + its.ok);
  });

  inEach("module.tls_oom", "with TLS fails after seconds, or has the module fall over; one without does neither", (its) => {
    const bench = its.joined({ multiple: true });
    bench.module.faults.strike("module.tls_oom", 4000);
    expect(bench.ask(START, 200)).toBe(CONNECTED + its.ok);
    expect(bench.ask('AT+CIPSTART=1,"SSL","peer",7', 3900)).toBe("");
    expect(bench.wait(200)).toContain(its.error);
    bench.module.faults.strike("module.tls_oom", 0);
    expect(bench.ask('AT+CIPSTART=1,"SSL","peer",7', 700)).toContain("\r\nready\r\n");
  });

  inEach("dns.fail", "by name fails at once, and one by address does not", (its) => {
    const bench = its.joined({ multiple: true });
    bench.module.faults.strike("dns.fail");
    expect(bench.ask('AT+CIPSTART=1,"TCP","10.1.2.3",9', 200)).not.toContain("DNS");
    bench.wait(30_000);
    expect(bench.ask(START, 200)).toBe(its.name === "nonos-1.7" ? `DNS Fail\r\n${its.error}` : its.error);
    expect(bench.ask(START, 200)).toBe(CONNECTED + its.ok);
  });

  inEach("dns.slow", "by name fails after seconds, and so does a look-up", (its) => {
    const bench = its.joined({ multiple: true });
    bench.module.faults.strike("dns.slow", 8000);
    expect(bench.ask(START, 7900)).toBe("");
    expect(bench.wait(200)).toContain(its.error);
    bench.module.faults.strike("dns.slow", 6000);
    expect(bench.ask('AT+CIPDOMAIN="peer"', 5900)).toBe("");
    expect(bench.wait(200)).toContain(its.error);
    expect(bench.ask('AT+CIPDOMAIN="peer"', 5000)).toContain(its.ok);
  });
});

describe("a link", () => {
  inEach("link.unexpected_connect", "opens though nobody asked for it, and can be closed", (its) => {
    const bench = its.connected({ multiple: true });
    bench.module.faults.strike("link.unexpected_connect");
    expect(bench.wait(100)).toBe("2,CONNECT\r\n");
    expect(bench.ask("AT+CIPCLOSE=2")).toBe(`2,CLOSED\r\n${its.ok}`);
    bench.ask("AT+CIPSEND=0,2");
    bench.write("hi");
    bench.wait(100);
    expect(bench.peer.text).toBe("hi");
  });

  inEach("link.unexpected_connect", "does so when the only one is free", (its) => {
    const bench = its.connected();
    bench.module.faults.strike("link.unexpected_connect");
    expect(bench.wait(1000)).toBe("");
    expect(bench.ask("AT+CIPCLOSE", 200)).toBe(`CLOSED\r\n${its.ok}CONNECT\r\n`);
  });

  inEach("link.half_open", "has lost its peer, and does not know", (its) => {
    const bench = its.connected({ multiple: true });
    bench.module.faults.strike("link.half_open");
    expect(bench.wait(600_000)).toBe("");
    expect(bench.peer.closed).toBe(true);
    expect(bench.ask("AT+CIPSTATUS")).toContain('+CIPSTATUS:0,"TCP"');
    bench.ask("AT+CIPSEND=0,2");
    bench.write("hi");
    expect(bench.wait(200)).toContain(its.received(2));
    expect(bench.peer.text).toBe("");
  });

  inEach("link.half_open", "finds it out by probes, if it was told to probe", (its) => {
    const bench = its.joined({ multiple: true });
    bench.ask(`${START},60`, 200);
    bench.module.faults.strike("link.half_open");
    expect(bench.wait(62_900)).toBe("");
    expect(bench.wait(200)).toBe(CLOSED);
  });

  inEach("link.double_closed", "is closed twice, the second time maybe when it is in use anew", (its) => {
    const bench = its.connected({ multiple: true });
    bench.module.faults.strike("link.double_closed", 500);
    expect(bench.wait(100)).toBe(CLOSED);
    expect(bench.peer.closed).toBe(true);
    expect(bench.ask(START, 200)).toBe(CONNECTED + its.ok);
    expect(bench.wait(300)).toBe(CLOSED);
    bench.ask("AT+CIPSEND=0,2");
    bench.write("hi");
    bench.wait(100);
    expect(bench.peer.text).toBe("hi");
  });

  inEach("link.closed_before_data", "is closed before its data comes", (its) => {
    const bench = its.connected({ multiple: true });
    bench.module.faults.strike("link.closed_before_data");
    hear(bench, "last words");
    expect(bench.wait(100)).toBe(`${CLOSED}${its.activeHead("0,", 10, "")}last words${its.activeTail}`);
    expect(bench.ask(START, 200)).toBe(CONNECTED + its.ok);
  });

  inEach("link.closed_before_data", "is closed without a notice, and can still be read", (its) => {
    const bench = its.connected({ multiple: true, passive: true });
    bench.module.faults.strike("link.closed_before_data");
    hear(bench, "last words");
    expect(bench.wait(100)).toBe(CLOSED);
    expect(bench.ask("AT+CIPRECVDATA=0,100")).toBe(`${its.passiveHead(10, "")}last words${its.ok}`);
    expect(bench.ask("AT+CIPRECVDATA=0,100")).toBe(its.error);
    expect(bench.ask(START, 200)).toBe(CONNECTED + its.ok);
  });

  inEach("link.closed_withheld", "is not closed before all has been read", (its) => {
    const bench = its.connected({ multiple: true, passive: true });
    bench.module.faults.strike("link.closed_withheld");
    hear(bench, "last words");
    expect(bench.wait(60_000)).toBe(its.passiveNotice("0,", 10));
    expect(bench.peer.closed).toBe(true);
    expect(bench.ask("AT+CIPRECVDATA=0,100")).toBe(`${its.passiveHead(10, "")}last words${its.ok}${CLOSED}`);
  });

  inEach("passive.lost_notice", "has data that is not told of, but counted", (its) => {
    const bench = its.connected({ multiple: true, passive: true });
    bench.module.faults.strike("passive.lost_notice");
    hear(bench, "hello");
    expect(bench.wait(60_000)).toBe("");
    expect(bench.ask("AT+CIPRECVLEN?")).toMatch(/^\+CIPRECVLEN:5,/);
    bench.ask("AT+CIPRECVDATA=0,100");
    hear(bench, "hello");
    expect(bench.wait(100)).toBe(its.passiveNotice("0,", 5));
  });

  inEach("passive.len_mismatch", "gives fewer bytes than it said, or none", (its) => {
    const bench = its.connected({ multiple: true, passive: true });
    hear(bench, "hello");
    bench.wait(100);
    bench.module.faults.strike("passive.len_mismatch", 2);
    expect(bench.ask("AT+CIPRECVDATA=0,100")).toContain(`${its.passiveHead(2, "")}he${its.ok}`);
    bench.module.faults.strike("passive.len_mismatch", 0);
    expect(bench.ask("AT+CIPRECVDATA=0,100")).toBe(its.error);
    expect(bench.ask("AT+CIPRECVDATA=0,100")).toContain("llo");
  });
});
