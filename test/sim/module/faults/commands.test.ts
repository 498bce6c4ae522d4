import { describe, expect } from "vitest";
import { inEach } from "./table";

describe("a command", () => {
  inEach("cmd.busy_p", "is refused, and carried out when it is given again", ({ ready, busyProcessing, ok }) => {
    const bench = ready();
    bench.module.faults.strike("cmd.busy_p");
    expect(bench.ask("AT+CWMODE=1")).toBe(busyProcessing);
    expect(bench.ask("AT+CWMODE?")).toBe(`+CWMODE:0\r\n${ok}`);
    expect(bench.ask("AT+CWMODE=1")).toBe(ok);
  });

  inEach("cmd.busy_then_ok", "is carried out after busy p..., and refuses others meanwhile", ({ ready, busyProcessing, ok }) => {
    const bench = ready();
    bench.module.faults.strike("cmd.busy_then_ok", 700);
    expect(bench.ask("AT", 600)).toBe(busyProcessing);
    expect(bench.ask("", 60)).toContain(busyProcessing);
    expect(bench.wait(100)).toBe(ok);
  });

  inEach("cmd.busy_forever", "is never done: whatever is sent is refused till the reset pin", ({ ready, busyProcessing, ok }) => {
    const bench = ready();
    bench.module.faults.strike("cmd.busy_forever");
    expect(bench.ask("AT", 60_000)).toBe("");
    expect(bench.ask("AT")).toBe(busyProcessing);
    expect(bench.ask("AT+CWMODE?", 60_000)).toContain(busyProcessing);
    bench.module.setReset(true);
    bench.module.setReset(false);
    bench.wait(500);
    expect(bench.ask("AT")).toContain(ok);
  });

  inEach("cmd.no_reply", "is lost without a word, and the next is not", ({ ready, ok }) => {
    const bench = ready();
    bench.module.faults.strike("cmd.no_reply");
    expect(bench.ask("AT+CWMODE=1", 5000)).toBe("");
    expect(bench.ask("AT+CWMODE?")).toBe(`+CWMODE:0\r\n${ok}`);
  });

  inEach("cmd.late_ok", "has its result late, and refuses others meanwhile", ({ ready, busyProcessing, ok }) => {
    const bench = ready();
    bench.module.faults.strike("cmd.late_ok", 2000);
    expect(bench.ask("AT+CWMODE=1", 1900)).toBe("");
    expect(bench.ask("AT", 50)).toBe(busyProcessing);
    expect(bench.wait(200)).toBe(ok);
    expect(bench.ask("AT+CWMODE?")).toBe(`+CWMODE:1\r\n${ok}`);
  });

  inEach("cmd.error_spurious", "fails once though it is right", ({ ready, error, ok }) => {
    const bench = ready();
    bench.module.faults.strike("cmd.error_spurious");
    expect(bench.ask("AT+CWMODE=1")).toBe(error);
    expect(bench.ask("AT+CWMODE?")).toBe(`+CWMODE:0\r\n${ok}`);
  });

  inEach("cmd.long", "that passes the room is dropped in silence; one within it is not touched", ({ ready, ok }) => {
    const bench = ready();
    bench.module.faults.strike("cmd.long", 12);
    expect(bench.ask("AT+CWMODE?")).toBe(`+CWMODE:0\r\n${ok}`);
    expect(bench.ask("AT+CWMODE=1 ")).toBe("");
    expect(bench.ask("AT+CWAUTOCONN=0")).toBe(ok);
  });

  inEach("urc.in_reply", "has a message between its reply and OK", ({ joined, ok }) => {
    const bench = joined();
    bench.module.faults.strike("urc.in_reply");
    expect(bench.ask("AT+CIPMUX?")).toBe(`+CIPMUX:0\r\nWIFI CONNECTED\r\n${ok}`);
    const several = joined({ multiple: true });
    several.module.faults.strike("urc.in_reply");
    expect(several.ask("AT+CIPMUX?")).toBe(`+CIPMUX:1\r\n4,CLOSED\r\n${ok}`);
  });

  inEach("echo.split", "is echoed with a message inside", ({ ready, ok }) => {
    const bench = ready();
    bench.module.faults.strike("echo.split");
    expect(bench.ask("AT")).toBe(ok);
    bench.ask("ATE1");
    const echoed = bench.ask("AT+CIPMUX?");
    expect(echoed).toContain("WIFI CONNECTED\r\n");
    expect(echoed.replace("WIFI CONNECTED\r\n", "")).toContain("AT+CIPMUX?");
    expect(bench.ask("AT")).not.toContain("WIFI");
  });
});

describe("a prompt", () => {
  inEach("prompt.lost", "does not come, though the module waits for the payload", (its) => {
    const bench = its.connected();
    bench.module.faults.strike("prompt.lost");
    expect(bench.ask("AT+CIPSEND=3", 10_000)).toBe(its.ok);
    bench.write("abc");
    expect(bench.wait(100)).toBe(its.received(3) + its.sendOk);
  });

  inEach("prompt.late", "comes late", ({ connected, ok, sign, fullPrompt }) => {
    const bench = connected();
    bench.module.faults.strike("prompt.late", 3000);
    expect(bench.ask("AT+CIPSEND=3", 2900)).toBe(ok);
    expect(bench.wait(200)).toBe(sign);
    bench.write("abc");
    bench.wait(100);
    expect(bench.ask("AT+CIPSEND=3")).toBe(fullPrompt);
  });

  inEach("prompt.split", "comes after a message, which comes after OK", ({ connected, ok, sign }) => {
    const bench = connected({ multiple: true });
    bench.module.faults.strike("prompt.split");
    expect(bench.ask("AT+CIPSEND=0,3")).toBe(`${ok}4,CLOSED\r\n${sign}`);
  });

  inEach("prompt.space", "has a space behind it, once", (its) => {
    const bench = its.connected();
    bench.module.faults.strike("prompt.space");
    expect(bench.ask("AT+CIPSEND=3")).toBe(`${its.fullPrompt} `);
    bench.write("abc");
    expect(bench.wait(100)).toBe(its.received(3) + its.sendOk);
    expect(bench.ask("AT+CIPSEND=3")).toBe(its.fullPrompt);
  });
});
