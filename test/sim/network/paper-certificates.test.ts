import { describe, expect, test } from "vitest";
import { SimClock } from "../../../sim/clock";
import type { TlsRequest } from "../../../sim/network/certificates";
import { ScriptedBroker } from "../../../sim/network/broker";
import { MemoryNetwork } from "../../../sim/network/memory";
import type { Socket } from "../../../sim/network/network";
import { paperAuthority, paperIdentity, type PaperServer } from "../../../sim/network/paper-certificates";

const EPOCH = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;
const believing: TlsRequest = {
  name: "peer",
  authority: paperAuthority("right"),
  identity: undefined,
  protocols: [],
  ciphers: [],
  time: EPOCH,
};

/** Connects to a server with that certificate, and gives what both sides saw. */
function meet(server: PaperServer | undefined, request: TlsRequest | undefined): string[] {
  const clock = new SimClock();
  const network = new MemoryNetwork(clock, { epoch: EPOCH });
  const log: string[] = [];
  network.listen("peer", 7, (socket) => ({
    connected: () => log.push("server connected"),
    data: (chunk) => {
      log.push(`server got ${Buffer.from(chunk).toString("hex")}`);
      socket.end();
    },
    drained() {},
    closed: () => log.push("server closed"),
    failed() {},
  }), server);
  const socket: Socket = network.connect("peer", 7, {
    connected: () => {
      log.push("client connected");
      socket.write(Buffer.from("x"));
    },
    data() {},
    drained() {},
    closed: () => log.push("client closed"),
    failed: (reason, _failure, flaws) => log.push(`client failed: ${reason}, 0x${flaws.toString(16)}`),
  }, request);
  clock.runFor(100);
  return log;
}

describe("TLS in memory", () => {
  const server: PaperServer = { authority: "right", names: ["peer", "*.peer"], from: EPOCH - DAY, until: EPOCH + DAY };

  test("comes about between a server and a client that believes its authority", () => {
    const done = ["server connected", "client connected", "server got 78", "client closed"];
    expect(meet(server, believing)).toEqual(done);
    expect(meet(server, { ...believing, name: "a.peer" })).toEqual(done);
    expect(meet(server, { ...believing, name: undefined, time: undefined })).toEqual(done);
    expect(meet(server, { ...believing, authority: undefined, name: "b", time: 0 })).toEqual(done);
    const several = Buffer.concat([paperAuthority("other"), paperAuthority("right")]);
    expect(meet(server, { ...believing, authority: several })).toEqual(done);
  });

  test("does not, with every flaw told, when the certificate is not what the client wants", () => {
    const certificate = "client failed: the server's certificate is";
    expect(meet(server, { ...believing, authority: paperAuthority("wrong") })).toEqual(
      [`${certificate} not signed by the authority that is trusted, 0x8`]);
    expect(meet(server, { ...believing, name: "a.b.peer" })).toEqual([`${certificate} for another name, 0x4`]);
    expect(meet(server, { ...believing, time: EPOCH + 2 * DAY })).toEqual([`${certificate} expired, 0x1`]);
    expect(meet(server, { ...believing, name: "b", time: 0 })).toEqual(
      [`${certificate} for another name, not yet valid, 0x204`]);
  });

  test("needs a client certificate of the authority that the server knows, if it knows one", () => {
    const strict = { ...server, clients: "ours" };
    const refused = ["client failed: the server does not accept this client's certificate, 0x0"];
    expect(meet(strict, believing)).toEqual(refused);
    expect(meet(strict, { ...believing, identity: paperIdentity("b", "theirs") })).toEqual(refused);
    const mixed = { ...paperIdentity("b", "ours"), key: paperIdentity("c", "ours").key };
    expect(meet(strict, { ...believing, identity: mixed })).toEqual(refused);
    expect(meet(strict, { ...believing, identity: paperIdentity("b", "ours") })).toContain("client connected");
  });

  test("fails at a server without it, and a client without it is hung up on", () => {
    expect(meet(undefined, believing)).toEqual(
      ["server connected", "server got 16030100050100000103", "client failed: the server does not speak TLS, 0x0"]);
    expect(meet(server, undefined)).toEqual(["client connected", "client closed"]);
  });
});

