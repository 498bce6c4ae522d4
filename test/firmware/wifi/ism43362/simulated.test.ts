import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JoinFailure, WifiLoss } from "../../../../firmware/wifi/module";
import { ism43362, linked } from "./ism43362-bench";

describe("the driver of the ISM43362 with the simulated module", () => {
  it.each([9600, 115200, 921600])("carries bytes in order both ways at %i baud", (baud) => {
    const bench = linked({ baud });
    for (let i = 0; i < 10; i++) {
      bench.userSends(700);
      bench.peerSends(900);
      bench.clock.runFor(3_000);
    }
    const all = (): boolean => bench.user.inbox.length === 9000 && bench.peer?.received.length === 7000;
    expect(bench.until(all, 60_000)).toBe(true);
    bench.check();
    expect(bench.user.losses).toEqual([]);
    expect(bench.wifi.status).toMatchObject({ timeouts: 0, resyncs: 0, damaged: 0, resets: 1, reboots: 0, signal: -52 });
    expect(bench.told).toEqual(["joined home"]);
  });

  it("fills the line when both sides have more to say than it carries, and neither side starves", () => {
    const bench = linked();
    const from = bench.clock.now;
    const feed = (): void => {
      bench.userSends(1000);
      bench.peerSends(1000);
      if (bench.clock.now < from + 20_000) bench.clock.after(50, feed);
    };
    bench.clock.after(0, feed);
    bench.clock.runFor(20_000);
    bench.check();
    expect(bench.peer?.received.length).toBeGreaterThan(50_000);
    expect(bench.user.inbox.length).toBeGreaterThan(20_000);
    expect(bench.user.losses).toEqual([]);
  });

  it("brings what comes to a quiet board within a third of a second", () => {
    const bench = linked();
    bench.clock.runFor(20_000);
    for (let i = 1; i <= 10; i++) {
      bench.peerSends(20);
      expect(bench.until(() => bench.user.inbox.length === 20 * i, 320)).toBe(true);
      bench.clock.runFor(3_000 + 37 * i);
    }
  });

  it("a reader that is slow stops its peer and loses nothing", () => {
    const bench = linked();
    bench.user.capacity = 0;
    // What was asked for with room comes with room.
    bench.clock.runFor(500);
    bench.peerSends(20_000);
    bench.clock.runFor(30_000);
    expect(bench.user.inbox).toHaveLength(0);
    bench.user.capacity = 100;
    bench.turn();
    expect(bench.until(() => bench.user.inbox.length === 20_000, 60_000)).toBe(true);
    bench.check();
  });

  it("asks for more at a time again when there is room again", () => {
    const bench = linked();
    bench.user.capacity = 7;
    bench.clock.runFor(500);
    bench.peerSends(50);
    expect(bench.until(() => bench.user.inbox.length === 50, 10_000)).toBe(true);
    bench.user.capacity = 512;
    bench.peerSends(2000);
    expect(bench.until(() => bench.user.inbox.length === 2050, 10_000)).toBe(true);
    expect(bench.commands.filter((command) => command.startsWith("R1="))).toEqual(["R1=500", "R1=7", "R1=500"]);
    bench.check();
  });

  it("data that comes just before the peer closes is delivered before the link is down", () => {
    const bench = linked();
    bench.peerSends(3000);
    bench.peer?.socket.end();
    expect(bench.until(() => bench.user.state === "down", 30_000)).toBe(true);
    expect(bench.user.inbox).toHaveLength(3000);
    expect(bench.user.losses).toEqual(["Peer"]);
  });

  it("close() in the middle of a long send lets it out whole", () => {
    const bench = linked();
    bench.userSends(1200);
    bench.clock.runFor(30);
    bench.wifi.link.close();
    bench.turn();
    expect(bench.until(() => bench.user.state === "down", 10_000)).toBe(true);
    bench.clock.runFor(100);
    expect(bench.peer?.received).toHaveLength(1200);
    expect(bench.peer?.closed).toBe(true);
    expect(bench.user.losses).toEqual(["Closed"]);
  });

  it("close() while a link is being opened ends it", () => {
    const bench = ism43362();
    bench.user.open("broker", 1883);
    expect(bench.until(() => bench.commands.some((command) => command.startsWith("P3=")), 60_000)).toBe(true);
    bench.wifi.link.close();
    bench.turn();
    expect(bench.until(() => bench.user.state === "down", 60_000)).toBe(true);
    expect(bench.user.losses).toEqual(["Closed"]);
    bench.user.open("broker", 1883);
    expect(bench.until(() => bench.user.state === "up", 60_000)).toBe(true);
  });

  it("a board whose turns take long still gets every byte", () => {
    const bench = linked({ turnTime: 20 });
    bench.userSends(3000);
    bench.peerSends(3000);
    const all = (): boolean => bench.user.inbox.length === 3000 && bench.peer?.received.length === 3000;
    expect(bench.until(all, 60_000)).toBe(true);
    bench.check();
    expect(bench.user.losses).toEqual([]);
  });

  it("a ring that is too small costs links, and never puts a byte out of place", () => {
    const bench = linked({ turnTime: 20, receiveRing: 96 });
    bench.user.reopenAfter = 500;
    for (let i = 0; i < 30; i++) {
      bench.userSends(100);
      bench.peerSends(400);
      bench.clock.runFor(2_000);
    }
    bench.check();
    expect(bench.user.losses).toContain("Damaged");
    expect(bench.wifi.status.damaged).toBeGreaterThan(0);
  });
});

