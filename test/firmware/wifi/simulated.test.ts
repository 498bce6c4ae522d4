import { describe, expect, it } from "vitest";
import { checkCounter } from "./obedient-module";
import { SimulatedBench, type SimulatedOptions } from "./simulated-bench";

/** A bench whose link is up. */
const linked = (options: SimulatedOptions = {}): SimulatedBench => SimulatedBench.linked(options);

describe("with the simulated module", () => {
  it.each([9600, 115200, 921600])("bytes arrive in order both ways at %i baud", (baud) => {
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
    expect(bench.wifi.status).toMatchObject({ timeouts: 0, resyncs: 0, damaged: 0, busy: 0 });
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
    // The line carries 230 kB each way in 20 s.
    expect(bench.peer?.received.length).toBeGreaterThan(50_000);
    expect(bench.user.inbox.length).toBeGreaterThan(20_000);
    expect(bench.user.losses).toEqual([]);
  });

  it("a reader that is slow stops its peer and loses nothing", () => {
    const bench = linked();
    bench.user.capacity = 0;
    bench.peerSends(20_000);
    bench.clock.runFor(30_000);
    expect(bench.user.inbox).toHaveLength(0);
    bench.user.capacity = 100;
    bench.turn();
    expect(bench.until(() => bench.user.inbox.length === 20_000, 60_000)).toBe(true);
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
    bench.userSends(2000);
    bench.clock.runFor(30);
    bench.wifi.link.close();
    bench.turn();
    expect(bench.until(() => bench.user.state === "down", 10_000)).toBe(true);
    bench.clock.runFor(100);
    expect(bench.peer?.received).toHaveLength(2000);
    expect(bench.peer?.closed).toBe(true);
  });

  it("a board whose turns take long still gets every byte", () => {
    const bench = linked({ turnTime: 20, receiveRing: 1024 });
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

  it.each(["there", "away"])("a module that joins by itself a network that is %s needs no reset", (how) => {
    const bench = new SimulatedBench({ seed: 4 });
    const { host } = bench.line;
    // Somebody has the module learn the network, and keep it in its flash.
    bench.user.open("broker", 1883);
    expect(bench.until(() => bench.user.state === "up", 10_000)).toBe(true);
    for (const command of ["AT+SYSSTORE=1", "AT+CWMODE=1"]) {
      host.write(Buffer.from(`${command}\r\n`));
      bench.clock.runFor(20);
    }
    host.write(Buffer.from('AT+CWJAP="home","secret99"\r\n'));
    bench.clock.runFor(5_000);
    bench.user.reopenAfter = 500;
    if (how === "away") bench.air.up = false;
    bench.module.crash();
    const resets = bench.wifi.status.resets;
    bench.clock.runFor(30_000);
    expect(bench.wifi.status.resets).toBe(resets);
    expect(bench.commands.includes("AT+CWQAP")).toBe(true);
    bench.air.up = true;
    expect(bench.until(() => bench.user.state === "up", 90_000)).toBe(true);
  });

  it("names with every special character join", () => {
    for (const [ssid, password] of [
      ['a,b"c\\d é ☕', 'p\\,",\\\\'],
      [",".repeat(32), '"'.repeat(64)],
      ["\\".repeat(32), "\\".repeat(64)],
      ["open", ""],
    ] as const) {
      const bench = new SimulatedBench({ seed: 5, ssid, password });
      bench.user.open("broker", 1883);
      expect(bench.until(() => bench.user.state === "up", 10_000), ssid).toBe(true);
    }
  });

  it("a wrong password is told with its code, and the right one joins later", () => {
    const bench = new SimulatedBench({ seed: 6 });
    bench.air.password = "changed";
    bench.user.open("broker", 1883);
    bench.clock.runFor(20_000);
    expect(bench.wifi.status.joinFailure).toBe(2);
    expect(bench.user.events).toEqual(["open"]);
    bench.air.password = "secret99";
    expect(bench.until(() => bench.user.state === "up", 90_000)).toBe(true);
    expect(bench.wifi.status.resets).toBe(1);
  });

  it("a peer that refuses is told as unreachable, and connects once it listens", () => {
    const bench = new SimulatedBench({ seed: 7 });
    bench.user.reopenAfter = 1_000;
    bench.user.open("nobody", 1883);
    bench.clock.runFor(30_000);
    expect(new Set(bench.user.losses)).toEqual(new Set(["Unreachable"]));
    bench.network.listen("nobody", 1883, () => ({
      connected() {},
      drained() {},
      failed() {},
      data() {},
      closed() {},
    }));
    expect(bench.until(() => bench.user.state === "up", 30_000)).toBe(true);
  });

  it("a board without a reset line frees a module that its life before has left in the middle of a send", () => {
    const bench = new SimulatedBench({ seed: 8, resetLine: false });
    bench.user.open("broker", 1883);
    expect(bench.until(() => bench.user.state === "up", 10_000)).toBe(true);
    // A send of 2000 bytes that nobody will supply.
    bench.line.host.write(Buffer.from("AT+CIPSEND=0,2000\r\n"));
    bench.clock.runFor(50);
    bench.user.reopenAfter = 500;
    expect(bench.until(() => bench.user.losses.length > 0, 20_000)).toBe(true);
    expect(bench.until(() => bench.user.state === "up", 60_000)).toBe(true);
    bench.userSends(10);
    bench.clock.runFor(1_000);
    checkCounter(bench.peer?.received ?? [], "peer");
    expect(bench.peer?.received).toHaveLength(10);
  });
});
