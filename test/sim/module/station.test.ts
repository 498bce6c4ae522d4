import { describe, expect, test } from "vitest";
import { Bench } from "./bench";

const OK = "\r\nOK\r\n";
const ERROR = "\r\nERROR\r\n";

function station(): Bench {
  const bench = Bench.ready();
  bench.ask("AT+CWMODE=1");
  return bench;
}

describe("AT+CWJAP", () => {
  test("takes all of its parameters, and tells them", () => {
    const bench = station();
    expect(bench.ask('AT+CWJAP="moth","12345678","A4:2B:B0:C8:11:07",3,5,10,1,20,3', 3_000)).toContain("OK");
    expect(bench.ask("AT+CWJAP?")).toBe(`+CWJAP:"moth","a4:2b:b0:c8:11:07",6,-52,3,5,10,1,3\r\n${OK}`);
    expect(bench.ask("AT+CWRECONNCFG?")).toBe(`+CWRECONNCFG:5,0\r\n${OK}`);
  });

  test("does not find an access point of the same name at another address", () => {
    const bench = station();
    expect(bench.ask('AT+CWJAP="moth","12345678","00:11:22:33:44:55"', 5_000)).toBe(`+CWJAP:3\r\n${ERROR}`);
  });

  test("without parameters joins the network in flash, if there is one", () => {
    const bench = station();
    expect(bench.ask("AT+CWJAP")).toBe(ERROR);
    expect(bench.ask("AT+CWJAP=,")).toBe(ERROR);
    bench.ask('AT+CWJAP="moth","12345678"', 3_000);
    bench.ask("AT+CWQAP", 100);
    expect(bench.ask("AT+CWJAP", 3_000)).toBe(`WIFI CONNECTED\r\nWIFI GOT IP\r\n${OK}`);
    expect(bench.ask("AT+CWJAP=,", 3_000)).toBe(`WIFI DISCONNECT\r\nWIFI CONNECTED\r\nWIFI GOT IP\r\n${OK}`);
  });

  test("refuses what is out of range", () => {
    const bench = station();
    for (const bad of ['"a","b","c",17', '"a","b",,,7201', '"a","b",,,,0', '"a","b",,,,101', '"a","b",,,,,2',
      '"a","b",,,,,,2', '"a","b",,,,,,601', '"a","b",,,,,,,4', '"a","b",,,,,,,,1', "a,b"]) {
      expect([bad, bench.ask(`AT+CWJAP=${bad}`)]).toEqual([bad, ERROR]);
    }
  });
});

