import { generate, parser, type IConnectPacket, type Packet } from "mqtt-packet";
import { describe, expect, test } from "vitest";
import { SimClock } from "../../../sim/clock";
import { ConnectReturn, ScriptedBroker, type BrokerOptions } from "../../../sim/network/broker";
import { MemoryNetwork } from "../../../sim/network/memory";
import type { Socket } from "../../../sim/network/network";
import { isFilter, topicMatches } from "../../../sim/network/topics";

class Table {
  readonly clock = new SimClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly broker: ScriptedBroker;

  constructor(options: BrokerOptions = {}) {
    this.broker = new ScriptedBroker(this.clock, options);
    this.broker.listen(this.network, "broker", 1883);
  }

  /** A client that has sent its CONNECT and got whatever came back. */
  client(clientId: string, connect: Partial<IConnectPacket> = {}): Client {
    const client = new Client(this);
    client.send({
      cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clean: true, keepalive: 0, clientId, ...connect,
    });
    return client;
  }
}

class Client {
  readonly got: Packet[] = [];
  closed = false;
  refused = "";
  private readonly socket: Socket;
  private readonly parser = parser({ protocolVersion: 4 });

  constructor(private readonly table: Table) {
    this.parser.on("packet", (packet) => this.got.push(packet));
    this.socket = table.network.connect("broker", 1883, {
      connected() {},
      drained() {},
      data: (chunk) => void this.parser.parse(Buffer.from(chunk)),
      closed: () => (this.closed = true),
      failed: (reason) => (this.refused = reason),
    });
    table.clock.runFor(10);
  }

  send(packet: Packet): this {
    return this.sendRaw(generate(packet));
  }

  sendRaw(bytes: Uint8Array): this {
    this.socket.write(bytes);
    this.table.clock.runFor(10);
    return this;
  }

  subscribe(topic: string, qos: 0 | 1 = 1): this {
    return this.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic, qos }] });
  }

  die(): void {
    this.socket.destroy();
    this.table.clock.runFor(10);
  }

  /** Payloads of the publishes that came, as topic=text. */
  get news(): string[] {
    return this.got.flatMap((packet) =>
      packet.cmd === "publish" ? [`${packet.topic}=${packet.payload.toString()}`] : []);
  }

  get kinds(): string[] {
    return this.got.map((packet) => packet.cmd);
  }

  last(): Packet | undefined {
    return this.got.at(-1);
  }
}