describe("what a payload holds", () => {
  const pieces = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom("\r\nOK\r\n> ", "\r\nOK\r\n> \r\nOK\r\n> ", "\r\n> ", "\r\n", ">", " ", "-1\r\n", "OK") },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes).toString("latin1")) },
      { weight: 1, arbitrary: fc.constantFrom("x".repeat(492), "x".repeat(500), "x".repeat(499)) },
    ),
    { minLength: 1, maxLength: 12 },
  );

  it("is never taken for the end of a reply, and the end of a reply never for payload", () => {
    const bench = linked();
    fc.assert(
      fc.property(pieces, fc.integer({ min: 0, max: 600 }), (parts, pause) => {
        const before = bench.user.inbox.length;
        const sent = Buffer.from(parts.join(""), "latin1");
        for (const part of parts) {
          bench.peer?.socket.write(Buffer.from(part, "latin1"));
          if (pause > 300) bench.clock.runFor(pause - 300);
        }
        bench.until(() => bench.user.inbox.length >= before + sent.length, 20_000);
        bench.clock.runFor(50);
        expect(Buffer.from(bench.user.inbox.slice(before)).equals(sent)).toBe(true);
        expect(bench.user.losses).toEqual([]);
      }),
      { numRuns: 60, seed: 43362 },
    );
  });

  it("may look like the module's word for a closed stream when it comes alone, and then costs the link, no more", () => {
    const bench = linked();
    bench.user.reopenAfter = 200;
    bench.peer?.socket.write(Buffer.from("-1"));
    expect(bench.until(() => bench.user.losses.length > 0, 5_000)).toBe(true);
    expect(bench.user.losses).toEqual(["Peer"]);
    expect(bench.user.inbox).toEqual([]);
    expect(bench.until(() => bench.user.state === "up", 10_000)).toBe(true);
  });
});