describe("a broker in memory", () => {
  test("can be one with TLS, and stays one when it comes back", () => {
    const clock = new SimClock();
    const network = new MemoryNetwork(clock, { epoch: EPOCH });
    const broker = new ScriptedBroker(clock);
    broker.listen(network, "broker", 8883, { authority: "right", names: ["peer"] });
    const log: string[] = [];
    const call = (request: TlsRequest): void => void network.connect("broker", 8883, {
      connected: () => log.push("connected"),
      data() {},
      drained() {},
      closed() {},
      failed: (reason) => log.push(reason),
    }, request);
    call(believing);
    clock.runFor(20);
    broker.stop();
    call(believing);
    clock.runFor(20);
    broker.start();
    call(believing);
    call({ ...believing, name: "other" });
    clock.runFor(20);
    expect(log).toEqual(["connected", "connection refused", "connected", "the server's certificate is for another name"]);
  });
});

describe("names, echoes and the time in memory", () => {
  test("a name and its address are the same host", () => {
    const clock = new SimClock();
    const network = new MemoryNetwork(clock);
    let connected = 0;
    const nobody = { data() {}, drained() {}, closed() {}, failed() {}, connected: () => void (connected += 1) };
    network.listen("peer", 7, () => ({ ...nobody, connected() {} }));
    network.resolve("peer", (address) => network.connect(address ?? "", 7, nobody));
    clock.runFor(20);
    expect(connected).toBe(1);
  });

  test("names are found late when the name server is slow, and not at all when it fails", () => {
    const clock = new SimClock();
    const network = new MemoryNetwork(clock);
    network.listen("peer", 7, () => ({ data() {}, drained() {}, closed() {}, failed() {}, connected() {} }));
    const log: string[] = [];
    const ask = (host: string): void => network.resolve(host, (address) => log.push(`${address ?? "none"} ${clock.now}`));
    const call = (host: string): void => void network.connect(host, 7, {
      data() {}, drained() {}, closed() {},
      connected: () => log.push(`connected ${clock.now}`),
      failed: (reason) => log.push(`${reason} ${clock.now}`),
    });
    network.nameDelay = 5_000;
    ask("peer");
    call("peer");
    call("10.0.0.1");
    clock.runUntil(6_000);
    expect(log.splice(0)).toEqual(["connected 4", "10.0.0.1 5004", "connected 5004"]);
    network.namesFail = true;
    ask("peer");
    ask("10.0.0.1");
    call("peer");
    clock.runUntil(12_000);
    expect(log).toEqual(["10.0.0.1 6004", "no such host 11002", "none 11004"]);
  });

  test("a host answers to ping unless it is silent or unknown", () => {
    const clock = new SimClock();
    const network = new MemoryNetwork(clock, { latency: 3 });
    network.listen("peer", 7, () => ({ data() {}, drained() {}, closed() {}, failed() {}, connected() {} }));
    const times: number[] = [];
    network.ping("peer", (ms) => times.push(ms));
    network.ping("stranger", (ms) => times.push(ms));
    clock.runFor(100);
    network.silence("peer");
    network.ping("peer", (ms) => times.push(ms));
    clock.runFor(100);
    expect(times).toEqual([6]);
  });

  test("a time server tells the time of day, which goes with the clock, unless it is silent", () => {
    const clock = new SimClock();
    const network = new MemoryNetwork(clock, { epoch: EPOCH });
    const times: number[] = [];
    clock.runUntil(1_000);
    network.askTime("pool.ntp.org", (time) => times.push(time));
    clock.runUntil(2_000);
    network.timeSilent = true;
    network.askTime("pool.ntp.org", (time) => times.push(time));
    clock.runUntil(3_000);
    expect(times).toEqual([EPOCH + 1_004]);
  });
});
