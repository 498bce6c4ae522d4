import { describe, expect, test } from "vitest";
import type { PersonalityName } from "../../../sim/module/personalities";
import { paperAuthority, paperIdentity, type PaperServer } from "../../../sim/network/paper-certificates";
import { Bench } from "./bench";

const OK = "\r\nOK\r\n";
const ERROR = "\r\nERROR\r\n";
/** Longer than any handshake. */
const HANDSHAKE_MS = 4_500;
const NAMES: readonly PersonalityName[] = ["nonos-1.7", "esp-at-2.2", "esp-at-5"];
const ESP_AT: readonly PersonalityName[] = ["esp-at-2.2", "esp-at-5"];
const SERVER: PaperServer = { authority: "right", names: ["broker"] };

/** In the network, with the authority "right" in flash, the time set and error codes shown where that can be. */
function ready(name: PersonalityName, server: PaperServer = SERVER, port = 8883): Bench {
  const bench = Bench.joined({ name });
  bench.module.burn("client_ca", paperAuthority("right"));
  bench.serve("broker", port, server);
  if (name !== "nonos-1.7") {
    bench.ask(`AT+SYSTIMESTAMP=${Math.floor(bench.network.time / 1000)}`);
    bench.ask("AT+SYSLOG=1");
  }
  return bench;
}

function start(bench: Bench, host = "broker", kind = "SSL"): string {
  return bench.ask(`AT+CIPSTART="${kind}","${host}",8883`, HANDSHAKE_MS);
}

describe("a link with TLS", () => {
  test.each(NAMES)("opens with anybody when nothing is to be verified, and carries data, with %s", (name) => {
    const bench = ready(name, { ...SERVER, authority: "wrong", until: 0 });
    expect(start(bench)).toBe(`CONNECT\r\n${OK}`);
    bench.ask("AT+CIPSEND=2");
    bench.write("hi");
    expect(bench.wait(100)).toContain("SEND OK");
    expect(bench.peer.text).toBe("hi");
    bench.peer.socket.write(Buffer.from("yo"));
    expect(bench.wait(50)).toContain("+IPD,2:yo");
    expect(bench.ask("AT+CIPSTATUS")).toContain('+CIPSTATUS:0,"SSL","10.0.0.2",8883,');
    expect(bench.ask("AT+CIPCLOSE")).toBe(`CLOSED\r\n${OK}`);
  });

  test("takes the time that the chip needs for the handshake", () => {
    const bench = ready("esp-at-5");
    expect(bench.ask('AT+CIPSTART="SSL","broker",8883', 450)).toBe("");
    expect(bench.wait(1_000)).toBe(`CONNECT\r\n${OK}`);
  });

  test("is announced as what it is with AT+SYSMSG=2", () => {
    const bench = ready("esp-at-5");
    bench.ask("AT+SYSMSG=2");
    expect(start(bench)).toBe(`+LINK_CONN:0,0,"SSL",0,"10.0.0.2",8883,49152\r\n${OK}`);
    expect(bench.ask("AT+CIPSTATE?")).toBe(`+CIPSTATE:0,"SSL","10.0.0.2",8883,49152,0\r\n${OK}`);
  });

  test("fails at a server without TLS, and a link without it is closed by one with", () => {
    const bench = ready("esp-at-5");
    bench.serve("plain", 8883);
    expect(bench.ask('AT+CIPSTART="SSL","plain",8883', 20)).toBe("");
    bench.peer.socket.end();
    expect(bench.wait(20)).toBe(`+ERRNO:0x7780\r\n${ERROR}`);
    expect(start(bench, "broker", "TCP")).toBe(`CONNECT\r\n${OK}`);
    bench.ask("AT+CIPSEND=2");
    bench.write("hi");
    expect(bench.wait(100)).toContain("CLOSED\r\n");
  });

  test("that the peer closes during the handshake fails", () => {
    const bench = ready("esp-at-5");
    bench.ask('AT+CIPSTART="SSL","broker",8883', 100);
    bench.peer.socket.end();
    expect(bench.wait(2_000)).toBe(ERROR);
    expect(start(bench)).toBe(`CONNECT\r\n${OK}`);
  });

  test("is given up after the time that the command allows", () => {
    const bench = ready("esp-at-5");
    bench.network.silence("broker");
    expect(bench.ask('AT+CIPSTART="SSL","broker",8883,,,3000', 2_950)).toBe("");
    expect(bench.wait(100)).toBe(ERROR);
  });

  test.each(["nonos-1.7", "esp-at-2.2"] as const)("is the only one that an ESP8266 has memory for, with %s", (name) => {
    const bench = ready(name);
    bench.ask("AT+CIPMUX=1");
    expect(bench.ask('AT+CIPSTART=0,"SSL","broker",8883', HANDSHAKE_MS)).toBe(`0,CONNECT\r\n${OK}`);
    expect(bench.ask('AT+CIPSTART=1,"SSL","broker",8883', HANDSHAKE_MS)).toContain("ERROR");
    expect(bench.ask('AT+CIPSTART=1,"TCP","peer",7')).toBe(`1,CONNECT\r\n${OK}`);
    bench.ask("AT+CIPCLOSE=0");
    expect(bench.ask('AT+CIPSTART=0,"SSL","broker",8883', HANDSHAKE_MS)).toBe(`0,CONNECT\r\n${OK}`);
  });

  test("can be one of five on an ESP32-C3", () => {
    const bench = ready("esp-at-5");
    bench.ask("AT+CIPMUX=1");
    for (let id = 0; id < 5; id += 1) {
      expect(bench.ask(`AT+CIPSTART=${id},"SSL","broker",8883`, HANDSHAKE_MS)).toBe(`${id},CONNECT\r\n${OK}`);
    }
  });
});

