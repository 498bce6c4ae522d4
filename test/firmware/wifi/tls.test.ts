/** Streams that are TLS to a broker that has been checked, or are not opened. */
import { describe, expect, it } from "vitest";
import { Trust } from "../../../firmware/wifi/module";
import type { PaperServer } from "../../../sim/network/paper-certificates";
import type { PersonalityName } from "../../../sim/module/personalities";
import { BOARD, GOOD_SERVER, OTHER_CA, OUR_CA, STRANGER, TlsBench, type TlsOptions } from "./tls-bench";

const ABLE: readonly PersonalityName[] = ["esp-at-2.2", "esp-at-5"];
const DAY = 86_400_000;
/** What time it is on the benches when they begin, and the beginning of time. */
const NOW = Date.UTC(2026, 6, 1, 9);

/** A bench that has asked for the link, after `ms` in which it could have come up. */
function tried(options: TlsOptions, ms = 20_000): TlsBench {
  const bench = new TlsBench(options).open();
  bench.until(() => bench.isUp, ms);
  return bench;
}

/** One whose link is up. */
function up(options: TlsOptions): TlsBench {
  const bench = tried(options);
  expect(bench.isUp).toBe(true);
  return bench;
}

/** Bytes go both ways at the same time, in pieces that one read or send does not hold, and arrive in order. */
function exchange(bench: TlsBench): void {
  const [sent, received] = [bench.peer?.received.length ?? 0, bench.user.inbox.length];
  for (let i = 0; i < 3; i++) {
    bench.userSends(1500);
    bench.peerSends(2500);
    bench.clock.runFor(1000);
  }
  const all = (): boolean => bench.peer?.received.length === sent + 4500 && bench.user.inbox.length === received + 7500;
  expect(bench.until(all, 20_000)).toBe(true);
  bench.check();
}

/** No bytes have reached anybody, on any connection, and none was tried without TLS. */
function expectNothingSent(bench: TlsBench): void {
  expect(bench.connects.length).toBeGreaterThanOrEqual(0);
  expect(bench.peers).toEqual([]);
  expect(bench.user.ups).toBe(0);
}

