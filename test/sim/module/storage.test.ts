import { describe, expect, test } from "vitest";
import { packItems } from "../../../sim/module/certificate-store";
import { paperAuthority } from "../../../sim/network/paper-certificates";
import { Bench } from "./bench";

const OK = "\r\nOK\r\n";
const ERROR = "\r\nERROR\r\n";

/** Writes a command, waits for the prompt, and sends bytes in pieces. */
function send(bench: Bench, command: string, bytes: Uint8Array, piece = bytes.length): string {
  const prompt = bench.ask(command);
  expect(prompt).toMatch(/^\r\nOK\r\n\r\n>$/);
  for (let at = 0; at < bytes.length; at += piece) {
    bench.write(Buffer.from(bytes.subarray(at, at + piece)).toString("latin1"));
    bench.clock.runFor(piece);
  }
  return bench.wait(100);
}

describe("certificates in partitions, with esp-at-2.2", () => {
  function ready(): Bench {
    return Bench.ready(1, {}, "esp-at-2.2");
  }

  test("are listed with where they lie", () => {
    expect(ready().ask("AT+SYSFLASH?")).toBe(
      '+SYSFLASH:"client_ca",64,7,0xfc000,0x2000\r\n+SYSFLASH:"client_cert",64,5,0xf8000,0x2000\r\n' +
      `+SYSFLASH:"client_key",64,6,0xfa000,0x2000\r\n${OK}`);
  });

  test("are erased, written after a prompt, and read back", () => {
    const bench = ready();
    const image = packItems("client_ca", [paperAuthority("right")]);
    expect(bench.ask('AT+SYSFLASH=0,"client_ca",0,4096')).toBe(OK);
    expect(send(bench, `AT+SYSFLASH=1,"client_ca",0,${image.length}`, image, 7)).toBe(OK);
    const read = bench.ask(`AT+SYSFLASH=2,"client_ca",0,${image.length}`, 100);
    expect(read).toBe(`+SYSFLASH:${image.length},${Buffer.from(image).toString("latin1")}${OK}`);
    expect(bench.ask("AT+CIPSSLCCONF=2,0,0")).toBe(OK);
    expect(bench.ask("AT+CIPSSLCCONF=2,0,1")).toBe(`NO CA FOUND\r\n${OK}`);
  });

  test("come out mixed when they are written over others, and survive AT+RESTORE and a loss of power", () => {
    const bench = ready();
    send(bench, 'AT+SYSFLASH=1,"client_key",4,4', Buffer.from([0xf0, 0xff, 0x0f, 0xaa]));
    send(bench, 'AT+SYSFLASH=1,"client_key",4,4', Buffer.from([0x3c, 0x12, 0xff, 0x55]));
    bench.ask("AT+RESTORE", 600);
    bench.module.powerOff();
    bench.module.powerOn();
    bench.wait(600);
    bench.ask("ATE0");
    expect(bench.ask('AT+SYSFLASH=2,"client_key",4,5')).toBe(`+SYSFLASH:5,\x30\x12\x0f\0\xff${OK}`);
    expect(bench.ask('AT+SYSFLASH=0,"client_key"')).toBe(OK);
    expect(bench.ask('AT+SYSFLASH=2,"client_key",4,1')).toBe(`+SYSFLASH:1,\xff${OK}`);
  });

  test("count only where they belong", () => {
    const bench = ready();
    const image = packItems("client_cert", [paperAuthority("right")]);
    send(bench, `AT+SYSFLASH=1,"client_ca",0,${image.length}`, image);
    expect(bench.ask("AT+CIPSSLCCONF=2,0,0")).toBe(`NO CA FOUND\r\n${OK}`);
  });

  test("that are no image of PKI items count as none", () => {
    const bench = ready();
    send(bench, 'AT+SYSFLASH=1,"client_ca",0,12', Buffer.from("-----BEGIN C"));
    expect(bench.ask("AT+CIPSSLCCONF=2,0,0")).toBe(`NO CA FOUND\r\n${OK}`);
  });

  test("cannot be reached with wrong names, ranges or alignments", () => {
    const bench = ready();
    for (const bad of ['0,"other"', '3,"client_ca",0,4', '0,"client_ca",1,4096', '0,"client_ca",0,100', "0",
      '1,"client_ca",0,0', '1,"client_ca",0,8196', '1,"client_ca",2,4', '1,"client_ca",0,5', '1,"client_ca",0',
      '2,"client_ca",8192,1', '2,"client_ca",8000,193', "2,client_ca,0,1"]) {
      expect([bad, bench.ask(`AT+SYSFLASH=${bad}`)]).toEqual([bad, ERROR]);
    }
  });

  test("may hold bytes that look like the end of a send", () => {
    const bench = ready();
    expect(bench.ask('AT+SYSFLASH=1,"client_ca",0,8')).toContain(">");
    bench.write("+++");
    expect(bench.wait(50)).toBe("");
    bench.write("-----x");
    expect(bench.wait(50)).toBe(OK);
    expect(bench.ask('AT+SYSFLASH=2,"client_ca",0,8')).toBe(`+SYSFLASH:8,+++-----${OK}`);
  });
});

