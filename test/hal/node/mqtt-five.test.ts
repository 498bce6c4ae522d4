import { writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate, type Packet, parser } from "mqtt-packet";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  connect,
  Mqtt,
  MqttError,
  type MqttOptions,
  type PublishProperties,
  RetainHandling,
} from "../../../hal/node/mqtt";
import { Mosquitto } from "../../e2e/mosquitto";
import { freePort } from "../../e2e/processes";
import { Inbox } from "../../interop/inbox";

function at(port: number, options: Partial<MqttOptions> = {}): MqttOptions {
  return { host: "127.0.0.1", port, protocol: 5, entropy: { next: () => 0 }, ...options };
}

/** A client that leaves with its test. */
async function connected(port: number, options: Partial<MqttOptions> = {}): Promise<Mqtt> {
  const client = await connect(at(port, options));
  onTestFinished(() => client.leave(0));
  return client;
}

/** How a promise ends: `done`, or `trouble reasonCode`. */
function endOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "done",
    (error: unknown) => (error instanceof MqttError ? `${error.trouble} ${error.reasonCode ?? "-"}` : String(error)),
  );
}

/** A broker that gives a session to everybody, and answers anything else as the test says. */
async function serve(answer: (packet: Packet, socket: Socket) => void, connack: object = {}): Promise<{ port: number; came: Packet[] }> {
  const came: Packet[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    const reads = parser({ protocolVersion: 5 });
    reads.on("packet", (packet: Packet) => {
      came.push(packet);
      if (packet.cmd !== "connect") answer(packet, socket);
      else socket.write(generate({ cmd: "connack", reasonCode: 0, sessionPresent: false, ...connack }, { protocolVersion: 5 }));
    });
    socket.on("data", (chunk: Buffer) => reads.parse(chunk));
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port, came };
}

