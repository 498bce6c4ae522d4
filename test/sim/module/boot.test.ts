import { describe, expect, test } from "vitest";
import type { ModuleObserver } from "../../../sim/module/observer";
import type { PersonalityName } from "../../../sim/module/personalities";
import { Bench } from "./bench";

const READY = "\r\nready\r\n";
const OK = "\r\nOK\r\n";

/** What a module says on the wire itself, whatever the host makes of it. */
function booted(name: PersonalityName): { bench: Bench; said: () => string } {
  let text = "";
  const observer: ModuleObserver = { toHost: (bytes) => (text += Buffer.from(bytes).toString("latin1")) };
  const bench = new Bench(1, observer, name);
  bench.module.powerOn();
  return {
    bench,
    said: () => {
      const before = text;
      text = "";
      return before;
    },
  };
}

describe("after power-on", () => {
  test("NonOS AT is garbage at 115200 baud until ready: its ROM talks at 74880", () => {
    const { bench, said } = booted("nonos-1.7");
    const heard = bench.wait(1000);
    expect(heard.endsWith(READY)).toBe(true);
    expect(heard).not.toContain("rst cause");
    expect(heard).toContain("\0");
    expect(heard).toContain("\xff");
    expect(said()).toMatch(
      /^\r\n ets Jan {2}8 2013,rst cause:1, boot mode:\(3,6\)\r\n\r\nload 0x40100000, len 1856, room 16 \r\ntail 0\r\n/);
    expect(heard.length).toBeGreaterThan(300);
  });

  test("NonOS AT can be read by a host that listens at 74880 baud", () => {
    const bench = new Bench(1, {}, "nonos-1.7");
    bench.line.host.setBaud(74_880);
    bench.module.powerOn();
    expect(bench.wait(100)).toMatch(/rst cause:1, boot mode[^]+jump to run user1 @ 1000\r\n/);
  });

  test("ESP-AT 2 on an ESP8266 lets a few stray bytes out before ready", () => {
    const { bench } = booted("esp-at-2.2");
    const heard = bench.wait(1000);
    expect(heard.endsWith(READY)).toBe(true);
    expect(heard.length - READY.length).toBeGreaterThanOrEqual(1);
    expect(heard.length - READY.length).toBeLessThanOrEqual(4);
  });

  test("ESP-AT 5 on an ESP32-C3 is quiet until ready", () => {
    expect(booted("esp-at-5").bench.wait(1000)).toBe(READY);
  });

  test.each([["nonos-1.7", 340], ["esp-at-2.2", 450], ["esp-at-5", 320]] as const)(
    "%s is ready within %i ms", (name, ms) => {
      const { bench } = booted(name);
      bench.wait(ms + 2);
      expect(bench.module.running).toBe(true);
    });

  test.each(["nonos-1.7", "esp-at-2.2", "esp-at-5"] as const)(
    "%s loses what comes before its UART driver, and handles after ready what comes then", (name) => {
      const lost: [number, string][] = [];
      const bench = new Bench(1, { lost: (count, cause) => lost.push([count, cause]) }, name);
      bench.module.powerOn();
      bench.wait(20);
      bench.write("AT\r\n");
      bench.wait(200);
      expect(lost).toEqual([[4, "booting"]]);
      bench.write("ATE0\r\n");
      expect(bench.wait(500)).toMatch(/\r\nready\r\nATE0[\r\n]+OK\r\n$/);
    });
});

describe("after AT+RST", () => {
  test("NonOS AT can be read: its ROM keeps the rate that was", () => {
    const bench = Bench.ready(1, {}, "nonos-1.7");
    const heard = bench.ask("AT+RST", 1000);
    expect(heard.startsWith(`${OK}\r\n ets Jan  8 2013,rst cause:2, boot mode:(3,6)\r\n`)).toBe(true);
    expect(heard.endsWith(`jump to run user1 @ 1000\r\n\r\n${READY}`)).toBe(true);
  });

  test("NonOS AT keeps a rate that was set until ready, which comes at the default rate", () => {
    const bench = Bench.ready(1, {}, "nonos-1.7");
    bench.ask("AT+UART_CUR=9600,8,1,0,0");
    bench.line.host.setBaud(9600);
    bench.ask("AT+RST", 100);
    expect(bench.heard + bench.wait(430)).toContain("jump to run user1 @ 1000");
    bench.line.host.setBaud(115_200);
    expect(bench.wait(400)).toBe(READY);
  });

  test("ESP-AT 5 is quiet", () => {
    expect(Bench.ready().ask("AT+RST", 1000)).toBe(OK + READY);
  });
});

describe("a module that falls over", () => {
  test.each(["nonos-1.7", "esp-at-2.2", "esp-at-5"] as const)("%s leaves noise before ready", (name) => {
    const bench = Bench.ready(1, {}, name);
    bench.module.crash();
    const heard = bench.wait(1000);
    expect(heard.endsWith(READY)).toBe(true);
    expect(heard.length).toBeGreaterThan(READY.length + 2);
  });
});

describe("flow control", () => {
  /** Bytes that are lost of 3000 that the host sends while the module boots. */
  function lostWhileBooting(bench: Bench): number {
    const before = bench.line.module.lost;
    bench.module.powerOff();
    bench.module.powerOn();
    bench.wait(85);
    const text = Buffer.alloc(3000, "x");
    for (let at = 0; at < text.length;) {
      at += bench.line.host.write(text, at);
      bench.clock.runFor(5);
    }
    bench.wait(1000);
    return bench.line.module.lost - before;
  }

  function withHost(name: PersonalityName): Bench {
    const bench = Bench.ready(1, {}, name);
    bench.line.host.setFlow({ rts: false, cts: true });
    return bench;
  }

  test("is RTS in an ESP-AT 5 as it is sold, and none in the others: they lose bytes while they boot", () => {
    expect(lostWhileBooting(withHost("esp-at-5"))).toBe(0);
    expect(lostWhileBooting(withHost("esp-at-2.2"))).toBeGreaterThan(0);
    expect(lostWhileBooting(withHost("nonos-1.7"))).toBeGreaterThan(0);
  });

  test.each(["nonos-1.7", "esp-at-2.2", "esp-at-5"] as const)(
    "of %s is what AT+UART_DEF has made it, also after a reset", (name) => {
      const bench = withHost(name);
      bench.ask("AT+UART_DEF=115200,8,1,0,1");
      expect(lostWhileBooting(bench)).toBe(0);
      bench.ask("ATE0");
      bench.ask("AT+UART_DEF=115200,8,1,0,0");
      expect(lostWhileBooting(bench)).toBeGreaterThan(0);
    });
});
