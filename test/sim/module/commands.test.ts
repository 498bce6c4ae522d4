import { describe, expect, test } from "vitest";
import { Bench } from "./bench";

const OK = "\r\nOK\r\n";
const ERROR = "\r\nERROR\r\n";

describe("basic commands", () => {
  test("tell the versions of an ESP32-C3", () => {
    const reply = Bench.ready().ask("AT+GMR");
    expect(reply).toMatch(/^AT version:5\.\S+\(.+ESP32C3.+\)\r\nSDK version:.+\r\ncompile time.+\r\nBin version:/);
    expect(reply.endsWith(`\r\n${OK}`)).toBe(true);
  });

  test("restart the module, which forgets what is not in flash", () => {
    const bench = Bench.ready();
    bench.ask("AT+CIPMUX=1");
    expect(bench.ask("AT+RST", 500)).toBe(`${OK}\r\nready\r\n`);
    expect(bench.ask("AT+CIPMUX?")).toBe(`AT+CIPMUX?\r\n+CIPMUX:0\r\n${OK}`);
  });

  test("restore the flash to what it was", () => {
    const bench = Bench.ready();
    bench.ask("AT+CWMODE=1");
    expect(bench.ask("AT+RESTORE", 500)).toBe(`${OK}\r\nready\r\n`);
    bench.ask("ATE0");
    expect(bench.ask("AT+CWMODE?")).toBe(`+CWMODE:0\r\n${OK}`);
  });

  test("change the rate after an OK at the old one", () => {
    const bench = Bench.ready();
    expect(bench.ask("AT+UART_CUR?")).toBe(`+UART_CUR:115201,8,1,0,1\r\n${OK}`);
    expect(bench.ask("AT+UART_CUR=921600,8,1,0,0")).toBe(OK);
    expect(bench.ask("AT")).not.toContain("OK");
    bench.line.host.setBaud(921_600);
    // The host's garbage may stand in the line buffer: a line end gets rid of it.
    bench.ask("");
    expect(bench.ask("AT")).toBe(OK);
    expect(bench.ask("AT+UART_CUR?")).toBe(`+UART_CUR:921600,8,1,0,0\r\n${OK}`);
  });

  test("are not listened to between the OK of a new rate and the rate itself", () => {
    const bench = Bench.ready();
    bench.write("AT+UART_CUR=9600,8,1,0,0\r\n");
    while (bench.line.module.leaving === 0) {
      bench.clock.runFor(0.1);
    }
    expect(bench.line.module.baud).toBe(115_200);
    bench.wait(5);
    expect(bench.line.module.baud).toBe(9600);
  });

  test("refuse a rate or a frame that the hardware cannot do", () => {
    const bench = Bench.ready();
    for (const args of ["79,8,1,0,0", "5000001,8,1,0,0", "115200,4,1,0,0", "115200,8,0,0,0", "115200,8,1,3,0",
      "115200,8,1,0,4", "115200,8,1,0", "115200"]) {
      expect([args, bench.ask(`AT+UART_CUR=${args}`)]).toEqual([args, ERROR]);
    }
  });

  test("set and tell small things", () => {
    const bench = Bench.ready();
    for (const [set, query, answer] of [
      ["AT+SYSSTORE=0", "AT+SYSSTORE?", "+SYSSTORE:0"],
      ["AT+SYSMSG=2", "AT+SYSMSG?", "+SYSMSG:2"],
      ["AT+SLEEP=1", "AT+SLEEP?", "+SLEEP:1"],
      ["AT+CWMODE=1", "AT+CWMODE?", "+CWMODE:1"],
      ["AT+CWAUTOCONN=0", "AT+CWAUTOCONN?", "+CWAUTOCONN:0"],
      ["AT+CWRECONNCFG=5,10", "AT+CWRECONNCFG?", "+CWRECONNCFG:5,10"],
      ["AT+CIPMUX=1", "AT+CIPMUX?", "+CIPMUX:1"],
      ["AT+CIPDINFO=1", "AT+CIPDINFO?", "+CIPDINFO:true"],
      ["AT+CIPRECVMODE=1", "AT+CIPRECVMODE?", "+CIPRECVMODE:1"],
    ] as const) {
      expect([set, bench.ask(set)]).toEqual([set, OK]);
      expect(bench.ask(query)).toBe(`${answer}\r\n${OK}`);
    }
    expect(bench.ask("AT+SYSRAM?")).toMatch(/^\+SYSRAM:\d+,\d+\r\n\r\nOK\r\n$/);
    for (const bad of ["AT+SYSSTORE=2", "AT+SLEEP=4", "AT+CWMODE=", "AT+CWRECONNCFG=1", "AT+CIPMUX=1,1",
      'AT+CIPMUX="1"']) {
      expect([bad, bench.ask(bad)]).toEqual([bad, ERROR]);
    }
  });
});

