import { describe, expect, test } from "vitest";
import type { PersonalityName } from "../../../sim/module/personalities";
import { Bench } from "./bench";

const OK = "\r\nOK\r\n";
const ERROR = "\r\nERROR\r\n";

function opened(name: PersonalityName, options: { passive?: boolean; seed?: number } = {}): Bench {
  const bench = Bench.joined({ multiple: true, name, ...options });
  expect(bench.ask('AT+CIPSTART=0,"TCP","peer",7')).toBe(`0,CONNECT\r\n${OK}`);
  return bench;
}

describe("SEND OK", () => {
  test("of NonOS AT waits until the peer has acknowledged", () => {
    const bench = opened("nonos-1.7");
    bench.peer.socket.pause();
    bench.ask("AT+CIPSEND=0,4");
    bench.write("data");
    expect(bench.wait(5_000)).toBe("\r\nRecv 4 bytes\r\n");
    bench.peer.socket.resume();
    expect(bench.wait(10)).toBe("\r\nSEND OK\r\n");
  });

  test("of NonOS AT does not hold up what other links hear", () => {
    const bench = opened("nonos-1.7");
    bench.ask('AT+CIPSTART=1,"TCP","peer",7');
    bench.peers[1]?.socket.pause();
    bench.ask("AT+CIPSEND=1,4");
    bench.write("data");
    bench.wait(50);
    bench.peers[0]?.socket.write(Buffer.from("news"));
    expect(bench.wait(20)).toBe("\r\n+IPD,0,4:news");
  });

  test.each(["esp-at-2.2", "esp-at-5"] as const)("of %s comes once the stack has a copy", (name) => {
    const bench = opened(name);
    bench.peer.socket.pause();
    bench.ask("AT+CIPSEND=0,4");
    bench.write("data");
    expect(bench.wait(50)).toBe("\r\nRecv 4 bytes\r\n\r\nSEND OK\r\n");
  });

  test("of ESP-AT 2 waits for room in half the send buffer, 2880 bytes", () => {
    const bench = opened("esp-at-2.2");
    bench.peer.socket.pause();
    const send = (count: number): string => {
      bench.ask(`AT+CIPSEND=0,${count}`);
      for (let left = count; left > 0;) {
        left -= bench.line.host.write(new Uint8Array(left));
        bench.clock.runFor(50);
      }
      return bench.wait(500);
    };
    expect(send(2048)).toContain("SEND OK");
    expect(send(832)).toContain("SEND OK");
    expect(send(1)).toBe("\r\nRecv 1 bytes\r\n");
  });
});

describe("a connect that takes its time", () => {
  test.each([
    ["nonos-1.7", "\r\n+IPD,0,4:news", ""], ["esp-at-2.2", "", "\r\n+IPD,0,4:news\r\n"],
    ["esp-at-5", "", "\r\n+IPD,0,4:news\r\n"],
  ] as const)("keeps other links of %s silent, or not", (name, meanwhile, afterwards) => {
    const bench = opened(name);
    bench.network.silence("peer");
    bench.ask('AT+CIPSTART=1,"TCP","peer",7', 100);
    bench.peer.socket.write(Buffer.from("news"));
    expect(bench.wait(5_000)).toBe(meanwhile);
    expect(bench.wait(15_000)).toContain(afterwards);
  });
});

describe("CLOSED", () => {
  test("of NonOS AT does not wait for data that is unread, which can still be read", () => {
    const bench = opened("nonos-1.7", { passive: true });
    bench.peer.socket.write(Buffer.from("last words"));
    bench.peer.socket.end();
    expect(bench.wait(1000)).toBe("\r\n+IPD,0,10\r\n0,CLOSED\r\n");
    expect(bench.ask("AT+CIPRECVLEN?")).toBe(`+CIPRECVLEN:10,0,0,0,0\r\n${OK}`);
    expect(bench.ask("AT+CIPRECVDATA=0,100")).toBe(`\r\n+CIPRECVDATA,10:last words${OK}`);
    expect(bench.ask("AT+CIPRECVDATA=0,100")).toBe(ERROR);
  });

  test.each(["esp-at-2.2", "esp-at-5"] as const)("of %s waits for data that is unread", (name) => {
    const bench = opened(name, { passive: true });
    bench.peer.socket.write(Buffer.from("last words"));
    bench.peer.socket.end();
    expect(bench.wait(1000)).toBe("\r\n+IPD,0,10\r\n");
    expect(bench.ask("AT+CIPRECVDATA=0,100")).toBe(`+CIPRECVDATA:10,last words${OK}0,CLOSED\r\n`);
  });

  test("comes before the ERROR of an AT+CIPSTART that failed on NonOS AT", () => {
    const bench = Bench.joined({ multiple: true, name: "nonos-1.7" });
    expect(bench.ask('AT+CIPSTART=3,"TCP","peer",8')).toBe(`3,CLOSED\r\n${ERROR}`);
  });

  test("comes after it, sometimes, on ESP-AT 2", () => {
    const bench = Bench.joined({ multiple: true, name: "esp-at-2.2" });
    const replies = Array.from({ length: 20 }, () => bench.ask('AT+CIPSTART=3,"TCP","peer",8'));
    expect(new Set(replies)).toEqual(new Set([ERROR, `${ERROR}3,CLOSED\r\n`]));
  });

  test("never comes then on ESP-AT 5", () => {
    const bench = Bench.joined({ multiple: true });
    const replies = Array.from({ length: 20 }, () => bench.ask('AT+CIPSTART=3,"TCP","peer",8'));
    expect(new Set(replies)).toEqual(new Set([ERROR]));
  });
});