describe("certificates in the manufacturing NVS, with esp-at-5", () => {
  test("are written after a prompt as pairs of key and value, read, listed and erased", () => {
    const bench = Bench.ready();
    const authority = paperAuthority("right");
    expect(bench.ask("AT+SYSMFG?")).toBe(`+SYSMFG:"client_ca"\r\n+SYSMFG:"client_cert"\r\n+SYSMFG:"client_key"\r\n${OK}`);
    expect(bench.ask("AT+SYSMFG=1")).toBe(bench.ask("AT+SYSMFG?"));
    expect(send(bench, `AT+SYSMFG=2,"client_ca","client_ca.0",8,${authority.length}`, authority, 20)).toBe(OK);
    expect(bench.ask('AT+SYSMFG=1,"client_ca"')).toBe(`+SYSMFG:"client_ca","client_ca.0",8\r\n${OK}`);
    const text = Buffer.from(authority).toString("latin1");
    expect(bench.ask('AT+SYSMFG=1,"client_ca","client_ca.0"', 100)).toBe(
      `+SYSMFG:"client_ca","client_ca.0",8,${text.length},${text}\r\n${OK}`);
    expect(bench.ask('AT+SYSMFG=1,"client_ca","client_ca.0",5,5')).toBe(
      `+SYSMFG:"client_ca","client_ca.0",8,5,BEGIN\r\n${OK}`);
    expect(bench.ask("AT+CIPSSLCCONF=2,0,0")).toBe(OK);
    expect(bench.ask('AT+SYSMFG=0,"client_ca","client_ca.0"')).toBe(OK);
    expect(bench.ask("AT+CIPSSLCCONF=2,0,0")).toBe(`NO CA FOUND\r\n${OK}`);
    send(bench, 'AT+SYSMFG=2,"client_key","client_key.1",7,3', Buffer.from("abc"));
    expect(bench.ask('AT+SYSMFG=0,"client_key"')).toBe(OK);
    expect(bench.ask('AT+SYSMFG=1,"client_key"')).toBe(OK);
  });

  test("may be numbers, within their range", () => {
    const bench = Bench.ready();
    expect(bench.ask('AT+SYSMFG=2,"client_key","n",2,-128')).toBe(OK);
    expect(bench.ask('AT+SYSMFG=1,"client_key","n"')).toBe(`+SYSMFG:"client_key","n",2,4,-128\r\n${OK}`);
    expect(bench.ask('AT+SYSMFG=2,"client_key","n",2,-129')).toBe(ERROR);
    expect(bench.ask('AT+SYSMFG=2,"client_key","n",9,1')).toBe(ERROR);
  });

  test("cannot be reached with wrong names and ranges", () => {
    const bench = Bench.ready();
    for (const bad of ['1,"other"', '0,"client_ca","client_ca.0"', '1,"client_ca","client_ca.0"', "0", "2",
      '2,"client_ca","client_ca.0",8,0', '2,"client_ca"', '2,"client_ca","client_ca.0",8', "3"]) {
      expect([bad, bench.ask(`AT+SYSMFG=${bad}`)]).toEqual([bad, ERROR]);
    }
    expect(bench.ask("AT+SYSFLASH?")).toBe(ERROR);
  });
});

describe("the clock", () => {
  test.each(["esp-at-2.2", "esp-at-5"] as const)("begins in 1970, and is set by AT+SYSTIMESTAMP, with %s", (name) => {
    const bench = Bench.ready(1, {}, name);
    expect(bench.ask("AT+SYSTIMESTAMP?")).toMatch(/^\+SYSTIMESTAMP:\d\r\n/);
    expect(bench.ask("AT+SYSTIMESTAMP=1565853509")).toBe(OK);
    bench.wait(10_000);
    expect(bench.ask("AT+SYSTIMESTAMP?")).toBe(`+SYSTIMESTAMP:1565853519\r\n${OK}`);
    for (const bad of ["", "x", "-1", "1,2", '"1"']) {
      expect(bench.ask(`AT+SYSTIMESTAMP=${bad}`)).toBe(ERROR);
    }
  });

  test("goes on over a reset of an ESP32-C3, and begins anew after a loss of power and on an ESP8266", () => {
    function afterRestart(name: "esp-at-2.2" | "esp-at-5", power: boolean): string {
      const bench = Bench.ready(1, {}, name);
      bench.ask("AT+SYSTIMESTAMP=1565853509");
      if (power) {
        bench.module.powerOff();
        bench.module.powerOn();
        bench.wait(600);
      } else {
        bench.ask("AT+RST", 600);
      }
      bench.ask("ATE0");
      return bench.ask("AT+SYSTIMESTAMP?");
    }
    expect(afterRestart("esp-at-5", false)).toContain(":15658535");
    expect(afterRestart("esp-at-5", true)).toMatch(/:\d\r/);
    expect(afterRestart("esp-at-2.2", false)).toMatch(/:\d\r/);
  });
});
