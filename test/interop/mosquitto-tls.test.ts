import { readFileSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { connect, type Mqtt, type MqttOptions, type TlsOptions } from "../../hal/node/mqtt";
import { Mosquitto, type MosquittoOptions } from "../e2e/mosquitto";
import { Authority, type Certificate } from "./brokers/certificates";
import { Inbox } from "./inbox";

const NAMES = "DNS:broker.test,IP:127.0.0.1";

async function secured(certificate: Certificate, clientCa?: Authority): Promise<MqttOptions> {
  const tls: MosquittoOptions["tls"] = { ...certificate, ...(clientCa === undefined ? {} : { clientCa: clientCa.certFile }) };
  const broker = await Mosquitto.start({ tls });
  return { host: "127.0.0.1", port: broker.port };
}

async function connected(options: MqttOptions, tls: TlsOptions): Promise<Mqtt> {
  const client = await connect({ ...options, tls });
  onTestFinished(() => client.leave(0));
  return client;
}

function shown({ cert, key }: Certificate): Pick<TlsOptions, "cert" | "key"> {
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

describe("over TLS, Mosquitto", () => {
  test("is talked to when the given authority has signed its certificate, by name and by address", async () => {
    const ca = new Authority("our authority");
    const options = await secured(ca.sign("broker", { names: NAMES }));
    const inbox = new Inbox();
    const byAddress = await connected(options, { ca: ca.cert });
    await byAddress.subscribe("t", 1, inbox.take);
    const byName = await connected(options, { ca: ca.cert, servername: "broker.test" });
    const payload = "x".repeat(60_000);
    for (const text of ["first", payload, "last"]) await byName.publish("t", text, { qos: 1 });
    await inbox.until(({ messages }) => messages.length === 3);
    expect(inbox.texts).toEqual(["first", payload, "last"]);
    const texts = Array.from({ length: 5000 }, (_, index) => String(index));
    await Promise.all(texts.map((text) => byName.publish("t", text, { qos: 0 })));
    await inbox.until(({ messages }) => messages.length === 5003);
    expect(inbox.texts.slice(3)).toEqual(texts);
  });

  test("is not talked to when another authority has signed it, or none that Node knows", async () => {
    const options = await secured(new Authority("their authority").sign("broker", { names: NAMES }));
    const other = new Authority("our authority");
    await expect(connected(options, { ca: other.cert })).rejects.toMatchObject({
      trouble: "unreachable",
      message: /unable to verify the first certificate/,
      cause: { code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" },
    });
    await expect(connected(options, {})).rejects.toMatchObject({ message: /unable to verify/ });
  });

  test("is not talked to when the program around asks for less care", async () => {
    const options = await secured(new Authority("their authority").sign("broker", { names: NAMES }));
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    onTestFinished(() => {
      delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    });
    await expect(connected(options, {})).rejects.toMatchObject({ message: /unable to verify/ });
  });

  test("is not talked to when its certificate has expired", async () => {
    const ca = new Authority("our authority");
    const options = await secured(ca.sign("broker", { names: NAMES, expired: true }));
    await expect(connected(options, { ca: ca.cert })).rejects.toMatchObject({
      trouble: "unreachable",
      message: /certificate has expired/,
      cause: { code: "CERT_HAS_EXPIRED" },
    });
  });

  test("is not talked to when its certificate is for another name or address", async () => {
    const ca = new Authority("our authority");
    const options = await secured(ca.sign("broker", { names: "DNS:broker.test,IP:127.0.0.2" }));
    const wrong = { trouble: "unreachable", cause: { code: "ERR_TLS_CERT_ALTNAME_INVALID" } };
    await expect(connected(options, { ca: ca.cert })).rejects.toMatchObject({ ...wrong, message: /IP: 127.0.0.1/ });
    const tls = { ca: ca.cert, servername: "other.test" };
    await expect(connected(options, tls)).rejects.toMatchObject({ ...wrong, message: /Host: other.test/ });
    await connected(options, { ca: ca.cert, servername: "broker.test" });
  });

  test("is not talked to in the clear when it has no TLS", async () => {
    const plain = await Mosquitto.start();
    const failed = connected({ host: "127.0.0.1", port: plain.port }, {});
    await expect(failed).rejects.toMatchObject({ trouble: "unreachable" });
    expect(plain.log.join("\n")).not.toContain("Sending CONNACK");
  });

  test("lets in who shows a certificate of its authority, and nobody else", async () => {
    const ca = new Authority("our authority");
    const clients = new Authority("authority of clients");
    const options = await secured(ca.sign("broker", { names: NAMES }), clients);
    const board = shown(clients.sign("board"));
    const client = await connected(options, { ca: ca.cert, ...board });
    await client.publish("t", "x", { qos: 1 });
    const refused = { trouble: "unreachable" };
    await expect(connected(options, { ca: ca.cert })).rejects.toMatchObject({ ...refused, message: /certificate required/ });
    const foreign = shown(ca.sign("board"));
    await expect(connected(options, { ca: ca.cert, ...foreign })).rejects.toMatchObject({ ...refused, message: /unknown ca/ });
    const old = shown(clients.sign("board", { expired: true }));
    const expired = { ...refused, message: /certificate (has )?expired/ };
    await expect(connected(options, { ca: ca.cert, ...old })).rejects.toMatchObject(expired);
  });
});