describe("the loss of the network", () => {
  test.each(["nonos-1.7", "esp-at-2.2", "esp-at-5"] as const)(
    "is told by %s before or after the end of the links", (name) => {
      const told = new Set(Array.from({ length: 60 }, (_, seed) => {
        const bench = opened(name, { seed });
        bench.air.drop(20_000);
        return bench.wait(7_000);
      }));
      expect(told).toContain("WIFI DISCONNECT\r\n0,CLOSED\r\n");
      expect(told).toContain("0,CLOSED\r\nWIFI DISCONNECT\r\n");
      expect(told.size).toBe(name === "nonos-1.7" ? 3 : 2);
    });

  test("by AT+CWQAP is told before or after its OK", () => {
    const told = new Set(Array.from({ length: 40 }, (_, seed) => Bench.joined({ seed }).ask("AT+CWQAP")));
    expect(told).toEqual(new Set([`WIFI DISCONNECT\r\n${OK}`, `${OK}WIFI DISCONNECT\r\n`]));
  });

  test.each(["esp-at-2.2", "esp-at-5"] as const)("closes the links of %s", (name) => {
    const bench = opened(name);
    bench.air.drop(20_000);
    expect(bench.wait(7_000)).toBe("WIFI DISCONNECT\r\n0,CLOSED\r\n");
  });

  /** A module of a seed with which NonOS AT does not tell. */
  function untold(): Bench {
    for (let seed = 1; seed < 20; seed += 1) {
      const bench = opened("nonos-1.7", { seed });
      bench.air.drop(10_000);
      if (!bench.wait(7_000).includes("CLOSED")) {
        return bench;
      }
    }
    throw new Error("it always tells");
  }

  test("is told by NonOS AT less often than not", () => {
    const told = Array.from({ length: 20 }, (_, seed) => {
      const bench = opened("nonos-1.7", { seed });
      bench.air.drop(20_000);
      return bench.wait(7_000);
    });
    const closed = told.filter((text) => text.includes("0,CLOSED\r\n")).length;
    expect(told.filter((text) => text === "WIFI DISCONNECT\r\n").length).toBe(20 - closed);
    expect(closed).toBeGreaterThan(0);
    expect(closed).toBeLessThan(12);
  });

  test("leaves a link of NonOS AT in use, until what is sent on it is answered with a reset", () => {
    const bench = untold();
    expect(bench.wait(15_000)).toBe("WIFI CONNECTED\r\nWIFI GOT IP\r\n");
    expect(bench.ask('AT+CIPSTART=0,"TCP","peer",7')).toContain("ERROR");
    bench.ask("AT+CIPSEND=0,4");
    bench.write("data");
    expect(bench.wait(500)).toBe("\r\nRecv 4 bytes\r\n0,CLOSED\r\n\r\nSEND FAIL\r\n");
    expect(bench.ask('AT+CIPSTART=0,"TCP","peer",7')).toBe(`0,CONNECT\r\n${OK}`);
  });

  test("has a send without an end fail once the network is back", () => {
    const bench = untold();
    bench.ask("AT+CIPSEND=0,4");
    bench.write("data");
    expect(bench.wait(100)).toBe("\r\nRecv 4 bytes\r\n");
    const heard = bench.wait(20_000);
    expect(heard).toContain("WIFI GOT IP\r\n");
    expect(heard.endsWith("0,CLOSED\r\n\r\nSEND FAIL\r\n")).toBe(true);
  });
});
