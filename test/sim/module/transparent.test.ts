import { describe, expect, test } from "vitest";
import type { PersonalityName } from "../../../sim/module/personalities";
import { paperAuthority } from "../../../sim/network/paper-certificates";
import { Bench } from "./bench";

const OK = "\r\nOK\r\n";
const ERROR = "\r\nERROR\r\n";
const NAMES: readonly PersonalityName[] = ["nonos-1.7", "esp-at-2.2", "esp-at-5"];

/** In transparent mode with peer:7. */
function piped(name: PersonalityName = "esp-at-5", ...commands: readonly string[]): Bench {
  const bench = Bench.joined({ name });
  commands.forEach((command) => bench.ask(command));
  bench.ask('AT+CIPSTART="TCP","peer",7');
  expect(bench.ask("AT+CIPMODE=1")).toBe(OK);
  expect(bench.ask("AT+CIPSEND")).toMatch(/^\r\nOK\r\n(\r\n)?> ?$/);
  return bench;
}

/** Leaves transparent mode as a host should. */
function leave(bench: Bench): string {
  bench.wait(50);
  bench.write("+++");
  return bench.wait(1_050);
}

describe("transparent mode", () => {
  test.each(NAMES)("is a pipe in both directions until +++, with %s", (name) => {
    const bench = piped(name);
    bench.write("AT\r\nhello\0");
    expect(bench.wait(60)).toBe("");
    expect(bench.peer.text).toBe("AT\r\nhello\0");
    bench.peer.socket.write(Buffer.from("+IPD?\r\n\0"));
    expect(bench.wait(20)).toBe("+IPD?\r\n\0");
    expect(leave(bench)).toBe("");
    expect(bench.peer.text).toBe("AT\r\nhello\0");
    expect(bench.ask("AT")).toBe(OK);
    expect(bench.ask("AT+CIPMODE?")).toBe(`+CIPMODE:1\r\n${OK}`);
    expect(bench.ask("AT+CIPCLOSE")).toBe(`CLOSED\r\n${OK}`);
  });

  test("sends what came when the host has paused for 20 ms, or for what AT+TRANSINTVL says", () => {
    const bench = piped();
    bench.write("ab");
    bench.clock.runFor(15);
    bench.write("cd");
    bench.clock.runFor(18);
    expect(bench.peer.text).toBe("");
    bench.clock.runFor(10);
    expect(bench.peer.text).toBe("abcd");
    const slow = piped("esp-at-5", "AT+TRANSINTVL=500");
    slow.write("ab");
    slow.clock.runFor(480);
    expect(slow.peer.text).toBe("");
    slow.clock.runFor(40);
    expect(slow.peer.text).toBe("ab");
  });

  test("sends a full packet at once", () => {
    const quick = piped("esp-at-5", "AT+TRANSINTVL=1000");
    for (let sent = 0; sent < 3_000; sent += 500) {
      quick.write("x".repeat(500));
      quick.clock.runFor(45);
    }
    quick.clock.runFor(10);
    expect(quick.peer.text.length).toBe(2_920);
    quick.clock.runFor(1_100);
    expect(quick.peer.text.length).toBe(3_000);
  });

  test.each([
    ["a+++", 0], ["+++", 10], ["++", 50],
  ])("takes %j after %i ms of silence for data", (text, silence) => {
    const bench = piped();
    bench.write("x");
    bench.wait(silence === 10 ? 10 : 60);
    bench.write(text);
    bench.wait(1_100);
    expect(bench.peer.text).toBe(`x${text}`);
    expect(bench.ask("AT")).toBe("");
  });

  test("takes +++ for data when more follows within 20 ms", () => {
    const bench = piped();
    bench.write("+++");
    bench.clock.runFor(10);
    bench.write("x");
    bench.wait(100);
    expect(bench.peer.text).toBe("+++x");
  });

  test("is left only a while after +++: what comes too early is lost", () => {
    const bench = piped();
    bench.wait(50);
    bench.write("+++");
    bench.clock.runFor(40);
    expect(bench.ask("AT", 40)).toBe("");
    bench.wait(1_000);
    expect(bench.ask("AT")).toBe(OK);
    expect(bench.peer.text).toBe("");
  });

  test("tells that it was left with AT+SYSMSG=1", () => {
    expect(leave(piped("esp-at-5", "AT+SYSMSG=1"))).toBe("\r\n+QUITT\r\n");
  });

  test("says nothing of a link that breaks, loses what is written meanwhile, and connects again", () => {
    const bench = piped();
    bench.peer.socket.end();
    expect(bench.wait(50)).toBe("");
    bench.write("lost");
    bench.wait(40);
    expect(bench.peers.length).toBe(1);
    bench.wait(100);
    expect(bench.peers.length).toBe(2);
    bench.write("found");
    expect(bench.wait(60)).toBe("");
    expect(bench.peer.text).toBe("found");
  });

  test("connects again after the pause that AT+CIPRECONNINTV sets, until it works", () => {
    const bench = piped("esp-at-5", "AT+CIPRECONNINTV=50");
    bench.network.silence("peer");
    bench.peer.socket.end();
    bench.wait(30_000);
    bench.network.silence("peer", false);
    bench.wait(16_000);
    expect(bench.peers.length).toBe(2);
    const refused = piped("esp-at-5", "AT+CIPRECONNINTV=50");
    refused.peer.socket.end();
    refused.wait(4_900);
    expect(refused.peers.length).toBe(1);
    refused.wait(200);
    expect(refused.peers.length).toBe(2);
  });

  test("says nothing of a network that goes away and comes back, but with AT+SYSMSG=4", () => {
    const bench = piped();
    bench.air.drop(10_000);
    expect(bench.wait(20_000)).toBe("");
    bench.write("back");
    bench.wait(60);
    expect(bench.peer.text).toBe("back");
    const telling = piped("esp-at-5", "AT+SYSMSG=4");
    telling.air.drop(10_000);
    expect(telling.wait(20_000)).toBe("WIFI DISCONNECT\r\nCLOSED\r\nWIFI CONNECTED\r\nWIFI GOT IP\r\nCONNECT\r\n");
  });

  test("goes with TLS, too", () => {
    const bench = Bench.joined();
    bench.module.burn("client_ca", paperAuthority("right"));
    bench.serve("broker", 8883, { authority: "right", names: ["broker"] });
    bench.ask("AT+CIPSSLCCONF=2,0,0");
    bench.ask('AT+CIPSTART="SSL","broker",8883', 3_000);
    bench.ask("AT+CIPMODE=1");
    bench.ask("AT+CIPSEND");
    bench.peer.socket.end();
    bench.wait(3_000);
    bench.write("again");
    bench.wait(60);
    expect(bench.peers.map(({ text }) => text)).toEqual(["", "again"]);
  });

  test("is refused with several links, without one, and for a send of a given length", () => {
    const several = Bench.joined({ multiple: true });
    expect(several.ask("AT+CIPMODE=1")).toBe(ERROR);
    expect(several.ask("AT+CIPSEND")).toBe(ERROR);
    const single = Bench.joined();
    expect(single.ask("AT+CIPSEND")).toBe(ERROR);
    single.ask("AT+CIPMODE=1");
    expect(single.ask("AT+CIPMUX=1")).toBe(ERROR);
    expect(single.ask("AT+CIPSEND")).toBe(ERROR);
    single.ask('AT+CIPSTART="TCP","peer",7');
    for (const bad of ["AT+CIPSEND=5", "AT+CIPSENDEX=5", "AT+CIPSENDL=5", "AT+CIPMODE=2", "AT+CIPMODE=",
      "AT+TRANSINTVL=1001", "AT+CIPRECONNINTV=0", "AT+CIPRECONNINTV=36001"]) {
      expect([bad, single.ask(bad)]).toEqual([bad, ERROR]);
    }
    const old = Bench.joined({ name: "nonos-1.7", multiple: true });
    expect(old.ask("AT+CIPMODE=1")).toBe(`MUX=1\r\n${ERROR}`);
  });

  test("shows what comes before AT+CIPSEND as it is, too", () => {
    const bench = Bench.joined();
    bench.ask('AT+CIPSTART="TCP","peer",7');
    bench.ask("AT+CIPMODE=1");
    bench.peer.socket.write(Buffer.from("raw"));
    expect(bench.wait(20)).toBe("raw");
  });
});

