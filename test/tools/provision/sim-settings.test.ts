import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { freePort, Sim } from "../../e2e/processes";
import { Mosquitto } from "../../e2e/mosquitto";
import { checkOptions } from "../../../tools/sim/options";
import { wifiOf } from "../../../tools/sim/simulate";
import { Authority } from "../../interop/brokers/certificates";

function fileOf(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "moth-settings-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "settings");
  writeFileSync(path, text);
  chmodSync(path, 0o600);
  return path;
}

const RAW = { speed: "max", set: [], fault: [] } as const;

describe("moth sim --settings", () => {
  test("joins the network, and the broker as the user, that the file has", async () => {
    const broker = await Mosquitto.start({ user: "moth", password: "sim-secret" });
    const file = fileOf(
      `device=barn-1\nwifi.ssid=barn\nwifi.password=wifi-secret\nmqtt.host=127.0.0.1\nmqtt.port=${broker.port}\n` +
        "mqtt.user=moth\nmqtt.password=sim-secret\n",
    );
    const sim = new Sim(["--settings", file, "--trace", "all"]);
    await sim.until({ event: "acknowledged" });
    const said = sim.program.lines.join("\n");
    expect(said).toContain("moth/barn-1/telemetry");
    expect(said).not.toContain("sim-secret");
  });

  test("falls back on the broker behind one that is away", async () => {
    const broker = await Mosquitto.start();
    const away = await freePort();
    const file = fileOf(
      `device=barn-2\nwifi.ssid=barn\nmqtt.host=127.0.0.1\nmqtt.port=${away}\n` +
        `mqtt2.host=127.0.0.1\nmqtt2.port=${broker.port}\n`,
    );
    const sim = new Sim(["--settings", file]);
    await sim.until({ event: "unreachable" });
    await sim.online();
    expect(broker.log.some((line) => line.includes("as barn-2"))).toBe(true);
  });

  test("gives way to flags", () => {
    const settings = fileOf(
      "device=a\nwifi.baud=921600\nmqtt.host=there\nmqtt.port=1884\nmqtt.user=me\nmqtt.password=x\nmqtt2.host=other\nwifi2.ssid=w\n",
    );
    const file = checkOptions({ ...RAW, settings });
    expect(file).toMatchObject({ device: "a", baud: 921600, broker: { host: "there", port: 1884, user: "me" } });
    expect(file.settings.get("mqtt2.host")).toBe("other");
    const flags = checkOptions({ ...RAW, settings, device: "b", baud: "9600", broker: "mqtt://here" });
    expect(flags).toMatchObject({ device: "b", baud: 9600, broker: { host: "here", port: 1883, user: undefined } });
    expect([...flags.settings.keys()]).toEqual(["device", "wifi.baud", "wifi2.ssid"]);
    expect(checkOptions({ ...RAW, settings, port: "2000" }).broker).toBeUndefined();
    expect(checkOptions(RAW)).toMatchObject({ device: "sim-1", baud: 115200, broker: undefined });
  });

  test("takes TLS, certificates and key from flags or the file, and never goes without", () => {
    const ca = new Authority("our authority");
    const { cert, key } = ca.sign("board");
    const texts = [ca.certFile, cert, key].map((path) => readFileSync(path, "utf8"));
    const flags = checkOptions({ ...RAW, broker: "mqtts://here", ca: ca.certFile, cert, key });
    expect(flags.broker).toEqual({ host: "here", port: 8883, user: undefined, tls: true });
    expect([...flags.pems]).toEqual([["ca", texts[0]], ["cert", texts[1]], ["key", texts[2]]]);
    expect([...flags.settings]).toEqual([["mqtt.tls", "on"]]);
    const settings = fileOf(`mqtt.host=there\nmqtt.tls=on\ntime.server=clock\nca=${ca.certFile}\ncert=${cert}\nkey=${key}\n`);
    const file = checkOptions({ ...RAW, settings });
    expect(file.broker).toMatchObject({ host: "there", port: 8883, tls: true });
    expect([...file.pems.values()]).toEqual(texts);
    expect(wifiOf(file.settings).otherSettings).toEqual(new Map([["mqtt.tls", "on"], ["time.server", "clock"]]));
    const plain = checkOptions({ ...RAW, settings, broker: "mqtt://here" });
    expect([plain.broker?.tls, plain.pems.size, plain.settings.has("mqtt.tls")]).toEqual([false, 0, false]);
    for (const [given, message] of [
      [{ broker: "mqtts://here" }, "mqtts checks the broker's certificate: give the one of its authority with --ca FILE"],
      [{ broker: "mqtt://here", ca: ca.certFile }, "--ca is for TLS: write the broker as mqtts://host"],
      [{ ca: ca.certFile }, "--ca is for TLS: write the broker as mqtts://host"],
      [{ broker: "mqtts://here", ca: ca.certFile, cert }, "a cert without its key is of no use"],
      [{ broker: "tls://here" }, "--broker tls://here: give mqtt://host, or mqtts://host for TLS"],
      [{ settings: fileOf("mqtt.host=there\nmqtt.tls=on\n") }, "mqtts checks the broker's certificate"],
    ] as const) {
      expect(() => checkOptions({ ...RAW, ...given })).toThrow(message);
    }
  });

  test("with something wrong in the file is one line that says where", async () => {
    const file = fileOf("device=a b\n");
    const sim = new Sim(["--settings", file]);
    expect(await sim.program.ended).toBe(1);
    expect(sim.program.lines).toEqual([`moth: ${file}:1: device: give 1 to 32 letters, digits, _ or -`]);
  });
});