describe("joining", () => {
  function station(): Bench {
    const bench = Bench.ready();
    bench.ask("AT+CWMODE=1");
    return bench;
  }

  test("says CONNECTED, GOT IP and OK, in 1.2 to 2.5 s", () => {
    const bench = station();
    expect(bench.ask('AT+CWJAP="moth","12345678"', 1_190)).not.toContain("GOT IP");
    expect(bench.heard + bench.wait(1_350)).toMatch(/WIFI GOT IP\r\n\r\nOK\r\n$/);
    expect(bench.ask("AT+CWSTATE?")).toBe(`+CWSTATE:2,"moth"\r\n${OK}`);
    expect(bench.ask("AT+CWJAP?")).toBe(`+CWJAP:"moth","a4:2b:b0:c8:11:07",6,-52,0,1,3,0,1\r\n${OK}`);
    expect(bench.ask("AT+CIFSR")).toMatch(
      /^\+CIFSR:STAIP,"192\.168\.1\.100"\r\n\+CIFSR:STAMAC,"7c:df:a1:..:..:.."\r\n\r\nOK\r\n$/);
    expect(bench.ask("AT+CIPSTA?")).toBe(
      `+CIPSTA:ip:"192.168.1.100"\r\n+CIPSTA:gateway:"192.168.1.1"\r\n+CIPSTA:netmask:"255.255.255.0"\r\n${OK}`);
  });

  test("says the whole sequence byte for byte", () => {
    expect(station().ask('AT+CWJAP="moth","12345678"', 3_000)).toBe(`WIFI CONNECTED\r\nWIFI GOT IP\r\n${OK}`);
  });

  test("tells a wrong password after 3 s and an unknown network after 4 s", () => {
    const bench = station();
    expect(bench.ask('AT+CWJAP="moth","wrong"', 2_700)).toBe("");
    expect(bench.wait(600)).toBe(`+CWJAP:2\r\n${ERROR}`);
    expect(bench.ask('AT+CWJAP="other","12345678"', 3_700)).toBe("");
    expect(bench.wait(600)).toBe(`+CWJAP:3\r\n${ERROR}`);
    expect(bench.ask("AT+CWJAP?")).toBe(OK);
    expect(bench.ask("AT+CWSTATE?")).toBe(`+CWSTATE:4,"other"\r\n${OK}`);
  });

  test("gives up after the time that the command allows", () => {
    expect(station().ask('AT+CWJAP="other","12345678",,,,,,3', 3_100)).toBe(`+CWJAP:1\r\n${ERROR}`);
  });

  test("takes names with commas, quotes and backslashes when they are escaped, and no others", () => {
    const bench = station();
    bench.air.ssid = 'a,"b"\\ü';
    bench.air.password = "x,y";
    expect(bench.ask('AT+CWJAP="a,b","x"')).toBe(ERROR);
    expect(bench.ask('AT+CWJAP="a\\,"b"","x"')).toBe(ERROR);
    bench.write(Buffer.from('AT+CWJAP="a\\,\\"b\\"\\\\ü","x\\,y"\r\n').toString("latin1"));
    expect(bench.wait(3_000)).toContain("WIFI GOT IP");
  });

  test("refuses names that are too long, and anything while the station is off", () => {
    const bench = Bench.ready();
    expect(bench.ask('AT+CWJAP="moth","12345678"')).toBe(ERROR);
    bench.ask("AT+CWMODE=1");
    expect(bench.ask(`AT+CWJAP="${"s".repeat(33)}","12345678"`)).toBe(ERROR);
    expect(bench.ask(`AT+CWJAP="moth","${"p".repeat(65)}"`)).toBe(ERROR);
  });

  test("leaves the network it is in first", () => {
    const bench = Bench.joined();
    expect(bench.ask('AT+CWJAP="moth","12345678"', 3_000)).toBe(
      `WIFI DISCONNECT\r\nWIFI CONNECTED\r\nWIFI GOT IP\r\n${OK}`);
  });

  test("ends with AT+CWQAP, for good", () => {
    const bench = Bench.joined();
    expect(bench.ask("AT+CWQAP", 10_000)).toBe(`WIFI DISCONNECT\r\n${OK}`);
    expect(bench.ask("AT+CIPSTA?")).toContain('ip:"0.0.0.0"');
  });

  test("happens unasked at boot for a network in flash", () => {
    const bench = Bench.joined();
    bench.module.powerOff();
    bench.module.powerOn();
    expect(bench.wait(4_000)).toBe("\r\nready\r\nWIFI CONNECTED\r\nWIFI GOT IP\r\n");
  });

  test("does not happen unasked when nothing was stored or it was switched off", () => {
    const bench = Bench.ready();
    bench.ask("AT+SYSSTORE=0");
    bench.ask("AT+CWMODE=1");
    bench.ask('AT+CWJAP="moth","12345678"', 3_000);
    expect(bench.ask("AT+RST", 4_000)).toBe(`${OK}\r\nready\r\n`);
    const other = Bench.joined();
    other.ask("AT+CWAUTOCONN=0");
    expect(other.ask("AT+RST", 4_000)).toBe(`${OK}\r\nready\r\n`);
  });
});

