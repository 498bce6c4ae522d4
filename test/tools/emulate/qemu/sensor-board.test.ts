/** The image that a person flashes, in QEMU, at a real Mosquitto. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { buildForBoard } from "../../../../tools/build/board-build";
import { Mosquitto } from "../../../e2e/mosquitto";
import { ProbeBoard, SSID, WIFI_PASSWORD } from "../../../hal/stm32f405/probe-board";

const app = fileURLToPath(new URL("../../../../firmware/apps/sensor-board.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "moth-image-"));
let elf = "";
let board: ProbeBoard;

beforeAll(() => {
  const built = buildForBoard(app, "stm32f405", { outDir: folder });
  if ("problems" in built) throw new Error(built.problems[0]?.message);
  elf = built.report.files["elf"] ?? "";
}, 120_000);
afterEach(() => board.cutPower());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function set(line: string): Promise<void> {
  board.type(`set ${line}\r`);
  await board.heard("ok\r\n");
}

async function provision(broker: Mosquitto): Promise<void> {
  await board.heard("moth> ");
  await set("device=q1");
  await set(`wifi.ssid=${SSID}`);
  await set(`wifi.password=${WIFI_PASSWORD}`);
  await set("mqtt.host=127.0.0.1");
  await set(`mqtt.port=${broker.port}`);
}

test("the sensor board is set up on its console, joins, publishes, obeys, and is announced dead when its power goes", async () => {
  const broker = await Mosquitto.start();
  const subscriber = await broker.subscribe("moth/q1/#");
  board = new ProbeBoard({ elf }, { withModule: true });
  board.powerOn();
  await provision(broker);
  board.type("reset\r");
  await board.until(() => subscriber.payloads("moth/q1/telemetry").length >= 2, 30_000);
  expect(board.resets).toEqual(["restart"]);
  expect(subscriber.payloads("moth/q1/availability")).toContain("online");
  expect(subscriber.payloads("moth/q1/telemetry")[0]).toMatch(/^\{"seq":1,"temperature":\d+\.\d,"humidity":\d+\.\d,/);

  broker.publish("moth/q1/relay/set", "ON");
  await board.until(() => board.world.pinLevel(2));
  await board.until(() => subscriber.payloads("moth/q1/relay").includes("ON"));

  board.cutPower();
  await board.until(() => subscriber.payloads("moth/q1/availability").includes("offline"), 60_000);
  expect(board.world.pinLevel(2)).toBe(false);

  // The settings are in flash.
  const seen = subscriber.payloads("moth/q1/telemetry").length;
  board.powerOn();
  await board.until(() => subscriber.payloads("moth/q1/telemetry").length > seen, 30_000);
}, 180_000);
