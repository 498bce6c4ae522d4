import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { connect, type Mqtt, type MqttOptions } from "../../hal/node/mqtt";
import { RabbitCluster } from "./brokers/rabbitmq";
import { exchanges } from "./exchange";
import { Inbox } from "./inbox";

const START = 60_000;
const MESSAGES = 3000;

let cluster: RabbitCluster | undefined;
beforeAll(async () => {
  cluster = await RabbitCluster.start();
  await cluster.add();
}, START);
afterAll(() => cluster?.stop());

function at(node: number): MqttOptions {
  return { host: "127.0.0.1", port: cluster?.nodes[node]?.port ?? 0 };
}

describe("RabbitMQ as one node", () => {
  exchanges(() => at(0), { qos: 1, tellsSession: true });

  test("grants QoS 1 to who asks for QoS 2", async () => {
    const inbox = new Inbox();
    const client = await connect(at(0));
    onTestFinished(() => client.leave(0));
    expect(await client.subscribe("asked/two", 2, inbox.take)).toBe(1);
    await client.publish("asked/two", "x", { qos: 1 });
    await inbox.until(({ messages }) => messages.length > 0);
    expect(inbox.messages).toMatchObject([{ text: "x", qos: 1 }]);
  });

  test("takes what is published at QoS 2 as if it were at QoS 1: who knows that has the end of it told", async () => {
    const inbox = new Inbox();
    const client = await connect({ ...at(0), pubackEnds: true });
    onTestFinished(() => client.leave(0));
    await client.subscribe("published/two", 1, inbox.take);
    for (const text of ["a", "b", "c"]) await client.publish("published/two", text, { qos: 2 });
    await inbox.until(({ messages }) => messages.length >= 3);
    expect(inbox.texts).toEqual(["a", "b", "c"]);
    expect(client.stats).toMatchObject({ acknowledged: 3, retried: 0, violations: 0 });
  });

  test("is spoken to in MQTT 3.1, too", async () => {
    const inbox = new Inbox();
    const client = await connect({ ...at(0), protocol: 3 });
    onTestFinished(() => client.leave(0));
    await client.subscribe("three/one", 1, inbox.take);
    await client.publish("three/one", "x", { qos: 1 });
    await inbox.until(({ messages }) => messages.length > 0);
    expect(inbox.texts).toEqual(["x"]);
  });
});

describe("RabbitMQ as two nodes", () => {
  beforeAll(async () => {
    await cluster?.add();
  }, START);

  test("one of which dies with the sessions that it holds: nothing is lost, first arrivals are in order", async () => {
    const [survivor, victim] = [at(0), at(1)];
    const told: string[] = [];
    const client = async (clientId: string): Promise<Mqtt> => {
      const made = await connect({
        ...victim,
        otherBrokers: [{ host: survivor.host, port: survivor.port ?? 0 }],
        clientId,
        clean: false,
        onOnline: (present) => told.push(`${clientId} online, ${present ? "known" : "new"}`),
      });
      onTestFinished(() => made.leave(0));
      return made;
    };
    const inbox = new Inbox();
    const subscriber = await client("subscriber");
    await subscriber.subscribe("seq", 1, inbox.take);
    const publisher = await client("publisher");
    const texts = Array.from({ length: MESSAGES }, (_, index) => String(index));
    const acknowledged = texts.map((text) => publisher.publish("seq", text, { qos: 1 }));
    await inbox.until(({ messages }) => messages.length > 100);
    expect(publisher.stats.acknowledged).toBeLessThan(MESSAGES);
    await cluster?.nodes[1]?.kill();
    await Promise.all(acknowledged);
    await inbox.until(({ firsts }) => firsts.length >= MESSAGES);
    expect(inbox.firsts).toEqual(texts);
    expect(publisher.stats.retried).toBeGreaterThan(0);
    expect(told).toContain("subscriber online, known");
    expect(publisher.core.broker).toBe(1);
    expect(subscriber.core.broker).toBe(1);
  }, 60_000);
});
