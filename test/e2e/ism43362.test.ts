import { expect, test } from "vitest";
import { Mosquitto } from "./mosquitto";
import { fieldsOf, Sim } from "./processes";

const APP = "test/e2e/apps/ism43362-board.ts";

test("a board at an ISM43362 obeys and loses nothing at Mosquitto, while module and Wi-Fi fail", async () => {
  const broker = await Mosquitto.start();
  const all = await broker.subscribe("moth/t1/#");
  const sim = new Sim([
    APP, "--personality", "ism43362", "--broker", broker.url, "--device", "t1",
    "--fault", "module.reset@14", "--fault", "wifi.drop@24:2s",
  ]);
  await sim.until({ event: "subscribed" }, 30_000);
  broker.publish("moth/t1/interval/set", "1", "-q", "1");
  broker.publish("moth/t1/relay/set", "ON", "-q", "2");
  await all.until("moth/t1/relay", "ON");
  // Once for each of the two failures, however long it takes to be back.
  await sim.until({ event: "reset", cause: "crash" }, 60_000);
  const from = sim.program.lines.length;
  await sim.until({ event: "online" }, 60_000, from);
  await sim.until({ event: "lost" }, 60_000);
  const again = sim.program.lines.length;
  await sim.until({ event: "subscribed" }, 60_000, again);
  broker.publish("moth/t1/relay/set", "OFF", "-q", "2");
  await sim.until({ event: "pin", high: false }, 20_000, again);
  sim.program.kill("SIGINT");
  const summary = await sim.until({ event: "summary" });
  expect(await sim.program.ended).toBe(0);
  await all.until("moth/t1/availability", "offline");

  const seqs = all.payloads("moth/t1/telemetry").map((payload) => Number(fieldsOf(payload)["seq"]));
  const last = Math.max(...seqs);
  expect(last).toBeGreaterThan(12);
  expect(new Set(seqs)).toEqual(new Set(Array.from({ length: last }, (_, index) => index + 1)));
  expect(summary).toMatchObject({ refused: 0, unsent: 0 });
}, 180_000);

test("a fault that an ISM43362 does not know is refused in one line", async () => {
  const { program } = new Sim([APP, "--personality", "ism43362", "--fault", "prompt.lost"]);
  expect(await program.ended).toBe(1);
  expect(program.lines).toEqual(["moth: --fault prompt.lost: makes no sense for a module of ism43362"]);
});