describe.each(ABLE)("with %s", (personality) => {
  it("a broker that our authority has signed is met, and bytes go both ways, at the highest rate", () => {
    const bench = up({ personality, driver: { maxBaud: 921600 } });
    exchange(bench);
    expect(bench.connects).toHaveLength(1);
    expect(bench.wifi.status).toMatchObject({
      trust: Trust.Verified, timeKnown: true, opens: 1, openFailures: 0, certificateWrites: 1, timeFailures: 0,
      resets: 1, timeouts: 0, resyncs: 0, damaged: 0, busy: 0,
    });
    expect(bench.user.losses).toEqual([]);
  });

  it("first bytes that get lost after each pause, in modem sleep, cost no stream", () => {
    const bench = up({ personality, driver: { modemSleep: true } });
    const { timeouts, resyncs, damaged } = bench.wifi.status;
    for (let i = 0; i < 10; i++) {
      bench.clock.runFor(1_500);
      bench.module.faults.strike("module.sleep_wake", 16);
      // Long enough for the driver to ask, unheard, whether anything has come.
      bench.clock.runFor(3_000);
      exchange(bench);
    }
    expect(bench.wifi.status).toMatchObject({ opens: 1, resets: 1, timeouts, resyncs, damaged });
  });

  it("a TCP connect to a broker that has no TLS is never made instead", () => {
    const bench = new TlsBench({ personality }).open("broker", 1883);
    bench.clock.runFor(60_000);
    expect(bench.connects.length).toBeGreaterThan(1);
    expect(bench.user.ups).toBe(0);
    expect(bench.peers.flatMap(({ received }) => received.length)).not.toContain(0);
    expect(bench.wifi.status.trust).not.toBe(Trust.Verified);
  });

  it("what the module has already is not written again: at a reconnect, after a reboot, by the next board", () => {
    const bench = up({ personality, identity: BOARD });
    expect(bench.wifi.status.certificateWrites).toBe(3);
    bench.peer?.socket.end();
    expect(bench.until(() => bench.user.ups === 2, 20_000)).toBe(true);
    bench.module.crash();
    expect(bench.until(() => bench.user.ups === 3, 30_000)).toBe(true);
    bench.module.powerOff();
    bench.clock.runFor(5000);
    bench.module.powerOn();
    expect(bench.until(() => bench.user.ups === 4, 60_000)).toBe(true);
    expect(bench.wifi.status.certificateWrites).toBe(3);
    expect(bench.wifi.status.trust).toBe(Trust.Verified);
    exchange(bench);
  });

  it("what the flashing tool has put there is taken as it is, and anything else is replaced", () => {
    const burnt = new TlsBench({ personality });
    burnt.flashTool.burn("client_ca", OUR_CA);
    burnt.open();
    expect(burnt.until(() => burnt.isUp, 20_000)).toBe(true);
    expect(burnt.wifi.status.certificateWrites).toBe(0);

    const cases = [OTHER_CA, Buffer.concat([OUR_CA, OTHER_CA]), OUR_CA.subarray(0, 40), new Uint8Array(5000).fill(65)];
    for (const before of cases) {
      const bench = new TlsBench({ personality });
      bench.flashTool.burn("client_ca", before);
      bench.open();
      expect(bench.until(() => bench.isUp, 20_000)).toBe(true);
      expect(bench.wifi.status.certificateWrites).toBe(1);
    }
  });

  it("an authority of several certificates goes into the module in pieces, and comes back whole", () => {
    const ca = Buffer.concat([...Array.from({ length: 30 }, () => OTHER_CA), OUR_CA]);
    expect(ca.length).toBeGreaterThan(2600);
    for (const baud of [9600, 115200, 921600]) {
      const bench = up({ personality, ca, baud });
      expect(bench.wifi.status).toMatchObject({ certificateWrites: 1, timeouts: 0, resyncs: 0 });
    }
  });

  it("an authority of another length each time is written and read back, whatever fills the last word", () => {
    for (let extra = 0; extra < 6; extra++) {
      const bench = up({ personality, ca: Buffer.concat([OUR_CA, Buffer.alloc(extra, "\n")]) });
      expect(bench.wifi.status.certificateWrites).toBe(1);
    }
  });

  it("an authority that is longer than the module has room for opens nothing", () => {
    const bench = tried({ personality, ca: new Uint8Array(8300).fill(65) });
    expectNothingSent(bench);
    expect(bench.connects).toEqual([]);
    expect(bench.wifi.status).toMatchObject({ trust: Trust.NotStored, certificateWrites: 0 });
  });

  it("without an authority nothing is opened, and the module not even asked", () => {
    const bench = tried({ personality, ca: null });
    expectNothingSent(bench);
    expect(bench.connects).toEqual([]);
    expect(bench.wifi.status).toMatchObject({ trust: Trust.NoAuthority, certificateWrites: 0 });
    expect(bench.user.losses.length).toBeGreaterThan(5);
    expect(new Set(bench.user.losses)).toEqual(new Set(["Unreachable"]));
  });

  it("a broker that lets in whom it knows gets the board's certificate", () => {
    const server: PaperServer = { ...GOOD_SERVER, clients: "our authority" };
    const bench = up({ personality, server, identity: BOARD });
    expect(bench.saidOf("AT+CIPSSLCCONF")).toEqual(["AT+CIPSSLCCONF=0,3,0,0", "AT+CIPSSLCCONF?"]);
    expect(bench.wifi.status.trust).toBe(Trust.Verified);
    exchange(bench);
  });

  it("the host that was asked for is what the certificate must be for, be it a name, another name or an address", () => {
    const bench = new TlsBench({ personality, server: { ...GOOD_SERVER, names: ["*.farm.test", "10.0.0.9"] } });
    for (const host of ["broker.farm.test", "10.0.0.9"]) {
      bench.network.listen(host, 8884, (socket) => bench.accept(socket), { ...GOOD_SERVER, names: ["*.farm.test", "10.0.0.9"] });
      bench.network.listen(host, 8885, (socket) => bench.accept(socket), { ...GOOD_SERVER, names: ["elsewhere.test"] });
    }
    for (const [host, port, fine] of [
      ["broker.farm.test", 8884, true], ["broker.farm.test", 8885, false], ["10.0.0.9", 8884, true], ["10.0.0.9", 8885, false],
    ] as const) {
      bench.user.reopenAfter = undefined;
      bench.user.open(host, port);
      if (bench.turns > 0) bench.turn();
      bench.until(() => bench.user.state !== "opening", 30_000);
      expect([host, port, bench.isUp]).toEqual([host, port, fine]);
      if (fine) {
        bench.wifi.link.close();
        bench.turn();
        bench.until(() => bench.user.state === "down", 10_000);
      }
    }
    expect(bench.connects).toHaveLength(4);
  });

  it("data that the peer sends before it closes is delivered before the link is down", () => {
    const bench = up({ personality });
    bench.peerSends(3000);
    bench.peer?.socket.end();
    expect(bench.until(() => bench.user.state === "down", 30_000)).toBe(true);
    expect(bench.user.inbox).toHaveLength(3000);
  });

  it("a module that is asked for nothing of all that has plain streams, as ever", () => {
    const bench = new TlsBench({ personality, driver: { security: undefined } }).open("broker", 1883);
    expect(bench.until(() => bench.isUp, 20_000)).toBe(true);
    expect(bench.saidOf("AT+CIPSTART")).toEqual([expect.stringContaining('"TCP"')]);
    expect(bench.saidOf("AT+SYS").filter((command) => command !== "AT+SYSSTORE=0")).toEqual([]);
    expect(bench.wifi.status.trust).toBe(Trust.NotAsked);
  });
});

