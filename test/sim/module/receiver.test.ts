import { describe, expect, test } from "vitest";
import { PERSONALITIES } from "../../../sim/module/personalities";
import { Bench } from "./bench";

describe.each(["esp-at-2.2", "esp-at-5"] as const)("the receive task of %s", (name) => {
  test("says ready 300 to 450 ms after it got power, and echoes from then on", () => {
    const bench = new Bench(1, {}, name);
    bench.module.powerOn();
    expect(bench.wait(280)).not.toContain("ready");
    expect(bench.wait(180)).toMatch(/\r\nready\r\n$/);
    expect(bench.ask("AT")).toBe("AT\r\n\r\nOK\r\n");
    expect(bench.ask("ATE0")).toBe("ATE0\r\n\r\nOK\r\n");
    expect(bench.ask("AT")).toBe("\r\nOK\r\n");
    expect(bench.ask("ATE1")).toBe("\r\nOK\r\n");
    expect(bench.ask("at")).toBe("at\r\n\r\nOK\r\n");
  });

  test("handles after ready what came during the boot", () => {
    const bench = new Bench(1, {}, name);
    bench.module.powerOn();
    bench.wait(200);
    bench.write("AT\r\n");
    expect(bench.wait(300)).toMatch(/\r\nready\r\nAT\r\n\r\nOK\r\n$/);
  });

  test("answers a command after 1 to 2 ms", () => {
    const bench = Bench.ready(1, {}, name);
    bench.write("AT\r\n");
    // 4 bytes and 10 symbols of silence come first; the first byte of the reply takes one more.
    const before = (15 * 10_000) / 115_200;
    expect(bench.wait(before + 0.99)).toBe("");
    expect(bench.wait(1.1)).not.toBe("");
  });

  test("puts a line together from chunks, and echoes each chunk", () => {
    const bench = Bench.ready(1, {}, name);
    bench.ask("ATE1");
    bench.write("A");
    expect(bench.wait(5)).toBe("A");
    bench.write("T\r");
    expect(bench.wait(5)).toBe("T\r");
    bench.write("\n");
    expect(bench.wait(5)).toBe("\n\r\nOK\r\n");
  });

  test("answers an unknown command, an empty line and noise before AT with ERROR", () => {
    const bench = Bench.ready(1, {}, name);
    for (const line of ["AT+NOPE", "", " AT", "xAT", "AT ", "AT+GMR ", "AT+CIPMUX? ", "AT+CIPMUX=?x", "AT+GMR?"]) {
      expect([line, bench.ask(line)]).toEqual([line, "\r\nERROR\r\n"]);
    }
  });

  test("goes on in idle after a line that was no command, so the next one in the chunk runs", () => {
    const bench = Bench.ready(1, {}, name);
    expect(bench.ask("\r\nAT")).toBe("\r\nERROR\r\n\r\nOK\r\n");
  });

  test("takes a lone LF as part of the line", () => {
    const bench = Bench.ready(1, {}, name);
    expect(bench.ask("AT\n")).toBe("\r\nERROR\r\n");
  });

  test("is busy for what follows a command in its chunk, before the command's OK", () => {
    const bench = Bench.ready(1, {}, name);
    expect(bench.ask("AT\r\nATE1")).toBe("\r\nbusy p...\r\n\r\nOK\r\n");
    expect(bench.ask("AT\r\n")).toBe("\r\nbusy p...\r\n\r\nOK\r\n");
  });

  test("says busy once a chunk, not once a line, without an echo", () => {
    const bench = Bench.ready(1, {}, name);
    bench.ask("AT+CWMODE=1");
    bench.ask("ATE1");
    bench.ask('AT+CWJAP="moth","12345678"', 20);
    expect(bench.ask("AT\r\nAT\r\nAT", 20)).toBe("\r\nbusy p...\r\n");
    bench.write("A");
    bench.wait(3);
    bench.write("T");
    expect(bench.wait(20)).toBe("\r\nbusy p...\r\n");
    expect(bench.take()).toBe("");
  });

  test("restarts on a literal AT+RST even while it is busy", () => {
    const bench = Bench.ready(1, {}, name);
    bench.ask("AT+CWMODE=1");
    bench.ask('AT+CWJAP="moth","12345678"', 20);
    const heard = bench.ask("AT+RST", 600);
    expect(heard.startsWith("\r\nWill force to restart!!!\r\n\r\nOK\r\n")).toBe(true);
    expect(heard).toMatch(/\r\nready\r\n$/);
    expect(bench.ask("AT")).toBe("AT\r\n\r\nOK\r\n");
  });

  test("does not take AT+RST in small letters while it is busy", () => {
    const bench = Bench.ready(1, {}, name);
    bench.ask("AT+CWMODE=1");
    bench.ask('AT+CWJAP="moth","12345678"', 20);
    expect(bench.ask("at+rst", 100)).toBe("\r\nbusy p...\r\n");
  });

  test("drops a partial line of 256 bytes without a word, and keeps a last CR", () => {
    const bench = Bench.ready(1, {}, name);
    bench.write("A".repeat(300));
    expect(bench.wait(60)).toBe("");
    expect(bench.ask("AT")).toBe("\r\nOK\r\n");
    bench.write("A".repeat(255));
    bench.wait(60);
    expect(bench.ask("AT")).toBe("\r\nERROR\r\n");
    bench.write(`${"A".repeat(299)}\r`);
    bench.wait(60);
    bench.write("\n");
    expect(bench.wait(60)).toBe("\r\nERROR\r\n");
  });

  test("takes a line of 256 bytes and refuses one of 257", () => {
    const bench = Bench.ready(1, {}, name);
    const line = (length: number): string => `AT+CIPDOMAIN="${"h".repeat(length - 2 - 15)}"`;
    expect(line(256)).toHaveLength(254);
    bench.ask("AT+SYSLOG=1");
    // The name is longer than 64 bytes: the command runs, and its parameter is refused.
    expect(bench.ask(line(256))).toBe("\r\nERROR\r\n");
    expect(bench.ask(line(257))).toBe("ERR CODE:0x01030000\r\n\r\nERROR\r\n");
  });

  test("drops a partial line when a NUL ends the chunk", () => {
    const bench = Bench.ready(1, {}, name);
    bench.write("AT+NOPE\0");
    expect(bench.wait(10)).toBe("");
    expect(bench.ask("AT")).toBe("\r\nOK\r\n");
  });

  test("drops up to a NUL within the chunk and goes on behind it", () => {
    const bench = Bench.ready(1, {}, name);
    expect(bench.ask("rubbish\0AT")).toBe("\r\nOK\r\n");
    bench.ask("ATE1");
    expect(bench.ask("rubbish\0AT")).toBe("rubbishAT\r\n\r\nOK\r\n");
  });

  test("shows error codes with AT+SYSLOG=1", () => {
    const bench = Bench.ready(1, {}, name);
    expect(bench.ask("AT+SYSLOG=1")).toBe("\r\nOK\r\n");
    expect(bench.ask("AT+NOPE")).toBe("ERR CODE:0x01090000\r\n\r\nERROR\r\n");
    expect(bench.ask("hello")).toBe("ERR CODE:0x01030000\r\n\r\nERROR\r\n");
    expect(bench.ask("AT\r\nAT")).toBe("ERR CODE:0x010b0000\r\n\r\nbusy p...\r\n\r\nOK\r\n");
  });

  test("handles a command once the first byte of the result before it has come", () => {
    const bench = Bench.ready(1, {}, name);
    bench.write("AT\r\n");
    while (bench.heard === "") {
      bench.clock.runFor(0.1);
      bench.heard = bench.take();
    }
    bench.write("AT\r\n");
    expect(bench.wait(30)).toContain("OK\r\n\r\nOK\r\n");
  });
});

