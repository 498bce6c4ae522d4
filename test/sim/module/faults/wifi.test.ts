import { describe, expect } from "vitest";
import { inEach } from "./table";

const BACK = "WIFI CONNECTED\r\nWIFI GOT IP\r\n";

describe("the network", () => {
  inEach("wifi.drop", "is lost for a while, with every link, and comes back by itself", (its) => {
    const bench = its.connected({ multiple: true });
    bench.module.faults.strike("wifi.drop", 20_000);
    expect(bench.wait(10_000)).toMatch(/^WIFI DISCONNECT\r\n(0,CLOSED\r\n)?$/);
    expect(bench.peer.closed).toBe(true);
    expect(bench.wait(20_000)).toBe(BACK);
  });

  inEach("wifi.drop_silent", "is lost, and no link is closed for the host", (its) => {
    const bench = its.connected({ multiple: true });
    bench.module.faults.strike("wifi.drop_silent", 20_000);
    expect(bench.wait(10_000)).toBe("WIFI DISCONNECT\r\n");
    expect(bench.wait(20_000)).toBe(BACK);
    expect(bench.ask("AT+CIPCLOSE=0")).toBe(`0,CLOSED\r\n${its.ok}`);
    expect(bench.ask('AT+CIPSTART=0,"TCP","peer",7', 200)).toBe(`0,CONNECT\r\n${its.ok}`);
  });

  inEach("wifi.no_autoreconnect", "is lost for good, till the host joins", (its) => {
    const bench = its.joined();
    bench.module.faults.strike("wifi.no_autoreconnect");
    expect(bench.wait(3_600_000)).toBe("WIFI DISCONNECT\r\n");
    expect(bench.ask('AT+CWJAP="moth","12345678"', 10_000)).toBe(BACK + its.ok);
    bench.air.dismissAll();
    expect(bench.wait(10_000)).toBe(`WIFI DISCONNECT\r\n${BACK}`);
  });

  inEach("wifi.ip_change", "has another address for the module, and its links are dead", (its) => {
    const bench = its.connected({ multiple: true });
    const before = bench.ask("AT+CIFSR");
    bench.module.faults.strike("wifi.ip_change");
    expect(bench.wait(1000)).toBe("WIFI GOT IP\r\n");
    expect(bench.ask("AT+CIFSR")).not.toBe(before);
    expect(bench.peer.closed).toBe(true);
    expect(bench.ask("AT+CIPCLOSE=0")).toBe(`0,CLOSED\r\n${its.ok}`);
    expect(bench.ask('AT+CIPSTART=0,"TCP","peer",7', 200)).toBe(`0,CONNECT\r\n${its.ok}`);
  });

  inEach("wifi.join_fail", "is not joined, for the reason that was asked for", (its) => {
    const bench = its.ready();
    bench.ask("AT+CWMODE=1");
    for (const code of [1, 2, 3, 4]) {
      bench.module.faults.strike("wifi.join_fail", code);
      expect(bench.ask('AT+CWJAP="moth","12345678"', 20_000)).toBe(`${its.joinFailed(code)}${its.joinError}`);
    }
    expect(bench.ask('AT+CWJAP="moth","12345678"', 20_000)).toBe(BACK + its.ok);
    bench.module.faults.strike("wifi.join_fail");
    expect(bench.ask('AT+CWJAP="moth","12345678"', 20_000)).toBe(`WIFI DISCONNECT\r\n${its.joinFailed(4)}${its.joinError}`);
  });
});