/** What is wrong with the broker, and what a module says of it that says why: ESP-AT 5. */
const WRONG: readonly (readonly [string, TlsOptions, Trust])[] = [
  ["signed by somebody else", { server: { ...GOOD_SERVER, authority: "another authority" } }, Trust.Untrusted],
  ["that has expired", { server: { ...GOOD_SERVER, until: NOW - DAY } }, Trust.Expired],
  ["that is not valid yet", { server: { ...GOOD_SERVER, from: NOW + 30 * DAY } }, Trust.NotYetValid],
  ["for another host", { server: { ...GOOD_SERVER, names: ["elsewhere.test"] } }, Trust.WrongName],
  ["signed by somebody else for another host", { server: { authority: "nobody", names: ["x"] } }, Trust.Untrusted],
  ["that wants to see the board's, which has none", { server: { ...GOOD_SERVER, clients: "our authority" } }, Trust.Refused],
  ["that wants to see the board's, and does not know it",
    { server: { ...GOOD_SERVER, clients: "our authority" }, identity: STRANGER }, Trust.Refused],
];

describe("a certificate of the broker", () => {
  it.each(WRONG)("%s is refused, with its reason where the module says it", (_what, options, trust) => {
    const bench = tried({ ...options, personality: "esp-at-5" }, 120_000);
    expectNothingSent(bench);
    expect(bench.connects.length).toBeGreaterThan(5);
    expect(bench.wifi.status.trust).toBe(trust);
    // Who has shown its certificate is there: nothing is wrong with the module or its network.
    expect(bench.wifi.status).toMatchObject({ resets: 1, resyncs: 0, joins: 1, reboots: 0, wifiLosses: 0 });
    bench.showInstead(GOOD_SERVER);
    expect(bench.until(() => bench.isUp, 20_000)).toBe(true);
    expect(bench.wifi.status.trust).toBe(Trust.Verified);
    expect(bench.wifi.status.certificateWrites).toBe(options.identity === undefined ? 1 : 3);
  });

  it.each(WRONG.filter(([, , trust]) => trust !== Trust.Expired && trust !== Trust.NotYetValid))(
    "%s is refused by esp-at-2.2, which says nothing of why", (_what, options) => {
      const bench = tried({ ...options, personality: "esp-at-2.2" }, 120_000);
      expectNothingSent(bench);
      expect(bench.wifi.status.trust).toBe(Trust.Failed);
      // It may have lost its set-up, for all that can be known: that is repeated, and the module is not reset for it.
      expect(bench.wifi.status).toMatchObject({ resets: 1, reboots: 0 });
      bench.showInstead(GOOD_SERVER);
      expect(bench.until(() => bench.isUp, 60_000)).toBe(true);
      expect(bench.wifi.status.trust).toBe(Trust.Verified);
    });

  it("is not compared with the time by esp-at-2.2, which is built without it", () => {
    up({ personality: "esp-at-2.2", server: { ...GOOD_SERVER, until: NOW - DAY } });
  });

  it("that becomes wrong while the stream is open costs the next stream, not this one", () => {
    const bench = up({ personality: "esp-at-5" });
    bench.showInstead({ ...GOOD_SERVER, authority: "another authority" });
    exchange(bench);
    bench.peer?.socket.end();
    bench.clock.runFor(30_000);
    expect(bench.user.ups).toBe(1);
    expect(bench.wifi.status.trust).toBe(Trust.Untrusted);
  });
});