describe.each(["esp-at-2.2", "esp-at-5"] as const)("a payload for %s", (name) => {
  function opened(): Bench {
    const bench = Bench.joined({ multiple: true, name });
    expect(bench.ask('AT+CIPSTART=0,"TCP","peer",7')).toBe("0,CONNECT\r\n\r\nOK\r\n");
    return bench;
  }

  test("is prompted for, counted and confirmed", () => {
    const bench = opened();
    expect(bench.ask("AT+CIPSEND=0,5")).toBe("\r\nOK\r\n\r\n>");
    bench.write("hello");
    expect(bench.wait(60)).toBe("\r\nRecv 5 bytes\r\n\r\nSEND OK\r\n");
    expect(bench.peer.text).toBe("hello");
  });

  test("takes 4 to 8 ms to be prompted for, 4 to be counted, and 4 to 8 more to be confirmed", () => {
    const times: number[] = [];
    const bench = new Bench(3, {
      toHost: (bytes) => {
        // ESP-AT 2 writes the prompt in two pieces: the first tells.
        if (!Buffer.from(bytes).equals(Buffer.from("\r\n>"))) {
          times.push(bench.clock.now);
        }
      },
    }, name);
    bench.module.powerOn();
    bench.wait(500);
    bench.ask("ATE0");
    bench.ask("AT+CWMODE=1");
    bench.ask('AT+CWJAP="moth","12345678"', 5_000);
    bench.ask('AT+CIPSTART="TCP","peer",7');
    times.length = 0;
    const asked = bench.clock.now + (26 * 10_000) / 115_200;
    bench.ask("AT+CIPSEND=2");
    const given = bench.clock.now + (12 * 10_000) / 115_200;
    bench.write("hi");
    bench.wait(60);
    const [prompt = 0, received = 0, sent = 0] = times;
    expect(prompt - asked).toBeGreaterThan(4);
    expect(prompt - asked).toBeLessThan(8);
    expect(received - given).toBeGreaterThan(3.4);
    expect(received - given).toBeLessThan(4.6);
    expect(sent - received).toBeGreaterThan(4);
    expect(sent - received).toBeLessThan(8);
  });

  test("may hold any byte, and is not echoed", () => {
    const bench = opened();
    bench.ask("ATE1");
    bench.ask("AT+CIPSEND=0,6");
    bench.write("\0AT\r\n\xff");
    expect(bench.wait(60)).toBe("\r\nRecv 6 bytes\r\n\r\nSEND OK\r\n");
    expect(bench.peer.text).toBe("\0AT\r\n\xff");
  });

  test("is collected from as many chunks as it comes in", () => {
    const bench = opened();
    bench.ask("AT+CIPSEND=0,6");
    bench.write("abc");
    expect(bench.wait(5000)).toBe("");
    bench.write("def");
    expect(bench.wait(60)).toContain("SEND OK");
    expect(bench.peer.text).toBe("abcdef");
  });

  test("is sent to its declared length; the surplus is lost with busy p...", () => {
    const bench = opened();
    bench.ask("AT+CIPSEND=0,3");
    bench.write("abcdef");
    expect(bench.wait(60)).toBe("\r\nbusy p...\r\n\r\nRecv 3 bytes\r\n\r\nSEND OK\r\n");
    expect(bench.peer.text).toBe("abc");
  });

  test("is cancelled by a chunk of exactly +++", () => {
    const bench = opened();
    bench.ask("AT+CIPSEND=0,10");
    bench.write("abc");
    bench.wait(10);
    bench.write("+++");
    expect(bench.wait(60)).toBe("\r\nSEND Canceled\r\n");
    expect(bench.ask("AT")).toBe("\r\nOK\r\n");
    expect(bench.peer.text).toBe("");
  });

  test("is not cancelled by +++ among other bytes", () => {
    const bench = opened();
    bench.ask("AT+CIPSEND=0,4");
    bench.write("+++x");
    expect(bench.wait(60)).toContain("SEND OK");
    expect(bench.peer.text).toBe("+++x");
  });

  test("of 103 bytes is cancelled when the FIFO splits off a last +++", () => {
    const bench = opened();
    bench.ask("AT+CIPSEND=0,103");
    bench.write(`${"x".repeat(100)}+++`);
    expect(bench.wait(60)).toBe("\r\nSEND Canceled\r\n");
  });

  test("silently swallows what the host says between its last byte and SEND OK", () => {
    const bench = opened();
    bench.ask("AT+CIPSEND=0,1");
    bench.write("x");
    bench.wait(2);
    bench.write("AT\r\n");
    expect(bench.wait(60)).toBe("\r\nRecv 1 bytes\r\n\r\nSEND OK\r\n");
  });

  test("behind its own command in one chunk is refused: the prompt has not been printed", () => {
    const bench = opened();
    expect(bench.ask("AT+CIPSEND=0,5\r\nhello")).toBe("\r\nbusy p...\r\n\r\nOK\r\n\r\n>");
  });

  test("for a link that died after the prompt is counted, and fails", () => {
    const bench = opened();
    bench.ask("AT+CIPSEND=0,5");
    bench.peer.socket.destroy();
    expect(bench.wait(20)).toBe("0,CLOSED\r\n");
    bench.write("hello");
    expect(bench.wait(60)).toBe("\r\nRecv 5 bytes\r\n\r\nSEND FAIL\r\n");
    expect(bench.ask("AT")).toBe("\r\nOK\r\n");
  });

  test("waits for SEND OK while the peer does not take bytes, and nothing is printed meanwhile", () => {
    const bench = opened();
    bench.ask('AT+CIPSTART=1,"TCP","peer",7');
    const other = bench.peers[0];
    bench.peers[1]?.socket.pause();
    const send = (count: number): string => {
      bench.ask(`AT+CIPSEND=1,${count}`);
      // The host's transmit ring is smaller than the payload: it writes as the ring drains.
      for (let left = count; left > 0; ) {
        left -= bench.line.host.write(new Uint8Array(left));
        bench.clock.runFor(50);
      }
      return bench.wait(2_000);
    };
    let said = send(1500);
    for (let sends = 1; sends < PERSONALITIES[name].limits.sendBuffer / 1500 - 1; sends += 1) {
      expect(said).toBe("\r\nRecv 1500 bytes\r\n\r\nSEND OK\r\n");
      said = send(1500);
    }
    expect(said).toContain("SEND OK");
    expect(send(1500)).toBe("\r\nRecv 1500 bytes\r\n");
    other?.socket.write(Buffer.from("news"));
    expect(bench.wait(1000)).toBe("");
    bench.peers[1]?.socket.resume();
    expect(bench.wait(60)).toBe("\r\n+IPD,0,4:news\r\n\r\nSEND OK\r\n");
  });
});
