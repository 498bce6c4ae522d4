import { describe, expect, test } from "vitest";
import { Bench } from "../bench";
import { inEach } from "./table";

/** How many bytes must be taken out of `whole` for `part`, which has all the others in their order. */
function missingFrom(whole: string, part: string): number {
  let at = 0;
  for (const character of part) {
    at = whole.indexOf(character, at) + 1;
    expect(at).toBeGreaterThan(0);
  }
  return whole.length - part.length;
}

describe("what the module says", () => {
  inEach("rx.drop", "lacks bytes in one place, once", (its) => {
    const bench = its.ready();
    const whole = bench.ask("AT+GMR");
    bench.module.faults.strike("rx.drop", 3);
    const damaged = bench.ask("AT+GMR");
    expect(missingFrom(whole, damaged)).toBeGreaterThanOrEqual(1);
    expect(missingFrom(whole, damaged)).toBeLessThanOrEqual(3);
    expect(bench.ask("AT+GMR")).toBe(whole);
  });

  inEach("rx.drop_in_header", "lacks bytes of a header, not of what has none", (its) => {
    const bench = its.connected({ multiple: true });
    bench.module.faults.strike("rx.drop_in_header", 1);
    expect(bench.ask("AT+GMR")).toContain("AT version");
    bench.peer.socket.write(Buffer.from("hello"));
    const [head, whole] = [its.activeHead("0,", 5, ""), `${its.activeHead("0,", 5, "")}hello${its.activeTail}`];
    const damaged = bench.wait(100);
    expect(missingFrom(whole, damaged)).toBe(1);
    expect(damaged.startsWith(head)).toBe(false);
    expect(damaged.endsWith(`hello${its.activeTail}`)).toBe(true);
  });

  inEach("rx.drop_in_header", "lacks bytes of the header of a read, or of a notice", (its) => {
    const bench = its.connected({ multiple: true, passive: true });
    bench.module.faults.strike("rx.drop_in_header", 1);
    bench.peer.socket.write(Buffer.from("hello"));
    expect(missingFrom(its.passiveNotice("0,", 5), bench.wait(100))).toBe(1);
    bench.module.faults.strike("rx.drop_in_header", 2);
    const damaged = bench.ask("AT+CIPRECVDATA=0,5");
    expect(damaged).not.toContain(its.passiveHead(5, ""));
    expect(damaged.endsWith(its.ok)).toBe(true);
  });

  inEach("rx.corrupt", "has noise in it", (its) => {
    const bench = its.ready();
    const whole = bench.ask("AT+GMR");
    bench.module.faults.strike("rx.corrupt", 4);
    const damaged = bench.ask("AT+GMR");
    const wrong = Array.from(damaged).filter((character, at) => character !== whole[at]).length;
    expect(damaged).toHaveLength(whole.length);
    expect(wrong).toBeGreaterThanOrEqual(1);
    expect(wrong).toBeLessThanOrEqual(4);
  });

  test("rx.drop with a chance takes about that part of the bytes, and the same ones for the same seed", () => {
    const heard = [1, 1, 2].map((seed) => {
      const bench = Bench.ready(seed);
      bench.module.faults.chance("rx.drop", 0.05, 1);
      return Array.from({ length: 40 }, () => bench.ask("AT+GMR")).join("");
    });
    const whole = 40 * Bench.ready().ask("AT+GMR").length;
    const [first = "", second, other] = heard;
    expect(second).toBe(first);
    expect(other).not.toBe(first);
    const part = (whole - first.length) / whole;
    expect(part).toBeGreaterThan(0.03);
    expect(part).toBeLessThan(0.07);
  });
});

describe("what the module hears", () => {
  inEach("module.sleep_wake", "lacks the first bytes of a command", (its) => {
    const bench = its.ready();
    bench.module.faults.strike("module.sleep_wake", 1);
    expect(bench.ask("AT")).toBe(its.error);
    expect(bench.ask("AT")).toBe(its.ok);
    bench.module.faults.strike("module.sleep_wake", 16);
    expect(bench.ask("AT")).toBe("");
    expect(bench.ask("AT")).toBe(its.ok);
  });

  inEach("nul.bytes", "has a zero in it, as has what it says; no command that is whole is lost for ever", (its) => {
    const bench = its.ready();
    bench.module.faults.strike("nul.bytes", 2);
    const said = bench.ask("AT");
    expect(said.startsWith("\0\0")).toBe(true);
    expect([its.ok, its.error, ""]).toContain(said.slice(2));
    bench.ask("");
    expect(bench.ask("AT")).toBe(its.ok);
  });

  inEach("uart.flow_stall", "comes after the stall, all of it", (its) => {
    const bench = its.ready();
    bench.module.faults.strike("uart.flow_stall", 5000);
    expect(bench.ask("AT", 4900)).toBe("");
    expect(bench.line.host.leaving).toBe(4);
    expect(bench.wait(200)).toBe(its.ok);
    expect(bench.ask("AT")).toBe(its.ok);
  });

  test("uart.flow_stall stops the host in the middle of what it sends", () => {
    const bench = Bench.ready();
    bench.write("AT+CIPMUX?\r\n");
    bench.clock.runFor(0.5);
    const sent = 12 - bench.line.host.leaving;
    expect(sent).toBeGreaterThan(3);
    bench.module.faults.strike("uart.flow_stall", 1000);
    bench.module.faults.strike("uart.flow_stall", 500);
    expect(bench.wait(990)).toBe("");
    expect(bench.line.host.leaving).toBe(12 - sent);
    expect(bench.wait(100)).toBe("+CIPMUX:0\r\n\r\nOK\r\n");
  });
});
