import { createServer, type Server, type Socket } from "node:net";
import { generate } from "mqtt-packet";
import { describe, expect, onTestFinished, test } from "vitest";
import { connect, Mqtt, MqttError, type MqttOptions } from "../../../hal/node/mqtt";
import { Mosquitto } from "../../e2e/mosquitto";
import { freePort } from "../../e2e/processes";
import { Inbox } from "../../interop/inbox";

/** A client that leaves with its test. */
async function connected(options: MqttOptions): Promise<Mqtt> {
  const client = await connect(options);
  onTestFinished(() => client.leave(0));
  return client;
}

function at(broker: Mosquitto): MqttOptions {
  return { host: "127.0.0.1", port: broker.port };
}

/** Listens on a free port for as long as the test runs. */
async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    onSocket(socket);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return port;
}

const CONNACK = Buffer.from([0x20, 2, 0, 0]);

function troubleOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "none",
    (error: unknown) => (error instanceof MqttError ? error.trouble : String(error)),
  );
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index));
}

describe("the MQTT client in Node", () => {
  test("publishes and receives at QoS 0 and 1, in order, with topic, payload and retain flag", async () => {
    const broker = await Mosquitto.start();
    const client = await connected(at(broker));
    const inbox = new Inbox();
    expect(await client.subscribe("a/#", 1, inbox.take)).toBe(1);
    await client.publish("a/zero", "nothing is owed");
    await client.publish("a/one", Uint8Array.of(0, 255), { qos: 1 });
    await client.publish("a", "grüße", { qos: 1, retain: true });
    await inbox.atLeast(3);
    expect(inbox.messages).toMatchObject([
      { topic: "a/zero", text: "nothing is owed", qos: 0, retain: false },
      { topic: "a/one", payload: Buffer.from([0, 255]), qos: 1 },
      { topic: "a", text: "grüße", qos: 1 },
    ]);
    const late = new Inbox();
    const other = await connected(at(broker));
    await other.subscribe("a", 0, late.take);
    await late.atLeast(1);
    expect(late.messages).toMatchObject([{ topic: "a", text: "grüße", qos: 0, retain: true }]);
  });

  test("keeps the order of far more messages than its outbox holds, and loses none", async () => {
    const broker = await Mosquitto.start();
    const client = await connected(at(broker));
    const inbox = new Inbox();
    await client.subscribe("n", 1, inbox.take);
    const wanted = numbers(20_000);
    await Promise.all(wanted.map((text) => client.publish("n", text, { qos: 1 })));
    await inbox.atLeast(wanted.length);
    expect(inbox.texts).toEqual(wanted);
    expect(client.stats).toMatchObject({ published: 20_000, acknowledged: 20_000, refused: 0, retried: 0 });
  });

  test("gives each handler messages that it may keep", async () => {
    const broker = await Mosquitto.start();
    const client = await connected(at(broker));
    const inbox = new Inbox();
    await client.subscribe("big", 0, inbox.take);
    // Longer than what comes in one piece, so that it is gathered in the client's own buffer.
    const wanted = ["x", "y", "z"].map((letter) => letter.repeat(60_000));
    for (const text of wanted) await client.publish("big", text);
    await inbox.atLeast(3);
    expect(inbox.texts).toEqual(wanted);
  });

  test("takes no more than the peer reads, and no QoS 0 promise ends before its message has gone", async () => {
    let peer: Socket | undefined;
    let came = 0;
    const port = await listen((socket) => {
      peer = socket;
      socket.once("data", () => {
        socket.write(CONNACK);
        socket.pause();
      });
    });
    const client = await connected({ host: "127.0.0.1", port });
    const payload = Buffer.alloc(30_000);
    let ended = 0;
    const publishAll = (to: Mqtt, onEnd: () => void): Promise<unknown> =>
      Promise.all(numbers(1000).map(() => to.publish("t", payload).then(onEnd)));
    const all = publishAll(client, () => ended++);
    // As much, published later, goes where it is read.
    const reading = await listen((socket) => {
      socket.once("data", () => {
        socket.write(CONNACK);
        socket.resume();
      });
    });
    await publishAll(await connected({ host: "127.0.0.1", port: reading }), () => undefined);
    // What the system buffers for a socket of the loopback is some MB; 30 MB are not among it.
    expect(ended).toBeGreaterThan(0);
    expect(ended).toBeLessThan(700);
    peer?.on("data", (chunk: Buffer) => (came += chunk.length)).resume();
    await all;
    const size = 1 + 3 + 3 + payload.length;
    while (came < 1000 * size) await new Promise((resolve) => setImmediate(resolve));
    expect(came).toBe(1000 * size);
  });

  test("sends what it has held back while many are under way, though nothing is answered", async () => {
    const came: Buffer[] = [];
    const port = await listen((socket) => {
      socket.on("data", (chunk: Buffer) => {
        if (came.length === 0) socket.write(CONNACK);
        came.push(chunk);
      });
    });
    const client = await connected({ host: "127.0.0.1", port });
    const told = (text: string): boolean => Buffer.concat(came).includes(text);
    const until = async (done: () => boolean): Promise<void> => {
      while (!done()) await new Promise((resolve) => setImmediate(resolve));
    };
    const publish = (text: string): void => void client.publish("t", text, { qos: 1 }).catch(() => undefined);
    for (const text of numbers(500)) publish(text);
    await until(() => told("499"));
    publish("one more");
    await until(() => told("one more"));
  });

  test("goes on when a handler throws, and lets the program see the error", async () => {
    const broker = await Mosquitto.start();
    const client = await connected(at(broker));
    const inbox = new Inbox();
    const seen: unknown[] = [];
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.once("uncaughtException", (error) => seen.push(error));
    onTestFinished(() => {
      for (const other of others) process.on("uncaughtException", other);
    });
    await client.subscribe("t", 1, (message) => {
      inbox.take(message);
      if (message.text === "bad") throw new Error("bad message");
    });
    await client.publish("t", "bad", { qos: 1 });
    await client.publish("t", "good", { qos: 1 });
    await inbox.atLeast(2);
    expect(inbox.texts).toEqual(["bad", "good"]);
    expect(seen).toMatchObject([{ message: "bad message" }]);
  });

  test("comes back by itself when it is cut off, subscribes again, and owes nothing", async () => {
    const broker = await Mosquitto.start();
    const told: string[] = [];
    const client = await connected({
      ...at(broker),
      entropy: { next: () => 0 },
      onOnline: (sessionPresent) => told.push(`online ${sessionPresent}`),
      onOffline: ({ trouble }) => told.push(`offline ${trouble}`),
    });
    const inbox = new Inbox();
    await client.subscribe("t", 1, inbox.take);
    client.cut();
    expect(await troubleOf(client.publish("t", "for the link that is gone"))).toBe("lost");
    await client.publish("t", "kept", { qos: 1 });
    await client.subscribe("u", 0, inbox.take);
    await client.publish("t", "after", { qos: 1 });
    await inbox.atLeast(1);
    expect(told).toEqual(["online false", "offline lost", "online false"]);
    expect(inbox.texts).toContain("after");
  });

  test("finds the session again that the broker has kept, with what came meanwhile", async () => {
    const broker = await Mosquitto.start();
    const options = { ...at(broker), clientId: "keeps", clean: false };
    const before = await connect(options);
    await before.subscribe("t", 1, () => undefined);
    await before.leave();
    broker.publish("t", "meanwhile");
    const present: boolean[] = [];
    const inbox = new Inbox();
    const after = new Mqtt({ ...options, onOnline: (sessionPresent) => present.push(sessionPresent) });
    onTestFinished(() => after.leave(0));
    await after.subscribe("t", 1, inbox.take);
    await inbox.atLeast(1);
    expect(inbox.texts).toEqual(["meanwhile"]);
    expect(present).toEqual([true]);
  });

  test("leaves its will behind when it dies, and not when it leaves", async () => {
    const broker = await Mosquitto.start();
    const watcher = await connected(at(broker));
    const inbox = new Inbox();
    await watcher.subscribe("+/availability", 1, inbox.take);
    for (const end of ["leave", "die"] as const) {
      const will = { topic: `${end}/availability`, payload: "offline", qos: 1, retain: false } as const;
      const client = await connect({ ...at(broker), will });
      await (end === "die" ? client.die() : client.leave());
      expect(await troubleOf(client.publish("t", "too late", { qos: 1 }))).toBe("left");
    }
    await inbox.atLeast(1);
    expect(inbox.messages).toMatchObject([{ topic: "die/availability", text: "offline" }]);
  });

  test("sends all that was published before it leaves", async () => {
    const broker = await Mosquitto.start();
    const watcher = await connected(at(broker));
    const inbox = new Inbox();
    await watcher.subscribe("t", 1, inbox.take);
    const client = await connect(at(broker));
    const wanted = numbers(5000);
    const published = wanted.map((text) => client.publish("t", text, { qos: 1 }));
    await client.leave();
    await Promise.all(published);
    await inbox.atLeast(wanted.length);
    expect(inbox.texts).toEqual(wanted);
  });

  test("ends a subscription, and begins it again at another QoS", async () => {
    const broker = await Mosquitto.start();
    const client = await connected(at(broker));
    const inbox = new Inbox();
    await client.subscribe("t", 1, inbox.take);
    expect(await troubleOf(client.subscribe("t", 0, inbox.take))).toBe("invalid");
    await client.unsubscribe("t");
    expect(await troubleOf(client.unsubscribe("t"))).toBe("invalid");
    await client.publish("t", "nobody listens", { qos: 1 });
    expect(await client.subscribe("t", 0, inbox.take)).toBe(0);
    await client.publish("t", "somebody does", { qos: 1 });
    await inbox.atLeast(1);
    expect(inbox.messages).toMatchObject([{ text: "somebody does", qos: 0 }]);
  });

  test("goes to the next broker when the first gives no session", async () => {
    const broker = await Mosquitto.start();
    const dead = await freePort();
    const client = await connected({ host: "127.0.0.1", port: dead, otherBrokers: [{ host: "127.0.0.1", port: broker.port }] });
    await client.publish("t", "x", { qos: 1 });
    expect(client.online).toBe(true);
  });

  test("says why there is no session", async () => {
    const guarded = await Mosquitto.start({ user: "moth", password: "secret" });
    await expect(connect(at(guarded))).rejects.toMatchObject({ trouble: "refused", message: /not authorised \(5\)/ });
    const right = await connect({ ...at(guarded), userName: "moth", password: "secret" });
    await right.leave();
    const dead = { host: "127.0.0.1", port: await freePort() };
    await expect(connect(dead)).rejects.toMatchObject({ trouble: "unreachable", message: /ECONNREFUSED/ });
    const mute = { host: "127.0.0.1", port: await listen((socket) => socket.end()) };
    await expect(connect(mute)).rejects.toMatchObject({ trouble: "unreachable", message: /closed by the broker/ });
    const rude = { host: "127.0.0.1", port: await listen((socket) => socket.resume().write("HTTP/1.1 400 Bad Request\r\n".repeat(9))) };
    await expect(connect(rude)).rejects.toMatchObject({ trouble: "lost", message: /broke the protocol/ });
  });

  test("gives up on a stream that does not come about in time, and tells which", async () => {
    // A plain server that says nothing: a TLS handshake with it never ends, and there is no way back to plain TCP.
    const heard: Buffer[] = [];
    const port = await listen((socket) => socket.on("data", (chunk: Buffer) => heard.push(chunk)));
    const secured = connect({ host: "127.0.0.1", port, tls: {}, linkPatience: 300 });
    await expect(secured).rejects.toMatchObject({ trouble: "unreachable", message: /no answer within 300 ms/ });
    expect(Buffer.concat(heard)[0]).toBe(0x16);
    expect(Buffer.concat(heard).includes("MQTT")).toBe(false);
  });

  test("refuses what can never be sent, by name, and changes nothing", async () => {
    const broker = await Mosquitto.start();
    const client = await connected({ ...at(broker), outboxSize: 1000 });
    for (const topic of ["", "a/+", "#", "nul\0", "x".repeat(65_536)]) {
      expect(await troubleOf(client.publish(topic, "x", { qos: 1 }))).toBe("invalid");
    }
    expect(await troubleOf(client.publish("t", "x".repeat(1000), { qos: 1 }))).toBe("invalid");
    expect(await troubleOf(client.publish("t", "x".repeat(70_000), { qos: 1 }))).toBe("invalid");
    for (const filter of ["", "a#", "a/#/b", "a+"]) {
      expect(await troubleOf(client.subscribe(filter, 1, () => undefined))).toBe("invalid");
    }
    await client.publish("t", "x".repeat(900), { qos: 1 });
    expect(client.stats).toMatchObject({ published: 1, refused: 0, tooLong: 0 });
  });

  test("refuses QoS 0 without a session, and keeps QoS 1 for the next", async () => {
    const port = await freePort();
    const client = new Mqtt({ host: "127.0.0.1", port, entropy: { next: () => 0 } });
    onTestFinished(() => client.leave(0));
    expect(await troubleOf(client.publish("t", "x"))).toBe("offline");
    const kept = client.publish("t", "x", { qos: 1 });
    const server = createServer((socket) => {
      let said = false;
      socket.on("data", (chunk: Buffer) => {
        if (!said) socket.write(CONNACK);
        said = true;
        if (chunk.includes(0x32)) socket.write(generate({ cmd: "puback", messageId: 1 }));
      });
    });
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    await kept;
    expect(client.stats).toMatchObject({ acknowledged: 1, offline: 0 });
  });
});