describe("data on a link with TLS", () => {
  test.each(ESP_AT)("waits to be read in passive mode, with %s", (name) => {
    const bench = ready(name);
    bench.ask("AT+CIPRECVMODE=1");
    start(bench);
    bench.peer.socket.write(Buffer.from("hello"));
    expect(bench.wait(20)).toBe("\r\n+IPD,5\r\n");
    expect(bench.ask("AT+CIPRECVDATA=10")).toBe(`+CIPRECVDATA:5,hello${OK}`);
  });

  test("is pushed even in passive mode by nonos-1.7", () => {
    const bench = ready("nonos-1.7");
    bench.ask("AT+CIPRECVMODE=1");
    start(bench);
    bench.peer.socket.write(Buffer.from("hello"));
    expect(bench.wait(20)).toBe("\r\n+IPD,5:hello");
    expect(bench.ask("AT+CIPRECVDATA=10")).toContain("ERROR");
  });
});

describe("verification of the server, with AT+CIPSSLCCONF=2", () => {
  /** Asked to verify, with what else is set first. */
  function verify(name: PersonalityName, server: PaperServer, ...commands: readonly string[]): string {
    const bench = ready(name, server);
    bench.ask(name === "nonos-1.7" ? "AT+CIPSSLCCONF=2" : "AT+CIPSSLCCONF=2,0,0");
    commands.forEach((command) => expect([command, bench.ask(command)]).toEqual([command, OK]));
    return start(bench);
  }

  test.each(NAMES)("accepts one of the authority in flash, with %s", (name) => {
    expect(verify(name, SERVER)).toBe(`CONNECT\r\n${OK}`);
  });

  test.each(NAMES)("refuses one of another authority, with %s", (name) => {
    expect(verify(name, { ...SERVER, authority: "wrong" })).toContain("\r\nERROR\r\n");
  });

  test("tells what is wrong as mbedTLS numbers it, with AT+SYSLOG=1", () => {
    const day = 86_400_000;
    const now = new Bench().network.time;
    for (const [server, errno] of [
      [{ ...SERVER, authority: "wrong" }, "0x8"],
      [{ ...SERVER, names: ["other"] }, "0x4"],
      [{ ...SERVER, until: now - day }, "0x1"],
      [{ ...SERVER, from: now + day }, "0x200"],
      [{ ...SERVER, authority: "wrong", names: ["other"], until: now - day }, "0xd"],
    ] as const) {
      expect(verify("esp-at-5", server)).toBe(`+ERRNO:${errno}\r\n${ERROR}`);
    }
    expect(verify("esp-at-5", { ...SERVER, authority: "wrong" }, "AT+SYSLOG=0")).toBe(ERROR);
  });

  test("wants the name of the host, unless AT+CIPSSLCCN or first AT+CIPSSLCSNI says another, with esp-at-5", () => {
    const other = { ...SERVER, names: ["other"] };
    expect(verify("esp-at-5", other, 'AT+CIPSSLCCN="other"')).toBe(`CONNECT\r\n${OK}`);
    expect(verify("esp-at-5", other, 'AT+CIPSSLCSNI="other"')).toBe(`CONNECT\r\n${OK}`);
    expect(verify("esp-at-5", other, 'AT+CIPSSLCCN="other"', 'AT+CIPSSLCSNI="third"')).toContain("ERROR");
    expect(verify("esp-at-5", SERVER, 'AT+CIPSSLCCN="other"')).toContain("ERROR");
  });

  test("wants no name of a host that is an address, with esp-at-5", () => {
    const bench = ready("esp-at-5", { ...SERVER, names: [] });
    bench.ask("AT+CIPSSLCCONF=2,0,0");
    expect(start(bench, "10.0.0.2")).toBe(`CONNECT\r\n${OK}`);
  });

  test("wants a name only if it was told one, with esp-at-2.2", () => {
    const other = { ...SERVER, names: ["other"] };
    expect(verify("esp-at-2.2", other)).toBe(`CONNECT\r\n${OK}`);
    expect(verify("esp-at-2.2", other, 'AT+CIPSSLCCN="other"')).toBe(`CONNECT\r\n${OK}`);
    expect(verify("esp-at-2.2", other, 'AT+CIPSSLCCN="broker"')).toContain("ERROR");
    expect(verify("esp-at-2.2", other, 'AT+CIPSSLCSNI="broker"')).toContain("ERROR");
  });

  test("looks at the time by the module's own clock, which knows nothing until it is set", () => {
    const from = Date.UTC(2026, 0, 1);
    expect(verify("esp-at-5", { ...SERVER, from })).toBe(`CONNECT\r\n${OK}`);
    expect(verify("esp-at-5", { ...SERVER, from }, "AT+SYSTIMESTAMP=60")).toBe(`+ERRNO:0x200\r\n${ERROR}`);
    expect(verify("esp-at-2.2", { ...SERVER, from }, "AT+SYSTIMESTAMP=60")).toBe(`CONNECT\r\n${OK}`);
  });

  test.each(ESP_AT)("says at once that there is no authority, and then fails to connect, with %s", (name) => {
    const bench = ready(name);
    expect(bench.ask("AT+CIPSSLCCONF=2,0,1")).toBe(`NO CA FOUND\r\n${OK}`);
    expect(start(bench)).toContain("ERROR");
    expect(bench.peers).toEqual([]);
    expect(bench.ask("AT+CIPSSLCCONF=3,0,0")).toBe(`NO CERT FOUND\r\n${OK}`);
  });
});

