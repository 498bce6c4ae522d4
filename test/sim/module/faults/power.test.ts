import { describe, expect, test } from "vitest";
import type { ResetCause } from "../../../../sim/module/observer";
import { Bench } from "../bench";
import { inEach, personalityNames } from "./table";

const READY = "\r\nready\r\n";

describe("a module", () => {
  inEach("module.reset", "falls over, and has forgotten what is not in flash", (its) => {
    const bench = its.connected({ multiple: true });
    bench.module.faults.strike("module.reset");
    expect(bench.wait(600)).toContain(READY);
    expect(bench.peer.closed).toBe(true);
    expect(bench.ask("AT+CIPMUX?", 100)).toContain("+CIPMUX:0");
  });

  test("module.reset has the cause that was asked for", () => {
    const causes: ResetCause[] = [];
    const bench = Bench.ready(1, { reset: (cause) => causes.push(cause) });
    for (const cause of [1, 2, 3, 4]) {
      bench.module.faults.strike("module.reset", cause);
      bench.wait(600);
    }
    bench.module.crash();
    expect(causes).toEqual(["power", "power", "pin", "exception", "crash", "crash"]);
  });

  inEach("module.reset_at_other_baud", "comes back at another rate, till the reset pin puts it right", (its) => {
    const bench = its.ready();
    bench.module.faults.strike("module.reset_at_other_baud", 9600);
    expect(bench.wait(2000)).not.toContain("ready");
    expect(bench.ask("AT", 100)).not.toContain("OK");
    bench.line.host.setBaud(9600);
    bench.ask("", 100);
    expect(bench.ask("AT", 100)).toContain(its.ok);
    bench.module.setReset(true);
    bench.module.setReset(false);
    bench.line.host.setBaud(115_200);
    expect(bench.wait(600)).toContain(READY);
  });

  inEach("module.wdt_loop", "resets again and again, as often as asked for", (its) => {
    const bench = its.ready();
    bench.module.faults.strike("module.wdt_loop", 3);
    expect(bench.wait(60_000).split(READY)).toHaveLength(4);
    expect(bench.ask("AT")).toContain(its.ok);
  });

  test("module.wdt_loop ends with the power", () => {
    const bench = Bench.ready();
    bench.module.faults.strike("module.wdt_loop", 1000);
    expect(bench.wait(1000)).toContain(READY);
    bench.module.powerOff();
    bench.wait(60_000);
    bench.module.powerOn();
    expect(bench.wait(60_000).split(READY)).toHaveLength(2);
  });

  inEach("module.hang", "hangs: no word, no timer, no closed socket, till its pin or its power", (its) => {
    const bench = its.connected({ multiple: true });
    bench.module.faults.strike("module.hang");
    bench.peer.socket.write(Buffer.from("hello"));
    expect(bench.ask("AT", 600_000)).toBe("");
    expect(bench.peer.closed).toBe(false);
    bench.write("AT+RST\r\n");
    expect(bench.wait(1000)).toBe("");
    bench.module.setReset(true);
    bench.module.setReset(false);
    expect(bench.wait(600)).toContain(READY);
    bench.module.faults.strike("module.hang");
    bench.wait(100);
    bench.module.powerOff();
    bench.module.powerOn();
    expect(bench.wait(600)).toContain(READY);
    expect(bench.ask("AT")).toContain(its.ok);
  });

  inEach("echo.on", "restarts without a word, and only its echo tells", (its) => {
    const bench = its.connected({ multiple: true });
    bench.module.faults.strike("echo.on");
    expect(bench.wait(600)).toBe("");
    expect(bench.peer.closed).toBe(true);
    const answer = bench.ask("AT+CIPMUX?");
    expect(answer).toContain("AT+CIPMUX?");
    expect(answer).toContain(`+CIPMUX:0\r\n${its.ok}`);
  });

  inEach("boot.autojoin", "joins after its next boot before any command", (its) => {
    const bench = its.ready();
    bench.module.faults.strike("boot.autojoin");
    expect(bench.wait(60_000)).toBe("");
    expect(bench.ask("AT+RST", 10_000)).toMatch(/\r\nready\r\nWIFI CONNECTED\r\nWIFI GOT IP\r\n$/);
    expect(bench.ask("AT+RST", 10_000)).toMatch(/\r\nready\r\n$/);
  });

  test.each(personalityNames)("that is %s waits with a fault for its power", (name) => {
    const struck: string[] = [];
    const bench = new Bench(1, { fault: (fault) => struck.push(fault) }, name);
    bench.module.faults.strike("module.hang");
    bench.wait(10_000);
    expect(struck).toEqual([]);
    bench.module.powerOn();
    bench.wait(1000);
    expect(struck).toEqual(["module.hang"]);
  });
});

describe("a module that talks to somebody else", () => {
  inEach("module.transparent_stuck", "hands all that the host says to its peer, till +++ alone", (its) => {
    const bench = its.connected({ multiple: true });
    bench.module.faults.strike("module.transparent_stuck");
    expect(bench.ask("AT", 200)).toBe("");
    expect(bench.peer.text).toBe("AT\r\n");
    bench.peer.socket.write(Buffer.from("what?"));
    expect(bench.wait(200)).toBe("what?");
    bench.wait(1000);
    bench.write("+++");
    bench.wait(1500);
    expect(bench.ask("AT")).toBe(its.ok);
    expect(bench.ask("AT+CIPMUX?")).toBe(`+CIPMUX:0\r\n${its.ok}`);
  });

  inEach("sntp.unset", "does not know the time, till it may ask again", (its) => {
    const bench = its.joined();
    bench.ask('AT+CIPSNTPCFG=1,0,"clock"');
    bench.wait(20_000);
    expect(bench.ask("AT+CIPSNTPTIME?")).not.toContain("1970");
    bench.module.faults.strike("sntp.unset", 60_000);
    expect(bench.ask("AT+CIPSNTPTIME?")).toContain("1970");
    expect(bench.wait(50_000)).toBe("");
    expect(bench.ask("AT+CIPSNTPTIME?")).toContain("1970");
    bench.wait(40_000);
    expect(bench.ask("AT+CIPSNTPTIME?")).not.toContain("1970");
  });
});