describe("a network that goes away", () => {
  test("is missed after 3 to 6 s, and joined again by itself", () => {
    const bench = Bench.joined();
    bench.air.drop(20_000);
    expect(bench.wait(2_900)).toBe("");
    expect(bench.wait(3_200)).toBe("WIFI DISCONNECT\r\n");
    expect(bench.wait(13_800)).toBe("");
    expect(bench.wait(5_000)).toBe("WIFI CONNECTED\r\nWIFI GOT IP\r\n");
    expect(bench.ask("AT+CWSTATE?")).toBe(`+CWSTATE:2,"moth"\r\n${OK}`);
  });

  test("and is back before that is missed at once: it has forgotten the station", () => {
    const bench = Bench.joined();
    bench.air.drop(2_000);
    expect(bench.wait(2_050)).toBe("WIFI DISCONNECT\r\n");
    expect(bench.wait(5_000)).toBe("WIFI CONNECTED\r\nWIFI GOT IP\r\n");
  });

  test("closes the links, and their peers see it at once", () => {
    const bench = Bench.joined({ multiple: true });
    bench.ask('AT+CIPSTART=0,"TCP","peer",7');
    bench.ask('AT+CIPSTART=3,"TCP","peer",7');
    bench.air.drop(20_000);
    expect(bench.wait(100)).toBe("");
    expect(bench.peers.map(({ closed }) => closed)).toEqual([true, true]);
    expect(bench.wait(6_000)).toBe("WIFI DISCONNECT\r\n0,CLOSED\r\n3,CLOSED\r\n");
  });

  test("still takes SEND OK for bytes that go nowhere, until it is missed", () => {
    const bench = Bench.joined();
    bench.ask('AT+CIPSTART="TCP","peer",7');
    bench.air.drop(20_000);
    bench.ask("AT+CIPSEND=4");
    bench.write("lost");
    expect(bench.wait(60)).toContain("SEND OK");
    expect(bench.peer.text).toBe("");
  });

  test("fails an AT+CIPSTART with ERROR, before or after it is missed", () => {
    const bench = Bench.joined();
    bench.air.drop(60_000);
    expect(bench.ask('AT+CIPSTART="TCP","peer",7', 10_500)).toBe(`WIFI DISCONNECT\r\n${ERROR}`);
    expect(bench.ask('AT+CIPSTART="TCP","peer",7')).toBe(ERROR);
  });

  test("makes AT+CWMODE fail until AT+CWQAP ends the attempts to join it", () => {
    const bench = Bench.joined();
    bench.air.up = false;
    bench.wait(10_000);
    expect(bench.ask("AT+CWMODE=1")).toBe(ERROR);
    expect(bench.ask("AT+CWQAP")).toBe(OK);
    expect(bench.ask("AT+CWMODE=1")).toBe(OK);
    bench.air.up = true;
    expect(bench.wait(10_000)).toBe("");
  });

  test("is not joined again with AT+CWRECONNCFG=0,0", () => {
    const bench = Bench.joined();
    bench.ask("AT+CWRECONNCFG=0,0");
    bench.air.drop(10_000);
    expect(bench.wait(60_000)).toBe("WIFI DISCONNECT\r\n");
  });
});