describe("a client certificate, with AT+CIPSSLCCONF=1 or 3", () => {
  const strict: PaperServer = { ...SERVER, clients: "ours" };

  function ask(name: PersonalityName, authority: string, mode: number): string {
    const bench = ready(name, strict);
    const { certificate, key } = paperIdentity("board", authority);
    bench.module.burn("client_cert", certificate);
    expect(bench.ask(`AT+CIPSSLCCONF=${mode}`)).toBe(name !== "nonos-1.7" ? `NO PRVT_KEY FOUND\r\n${OK}` : OK);
    bench.module.burn("client_key", key);
    expect(bench.ask(`AT+CIPSSLCCONF=${mode}`)).toBe(OK);
    return start(bench);
  }

  test.each(NAMES)("lets the client in where it is wanted, with %s", (name) => {
    expect(ask(name, "ours", 1)).toBe(`CONNECT\r\n${OK}`);
    expect(ask(name, "ours", 3)).toBe(`CONNECT\r\n${OK}`);
    expect(ask(name, "theirs", 1)).toContain("\r\nERROR\r\n");
  });

  test.each(NAMES)("is what a client without it is turned away for, with %s", (name) => {
    expect(start(ready(name, strict))).toContain("\r\nERROR\r\n");
  });

  test("can be one of several", () => {
    const bench = ready("esp-at-5", strict);
    const [first, second] = [paperIdentity("a", "theirs"), paperIdentity("b", "ours")];
    bench.module.burn("client_cert", first.certificate, second.certificate);
    bench.module.burn("client_key", first.key, second.key);
    expect(bench.ask("AT+CIPSSLCCONF=1,0")).toBe(OK);
    expect(start(bench)).toBe(`+ERRNO:0x7780\r\n${ERROR}`);
    expect(bench.ask("AT+CIPSSLCCONF=1,1")).toBe(OK);
    expect(start(bench)).toBe(`CONNECT\r\n${OK}`);
  });
});

