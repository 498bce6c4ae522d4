import { describe, expect, test } from "vitest";
import type { PersonalityName } from "../../../sim/module/personalities";
import { Bench } from "./bench";

const OK = "\r\nOK\r\n";
const ERROR = "\r\nERROR\r\n";
const NAMES: readonly PersonalityName[] = ["nonos-1.7", "esp-at-2.2", "esp-at-5"];

/** What a time server tells `after` ms from now, as the module prints it. The bench's day is 1 July 2026. */
function clockText(bench: Bench, hours = 0): string {
  return new Date(bench.network.time + 3_600_000 * hours).toUTCString().slice(17, 25);
}

describe("time from the network", () => {
  test.each(NAMES)("is 1970 until a server is asked, and right from then on, with %s", (name) => {
    const bench = Bench.joined({ name });
    expect(bench.ask("AT+CIPSNTPTIME?")).toMatch(/^\+CIPSNTPTIME:Thu Jan 01 00:00:\d\d 1970\r\n\r\nOK\r\n$/);
    const said = bench.ask('AT+CIPSNTPCFG=1,0,"pool.ntp.org"', 200);
    expect(said).toBe(name === "nonos-1.7" ? OK : `${OK}+TIME_UPDATED\r\n`);
    const told = bench.ask("AT+CIPSNTPTIME?");
    expect(told).toContain("+CIPSNTPTIME:Wed Jul 01 09:00:");
    expect(told).toMatch(/ 2026\r\n\r\nOK\r\n$/);
  });

  test.each([
    ["8", 8], ["-5", -5], ["14", 14], ["1245", 12.75], ["-930", -9.5], ["530", 5.5], ["015", 0.25],
  ] as const)("is told for the time zone %s", (zone, hours) => {
    const bench = Bench.joined();
    bench.ask(`AT+CIPSNTPCFG=1,${zone}`, 1_000);
    const before = clockText(bench, hours);
    const reply = bench.ask("AT+CIPSNTPTIME?", 20);
    expect([before, clockText(bench, hours)]).toContain(/ (\d\d:\d\d:\d\d) /.exec(reply)?.[1]);
  });

  test("comes as soon as there is a network, and again when no server has answered", () => {
    const bench = Bench.ready();
    bench.ask("AT+CIPSNTPCFG=1,0");
    expect(bench.wait(20_000)).toBe("");
    bench.ask("AT+CWMODE=1");
    bench.network.timeSilent = true;
    bench.ask('AT+CWJAP="moth","12345678"', 30_000);
    expect(bench.wait(30_000)).toBe("");
    bench.network.timeSilent = false;
    expect(bench.wait(15_100)).toBe("+TIME_UPDATED\r\n");
    expect(bench.wait(7_200_000)).toBe("");
  });

  test("is asked for again after the interval, and sets a clock that went wrong", () => {
    const bench = Bench.joined();
    bench.ask("AT+CIPSNTPINTV=60");
    bench.ask("AT+CIPSNTPCFG=1,0", 1_000);
    bench.ask("AT+SYSTIMESTAMP=5");
    expect(bench.wait(61_000)).toBe("");
    expect(bench.ask("AT+SYSTIMESTAMP?")).toContain(`:${Math.floor(bench.network.time / 1000)}\r\n`);
  });

  test("is asked for once an interval, and not for every wait that had an answer", () => {
    const bench = Bench.joined();
    let asked = 0;
    const askTime = bench.network.askTime.bind(bench.network);
    bench.network.askTime = (server, done) => {
      asked += 1;
      askTime(server, done);
    };
    bench.ask("AT+CIPSNTPCFG=1,0");
    bench.wait(3_500_000);
    expect(asked).toBe(1);
    bench.wait(200_000);
    expect(asked).toBe(2);
  });

  test("is not asked for any more when it is switched off", () => {
    const bench = Bench.joined();
    bench.ask("AT+CIPSNTPCFG=0");
    expect(bench.wait(60_000)).toBe("");
    expect(bench.ask("AT+CIPSNTPCFG?")).toBe(`+CIPSNTPCFG:0,0\r\n${OK}`);
  });

  test("tells which servers are asked", () => {
    const bench = Bench.joined();
    bench.ask('AT+CIPSNTPCFG=1,8,"a","b"');
    expect(bench.ask("AT+CIPSNTPCFG?")).toContain('+CIPSNTPCFG:1,8,"a","b"\r\n');
    const other = Bench.joined();
    other.ask("AT+CIPSNTPCFG=1,8");
    expect(other.ask("AT+CIPSNTPCFG?")).toContain('+CIPSNTPCFG:1,8,"cn.ntp.org.cn","ntp.sjtu.edu.cn","us.pool.ntp.org"');
  });

  test.each([
    ["nonos-1.7", ["2,0", "1,14", "1,-12", "1,530", '1,0,"a","b","c","d"', "1,0,a", ""]],
    ["esp-at-5", ["2,0", "1,60", "1,1500", "1,1260", "1,-1300", '1,0,"a","b","c","d"', "1,0,a", ""]],
  ] as const)("is not asked for with what is wrong, with %s", (name, wrong) => {
    const bench = Bench.joined({ name });
    for (const bad of wrong) {
      expect([bad, bench.ask(`AT+CIPSNTPCFG=${bad}`)]).toEqual([bad, expect.stringContaining(ERROR)]);
    }
    expect(bench.ask("AT+CIPSNTPINTV=14")).toContain("ERROR");
  });
});