describe("what is kept in flash", () => {
  test("is also what is set of all links at once", () => {
    const bench = Bench.joined({ multiple: true });
    expect(bench.ask("AT+CIPTCPOPT=5,,1,6000")).toBe(OK);
    expect(bench.ask("AT+CIPTCPOPT?")).toContain("+CIPTCPOPT:4,-1,1,6000,0\r\n");
    expect(bench.ask("AT+CIPRECVTYPE=5,1,0")).toBe(OK);
    expect(bench.ask("AT+CIPRECVTYPE?")).toContain("+CIPRECVTYPE:4,1\r\n");
    expect(bench.ask('AT+CIPSTART=2,"TCP","peer",7,90')).toContain("OK");
    bench.ask("AT+CIPTCPOPT=2,,0");
    expect(bench.ask("AT+CIPTCPOPT?")).toContain("+CIPTCPOPT:2,-1,0,0,90\r\n");
    expect(bench.ask("AT+CIPTCPOPT=6,,1")).toBe(ERROR);
  });

  test("is how to join again", () => {
    const bench = Bench.joined();
    bench.ask("AT+CWRECONNCFG=30,2");
    bench.ask("AT+SYSMSG=2");
    bench.ask("AT+CIPTCPOPT=,1,5000,60");
    bench.ask("AT+RST", 5_000);
    bench.ask("ATE0");
    expect(bench.ask("AT+CWRECONNCFG?")).toBe(`+CWRECONNCFG:30,2\r\n${OK}`);
    expect(bench.ask("AT+SYSMSG?")).toBe(`+SYSMSG:2\r\n${OK}`);
    expect(bench.ask("AT+CIPTCPOPT?")).toContain("+CIPTCPOPT:0,-1,1,5000,60\r\n");
    bench.ask("AT+RESTORE", 5_000);
    bench.ask("ATE0");
    expect(bench.ask("AT+CWRECONNCFG?")).toBe(`+CWRECONNCFG:1,0\r\n${OK}`);
    expect(bench.ask("AT+SYSMSG?")).toBe(`+SYSMSG:0\r\n${OK}`);
    expect(bench.ask("AT+CIPTCPOPT?")).toContain("+CIPTCPOPT:0,-1,0,0,0\r\n");
  });

  test("is nothing of that with AT+SYSSTORE=0", () => {
    const bench = Bench.joined();
    bench.ask("AT+SYSSTORE=0");
    bench.ask("AT+CWRECONNCFG=30,2");
    bench.ask("AT+SYSMSG=2");
    bench.ask("AT+CIPTCPOPT=,1,5000,60");
    bench.ask("AT+RST", 5_000);
    bench.ask("ATE0");
    expect(bench.ask("AT+CWRECONNCFG?")).toBe(`+CWRECONNCFG:1,0\r\n${OK}`);
    expect(bench.ask("AT+SYSMSG?")).toBe(`+SYSMSG:0\r\n${OK}`);
    expect(bench.ask("AT+CIPTCPOPT?")).toContain("+CIPTCPOPT:0,-1,0,0,0\r\n");
  });

  test("is in NonOS AT what a name ends in _DEF for", () => {
    const bench = Bench.ready(1, {}, "nonos-1.7");
    bench.ask("AT+CWMODE_CUR=1");
    bench.ask('AT+CWJAP_CUR="moth","12345678"', 5_000);
    bench.ask("AT+SYSMSG_DEF=1");
    bench.ask("AT+SYSMSG_CUR=3");
    expect(bench.ask("AT+SYSMSG_CUR?")).toContain("+SYSMSG_CUR:3");
    bench.ask("AT+RST", 6_000);
    expect(bench.ask("AT+CWJAP_CUR?")).toContain("No AP");
    expect(bench.ask("AT+SYSMSG_DEF?")).toContain("+SYSMSG_DEF:1");
    bench.ask("AT+CWMODE_DEF=1");
    bench.ask('AT+CWJAP_DEF="moth","12345678"', 5_000);
    expect(bench.ask("AT+RST", 6_000)).toContain("WIFI GOT IP");
  });
});

describe("AT+CWLAP", () => {
  test.each(["nonos-1.7", "esp-at-2.2", "esp-at-5"] as const)("lists what is on the air, after a scan, with %s", (name) => {
    const bench = Bench.joined({ name });
    expect(bench.ask("AT+CWLAP", 1_450)).toBe("");
    expect(bench.wait(1_700)).toBe(`+CWLAP:(3,"moth",-52,"a4:2b:b0:c8:11:07",6,-1,-1,4,4,7,0)\r\n${OK}`);
    bench.air.up = false;
    bench.wait(10_000);
    expect(bench.ask("AT+CWLAP", 3_500)).toBe(OK);
  });

  test("looks for a name, an address or a channel", () => {
    const bench = station();
    bench.air.password = "";
    for (const found of ['"moth"', '"moth","a4:2b:b0:c8:11:07",6', ",,6", "", ',"A4:2B:B0:C8:11:07"']) {
      expect(bench.ask(`AT+CWLAP=${found}`, 3_000)).toContain('+CWLAP:(0,"moth"');
    }
    for (const missed of ['"other"', '"moth",,7', ',"00:11:22:33:44:55"']) {
      expect(bench.ask(`AT+CWLAP=${missed}`, 3_000)).toBe(OK);
    }
    for (const bad of [",,15", "moth", ",,,,,,,1"]) {
      expect(bench.ask(`AT+CWLAP=${bad}`, 3_000)).toBe(ERROR);
    }
    expect(Bench.ready().ask("AT+CWLAP", 3_000)).toBe(ERROR);
  });
});

