import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, type MqttOptions } from "../../hal/node/mqtt";
import { Mosquitto } from "../e2e/mosquitto";
import { exchanges } from "./exchange";

describe("Mosquitto", () => {
  let broker: Mosquitto | undefined;
  beforeAll(async () => {
    broker = await Mosquitto.start({ shared: true });
  });
  afterAll(() => broker?.stop());

  const at = (): MqttOptions => ({ host: "127.0.0.1", port: broker?.port ?? 0 });

  describe("in MQTT 3.1.1", () => {
    exchanges(at, { qos: 2 });
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
