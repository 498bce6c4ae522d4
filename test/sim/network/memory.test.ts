import { describe, expect, test } from "vitest";
import { SimClock } from "../../../sim/clock";
import { MemoryNetwork } from "../../../sim/network/memory";
import type { Socket, SocketEvents } from "../../../sim/network/network";

interface Side extends SocketEvents {
  text: string;
  readonly events: string[];
}

function side(clock: SimClock): Side {
  const events: string[] = [];
  return {
    text: "",
    events,
    connected: () => events.push(`connected ${clock.now}`),
    failed: (reason) => events.push(`failed: ${reason} ${clock.now}`),
    closed: () => events.push(`closed ${clock.now}`),
    drained() {},
    data(chunk) {
      this.text += Buffer.from(chunk).toString();
    },
  };
}

function setUp(): { clock: SimClock; network: MemoryNetwork; client: Side; server: Side; sockets: Socket[] } {
  const clock = new SimClock();
  const network = new MemoryNetwork(clock, { latency: 2 });
  const client = side(clock);
  const server = side(clock);
  const sockets: Socket[] = [];
  network.listen("peer", 7, (socket) => {
    sockets.push(socket);
    return server;
  });
  return { clock, network, client, server, sockets };
}

describe("the network in memory", () => {
  test("connects within two latencies and carries bytes both ways, in order", () => {
    const { clock, network, client, server, sockets } = setUp();
    const socket = network.connect("peer", 7, client);
    clock.runFor(10);
    expect(client.events).toEqual(["connected 4"]);
    socket.write(Buffer.from("a"));
    socket.write(Buffer.from("b"));
    sockets[0]?.write(Buffer.from("c"));
    expect(socket.bufferedBytes).toBe(2);
    clock.runFor(1.9);
    expect(server.text).toBe("");
    clock.runFor(0.1);
    expect(server.text).toBe("ab");
    expect(client.text).toBe("c");
    expect(socket.bufferedBytes).toBe(0);
  });

  test("copies what is written", () => {
    const { clock, network, client, server } = setUp();
    const socket = network.connect("peer", 7, client);
    clock.runFor(10);
    const bytes = Buffer.from("abc");
    socket.write(bytes);
    bytes.fill(0);
    clock.runFor(10);
    expect(server.text).toBe("abc");
  });

  test("refuses where nobody listens, and knows no strangers", () => {
    const { clock, network, client } = setUp();
    network.connect("peer", 8, client);
    network.connect("stranger", 7, client);
    clock.runFor(10);
    expect(client.events).toEqual(["failed: no such host 2", "failed: connection refused 4"]);
    expect(network.open).toBe(0);
  });

  test("refuses once nobody listens any more", () => {
    const { clock, network, client } = setUp();
    const stop = network.listen("other", 7, () => side(clock));
    stop();
    network.connect("other", 7, client);
    clock.runFor(10);
    expect(client.events).toEqual(["failed: connection refused 4"]);
  });

  test("tells the other side of an end and of a destroy, after what was written", () => {
    for (const how of ["end", "destroy"] as const) {
      const { clock, network, client, server } = setUp();
      const socket = network.connect("peer", 7, client);
      clock.runFor(10);
      socket.write(Buffer.from("bye"));
      socket[how]();
      socket.write(Buffer.from("too late"));
      clock.runFor(10);
      expect(server.text).toBe("bye");
      expect(server.events).toEqual(["connected 2", "closed 12"]);
      expect(client.events).toEqual(["connected 4"]);
      expect(network.open).toBe(0);
    }
  });

  test("holds data and the end for a side that has paused", () => {
    const { clock, network, client, server, sockets } = setUp();
    const socket = network.connect("peer", 7, client);
    clock.runFor(10);
    sockets[0]?.pause();
    socket.write(Buffer.from("abc"));
    clock.runFor(10);
    expect(socket.bufferedBytes).toBe(3);
    socket.end();
    clock.runFor(10);
    expect(server.events).toEqual(["connected 2"]);
    sockets[0]?.resume();
    clock.runFor(10);
    expect(server.text).toBe("abc");
    expect(server.events).toEqual(["connected 2", "closed 30"]);
  });

  test("lets nothing through while it is parted, and everything in order afterwards", () => {
    const { clock, network, client, server } = setUp();
    const socket = network.connect("peer", 7, client);
    clock.runFor(10);
    network.partition(true);
    socket.write(Buffer.from("a"));
    const late = side(clock);
    network.connect("peer", 7, late);
    clock.runFor(1000);
    socket.write(Buffer.from("b"));
    clock.runFor(1000);
    expect(server.text).toBe("");
    expect(late.events).toEqual([]);
    network.partition(false);
    socket.write(Buffer.from("c"));
    clock.runFor(10);
    expect(server.text).toBe("abc");
    expect(late.events).toEqual(["connected 2014"]);
  });

  test("loses what was on its way when a connection becomes half open", () => {
    const { clock, network, client, server } = setUp();
    const socket = network.connect("peer", 7, client);
    clock.runFor(10);
    socket.write(Buffer.from("abc"));
    network.vanishAll();
    clock.runFor(100);
    expect(server.text).toBe("");
    expect(socket.bufferedBytes).toBe(3);
  });

  test("breaks all connections for both sides", () => {
    const { clock, network, client, server } = setUp();
    network.connect("peer", 7, client);
    clock.runFor(10);
    network.killAll();
    clock.runFor(0);
    expect(client.events.at(-1)).toBe("closed 10");
    expect(server.events.at(-1)).toBe("closed 10");
  });

  test("leaves both sides of a half-open connection in the dark until one of them sends", () => {
    const { clock, network, client, server } = setUp();
    const socket = network.connect("peer", 7, client);
    clock.runFor(10);
    network.vanishAll();
    clock.runFor(3_600_000);
    expect(client.events).toEqual(["connected 4"]);
    socket.write(Buffer.from("anybody?"));
    clock.runFor(29_000);
    expect(client.events).toEqual(["connected 4"]);
    clock.runFor(2_000);
    expect(client.events).toHaveLength(2);
    expect(server.events).toEqual(["connected 2"]);
  });
});