describe("the commands about TLS", () => {
  test.each(ESP_AT)("set something of one link or of all, and tell it, with %s", (name) => {
    const bench = Bench.joined({ name, multiple: true });
    for (const [set, query, answer] of [
      ["CIPSSLCCONF=1,2,3,4", "CIPSSLCCONF?", "+CIPSSLCCONF:1,2,3,4"],
      ["CIPSSLCCONF=5,0", "CIPSSLCCONF?", "+CIPSSLCCONF:4,0,0,0"],
      ['CIPSSLCCN=2,"a"', "CIPSSLCCN?", '+CIPSSLCCN:2,"a"'],
      ['CIPSSLCCN=5,"b"', "CIPSSLCCN?", '+CIPSSLCCN:4,"b"'],
      ['CIPSSLCSNI=0,"c"', "CIPSSLCSNI?", '+CIPSSLCSNI:0,"c"'],
      ['CIPSSLCALPN=3,2,"mqtt","x"', "CIPSSLCALPN?", '+CIPSSLCALPN:3,"mqtt","x"'],
      ["CIPSSLCALPN=3,0", "CIPSSLCALPN?", "+CIPSSLCALPN:3\r\n"],
    ] as const) {
      expect([set, bench.ask(`AT+${set}`)]).toEqual([set, expect.stringMatching(/^(NO .*\r\n)*\r\nOK\r\n$/)]);
      expect(bench.ask(`AT+${query}`)).toContain(answer);
    }
  });

  test.each(ESP_AT)("refuse what is wrong, with %s", (name) => {
    const bench = Bench.joined({ name });
    for (const bad of ["CIPSSLCCONF=4", "CIPSSLCCONF=", "CIPSSLCCONF=2,0,0,0", "CIPSSLCCN=x", 'CIPSSLCSNI="a","b"',
      'CIPSSLCALPN=2,"a"', 'CIPSSLCALPN=6,"a","b","c","d","e","f"', "CIPSSLSIZE=4096"]) {
      expect([bad, bench.ask(`AT+${bad}`)]).toEqual([bad, ERROR]);
    }
  });

  test("choose cipher suites from those that there are, with esp-at-5", () => {
    const bench = Bench.joined();
    expect(bench.ask("AT+CIPSSLCCIPHER?")).toContain("0xc02b\r\n");
    expect(bench.ask("AT+CIPSSLCCIPHER=2,0xC023,0xC0AD")).toBe(OK);
    expect(bench.ask("AT+CIPSSLCCIPHER=0")).toBe(OK);
    expect(bench.ask("AT+CIPSSLCCIPHER=1,0x1234")).toBe(ERROR);
    expect(bench.ask("AT+CIPSSLCCIPHER=2,0xC023")).toBe(ERROR);
  });

  test("of nonos-1.7 know one configuration and the size of a buffer", () => {
    const bench = Bench.joined({ name: "nonos-1.7" });
    expect(bench.ask("AT+CIPSSLCCONF=2")).toBe(OK);
    expect(bench.ask("AT+CIPSSLCCONF?")).toBe(`+CIPSSLCCONF:2\r\n${OK}`);
    expect(bench.ask("AT+CIPSSLSIZE=4096")).toBe(OK);
    for (const bad of ["CIPSSLCCONF=2,0,0", "CIPSSLSIZE=2047", "CIPSSLSIZE=4097", 'CIPSSLCCN="a"', 'CIPSSLCSNI="a"']) {
      expect([bad, bench.ask(`AT+${bad}`)]).toEqual([bad, expect.stringContaining(ERROR)]);
    }
  });

  test("keep AT+CIPSSLCCONF in flash, until AT+RESTORE, and names in RAM", () => {
    const bench = ready("esp-at-5");
    bench.ask("AT+CIPSSLCCONF=2,0,0");
    bench.ask('AT+CIPSSLCCN="x"');
    bench.ask("AT+RST", 5_000);
    expect(bench.ask("AT+CIPSSLCCONF?")).toContain("+CIPSSLCCONF:0,2,0,0\r\n");
    expect(bench.ask("AT+CIPSSLCCN?")).toContain('+CIPSSLCCN:0,""\r\n');
    bench.ask("AT+RESTORE", 5_000);
    expect(bench.ask("AT+CIPSSLCCONF?")).toContain("+CIPSSLCCONF:0,0,0,0\r\n");
  });

  test("leave flash alone with AT+SYSSTORE=0", () => {
    const bench = ready("esp-at-5");
    bench.ask("AT+SYSSTORE=0");
    bench.ask("AT+CIPSSLCCONF=2,0,0");
    bench.ask("AT+RST", 5_000);
    expect(bench.ask("AT+CIPSSLCCONF?")).toContain("+CIPSSLCCONF:0,0,0,0\r\n");
  });
});
