import { expect, test } from "vitest";
import { Mosquitto } from "./mosquitto";
import { fieldsOf, Sim } from "./processes";

const STOPPED_FOR = 30_000;

test("30 s without a broker lose no telemetry: every seq arrives, and the board is online again", async () => {
  const broker = await Mosquitto.start();
  const before = await broker.subscribe("moth/t1/telemetry");
  const sim = new Sim(["--broker", broker.url, "--device", "t1"]);
  await sim.until({ event: "acknowledged", name: "moth/t1/telemetry" });
  await broker.stop();
  // The broker keeps nothing on disk, so what the board had in flight is known to nobody but the board.
  await new Promise((resolve) => setTimeout(resolve, STOPPED_FOR));
  const from = sim.program.lines.length;
  await broker.start();
  const after = await broker.subscribe("moth/t1/#");
  await sim.until({ event: "online" }, 90_000, from);
  await after.until("moth/t1/availability", "online");
  const fresh = await sim.until({ event: "publish", name: "moth/t1/telemetry", dup: false }, undefined, from);
  expect(fresh).toBeDefined();
  sim.program.kill("SIGINT");
  const summary = await sim.until({ event: "summary" });
  expect(await sim.program.ended).toBe(0);

  const payloads = [...before.payloads("moth/t1/telemetry"), ...after.payloads("moth/t1/telemetry")];
  const seqs = payloads.map((payload) => Number(fieldsOf(payload)["seq"]));
  const last = Math.max(...seqs);
  expect(last).toBeGreaterThan(6);
  expect(new Set(seqs)).toEqual(new Set(Array.from({ length: last }, (_, index) => index + 1)));
  expect(summary).toMatchObject({ refused: 0, unsent: 0 });
}, 180_000);