describe("transparent mode from the start on, with AT+SAVETRANSLINK", () => {
  test.each(NAMES)("begins as soon as there is a network, and ends with +++, with %s", (name) => {
    const bench = Bench.joined({ name });
    expect(bench.ask('AT+SAVETRANSLINK=1,"peer",7,"TCP",60')).toBe(OK);
    const boot = bench.ask("AT+RST", 6_000);
    expect(boot).toContain("ready");
    expect(boot).not.toContain("CONNECT\r\nC");
    expect(bench.ask("AT")).toBe("");
    expect(bench.peer.text).toBe("AT\r\n");
    leave(bench);
    expect(bench.ask("AT")).toContain("OK");
    expect(bench.ask("AT+SAVETRANSLINK=0")).toContain("OK");
    bench.ask("AT+RST", 6_000);
    expect(bench.ask("AT")).toContain("OK");
  });

  test("makes the module deaf to all else if nobody is there, but can be left", () => {
    const bench = Bench.joined();
    bench.ask('AT+SAVETRANSLINK=1,"nowhere",7');
    bench.ask("AT+RST", 6_000);
    expect(bench.ask("AT", 1_000)).toBe("");
    leave(bench);
    expect(bench.ask("AT")).toContain("OK");
  });

  test("is not set to what is none", () => {
    const bench = Bench.joined();
    for (const bad of ["2", "1", '1,"peer"', '1,"peer",0', '1,"peer",7,"UDP"', '1,"peer",7,"TCP",7201', '1,"",7']) {
      expect([bad, bench.ask(`AT+SAVETRANSLINK=${bad}`)]).toEqual([bad, ERROR]);
    }
  });
});
