import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { freePort, Sim } from "../../e2e/processes";
import { Mosquitto } from "../../e2e/mosquitto";
import { checkOptions } from "../../../tools/sim/options";

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

  test("with something wrong in the file is one line that says where", async () => {
    const file = fileOf("device=a b\n");
    const sim = new Sim(["--settings", file]);
    expect(await sim.program.ended).toBe(1);
    expect(sim.program.lines).toEqual([`moth: ${file}:1: device: give 1 to 32 letters, digits, _ or -`]);
  });
});