describe("links", () => {
  test("open and close, with an id only when there can be several", () => {
    const single = Bench.joined();
    expect(single.ask('AT+CIPSTART="TCP","peer",7')).toBe(`CONNECT\r\n${OK}`);
    expect(single.ask("AT+CIPCLOSE")).toBe(`CLOSED\r\n${OK}`);
    expect(single.peer.closed).toBe(true);
    expect(single.ask("AT+CIPCLOSE")).toBe(ERROR);
    const several = Bench.joined({ multiple: true });
    expect(several.ask('AT+CIPSTART=4,"TCP","peer",7,60,"192.168.1.100",5000')).toBe(`4,CONNECT\r\n${OK}`);
    expect(several.ask("AT+CIPCLOSE=4")).toBe(`4,CLOSED\r\n${OK}`);
    expect(several.ask("AT+CIPCLOSE=4")).toBe(ERROR);
    expect(several.ask("AT+CIPCLOSE")).toBe(ERROR);
  });

  test("close all together with id 5, also when there are none", () => {
    const bench = Bench.joined({ multiple: true });
    expect(bench.ask("AT+CIPCLOSE=5")).toBe(OK);
    bench.ask('AT+CIPSTART=1,"TCP","peer",7');
    bench.ask('AT+CIPSTART=2,"TCP","peer",7');
    expect(bench.ask("AT+CIPCLOSE=5")).toBe(`1,CLOSED\r\n2,CLOSED\r\n${OK}`);
  });

  test("are refused when they are in use, unknown, malformed, or there is no network", () => {
    const bench = Bench.joined({ multiple: true });
    bench.ask('AT+CIPSTART=0,"TCP","peer",7');
    for (const args of ['0,"TCP","peer",7', '5,"TCP","peer",7', '1,"TCP","peer"', '1,"TCP",peer,7', '1,"TLS","peer",7',
      '1,"TCP","peer",0', '1,"TCP","peer",70000', '"TCP","peer",7', `1,"TCP","${"h".repeat(65)}",7`]) {
      expect([args, bench.ask(`AT+CIPSTART=${args}`)]).toEqual([args, ERROR]);
    }
    expect(bench.ask("AT+CIPMUX=0")).toBe(ERROR);
    expect(Bench.ready().ask('AT+CIPSTART="TCP","peer",7')).toBe(ERROR);
  });

  test("fail quickly with nothing but ERROR when nobody listens or the name is unknown", () => {
    const bench = Bench.joined();
    expect(bench.ask('AT+CIPSTART="TCP","peer",8', 30)).toBe(ERROR);
    expect(bench.ask('AT+CIPSTART="TCP","nowhere",7', 30)).toBe(ERROR);
  });

  test("fail after 10 s when nobody answers, or after the time that the command allows", () => {
    const bench = Bench.joined();
    bench.network.partition(true);
    expect(bench.ask('AT+CIPSTART="TCP","peer",7', 9_400)).toBe("");
    expect(bench.wait(1_200)).toBe(ERROR);
    expect(bench.ask('AT+CIPSTART="TCP","peer",7,,,2000', 1_950)).toBe("");
    expect(bench.wait(100)).toBe(ERROR);
    bench.network.partition(false);
    expect(bench.wait(100)).toBe("");
    expect(bench.ask('AT+CIPSTART="TCP","peer",7')).toBe(`CONNECT\r\n${OK}`);
  });

  test("keep silent while another one is being connected", () => {
    const bench = Bench.joined({ multiple: true });
    bench.ask('AT+CIPSTART=0,"TCP","peer",7');
    bench.network.silence("peer");
    bench.ask('AT+CIPSTART=1,"TCP","peer",7,,,1000', 100);
    bench.peer.socket.write(Buffer.from("news"));
    expect(bench.wait(800)).toBe("");
    expect(bench.wait(200)).toBe(`${ERROR}\r\n+IPD,0,4:news\r\n`);
  });

  test("tell when the peer closes", () => {
    const bench = Bench.joined({ multiple: true });
    bench.ask('AT+CIPSTART=2,"TCP","peer",7');
    bench.peer.socket.end();
    expect(bench.wait(20)).toBe("2,CLOSED\r\n");
  });

  test("are listed", () => {
    const bench = Bench.joined({ multiple: true });
    expect(bench.ask("AT+CIPSTATE?")).toBe(OK);
    expect(bench.ask("AT+CIPSTATUS")).toBe(`STATUS:2\r\n${OK}`);
    bench.ask('AT+CIPSTART=1,"TCP","peer",7');
    expect(bench.ask("AT+CIPSTATE?")).toBe(`+CIPSTATE:1,"TCP","10.0.0.1",7,49152,0\r\n${OK}`);
    expect(bench.ask("AT+CIPSTATUS")).toBe(`STATUS:3\r\n+CIPSTATUS:1,"TCP","10.0.0.1",7,49152,0\r\n${OK}`);
    bench.ask("AT+CWQAP");
    expect(bench.ask("AT+CIPSTATUS")).toBe(`STATUS:5\r\n${OK}`);
  });

  test("are announced in the long form with AT+SYSMSG=2", () => {
    const bench = Bench.joined({ multiple: true });
    bench.ask("AT+SYSMSG=2");
    expect(bench.ask('AT+CIPSTART=1,"TCP","peer",7')).toBe(`+LINK_CONN:0,1,"TCP",0,"10.0.0.1",7,49152\r\n${OK}`);
  });

  test("are not sent to when they are closed, for nothing, or for more than 8192 bytes", () => {
    const bench = Bench.joined({ multiple: true });
    expect(bench.ask("AT+CIPSEND=0,5")).toBe(ERROR);
    bench.ask('AT+CIPSTART=0,"TCP","peer",7');
    for (const args of ["0,0", "0,8193", "0", "1,5", "5,5", "0,5,5"]) {
      expect([args, bench.ask(`AT+CIPSEND=${args}`)]).toEqual([args, ERROR]);
    }
    expect(bench.ask("AT+CIPSEND=0,8192")).toBe(`${OK}\r\n>`);
  });

  test("notice a peer that is gone by its silence, when keep-alive is on", () => {
    const bench = Bench.joined();
    bench.ask('AT+CIPSTART="TCP","peer",7,30');
    bench.network.vanishAll();
    expect(bench.wait(32_900)).toBe("");
    expect(bench.wait(200)).toBe("CLOSED\r\n");
  });

  test("find names", () => {
    const bench = Bench.joined();
    expect(bench.ask('AT+CIPDOMAIN="peer"')).toBe(`+CIPDOMAIN:"10.0.0.1"\r\n${OK}`);
    expect(bench.ask('AT+CIPDOMAIN="nowhere"')).toBe(ERROR);
  });

  test("take TCP options, and give up a send after the time set there", () => {
    const bench = Bench.joined();
    expect(bench.ask("AT+CIPTCPOPT=,1,5000,60")).toBe(OK);
    expect(bench.ask("AT+CIPTCPOPT?")).toContain("+CIPTCPOPT:0,-1,1,5000,60\r\n");
    bench.ask('AT+CIPSTART="TCP","peer",7');
    bench.peer.socket.pause();
    bench.ask("AT+CIPSEND=8192");
    for (let left = 8192; left > 0; ) {
      left -= bench.line.host.write(new Uint8Array(left));
      bench.clock.runFor(50);
    }
    expect(bench.wait(4_800)).toBe("\r\nRecv 8192 bytes\r\n");
    expect(bench.wait(400)).toBe("\r\nSEND FAIL\r\n");
  });
});