describe("the scripted broker", () => {
  test("welcomes a client and answers its pings", () => {
    const table = new Table();
    const client = table.client("a");
    expect(client.last()).toMatchObject({ cmd: "connack", returnCode: 0, sessionPresent: false });
    expect(table.broker.clients.map(({ clientId }) => clientId)).toEqual(["a"]);
    client.send({ cmd: "pingreq" });
    expect(client.last()?.cmd).toBe("pingresp");
  });

  test("checks user and password, the protocol, and an empty client id", () => {
    const table = new Table({ user: "u", password: "p" });
    const code = (connect: Partial<IConnectPacket>): unknown => table.client("a", connect).last();
    const knows = { username: "u", password: Buffer.from("p") };
    expect(code({})).toMatchObject({ returnCode: ConnectReturn.NotAuthorised });
    expect(code({ ...knows, password: Buffer.from("x") })).toMatchObject({ returnCode: ConnectReturn.NotAuthorised });
    expect(code(knows)).toMatchObject({ returnCode: 0 });
    // No client id and no clean session: the packet library refuses to make one.
    const nameless = new Client(table).sendRaw(Buffer.from("\x10\x0c\0\x04MQTT\x04\0\0\0\0\0"));
    expect(nameless.last()).toMatchObject({ returnCode: ConnectReturn.IdentifierRejected });
    expect(code({ ...knows, protocolVersion: 3, protocolId: "MQIsdp" })).toMatchObject({ returnCode: 0 });
    expect(code({ ...knows, protocolVersion: 5 })).toMatchObject({ returnCode: ConnectReturn.UnacceptableProtocol });
  });

  test("passes a message on once at QoS 2, and sends again what a client has not confirmed, then what it has not let go of", () => {
    const table = new Table();
    const from = table.client("from");
    const to = table.client("to", { clean: false });
    to.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "t", qos: 2 }] });
    expect(to.last()).toMatchObject({ cmd: "suback", granted: [2] });
    const message = { cmd: "publish", topic: "t", payload: "x", qos: 2, retain: false, messageId: 5 } as const;
    expect(from.send({ ...message, dup: false }).last()).toMatchObject({ cmd: "pubrec", messageId: 5 });
    expect(from.send({ ...message, dup: true }).last()).toMatchObject({ cmd: "pubrec", messageId: 5 });
    expect(from.send({ cmd: "pubrel", messageId: 5 }).last()).toMatchObject({ cmd: "pubcomp", messageId: 5 });
    expect(table.broker.pendingFor("to")).toBe(1);
    const again = table.client("to", { clean: false });
    expect(again.last()).toMatchObject({ cmd: "publish", qos: 2, dup: true, messageId: 1 });
    expect(again.send({ cmd: "pubrec", messageId: 1 }).last()).toMatchObject({ cmd: "pubrel", messageId: 1 });
    const third = table.client("to", { clean: false });
    expect(third.last()).toMatchObject({ cmd: "pubrel", messageId: 1 });
    third.send({ cmd: "pubcomp", messageId: 1 });
    expect(table.broker.pendingFor("to")).toBe(0);
    third.send({ cmd: "pubcomp", messageId: 1 });
    expect(table.broker.faults).toEqual(["to said pubcomp of 1, which was not sent"]);
  });

  test("passes QoS 1 messages on, acknowledged on both sides", () => {
    const table = new Table();
    const listener = table.client("l").subscribe("x/#");
    expect(listener.last()).toMatchObject({ cmd: "suback", granted: [1] });
    const sender = table.client("s");
    sender.send({ cmd: "publish", messageId: 77, topic: "x/y", payload: "1", qos: 1, dup: false, retain: false });
    expect(sender.last()).toMatchObject({ cmd: "puback", messageId: 77 });
    expect(listener.last()).toMatchObject({ cmd: "publish", topic: "x/y", qos: 1, retain: false, messageId: 1 });
    expect(table.broker.pendingFor("l")).toBe(1);
    listener.send({ cmd: "puback", messageId: 1 });
    expect(table.broker.pendingFor("l")).toBe(0);
    expect(table.broker.faults).toEqual([]);
  });

  test("lowers the QoS to what was subscribed, and delivers once for overlapping filters", () => {
    const table = new Table();
    const listener = table.client("l").subscribe("x/+", 0).subscribe("x/y", 0);
    table.broker.publish("x/y", "1", { qos: 1 });
    table.clock.runFor(10);
    expect(listener.news).toEqual(["x/y=1"]);
    expect(listener.last()).toMatchObject({ qos: 0 });
  });

  test("refuses a filter that is none, and forgets one that is unsubscribed", () => {
    const table = new Table();
    const client = table.client("a").subscribe("x/#/y");
    expect(client.last()).toMatchObject({ cmd: "suback", granted: [128] });
    client.subscribe("x");
    client.send({ cmd: "unsubscribe", messageId: 2, unsubscriptions: ["x"] });
    expect(client.last()).toMatchObject({ cmd: "unsuback", messageId: 2 });
    table.broker.publish("x", "1");
    table.clock.runFor(10);
    expect(client.news).toEqual([]);
  });

  test("keeps retained messages, hands them out as such, and forgets them for an empty one", () => {
    const table = new Table();
    table.broker.publish("x", "1", { retain: true });
    const client = table.client("a").subscribe("#");
    expect(client.last()).toMatchObject({ cmd: "publish", retain: true });
    table.broker.publish("x", "", { retain: true });
    expect(table.broker.retainedText("x")).toBeUndefined();
  });

  test("publishes the will of a client that dies, and not of one that says goodbye", () => {
    const table = new Table();
    const will = { topic: "w", payload: Buffer.from("gone"), qos: 1, retain: true } as const;
    const listener = table.client("l").subscribe("w");
    table.client("a", { will }).send({ cmd: "disconnect" });
    expect(listener.news).toEqual([]);
    table.client("b", { will }).die();
    expect(listener.news).toEqual(["w=gone"]);
    expect(table.broker.retainedText("w")).toBe("gone");
  });

  test("takes a client for dead after one and a half keep-alives of silence", () => {
    const table = new Table();
    const will = { topic: "w", payload: Buffer.from("gone"), qos: 0, retain: true } as const;
    const client = table.client("a", { keepalive: 10, will });
    table.clock.runFor(14_900);
    client.send({ cmd: "pingreq" });
    table.clock.runFor(14_900);
    expect(client.closed).toBe(false);
    table.clock.runFor(200);
    expect(client.closed).toBe(true);
    expect(table.broker.retainedText("w")).toBe("gone");
  });

  test("puts out an older connection of the same client", () => {
    const table = new Table();
    const first = table.client("a");
    const second = table.client("a");
    expect(first.closed).toBe(true);
    expect(second.closed).toBe(false);
    expect(table.broker.clients).toHaveLength(1);
  });

  test("keeps a session: resends what was not acknowledged with DUP, then what came meanwhile", () => {
    const table = new Table();
    const first = table.client("a", { clean: false }).subscribe("x");
    table.broker.publish("x", "1", { qos: 1 });
    table.clock.runFor(10);
    expect(first.news).toEqual(["x=1"]);
    first.die();
    table.broker.publish("x", "2", { qos: 1 });
    table.broker.publish("x", "never", { qos: 0 });
    const second = table.client("a", { clean: false });
    expect(second.got[0]).toMatchObject({ cmd: "connack", sessionPresent: true });
    expect(second.got[1]).toMatchObject({ cmd: "publish", dup: true, messageId: 1 });
    expect(second.got[2]).toMatchObject({ cmd: "publish", dup: false, messageId: 2 });
    expect(second.news).toEqual(["x=1", "x=2"]);
    const third = table.client("a", { clean: true });
    expect(third.got).toMatchObject([{ cmd: "connack", sessionPresent: false }]);
    table.broker.publish("x", "3", { qos: 1 });
    table.clock.runFor(10);
    expect(third.news).toEqual([]);
  });

  test("has at most 20 messages under way to a client, and loses none", () => {
    const table = new Table();
    const client = table.client("a").subscribe("x");
    for (let i = 0; i < 50; i += 1) {
      table.broker.publish("x", `${i}`, { qos: 1 });
    }
    table.clock.runFor(10);
    expect(client.news).toHaveLength(20);
    for (let i = 1; i <= 50; i += 1) {
      client.send({ cmd: "puback", messageId: i });
    }
    expect(client.news).toEqual(Array.from({ length: 50 }, (_, i) => `x=${i}`));
    expect(table.broker.faults).toEqual([]);
  });

  test("closes on what a client must not do, and says what it was", () => {
    const table = new Table();
    table.client("a").send({ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clean: true, clientId: "a" });
    new Client(table).send({ cmd: "pingreq" });
    table.client("b").send({ cmd: "publish", topic: "x/+", payload: "", qos: 0, dup: false, retain: false });
    table.client("c").sendRaw(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff));
    const confused = table.client("d").send({ cmd: "puback", messageId: 9 });
    expect(table.broker.clients.map(({ clientId }) => clientId)).toEqual(["d"]);
    expect(confused.closed).toBe(false);
    expect(table.broker.faults).toEqual([
      "a sent a second CONNECT",
      "a client before its CONNECT sent pingreq before CONNECT",
      'b published to "x/+", which is no topic',
      expect.stringContaining("c sent bytes that are no MQTT"),
      "d acknowledged 9, which was not sent",
    ]);
  });

  test("can be stopped and started, with or without what it kept", () => {
    const table = new Table();
    table.broker.publish("x", "1", { retain: true });
    const client = table.client("a", { clean: false });
    table.broker.stop();
    table.clock.runFor(10);
    expect(client.closed).toBe(true);
    expect(table.client("a").refused).toBe("connection refused");
    table.broker.start();
    expect(table.client("a", { clean: false }).last()).toMatchObject({ sessionPresent: true });
    table.broker.stop();
    table.broker.start({ keep: false });
    expect(table.client("a", { clean: false }).last()).toMatchObject({ sessionPresent: false });
    expect(table.broker.retainedText("x")).toBeUndefined();
  });

  test("can keep answers to itself, refuse, kick, and talk nonsense", () => {
    const table = new Table();
    const client = table.client("a");
    table.broker.mute("pingresp");
    client.send({ cmd: "pingreq" });
    expect(client.kinds).toEqual(["connack"]);
    table.broker.mute("pingresp", false);
    client.send({ cmd: "pingreq" });
    expect(client.kinds).toEqual(["connack", "pingresp"]);
    table.broker.sendRaw("a", generate({ cmd: "puback", messageId: 5 }));
    table.clock.runFor(10);
    expect(client.last()).toMatchObject({ cmd: "puback", messageId: 5 });
    table.broker.kick("a");
    table.clock.runFor(10);
    expect(client.closed).toBe(true);
    table.broker.refuse(ConnectReturn.ServerUnavailable);
    const refused = table.client("b");
    expect(refused.last()).toMatchObject({ returnCode: ConnectReturn.ServerUnavailable });
    expect(refused.closed).toBe(true);
    expect(() => table.broker.kick("b")).toThrow('no client "b"');
  });

  test("shows every packet to the script, which may make it disappear", () => {
    const seen: string[] = [];
    const table = new Table({
      onPacket: (direction, { clientId, packet }) => {
        seen.push(`${direction} ${clientId} ${packet.cmd}`);
        return packet.cmd !== "pingreq";
      },
    });
    const client = table.client("a").send({ cmd: "pingreq" });
    expect(seen).toEqual(["in a connect", "out a connack", "in a pingreq"]);
    expect(client.kinds).toEqual(["connack"]);
    expect(table.broker.received.map(({ packet }) => packet.cmd)).toEqual(["connect", "pingreq"]);
  });
});

describe("topics", () => {
  test("match filters as MQTT has it", () => {
    for (const [filter, topic, matches] of [
      ["a/b", "a/b", true], ["a/b", "a/b/c", false], ["a/+", "a/b", true], ["a/+", "a", false], ["a/+", "a/", true],
      ["a/#", "a", true], ["a/#", "a/b/c", true], ["#", "a/b", true], ["+/+", "/a", true], ["+", "/a", false],
      ["#", "$SYS/x", false], ["+/x", "$SYS/x", false], ["$SYS/#", "$SYS/x", true], ["a", "A", false],
    ] as const) {
      expect([filter, topic, topicMatches(filter, topic)]).toEqual([filter, topic, matches]);
    }
  });

  test("of a subscription have wildcards only as whole levels", () => {
    expect(["#", "a/#", "+/a", "a//b", "/"].filter(isFilter)).toHaveLength(5);
    expect(["", "a#", "#/a", "a+/b", "a/+b"].filter(isFilter)).toEqual([]);
  });
});