describe("who is not there at all", () => {
  it("is told from who is wrong, where the module tells", () => {
    const bench = new TlsBench({ personality: "esp-at-5" }).open("broker", 9999);
    bench.clock.runFor(30_000);
    expect(bench.connects.length).toBeGreaterThan(2);
    expect(bench.wifi.status.trust).toBe(Trust.Untried);
    const nameless = new TlsBench({ personality: "esp-at-5" }).open("nowhere.test", 8883);
    nameless.clock.runFor(30_000);
    expect(nameless.wifi.status.trust).toBe(Trust.Untried);
    const before = up({ personality: "esp-at-5" });
    before.network.namesFail = true;
    before.peer?.socket.end();
    before.clock.runFor(30_000);
    expect(before.isUp).toBe(false);
    expect(before.wifi.status.trust).toBe(Trust.Verified);
  });

  it("is not blamed for what was wrong with it when it was there last", () => {
    const bench = tried({ personality: "esp-at-5", server: { ...GOOD_SERVER, names: ["elsewhere.test"] } }, 30_000);
    expect(bench.wifi.status.trust).toBe(Trust.WrongName);
    bench.network.namesFail = true;
    bench.clock.runFor(60_000);
    expect(bench.wifi.status.trust).toBe(Trust.Untried);
  });
});

describe("with nonos-1.7", () => {
  it("nothing is opened: whom it believes nobody can ask, and a name it does not look at", () => {
    const bench = tried({ personality: "nonos-1.7" }, 60_000);
    expectNothingSent(bench);
    expect(bench.connects).toEqual([]);
    expect(bench.wifi.status).toMatchObject({ trust: Trust.Unsupported, resets: 1, certificateWrites: 0 });
    expect(bench.user.losses.length).toBeGreaterThan(20);
  });
});

describe.each(ABLE)("the time, with %s", (personality) => {
  it("is what the first connect waits for, and its server has the name that was given", () => {
    const bench = new TlsBench({ personality, timeServer: "clock.farm.test" });
    bench.network.timeSilent = true;
    bench.open();
    bench.clock.runFor(15_000);
    expect(bench.saidOf("AT+CIPSNTPCFG")).toEqual(['AT+CIPSNTPCFG=1,0,"clock.farm.test"']);
    expect(bench.connects).toEqual([]);
    expect(bench.wifi.status).toMatchObject({ trust: Trust.NoTime, timeKnown: false, timeFailures: 0, resets: 1 });
    const { turns } = bench;
    bench.clock.runFor(2000);
    expect(bench.turns - turns).toBeLessThan(200);
    expect(bench.user.events).toEqual(["open"]);
    bench.network.timeSilent = false;
    expect(bench.until(() => bench.isUp, 20_000)).toBe(true);
    expect(bench.wifi.status).toMatchObject({ trust: Trust.Verified, timeKnown: true });
  });

  it("that never comes opens nothing, for ever, and the failures are counted", () => {
    const bench = new TlsBench({ personality });
    bench.network.timeSilent = true;
    bench.open();
    bench.clock.runFor(10 * 60_000);
    expectNothingSent(bench);
    expect(bench.connects).toEqual([]);
    const { status } = bench.wifi;
    expect(status).toMatchObject({ trust: Trust.NoTime, timeKnown: false, resets: 1, resyncs: 0, certificateWrites: 1 });
    expect(status.timeFailures).toBeGreaterThan(20);
    expect(status.timeFailures).toBeLessThanOrEqual(30);
    expect(new Set(bench.user.losses)).toEqual(new Set(["Unreachable"]));
    // It is asked seldom enough to leave the line and the module in peace.
    expect(bench.saidOf("AT+CIPSNTPTIME?").length).toBeLessThan(600);
    bench.network.timeSilent = false;
    expect(bench.until(() => bench.isUp, 40_000)).toBe(true);
  });

  it("is asked for again after each reboot", () => {
    const bench = up({ personality });
    bench.module.powerOff();
    bench.clock.runFor(1000);
    bench.network.timeSilent = true;
    bench.module.powerOn();
    bench.clock.runFor(60_000);
    expect(bench.wifi.status).toMatchObject({ trust: Trust.NoTime, timeKnown: false });
    expect(bench.connects).toHaveLength(1);
    bench.network.timeSilent = false;
    expect(bench.until(() => bench.isUp, 40_000)).toBe(true);
  });

  it("that the module loses while a stream is open is asked for before the next", () => {
    const bench = up({ personality, server: { ...GOOD_SERVER, from: NOW - DAY } });
    bench.flashTool.faults.strike("sntp.unset", 40_000);
    exchange(bench);
    bench.peer?.socket.end();
    expect(bench.until(() => bench.user.ups === 2, 90_000)).toBe(true);
    if (personality === "esp-at-5") expect(bench.wifi.status.openFailures).toBeGreaterThan(0);
    expect(bench.wifi.status.trust).toBe(Trust.Verified);
  });
});