describe("receiving actively", () => {
  test("prints data with its length, and a CR LF that is not counted", () => {
    const bench = Bench.joined();
    bench.ask('AT+CIPSTART="TCP","peer",7');
    bench.peer.socket.write(Buffer.from("a\0b\r\n"));
    expect(bench.wait(20)).toBe("\r\n+IPD,5:a\0b\r\n\r\n");
    bench.ask("AT+CIPDINFO=1");
    bench.peer.socket.write(Buffer.from("x"));
    expect(bench.wait(20)).toBe('\r\n+IPD,1,"10.0.0.1",7:x\r\n');
  });

  test("prints at most 2920 bytes a piece", () => {
    const bench = Bench.joined({ multiple: true });
    bench.ask('AT+CIPSTART=0,"TCP","peer",7');
    bench.peer.socket.write(Buffer.from("x".repeat(4000)));
    expect(bench.wait(1000)).toBe(`\r\n+IPD,0,2920:${"x".repeat(2920)}\r\n\r\n+IPD,0,1080:${"x".repeat(1080)}\r\n`);
  });

  test("loses nothing inside the module when the peer is faster than the line", () => {
    const bench = Bench.joined();
    bench.ask('AT+CIPSTART="TCP","peer",7');
    const sent = Array.from({ length: 60_000 }, (_, i) => String.fromCharCode(97 + (i % 26))).join("");
    for (let at = 0; at < sent.length; at += 1000) {
      bench.peer.socket.write(Buffer.from(sent.slice(at, at + 1000)));
    }
    const begin = bench.wait(1_000);
    // A second carries 11,520 bytes, and the rings and windows on the way hold some more.
    expect(bench.peer.socket.bufferedBytes).toBeGreaterThan(30_000);
    const got = begin + bench.wait(10_000);
    const data = got.split(/\r\n\r\n\+IPD,\d+:|^\r\n\+IPD,\d+:|\r\n$/).join("");
    expect(data).toBe(sent);
  });
});

