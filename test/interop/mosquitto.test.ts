import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, type MqttOptions } from "../../hal/node/mqtt";
import { Mosquitto } from "../e2e/mosquitto";
import { exchanges } from "./exchange";
import { Inbox } from "./inbox";

describe("Mosquitto", () => {
  let broker: Mosquitto | undefined;
  beforeAll(async () => {
    broker = await Mosquitto.start({ shared: true });
  });
  afterAll(() => broker?.stop());

  const at = (): MqttOptions => ({ host: "127.0.0.1", port: broker?.port ?? 0 });

  describe("in MQTT 3.1.1", () => {
    exchanges(at, { qos: 2, tellsSession: true });
  });

  describe("in MQTT 3.1", () => {
    exchanges(() => ({ ...at(), protocol: 3 }), { qos: 2, tellsSession: false });
  });

  describe("in MQTT 5.0", () => {
    exchanges(() => ({ ...at(), protocol: 5 }), { qos: 2, tellsSession: true });
  });

  test("takes far more messages at QoS 2 than it bears in mind, each once and in order", async () => {
    const inbox = new Inbox();
    const subscriber = await connect(at());
    await subscriber.subscribe("many/at/two", 2, inbox.take);
    const publisher = await connect(at());
    const texts = Array.from({ length: 2000 }, (_, index) => String(index));
    await Promise.all(texts.map((text) => publisher.publish("many/at/two", text, { qos: 2 })));
    await inbox.until(({ messages }) => messages.length >= texts.length);
    expect(inbox.texts).toEqual(texts);
    await Promise.all([publisher.leave(), subscriber.leave()]);
  });
});

test("Mosquitto lets in whom it knows, and says whom it does not", async () => {
  const broker = await Mosquitto.start({ user: "moth", password: "secret" });
  const at = { host: "127.0.0.1", port: broker.port };
  const known = await connect({ ...at, userName: "moth", password: "secret" });
  await known.publish("t", "x", { qos: 2 });
  await known.leave();
  for (const wrong of [{}, { userName: "moth", password: "Secret" }, { userName: "mole", password: "secret" }]) {
    await expect(connect({ ...at, ...wrong })).rejects.toMatchObject({ trouble: "refused", message: /not authorised \(5\)/ });
  }
});

test("Mosquitto, in MQTT 5.0, hands on a request, and the answer to it, with what they say of themselves", async () => {
  const broker = await Mosquitto.start();
  const at: MqttOptions = { host: "127.0.0.1", port: broker.port, protocol: 5 };
  const answering = await connect(at);
  const inbox = new Inbox();
  const asking = await connect(at);
  await asking.subscribe("back", 1, inbox.take);
  await answering.subscribe("ask", 1, ({ properties }) => {
    const { responseTopic, correlation } = properties ?? {};
    if (responseTopic !== undefined) void answering.publish(responseTopic, "42", { qos: 1, properties: { correlation } });
  });
  await asking.publish("ask", "?", { qos: 1, properties: { responseTopic: "back", correlation: Uint8Array.of(7, 0) } });
  await inbox.until(({ messages }) => messages.length > 0);
  expect(inbox.messages).toMatchObject([{ text: "42", properties: { correlation: Buffer.from([7, 0]) } }]);
  await Promise.all([answering.leave(), asking.leave()]);
});