describe("joining", () => {
  it("names with every special character join", () => {
    for (const [ssid, password] of [
      ['a,b"c\\d é ☕', 'p\\,",\\\\='],
      [",".repeat(32), '"'.repeat(64)],
      ["open", ""],
      ["=", "=C0"],
    ] as const) {
      const bench = ism43362({ seed: 5, ssid, password });
      bench.user.open("broker", 1883);
      expect(bench.until(() => bench.user.state === "up", 30_000), ssid).toBe(true);
    }
  });

  it("a wrong password is told as such, tried again no sooner than in a minute, and the right one joins", () => {
    const bench = ism43362({ seed: 6 });
    bench.air.password = "changed";
    bench.user.open("broker", 1883);
    expect(bench.until(() => bench.wifi.status.joinFailures === 1, 60_000)).toBe(true);
    expect(bench.wifi.status.joinFailure).toBe(JoinFailure.WrongPassword);
    bench.clock.runFor(59_000);
    expect(bench.wifi.status.joinFailures).toBe(1);
    bench.air.password = "secret99";
    expect(bench.until(() => bench.user.state === "up", 60_000)).toBe(true);
    expect(bench.wifi.status).toMatchObject({ joinFailure: JoinFailure.None, resets: 1 });
  });

  it("a network that is not there is told as such, and joined soon after it comes", () => {
    const bench = ism43362({ seed: 6 });
    bench.air.ssid = "elsewhere";
    bench.user.open("broker", 1883);
    expect(bench.until(() => bench.wifi.status.joinFailures === 2, 60_000)).toBe(true);
    expect(bench.wifi.status.joinFailure).toBe(JoinFailure.NoSuchNetwork);
    bench.air.ssid = "home";
    expect(bench.until(() => bench.user.state === "up", 60_000)).toBe(true);
  });

  it("the other networks are tried in order, without a pause between them", () => {
    const otherNetworks = [{ ssid: "second", password: "" }, { ssid: "third", password: "12345678" }];
    const bench = ism43362({ seed: 7, otherNetworks });
    bench.air.ssid = "third";
    bench.air.password = "12345678";
    bench.user.open("broker", 1883);
    expect(bench.until(() => bench.user.state === "up", 60_000)).toBe(true);
    expect(bench.told).toEqual([
      `not joined home ${JoinFailure.NoSuchNetwork}`,
      `not joined second ${JoinFailure.NoSuchNetwork}`,
      "joined third",
    ]);
    expect(bench.commands.filter((command) => command.startsWith("C3="))).toEqual(["C3=4", "C3=0", "C3=4"]);
    expect(bench.wifi.status.ssid).toBe("third");
  });

  it("the loss of the network is found out, takes the link down, and is mended", () => {
    const bench = linked();
    bench.user.reopenAfter = 500;
    bench.air.drop(10_000);
    expect(bench.until(() => bench.wifi.status.wifiLosses === 1, 15_000)).toBe(true);
    // Whoever asks for bytes first may be told that the stream is closed before anybody asks for the network.
    expect(bench.user.losses).toHaveLength(1);
    expect(bench.wifi.status.loss).toBe(WifiLoss.Network);
    expect(bench.told.at(-1)).toBe("lost home");
    expect(bench.until(() => bench.user.state === "up", 60_000)).toBe(true);
    bench.userSends(10);
    bench.peerSends(10);
    expect(bench.until(() => bench.user.inbox.length === 10 && bench.peer?.received.length === 10, 1_000)).toBe(true);
    expect(bench.wifi.status.resets).toBe(1);
  });
});

describe("connecting", () => {
  it("an address needs no name server, and a name does", () => {
    const named = linked();
    expect(named.commands).toContain("D0=broker");
    const bench = ism43362();
    bench.network.listen("10.1.2.3", 1884, () => ({ connected() {}, drained() {}, failed() {}, data() {}, closed() {} }));
    bench.user.open("10.1.2.3", 1884);
    expect(bench.until(() => bench.user.state === "up", 30_000)).toBe(true);
    expect(bench.commands.filter((command) => /^(D0|P3|P4)/.test(command))).toEqual(["P3=10.1.2.3", "P4=1884"]);
  });

  it("uses another local port each time", () => {
    const bench = linked();
    bench.user.reopenAfter = 100;
    for (let i = 2; i <= 5; i++) {
      bench.network.killAll();
      expect(bench.until(() => bench.user.ups === i, 30_000)).toBe(true);
    }
    const ports = bench.commands.filter((command) => command.startsWith("P2="));
    expect(new Set(ports).size).toBe(5);
  });

  it.each(["nobody", "10.9.9.9"])("a peer %s that cannot be had is told as unreachable, however often it is tried", (host) => {
    const bench = ism43362({ seed: 8 });
    bench.user.reopenAfter = 300;
    bench.user.open(host, 1883);
    expect(bench.until(() => bench.user.losses.length >= 8, 400_000)).toBe(true);
    expect(new Set(bench.user.losses)).toEqual(new Set(["Unreachable"]));
    expect(bench.wifi.status.resets).toBe(1);
    bench.network.listen(host, 1883, () => ({ connected() {}, drained() {}, failed() {}, data() {}, closed() {} }));
    expect(bench.until(() => bench.user.state === "up", 120_000)).toBe(true);
  });
});