describe("receiving passively", () => {
  function opened(): Bench {
    const bench = Bench.joined({ multiple: true, passive: true });
    bench.ask('AT+CIPSTART=0,"TCP","peer",7');
    return bench;
  }

  test("gives notice once, until it is read", () => {
    const bench = opened();
    bench.peer.socket.write(Buffer.from("hello"));
    expect(bench.wait(20)).toBe("\r\n+IPD,0,5\r\n");
    bench.peer.socket.write(Buffer.from(" world"));
    expect(bench.wait(20)).toBe("");
    expect(bench.ask("AT+CIPRECVLEN?")).toBe(`+CIPRECVLEN:11,0,0,0,0\r\n${OK}`);
    expect(bench.ask("AT+CIPRECVDATA=0,100")).toBe(`+CIPRECVDATA:11,hello world${OK}`);
    bench.peer.socket.write(Buffer.from("!"));
    expect(bench.wait(20)).toBe("\r\n+IPD,0,1\r\n");
  });

  test("gives a new notice after the OK of a read that left something", () => {
    const bench = opened();
    bench.peer.socket.write(Buffer.from("hello"));
    bench.wait(20);
    expect(bench.ask("AT+CIPRECVDATA=0,2")).toBe(`+CIPRECVDATA:2,he${OK}\r\n+IPD,0,3\r\n`);
    expect(bench.ask("AT+CIPRECVDATA=0,3")).toBe(`+CIPRECVDATA:3,llo${OK}`);
  });

  test("refuses a read of nothing, and one in active mode", () => {
    const bench = opened();
    expect(bench.ask("AT+CIPRECVDATA=0,10")).toBe(ERROR);
    expect(bench.ask("AT+CIPRECVTYPE=0,0")).toBe(OK);
    bench.peer.socket.write(Buffer.from("x"));
    expect(bench.wait(20)).toBe("\r\n+IPD,0,1:x\r\n");
    expect(bench.ask("AT+CIPRECVDATA=0,10")).toBe(ERROR);
  });

  test("shows where data came from with AT+CIPDINFO=1", () => {
    const bench = opened();
    bench.ask("AT+CIPDINFO=1");
    bench.peer.socket.write(Buffer.from("x"));
    expect(bench.wait(20)).toBe("\r\n+IPD,0,1\r\n");
    expect(bench.ask("AT+CIPRECVDATA=0,10")).toBe(`+CIPRECVDATA:1,"10.0.0.1",7,x${OK}`);
  });

  test("withholds CLOSED while data is unread", () => {
    const bench = opened();
    bench.peer.socket.write(Buffer.from("last words"));
    bench.peer.socket.end();
    expect(bench.wait(1000)).toBe("\r\n+IPD,0,10\r\n");
    expect(bench.ask("AT+CIPRECVDATA=0,4")).toBe(`+CIPRECVDATA:4,last${OK}\r\n+IPD,0,6\r\n`);
    expect(bench.ask("AT+CIPRECVDATA=0,100")).toBe(`+CIPRECVDATA:6, words${OK}0,CLOSED\r\n`);
  });

  test("withholds CLOSED of unread links when the network goes away too", () => {
    const bench = opened();
    bench.ask('AT+CIPSTART=1,"TCP","peer",7');
    bench.peers[0]?.socket.write(Buffer.from("x"));
    bench.wait(20);
    bench.air.drop(30_000);
    expect(bench.wait(7_000)).toBe("WIFI DISCONNECT\r\n1,CLOSED\r\n");
    expect(bench.ask("AT+CIPRECVDATA=0,100")).toBe(`+CIPRECVDATA:1,x${OK}0,CLOSED\r\n`);
  });

  test("stops the peer at a window of 5760 bytes, and loses nothing", () => {
    const bench = opened();
    const { socket } = bench.peer;
    const sent = "0123456789".repeat(1000);
    for (let at = 0; at < sent.length; at += 500) {
      socket.write(Buffer.from(sent.slice(at, at + 500)));
    }
    bench.wait(1000);
    expect(bench.ask("AT+CIPRECVLEN?")).toContain("+CIPRECVLEN:5760,");
    expect(socket.bufferedBytes).toBeGreaterThanOrEqual(sent.length - 5760 - 500);
    let got = "";
    while (got.length < sent.length) {
      const reply = bench.ask("AT+CIPRECVDATA=0,700", 200);
      const length = Number(/^\+CIPRECVDATA:(\d+),/.exec(reply)?.[1]);
      got += reply.slice(reply.indexOf(",") + 1).slice(0, length);
    }
    expect(got).toBe(sent);
    expect(socket.bufferedBytes).toBe(0);
  });
});

