import { createServer, type AddressInfo, type Server, type Socket as NodeSocket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { SimClock } from "../../../sim/clock";
import type { Socket } from "../../../sim/network/network";
import { TcpNetwork } from "../../../sim/network/tcp";
import { Outside, runPaced } from "../../../sim/pace";

const servers: Server[] = [];

afterEach(() => {
  servers.splice(0).forEach((server) => server.close());
});

function serve(onConnection: (socket: NodeSocket) => void): Promise<number> {
  const server = createServer((socket) => {
    // A client that dies without a word is what half of these tests are about.
    socket.on("error", () => undefined);
    onConnection(socket);
  });
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address: AddressInfo | string | null = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

function setUp(): { clock: SimClock; outside: Outside; network: TcpNetwork; log: string[] } {
  const clock = new SimClock();
  const outside = new Outside(clock);
  return { clock, outside, network: new TcpNetwork(outside), log: [] };
}

function logger(log: string[]) {
  return {
    connected: () => void log.push("connected"),
    data: (chunk: Uint8Array) => void log.push(`data ${Buffer.from(chunk).toString()}`),
    drained() {},
    closed: () => void log.push("closed"),
    failed: (reason: string) => void log.push(`failed: ${reason}`),
  };
}

describe("the real network", () => {
  test("connects, carries bytes both ways, and tells when the peer closes", async () => {
    const port = await serve((socket) => socket.on("data", (data) => socket.end(`you said ${data.toString()}`)));
    const { clock, outside, network, log } = setUp();
    const socket: Socket = network.connect("127.0.0.1", port, {
      ...logger(log),
      connected: () => socket.write(Buffer.from("hi")),
    });
    await runPaced(clock, { speed: "real", outside, until: () => log.includes("closed") });
    expect(log).toEqual(["data you said hi", "closed"]);
    expect(socket.remoteAddress).toBe("127.0.0.1");
  });

  test("says in words why it could not connect", async () => {
    const port = await serve(() => undefined);
    await new Promise((resolve) => servers.pop()?.close(resolve));
    const { clock, outside, network, log } = setUp();
    network.connect("127.0.0.1", port, logger(log));
    await runPaced(clock, { speed: "real", outside, until: () => log.length > 0 });
    expect(log).toEqual(["failed: connection refused"]);
  });

  test("shows the peer a reset when it is destroyed, and says nothing itself", async () => {
    let seen = "";
    const port = await serve((socket) => socket.on("error", (error) => (seen = error.message)));
    const { clock, outside, network, log } = setUp();
    const socket = network.connect("127.0.0.1", port, logger(log));
    await runPaced(clock, { speed: "real", outside, until: () => log.length > 0 });
    socket.destroy();
    await runPaced(clock, { speed: "real", outside, until: () => seen !== "" });
    expect(seen).toContain("ECONNRESET");
    expect(log).toEqual(["connected"]);
  });

  test("stops reading while it is paused", async () => {
    const port = await serve((socket) => socket.write("news"));
    const { clock, outside, network, log } = setUp();
    const socket: Socket = network.connect("127.0.0.1", port, {
      ...logger(log),
      connected: () => socket.pause(),
    });
    clock.after(100, () => log.push("resumed"));
    await runPaced(clock, { speed: "real", outside, until: () => log.includes("resumed") });
    socket.resume();
    await runPaced(clock, { speed: "real", outside, until: () => log.length > 1 });
    expect(log).toEqual(["resumed", "data news"]);
    socket.destroy();
  });

  test("finds names", async () => {
    const { clock, outside, network } = setUp();
    let found: string | undefined | null = null;
    network.resolve("localhost", (address) => (found = address));
    await runPaced(clock, { speed: "max", outside, until: () => found !== null });
    expect(found).toBe("127.0.0.1");
  });
});

describe("the pace", () => {
  test("follows real time without drifting", async () => {
    const clock = new SimClock();
    let ticks = 0;
    const tick = (): void => {
      ticks += 1;
      clock.after(10, tick);
    };
    clock.after(10, tick);
    const began = performance.now();
    await runPaced(clock, { speed: "real", until: () => ticks >= 20 });
    const took = performance.now() - began;
    expect(took).toBeGreaterThanOrEqual(199);
    expect(took).toBeLessThan(260);
  });

  test("brings the clock to the present before something from outside happens", async () => {
    const clock = new SimClock();
    const outside = new Outside(clock);
    let at = -1;
    const began = performance.now();
    let expected = -1;
    setTimeout(() => outside.run(() => {
      at = clock.now;
      expected = performance.now() - began;
    }), 30);
    await runPaced(clock, { speed: "real", outside, until: () => at >= 0 });
    expect(Math.abs(at - expected)).toBeLessThan(5);
  });

  test("runs ahead of real time when it may", async () => {
    const clock = new SimClock();
    let ticks = 0;
    const tick = (): void => {
      ticks += 1;
      clock.after(1000, tick);
    };
    tick();
    await runPaced(clock, { speed: "max", until: () => clock.now >= 3_600_000 });
    expect(ticks).toBe(3601);
  });

  test("running ahead, waits for a peer's answer before the next deadline comes", async () => {
    const port = await serve((socket) => socket.on("data", () => setTimeout(() => socket.write("answer"), 20)));
    const { clock, outside, network, log } = setUp();
    const socket: Socket = network.connect("127.0.0.1", port, {
      ...logger(log),
      connected: () => socket.write(Buffer.from("question")),
    });
    clock.after(10_000, () => log.push("deadline"));
    await runPaced(clock, { speed: "max", outside, until: () => log.includes("deadline") });
    expect(log).toEqual(["data answer", "deadline"]);
    socket.destroy();
  });

  test("running ahead, goes on after a while when no answer comes", async () => {
    const port = await serve((socket) => socket.on("data", () => undefined));
    const { clock, outside, network, log } = setUp();
    const socket: Socket = network.connect("127.0.0.1", port, {
      ...logger(log),
      connected: () => socket.write(Buffer.from("question")),
    });
    clock.after(10_000, () => log.push("deadline"));
    const began = performance.now();
    await runPaced(clock, { speed: "max", outside, until: () => log.includes("deadline") });
    expect(performance.now() - began).toBeGreaterThan(45);
    expect(performance.now() - began).toBeLessThan(1000);
    socket.destroy();
  });

  test("ends when it is told to from outside, and passes on what an event throws", async () => {
    const clock = new SimClock();
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    await runPaced(clock, { speed: "real", until: () => false, signal: controller.signal });
    clock.after(1, () => {
      throw new Error("broken board");
    });
    await expect(runPaced(clock, { speed: "max", until: () => false })).rejects.toThrow("broken board");
  });
});
