/** MQTT 5.0 with a real Mosquitto and its stock clients. */
import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { addSubscription, clientLeave, clientStart } from "../../firmware/mqtt/client";
import { type ClientOptions, ClientState } from "../../firmware/mqtt/client-state";
import { createExactlyOnce } from "../../firmware/mqtt/exactly-once/create";
import { createFive } from "../../firmware/mqtt/five/create";
import { findProperty, Property } from "../../firmware/mqtt/five/properties";
import { answerWith, withProperties } from "../../firmware/mqtt/five/send";
import { leaveWith } from "../../firmware/mqtt/five/session";
import type { FiveOptions, FiveState } from "../../firmware/mqtt/five/state";
import { subscribeWith } from "../../firmware/mqtt/five/subscriptions";
import { outboxCount } from "../../firmware/mqtt/outbox";
import { createPublication } from "../../firmware/mqtt/publication";
import { publishText } from "../../firmware/mqtt/publish";
import { type Message, SubscriptionState } from "../../firmware/mqtt/subscriptions";
import { textAt } from "../../hal/node/native";
import { Mosquitto } from "../e2e/mosquitto";
import { Program } from "../e2e/processes";
import { requireTool } from "../system";
import { describeMessage } from "../firmware/mqtt/session";
import { tellProperties } from "../firmware/mqtt/five/wire";
import { type Live, live, online } from "./live";

interface LiveFive extends Live {
  readonly five: FiveState;
  /** `packet reason` of each report. */
  readonly told: string[];
}

function speak(broker: Mosquitto, clientId: string, own: FiveOptions = {}, options: Partial<ClientOptions> = {}): LiveFive {
  const told: string[] = [];
  const events = { told: (_now: number, { packet, reason }: { packet: number; reason: number }) => told.push(`${packet} ${reason}`) };
  const five = createFive({ events, ...own });
  const exactlyOnce = createExactlyOnce({ sending: 64, receiving: 32 });
  const it = live({ port: broker.port, clientId, protocol: 5, five, exactlyOnce, ...options });
  return Object.assign(it, { five, told });
}

/** Everything that comes below a filter, each as `topic payload qos, property, …`. */
function listen(it: LiveFive, filter: string): { heard: string[]; granted: () => Promise<void> } {
  const heard: string[] = [];
  const subscription = addSubscription(it.client, filter, 2, {
    message: (_now, message: Message) => {
      heard.push([describeMessage(message), ...tellProperties(it.five.properties)].join(", "));
    },
  });
  return { heard, granted: () => it.until("a grant", () => subscription?.state === SubscriptionState.Granted) };
}

/** `mosquitto_sub`, with what it says of each message in `format`. */
async function watch(broker: Mosquitto, filter: string, format: string): Promise<Program> {
  const args = ["-V", "5", "-h", "127.0.0.1", "-p", String(broker.port), "-q", "2", "-t", filter, "-d", "-F", format];
  const program = new Program("stdbuf", ["-oL", requireTool("mosquitto_sub"), ...args]);
  await program.until("the subscription", (line) => (line.startsWith("Subscribed") ? true : undefined));
  return program;
}

function tell(broker: Mosquitto, topic: string, payload: string, ...flags: string[]): void {
  const args = ["-V", "5", "-h", "127.0.0.1", "-p", String(broker.port), "-t", topic, "-m", payload, ...flags];
  execFileSync(requireTool("mosquitto_pub"), args);
}