describe("a module that falls over", () => {
  test("comes back with noise, ready and everything at its default", () => {
    const bench = Bench.joined({ multiple: true });
    bench.ask('AT+CIPSTART=0,"TCP","peer",7');
    bench.ask("AT+CWAUTOCONN=0");
    bench.ask("AT+UART_CUR=921600,8,1,0,0");
    bench.line.host.setBaud(921_600);
    bench.take();
    bench.module.crash();
    expect(bench.wait(400)).not.toContain("ready");
    expect(bench.peer.closed).toBe(true);
    bench.line.host.setBaud(115_200);
    bench.ask("");
    expect(bench.ask("AT+CIPMUX?")).toBe(`AT+CIPMUX?\r\n+CIPMUX:0\r\n${OK}`);
    bench.module.crash();
    const heard = bench.wait(400);
    expect(heard).toMatch(/\r\nready\r\n$/);
    expect(heard.length).toBeGreaterThan("\r\nready\r\n".length + 2);
  });

  test("stops in the middle of what it was printing", () => {
    const bench = Bench.joined();
    bench.ask('AT+CIPSTART="TCP","peer",7');
    bench.peer.socket.write(Buffer.from("x".repeat(1000)));
    bench.wait(40);
    bench.module.powerOff();
    expect(bench.wait(1000)).toBe("");
    expect(bench.ask("AT")).toBe("");
    bench.module.powerOn();
    bench.ask("AT+CWAUTOCONN=0", 500);
    expect(bench.ask("AT")).toBe(`AT\r\n${OK}`);
  });

  test("is dead while its reset pin is held", () => {
    const bench = Bench.ready();
    bench.module.setReset(true);
    expect(bench.ask("AT", 1000)).toBe("");
    bench.module.setReset(false);
    expect(bench.wait(400)).toBe("\r\nready\r\n");
    bench.module.setReset(true);
    bench.module.crash();
    expect(bench.wait(1000)).toBe("");
  });

  test("says nothing of what was under way before", () => {
    const bench = Bench.ready();
    bench.ask("AT+SYSSTORE=0");
    bench.ask("AT+CWMODE=1");
    bench.ask('AT+CWJAP="moth","12345678"', 100);
    bench.module.setReset(true);
    bench.module.setReset(false);
    expect(bench.wait(5_000)).toBe("\r\nready\r\n");
  });
});

describe("the whole bench", () => {
  function trace(seed: number): string[] {
    const lines: string[] = [];
    const bench: Bench = new Bench(seed, {
      toHost: (bytes) => lines.push(`${bench.clock.now} > ${Buffer.from(bytes).toString("latin1")}`),
    });
    bench.module.powerOn();
    bench.wait(400);
    bench.ask("AT+CWMODE=1");
    bench.ask('AT+CWJAP="moth","12345678"', 3_000);
    bench.ask('AT+CIPSTART="TCP","peer",7');
    bench.ask("AT+CIPSEND=3");
    bench.write("abc");
    bench.wait(100);
    bench.air.drop(5_000);
    bench.wait(20_000);
    bench.module.crash();
    bench.wait(5_000);
    return lines;
  }

  test("does the same at the same moments for the same seed, and something else for another", () => {
    expect(trace(5)).toEqual(trace(5));
    expect(trace(5)).not.toEqual(trace(6));
    expect(trace(5).length).toBeGreaterThan(15);
  });
});
