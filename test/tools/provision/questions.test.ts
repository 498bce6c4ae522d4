import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { askForWishes, type Asker } from "../../../tools/provision/questions";
import { Authority } from "../../interop/brokers/certificates";
import type { Wishes } from "../../../tools/provision/provision";

/** A person who answers by what a question begins with, else with Enter; `asked` is what there was to read. */
class Person implements Asker {
  readonly asked: string[] = [];

  constructor(private readonly answers: Readonly<Record<string, string | readonly string[]>>) {}

  text(question: string, before: string, problem: (answer: string) => string | undefined): Promise<string> {
    return this.answer(question, before, problem);
  }

  secret(question: string, problem: (answer: string) => string | undefined): Promise<string> {
    return this.answer(question, "", problem);
  }

  private answer(question: string, before: string, problem: (answer: string) => string | undefined): Promise<string> {
    const key = Object.keys(this.answers).find((start) => question.startsWith(start));
    const given = key === undefined ? before : this.answers[key] ?? before;
    for (const answer of [given].flat()) {
      const wrong = problem(answer);
      this.asked.push(`${question} ${wrong ?? answer}`);
      if (wrong === undefined) return Promise.resolve(answer);
    }
    throw new Error(`no good answer to ${question}`);
  }
}

const HAS = new Map([
  ["device", "t1"], ["wifi.ssid", "barn"], ["wifi.password", "(set)"], ["wifi2.ssid", ""], ["wifi2.password", "(none)"],
  ["mqtt.host", "10.0.0.9"], ["mqtt.port", ""], ["mqtt.user", "moth"], ["mqtt.password", "(set)"], ["ca", "(none)"],
]);

async function wishes(answers: Record<string, string | readonly string[]>, has = HAS): Promise<{ person: Person; wishes: Wishes }> {
  const person = new Person(answers);
  return { person, wishes: await askForWishes(person, has, "0123456789abcdef") };
}

describe("the questions of moth provision", () => {
  test("answered with Enter alone leave a board as it is", async () => {
    const { wishes: { values, kept, pems, pemsKept } } = await wishes({});
    expect(Object.fromEntries(values)).toEqual({
      device: "t1", "wifi.ssid": "barn", "mqtt.host": "10.0.0.9", "mqtt.port": "1883", "mqtt.user": "moth",
    });
    expect([...kept].sort()).toEqual([
      "mqtt.password", "mqtt.protocol", "time.server", "wifi.baud", "wifi.max-baud", "wifi.password", "wifi.power-save",
    ]);
    expect([pems.size, ...pemsKept]).toEqual([0, "ca", "cert", "key"]);
  });

  test("suggest a name after the chip to a board without one", async () => {
    const { wishes: { values } } = await wishes({ "Wi-Fi network:": "barn", "Broker, its": "broker" }, new Map());
    expect(values.get("device")).toBe("moth-abcdef");
  });

  test("do not keep the password of another network or another user", async () => {
    const { wishes: { values, kept } } = await wishes({
      "Wi-Fi network:": "house", "User at": "somebody", "Password of somebody": "s3cret",
    });
    expect([...kept]).toEqual(["wifi.baud", "wifi.max-baud", "wifi.power-save", "mqtt.protocol", "time.server"]);
    expect(values.has("wifi.password")).toBe(false);
    expect(values.get("mqtt.password")).toBe("s3cret");
  });

  test("go on to networks and brokers to fall back on while there are more", async () => {
    const { person, wishes: { values } } = await wishes({
      "Wi-Fi network to": ["two"], "Password of the Wi-Fi two": "pw", "Broker to": ["b2"], "Port of b2": "8883",
    });
    expect(values.get("wifi3.ssid")).toBe("two");
    expect(values.get("mqtt3.port")).toBe("8883");
    expect(person.asked.filter((question) => question.startsWith("Wi-Fi network to"))).toHaveLength(2);
  });

  test("clear what is answered with -", async () => {
    const has = new Map([...HAS, ["wifi2.ssid", "cellar"]]);
    const { wishes: { values, kept } } = await wishes({ "Wi-Fi network to": "-", "User at": "-", "Password of the": "-" }, has);
    expect([...values.keys()]).toEqual(["device", "wifi.ssid", "mqtt.host", "mqtt.port"]);
    expect([...kept]).toEqual(["wifi.baud", "wifi.max-baud", "wifi.power-save", "mqtt.protocol", "time.server"]);
  });

  test("are asked again with the reason when an answer will not do", async () => {
    const { person, wishes: { values } } = await wishes({
      "Device id": ["", "a b", "t2"], "Broker, its": ["", "not a host", "host"], "Port of": ["0", "8883"],
    });
    expect(values.get("device")).toBe("t2");
    expect(values.get("mqtt.port")).toBe("8883");
    expect(person.asked.slice(0, 3)).toEqual([
      "Device id: a board cannot do without it",
      "Device id: device: give 1 to 32 letters, digits, _ or -",
      "Device id: t2",
    ]);
  });

  test("ask for certificates where there shall be TLS, and only there; its port is another", async () => {
    const ca = new Authority("our authority");
    const { cert, key } = ca.sign("board");
    const tls = { "TLS to": "on" };
    const files = { ...tls, "File with the certificate of": ["", "missing.pem", key, ca.certFile], "File with this": cert, "File with the key": ["", cert, key] };
    const { person, wishes: { values, pems, pemsKept } } = await wishes(files);
    expect([values.get("mqtt.tls"), values.get("mqtt.port")]).toEqual(["on", "8883"]);
    expect([pems.get("ca"), pems.get("cert"), pems.get("key")]).toEqual([ca.certFile, cert, key].map((file) => readFileSync(file, "utf8")));
    expect(pemsKept.size).toBe(0);
    expect(person.asked.filter((asked) => asked.startsWith("File with")).map((asked) => asked.replace(/^File[^(:]*(\([^)]*\))?: /, ""))).toEqual([
      "TLS cannot do without it", "cannot read the CA file missing.pem: no such file or directory",
      `${key}: no certificate in it: give a file in PEM format`, ca.certFile,
      cert, "TLS cannot do without it", `${cert}: no private key in it: give a file in PEM format`, key,
    ]);
    expect((await wishes({})).person.asked.some((asked) => asked.startsWith("File"))).toBe(false);
  });

  test("keep certificates and key that a board has, forget its own, and do not ask for those that flags give", async () => {
    const digest = "1200 bytes, CRC-32 1a2b3c4d";
    const has = new Map([...HAS, ["mqtt.tls", "on"], ["mqtt.port", "8884"], ["ca", digest], ["cert", digest], ["key", digest]]);
    const kept = (await wishes({}, has)).wishes;
    expect([kept.pems.size, ...kept.pemsKept]).toEqual([0, "ca", "cert", "key"]);
    expect([kept.values.get("mqtt.tls"), kept.values.get("mqtt.port")]).toEqual(["on", "8884"]);
    const forgotten = (await wishes({ "File with this": "-" }, has)).wishes;
    expect([forgotten.pems.size, ...forgotten.pemsKept]).toEqual([0, "ca"]);
    const off = (await wishes({ "TLS to": "off" }, has)).wishes;
    expect([off.values.has("mqtt.tls"), off.values.get("mqtt.port")]).toEqual([false, "1883"]);
    const person = new Person({ "TLS to": "on", "File with this": "" });
    const given = new Map([["ca", "PEM"]] as const);
    expect((await askForWishes(person, HAS, undefined, given)).pems).toEqual(given);
    expect(person.asked.filter((asked) => asked.startsWith("File")).length).toBe(1);
  });
});