describe("Mosquitto in MQTT 5.0", () => {
  test("what a message says of itself arrives at a stock client, at every QoS, with and without an alias", async () => {
    const broker = await Mosquitto.start();
    const watcher = await watch(broker, "a/#", "%t|%p|%q|%C|%R|%D|%E|%F|%P");
    const it = speak(broker, "five", { aliasesOut: 1 });
    await online(it);
    expect(it.five.granted.topicAliasMaximum).toBeGreaterThan(0);
    const properties = {
      expiry: 3600,
      text: true,
      contentType: "text/plain",
      responseTopic: "answers/1",
      correlation: "c7",
      userProperties: [{ name: "unit", value: "°C" }],
    };
    for (const qos of [0, 1, 2] as const) {
      const publication = createPublication(`a/${qos}`, qos, false, 20);
      expect(withProperties(it.five, publication, properties, qos === 0)).toBe(true);
      for (const payload of ["first", "second"]) {
        publishText(it.client, publication, payload);
        it.turn();
        const line = `a/${qos}|${payload}|${qos}|text/plain|answers/1|c7|3600|1|unit:°C`;
        await watcher.until(line, (each) => (each === line ? true : undefined));
      }
    }
    await it.until("the ends of all flows", () => outboxCount(it.client.outbox) === 0);
    expect(it.client.stats).toMatchObject({ violations: 0, published: 6 });
  });

  test("what a stock client says of its message arrives at ours, with the identifiers of its subscriptions", async () => {
    const broker = await Mosquitto.start();
    const it = speak(broker, "five", { aliasesIn: 4, aliasTopicSize: 32 });
    const { heard, granted } = listen(it, "a/#");
    const [subscription] = it.client.subscriptions;
    if (subscription !== undefined) subscribeWith(subscription, { identifier: 300 });
    await online(it);
    await granted();
    const said = ["content-type", "json", "response-topic", "back", "correlation-data", "x1"];
    const flags = [0, 2, 4].flatMap((i) => ["-D", "publish", said[i] ?? "", said[i + 1] ?? ""]);
    for (const qos of ["0", "1", "2"]) {
      tell(broker, "a/long/topic", qos, "-q", qos, ...flags, "-D", "publish", "user-property", "unit", "V");
    }
    await it.until("three messages", () => heard.length === 3);
    for (const [qos, line] of heard.entries()) {
      const [message, ...properties] = line.split(", ");
      expect(message).toBe(`a/long/topic ${qos} ${qos}`);
      expect(properties.filter((each) => !each.startsWith("35 ")).sort()).toEqual(
        ["3 json", "8 back", "9 x1", "11 300", "38 unit=V"].sort(),
      );
    }
    expect(it.client.stats.violations).toBe(0);
  });

  test("a request is answered where it asks for it", async () => {
    const broker = await Mosquitto.start();
    const server = speak(broker, "server");
    const answers = createPublication("unused", 1, false, 20);
    const asked = addSubscription(server.client, "ask", 1, {
      message() {
        const properties = server.five.properties;
        if (!findProperty(properties, Property.ResponseTopic)) return;
        const { bytes, at, count } = properties;
        const has = findProperty(properties, Property.CorrelationData);
        answerWith(server.five, bytes, at, count, has ? properties.at : 0, has ? properties.count : 0);
        publishText(server.client, answers, "42");
      },
    });
    await online(server);
    await server.until("a grant", () => asked?.state === SubscriptionState.Granted);
    const client = speak(broker, "client");
    const { heard, granted } = listen(client, "back/#");
    await online(client);
    await granted();
    const question = createPublication("ask", 1, false, 5);
    withProperties(client.five, question, { responseTopic: "back/client", correlation: "id1" }, false);
    publishText(client.client, question, "?");
    await client.until("the answer", () => heard.length > 0);
    expect(heard).toEqual(["back/client 42 1, 9 id1"]);
  });

  test("a thousand messages at QoS 1 and 2 keep to the broker's Receive Maximum and all arrive in order", async () => {
    const broker = await Mosquitto.start({ config: ["max_inflight_messages 5"] });
    const receiver = speak(broker, "receiver");
    const { heard, granted } = listen(receiver, "n");
    await online(receiver);
    await granted();
    const it = speak(broker, "sender");
    await online(it);
    expect(it.five.granted.receiveMaximum).toBe(5);
    for (const qos of [1, 2] as const) {
      const publication = createPublication("n", qos, false, 10);
      heard.length = 0;
      for (let i = 0; i < 500; ) {
        if (publishText(it.client, publication, String(i))) i++;
        else await it.until("room", () => outboxCount(it.client.outbox) < 100);
      }
      await it.until("the ends of all flows", () => outboxCount(it.client.outbox) === 0);
      await receiver.until("all of them", () => heard.length === 500);
      expect(heard).toEqual(Array.from({ length: 500 }, (_, i) => `n ${i} ${qos}`));
    }
    expect(it.client.stats).toMatchObject({ violations: 0, losses: 0, retried: 0 });
  });

  test("a client without a name goes by the one that it was given, in a session that outlives its link", async () => {
    const broker = await Mosquitto.start();
    const it = speak(broker, "", { sessionExpiry: 60 });
    await online(it);
    const given = textAt(it.five.parts.clientId, 0, it.five.parts.clientIdSize);
    expect(given).not.toBe("");
    it.cut();
    await it.until("the session again", () => it.events.length === 3);
    expect(it.events).toEqual(["online", "offline", "online, session present"]);
  });

  test("our own messages do not come back when they are not wanted", async () => {
    const broker = await Mosquitto.start();
    const it = speak(broker, "five");
    const { heard, granted } = listen(it, "a");
    const [subscription] = it.client.subscriptions;
    if (subscription !== undefined) subscribeWith(subscription, { noLocal: true });
    await online(it);
    await granted();
    publishText(it.client, createPublication("a", 1, false, 10), "own");
    it.turn();
    await it.until("the end of its flow", () => outboxCount(it.client.outbox) === 0);
    tell(broker, "a", "other", "-q", "1");
    await it.until("a message", () => heard.length > 0);
    expect(heard).toEqual(["a other 1"]);
  });

  test("a packet that the broker would not take is dropped, and the session goes on", async () => {
    const broker = await Mosquitto.start({ config: ["max_packet_size 200"] });
    const it = speak(broker, "five");
    const letter = createPublication("a", 1, false, 400);
    publishText(it.client, letter, "p".repeat(300));
    publishText(it.client, letter, "small");
    await online(it);
    expect(it.five.granted.maximumPacketSize).toBe(200);
    await it.until("the ends of all flows", () => outboxCount(it.client.outbox) === 0);
    expect(it.five.stats.tooLarge).toBe(1);
    expect(publishText(it.client, letter, "p".repeat(300))).toBe(false);
    expect(it.client.stats).toMatchObject({ losses: 0, acknowledged: 1 });
  });

  test("a broker that shortens the keep alive is obeyed", async () => {
    const broker = await Mosquitto.start({ config: ["max_keepalive 10"] });
    const it = speak(broker, "five", {}, { keepAlive: 600 });
    await online(it);
    expect(it.client.keepAlive).toBe(10);
  });

  test("the will goes out with its properties: for a client that leaves with it, and for none that leaves without", async () => {
    const broker = await Mosquitto.start();
    const watcher = await watch(broker, "will/#", "%t|%p|%C|%P");
    const own = { will: { contentType: "text/x-will", userProperties: [{ name: "a", value: "b" }] } };
    const willOf = (topic: string): Partial<ClientOptions> => ({ will: { topic, payload: "gone", qos: 1, retain: false } });
    for (const [name, keepWill] of [["will/not", false], ["will/yes", true]] as const) {
      const it = speak(broker, name, own, willOf(name));
      await online(it);
      leaveWith(it.five, keepWill, -1);
      clientLeave(it.client, it.now(), 1000);
      await it.until("the end", () => it.client.state === ClientState.Idle);
    }
    await watcher.until("the will", (line) => (line === "will/yes|gone|text/x-will|a:b" ? true : undefined));
    expect(watcher.lines.filter((line) => line.startsWith("will/"))).toHaveLength(1);
  });

  test("a user who is not known is refused with a reason", async () => {
    const broker = await Mosquitto.start({ user: "moth", password: "secret" });
    const it = speak(broker, "five", {}, { userName: "moth", password: "wrong" });
    clientStart(it.client, it.now());
    await it.until("the refusal", () => it.client.stats.refusals > 0);
    expect(it.told[0]).toBe("2 135");
    expect(it.client.refusal).toBe(0x87);
  });
});