describe("sleep", () => {
  test("is deep with AT+GSLP: the module is dead, and wakes up with a reset", () => {
    const causes: string[] = [];
    const bench = Bench.ready(1, { reset: (cause) => causes.push(cause) });
    expect(bench.ask("AT+GSLP=5000")).toBe(`5000\r\n${OK}`);
    expect(bench.ask("AT", 4_800)).toBe("");
    expect(bench.wait(600)).toBe("\r\nready\r\n");
    expect(causes).toEqual(["power", "wake"]);
    expect(bench.ask("AT+GSLP=-1")).toContain("ERROR");
    expect(bench.ask("AT+GSLP=")).toContain("ERROR");
  });

  test("does not keep an ESP32-C3 from knowing the time", () => {
    const bench = Bench.ready();
    bench.ask("AT+SYSTIMESTAMP=1565853509");
    bench.ask("AT+GSLP=60000", 61_000);
    expect(bench.ask("AT+SYSTIMESTAMP?")).toContain(":156585357");
  });

  test("ends with the power, and with the reset pin", () => {
    const bench = Bench.ready();
    bench.ask("AT+GSLP=60000");
    bench.module.setReset(true);
    bench.module.setReset(false);
    expect(bench.wait(500)).toBe("\r\nready\r\n");
    bench.ask("AT+GSLP=60000");
    bench.module.powerOff();
    expect(bench.wait(70_000)).toBe("");
  });

  test("has numbers of its own in NonOS AT", () => {
    const bench = Bench.ready(1, {}, "nonos-1.7");
    expect(bench.ask("AT+SLEEP=2")).toContain("OK");
    expect(bench.ask("AT+SLEEP?")).toContain("+SLEEP:2");
    expect(bench.ask("AT+SLEEP=3")).toContain("ERROR");
  });

  test("is modem sleep in NonOS AT after a reset, and none in ESP-AT", () => {
    expect(Bench.ready(1, {}, "nonos-1.7").ask("AT+SLEEP?")).toContain("+SLEEP:2");
    expect(Bench.ready(1, {}, "esp-at-2.2").ask("AT+SLEEP?")).toContain("+SLEEP:0");
    expect(Bench.ready().ask("AT+SLEEP?")).toContain("+SLEEP:0");
  });

  test.each([["nonos-1.7", 1, 2], ["esp-at-2.2", 2, 1], ["esp-at-5", 2, 3]] as const)(
    "of %s is deaf to its UART when it is light, once it has joined, and only then", (name, light, modem) => {
      const bench = Bench.joined({ name });
      expect(bench.ask(`AT+SLEEP=${modem}`)).toContain("OK");
      expect(bench.ask("AT")).toContain("OK");
      expect(bench.ask(`AT+SLEEP=${light}`)).toContain("OK");
      expect(bench.ask("AT")).toBe("");
      expect(bench.ask("AT+SLEEP=0", 5_000)).toBe("");
      const alone = Bench.ready(1, {}, name);
      alone.ask(`AT+SLEEP=${light}`);
      expect(alone.ask("AT")).toContain("OK");
    });
});

describe("the UART", () => {
  test("tells its frame, and that of the next start", () => {
    const bench = Bench.ready();
    expect(bench.ask("AT+UART_CUR=115200,7,3,2,0")).toBe(OK);
    expect(bench.ask("AT+UART_CUR?")).toBe(`+UART_CUR:115201,7,3,2,0\r\n${OK}`);
    expect(bench.ask("AT+UART_DEF=115200,8,1,0,3")).toBe(OK);
    expect(bench.ask("AT+UART_DEF?")).toBe(`+UART_DEF:115201,8,1,0,3\r\n${OK}`);
    bench.ask("AT+UART_CUR=115200,8,1,0,0");
    bench.ask("AT+RST", 500);
    expect(bench.ask("AT+UART_CUR?")).toContain("+UART_CUR:115201,8,1,0,3");
  });

  test("of NonOS AT knows nothing of the next start until it is told", () => {
    const bench = Bench.ready(1, {}, "nonos-1.7");
    expect(bench.ask("AT+UART_DEF?")).toContain("+UART_DEF:0,0,0,0,0");
    bench.ask("AT+UART_DEF=115200,8,1,0,0");
    expect(bench.ask("AT+UART_DEF?")).toContain("+UART_DEF:115200,8,1,0,0");
  });
});