describe("the MQTT client in Node, in MQTT 5.0", () => {
  test("what a message says of itself arrives with it, at every QoS", async () => {
    const broker = await Mosquitto.start();
    const client = await connected(broker.port);
    const inbox = new Inbox();
    expect(await client.subscribe("a", 2, inbox.take, { identifier: 300 })).toBe(2);
    const properties = {
      expiry: 3600,
      text: true,
      contentType: "text/plain",
      responseTopic: "answers/1",
      correlation: Uint8Array.of(0, 255, 1),
      userProperties: [
        { name: "unit", value: "°C" },
        { name: "unit", value: "K" },
      ],
    };
    for (const qos of [0, 1, 2] as const) {
      await client.publish("a", "21.5", { qos, properties });
      await client.publish("a", "bare", { qos });
    }
    await inbox.atLeast(6);
    for (const [i, message] of inbox.messages.entries()) {
      const said = i % 2 === 0 ? { ...properties, correlation: Buffer.from([0, 255, 1]) } : nothing;
      expect(message).toMatchObject({ qos: Math.floor(i / 2), text: i % 2 === 0 ? "21.5" : "bare" });
      expect(message.properties).toEqual({ ...said, subscriptionIdentifiers: [300] });
    }
  });

  test("keeps the order of far more messages than its outbox holds and the broker takes at once, and loses none", async () => {
    const broker = await Mosquitto.start({ config: ["max_inflight_messages 5"] });
    const client = await connected(broker.port, { outboxSize: 2000 });
    expect(client.five?.granted.receiveMaximum).toBe(5);
    const inbox = new Inbox();
    await client.subscribe("n", 2, inbox.take);
    const wanted = Array.from({ length: 2000 }, (_, i) => String(i));
    const publish = (text: string): Promise<void> =>
      client.publish("n", text, { qos: 2, properties: { userProperties: [{ name: "n", value: text }] } });
    await Promise.all(wanted.map(publish));
    await inbox.atLeast(wanted.length);
    expect(inbox.texts).toEqual(wanted);
    expect(inbox.messages.map(({ properties }) => properties?.userProperties[0]?.value)).toEqual(wanted);
    expect(client.stats).toMatchObject({ acknowledged: 2000, refused: 0, retried: 0, violations: 0 });
  });

  test("CONNECT says what it was asked to", async () => {
    const { port, came } = await serve(() => undefined);
    const five = { sessionExpiry: 77, receiveMaximum: 7, maximumPacketSize: 5000, userProperties: [{ name: "who", value: "test" }] };
    await connected(port, { clean: false, clientId: "c", five });
    expect(came[0]).toMatchObject({
      cmd: "connect",
      protocolVersion: 5,
      clean: false,
      clientId: "c",
      properties: { sessionExpiryInterval: 77, receiveMaximum: 7, maximumPacketSize: 5000, userProperties: { who: "test" } },
    });
  });

  test("without options it says how large a packet it takes, and takes one as large", async () => {
    const { port, came } = await serve((packet, socket) => {
      if (packet.cmd === "subscribe") {
        socket.write(generate({ cmd: "suback", messageId: packet.messageId ?? 0, granted: [0] }, { protocolVersion: 5 }));
        const payload = "x".repeat(65_534 - 4);
        socket.write(generate({ cmd: "publish", topic: "t", payload, qos: 0, dup: false, retain: false }, { protocolVersion: 5 }));
      }
    });
    const client = await connected(port);
    const inbox = new Inbox();
    await client.subscribe("t", 0, inbox.take);
    await inbox.atLeast(1);
    expect(inbox.texts[0]).toHaveLength(65_530);
    expect(came[0]).toMatchObject({ clean: true, properties: { maximumPacketSize: 65_534 + 4 } });
  });

  test("a session with an expiry outlives its link, and one without does not", async () => {
    const broker = await Mosquitto.start();
    for (const sessionExpiry of [0, 60]) {
      const present: boolean[] = [];
      const five = { sessionExpiry };
      const client = await connected(broker.port, { five, onOnline: (is) => present.push(is) });
      client.cut();
      await client.publish("t", "again", { qos: 1 });
      expect(present).toEqual([false, sessionExpiry > 0]);
    }
  });

  test("subscriptions are served as they were asked to be", async () => {
    const broker = await Mosquitto.start();
    const client = await connected(broker.port);
    const other = await connected(broker.port);
    await other.publish("kept", "old", { qos: 1, retain: true });
    const deaf = new Inbox();
    const late = new Inbox();
    const flagged = new Inbox();
    await client.subscribe("kept", 1, deaf.take, { noLocal: true, retainHandling: RetainHandling.Never });
    await other.subscribe("kept", 1, flagged.take, { retainAsPublished: true, retainHandling: RetainHandling.Never });
    await other.subscribe("kept/#", 1, late.take, { retainHandling: RetainHandling.Always });
    await client.publish("kept", "own", { qos: 1, retain: true });
    await other.publish("kept", "new", { qos: 1, retain: true });
    await Promise.all([deaf.atLeast(1), flagged.atLeast(2)]);
    expect(deaf.messages).toMatchObject([{ text: "new", retain: false }]);
    expect(flagged.messages.map(({ retain }) => retain)).toContain(true);
    expect(late.texts).toContain("old");
  });

  test("[MQTT5-4.4.0-2] a message that the broker refuses rejects with its reason, at QoS 1 and 2, and is not sent again", async () => {
    const { port, came } = await serve((packet, socket) => {
      if (packet.cmd !== "publish") return;
      const cmd = packet.qos === 1 ? "puback" : "pubrec";
      const properties = { reasonString: "too much" };
      socket.write(generate({ cmd, messageId: packet.messageId ?? 0, reasonCode: 0x97, properties }, { protocolVersion: 5 }));
    });
    const client = await connected(port);
    for (const qos of [1, 2] as const) {
      await expect(client.publish("t", "x", { qos })).rejects.toMatchObject({
        trouble: "refused",
        reasonCode: 0x97,
        message: /quota exceeded \(151\): too much/,
      });
    }
    client.cut();
    expect(await endOf(client.publish("t", "y", { qos: 1 }))).toBe("refused 151");
    const sent = came.filter(({ cmd }) => cmd === "publish");
    expect(sent).toMatchObject([{ qos: 1 }, { qos: 2 }, { qos: 1, payload: Buffer.from("y") }]);
  });

  test("a refusal of a message that was not sent yet is not believed", async () => {
    const { port } = await serve(
      (packet, socket) => {
        if (packet.cmd !== "publish") return;
        const messageId = packet.messageId ?? 0;
        socket.write(generate({ cmd: "puback", messageId: messageId + 1, reasonCode: 0x97 }, { protocolVersion: 5 }));
        socket.write(generate({ cmd: "puback", messageId, reasonCode: 0 }, { protocolVersion: 5 }));
      },
      { properties: { receiveMaximum: 1 } },
    );
    const client = await connected(port);
    const ends = ["a", "b", "c"].map((text) => endOf(client.publish("t", text, { qos: 1 })));
    expect(await Promise.all(ends)).toEqual(["done", "done", "done"]);
  });

  test("a message that its properties make larger than the outbox is refused at once", async () => {
    const { port } = await serve(() => undefined);
    const client = await connected(port, { outboxSize: 1000 });
    const properties = { contentType: "x".repeat(200) };
    expect(await endOf(client.publish("t", "x".repeat(900), { properties }))).toBe("invalid -");
    expect(await endOf(client.publish("t", "x".repeat(900)))).toBe("done");
  });

  test("a message that reaches nobody is taken all the same", async () => {
    const { port } = await serve((packet, socket) => {
      if (packet.cmd !== "publish") return;
      socket.write(generate({ cmd: "puback", messageId: packet.messageId ?? 0, reasonCode: 0x10 }, { protocolVersion: 5 }));
    });
    const client = await connected(port);
    expect(await endOf(client.publish("t", "x", { qos: 1 }))).toBe("done");
  });

  test("a filter that the broker refuses, to begin or to end, rejects with its reason", async () => {
    const { port } = await serve((packet, socket) => {
      const messageId = packet.messageId ?? 0;
      if (packet.cmd === "subscribe") {
        const granted = packet.subscriptions.map(({ topic }) => (topic === "no" ? 0x87 : 1));
        socket.write(generate({ cmd: "suback", messageId, granted }, { protocolVersion: 5 }));
      }
      if (packet.cmd === "unsubscribe") socket.write(generate({ cmd: "unsuback", messageId, granted: [0x83] }, { protocolVersion: 5 }));
    });
    const client = await connected(port);
    const all = ["yes", "no"].map((filter) => endOf(client.subscribe(filter, 1, () => undefined)));
    expect(await Promise.all(all)).toEqual(["done", "refused 135"]);
    expect(await endOf(client.unsubscribe("yes"))).toBe("refused 131");
  });

  test("the broker's DISCONNECT tells why the session is gone", async () => {
    const told: MqttError[] = [];
    const { port } = await serve((packet, socket) => {
      if (packet.cmd !== "publish") return;
      const properties = { reasonString: "maintenance" };
      socket.end(generate({ cmd: "disconnect", reasonCode: 0x8b, properties }, { protocolVersion: 5 }));
    });
    const client = await connected(port, { onOffline: (why) => told.push(why) });
    const kept = endOf(client.publish("t", "x", { qos: 1 }));
    while (told.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(told[0]).toMatchObject({ trouble: "lost", reasonCode: 0x8b, message: /server shutting down \(139\): maintenance/ });
    await client.leave(0);
    expect(await kept).toBe("left -");
  });

  test("[MQTT5-3.2.2-15] what the broker does not take is refused by name, also if it was published before there was a session", async () => {
    const broker = await Mosquitto.start({ config: ["max_packet_size 200", "max_qos 1", "retain_available false"] });
    const client = new Mqtt(at(broker.port));
    onTestFinished(() => client.leave(0));
    const letters: Parameters<Mqtt["publish"]>[] = [
      ["t", "x".repeat(300), { qos: 1 }],
      ["t", "x", { qos: 2 }],
      ["t", "x", { qos: 1, retain: true }],
      ["t", "fits", { qos: 1 }],
    ];
    const expected = ["refused -", "refused -", "refused -", "done"];
    expect(await Promise.all(letters.map((letter) => endOf(client.publish(...letter))))).toEqual(expected);
    expect(client.online).toBe(true);
    expect(await Promise.all(letters.map((letter) => endOf(client.publish(...letter))))).toEqual(expected);
    expect(client.stats).toMatchObject({ losses: 0, acknowledged: 2 });
  });

  test("a message whose expiry is over before there is a session is dropped, and those around it are not", async () => {
    const broker = await Mosquitto.start();
    const client = new Mqtt(at(broker.port));
    onTestFinished(() => client.leave(0));
    const ends = [undefined, 0, 60].map((expiry) => endOf(client.publish("t", "x", { qos: 1, properties: { expiry } })));
    expect(await Promise.all(ends)).toEqual(["done", "dropped -", "done"]);
  });

  test("a message at QoS 0 that waits for others has not gone because some behind it are dropped", async () => {
    const ask: (() => void)[] = [];
    const answer = (packet: Packet, socket: Socket): void => {
      if (packet.cmd !== "publish" || packet.qos !== 1) return;
      ask.push(() => socket.write(generate({ cmd: "puback", messageId: packet.messageId ?? 0, reasonCode: 0 }, { protocolVersion: 5 })));
      if (packet.payload.toString() === "second") ask.pop()?.();
    };
    const { port, came } = await serve(answer, { properties: { receiveMaximum: 1 } });
    const client = await connected(port);
    const publish = (text: string, qos: 0 | 1, expiry?: number): Promise<string> =>
      endOf(client.publish("t", text, { qos, properties: { expiry } }));
    const kept = [publish("first", 1), publish("second", 1)];
    let gone = false;
    const once = publish("at most once", 0).then(() => (gone = true));
    const old = ["a", "b", "c"].map((text) => publish(text, 1, 0));
    expect(await Promise.all(old)).toEqual(["dropped -", "dropped -", "dropped -"]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(gone).toBe(false);
    expect(came.filter(({ cmd }) => cmd === "publish")).toHaveLength(1);
    ask[0]?.();
    expect(await Promise.all(kept)).toEqual(["done", "done"]);
    await once;
  });

  test("says with which reason a session or a message was refused", async () => {
    const folder = mkdtempSync(join(tmpdir(), "moth-acl-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const acl = join(folder, "acl");
    writeFileSync(acl, "user moth\ntopic write open\n", { mode: 0o600 });
    const broker = await Mosquitto.start({ user: "moth", password: "secret", config: [`acl_file ${acl}`] });
    const wrong = connect(at(broker.port, { userName: "moth", password: "wrong" }));
    await expect(wrong).rejects.toMatchObject({ trouble: "refused", reasonCode: 0x87, message: /not authorised \(135\)/ });
    const client = await connected(broker.port, { userName: "moth", password: "secret" });
    expect(await endOf(client.publish("closed", "x", { qos: 1 }))).toBe("refused 135");
    expect(await endOf(client.publish("open", "x", { qos: 1 }))).toBe("done");
  });

  test("refuses what MQTT 5.0 does not allow, by name, and what is for it alone", async () => {
    const { port, came } = await serve(() => undefined);
    const client = await connected(port);
    const wrong: PublishProperties[] = [
      { expiry: -1 },
      { expiry: 0.5 },
      { contentType: "nul\0" },
      { responseTopic: "a/+" },
      { responseTopic: "" },
      { correlation: Buffer.alloc(65_536) },
      { userProperties: [{ name: "x".repeat(65_536), value: "" }] },
      { correlation: Buffer.alloc(40_000), contentType: "x".repeat(40_000) },
    ];
    for (const properties of wrong) expect(await endOf(client.publish("t", "x", { qos: 1, properties }))).toBe("invalid -");
    for (const options of [{ identifier: 0 }, { identifier: 268_435_456 }]) {
      expect(await endOf(client.subscribe("t", 1, () => undefined, options))).toBe("invalid -");
    }
    expect(await endOf(client.subscribe("$share/g/t", 1, () => undefined, { noLocal: true }))).toBe("invalid -");
    expect(came).toHaveLength(1);
    for (const five of [{ receiveMaximum: 0 }, { maximumPacketSize: 0 }, { sessionExpiry: -1 }]) {
      expect(await endOf(connect(at(port, { five })))).toBe("invalid -");
    }
    expect(await endOf(connect(at(port, { protocol: 4, five: {} })))).toBe("invalid -");
    const broker = await Mosquitto.start();
    const old = await connected(broker.port, { protocol: 4 });
    expect(await endOf(old.publish("t", "x", { properties: {} }))).toBe("invalid -");
    expect(await endOf(old.subscribe("t", 1, () => undefined, {}))).toBe("invalid -");
  });

  test("a subscription takes a new handler with its own options, and others when it has ended", async () => {
    const broker = await Mosquitto.start();
    const client = await connected(broker.port);
    const inbox = new Inbox();
    await client.subscribe("t", 1, () => undefined, { identifier: 5 });
    expect(await endOf(client.subscribe("t", 1, inbox.take, { identifier: 6 }))).toBe("invalid -");
    await client.subscribe("t", 1, inbox.take);
    await client.publish("t", "five", { qos: 1 });
    await client.unsubscribe("t");
    await client.subscribe("t", 1, inbox.take, { identifier: 6 });
    await client.publish("t", "six", { qos: 1 });
    await inbox.atLeast(2);
    expect(inbox.messages.map(({ properties }) => properties?.subscriptionIdentifiers)).toEqual([[5], [6]]);
  });
});

const nothing = {
  expiry: undefined,
  text: false,
  contentType: undefined,
  responseTopic: undefined,
  correlation: undefined,
  userProperties: [],
};
