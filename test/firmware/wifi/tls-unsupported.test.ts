/** A driver that has no TLS, and is asked for it, opens nothing: there is no way from there to a plain stream. */
import { expect, it } from "vitest";
import { Trust, type Security } from "../../../firmware/wifi/module";
import { ism43362 } from "./ism43362/ism43362-bench";
import { NO_PEM, pemSource } from "./pem-texts";
import { SimulatedBench } from "./simulated-bench";

const security: Security = {
  authority: pemSource("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
  certificate: NO_PEM,
  key: NO_PEM,
  timeServer: "time",
};

it.each(["nonos-1.7", "esp-at-2.2", "esp-at-5"] as const)("ESP-AT without it refuses, whatever the module can do: %s", (personality) => {
  const bench = new SimulatedBench({ seed: 1, personality, driver: { security } });
  expect(bench.wifi.status.trust).toBe(Trust.Unsupported);
  bench.user.reopenAfter = 1000;
  bench.user.open("broker", 1883);
  bench.clock.runFor(30_000);
  expect(bench.user.ups).toBe(0);
  expect(bench.user.losses.length).toBeGreaterThan(10);
  expect(new Set(bench.user.losses)).toEqual(new Set(["Unreachable"]));
  expect(bench.commands.filter((command) => command.includes("CIPSTART"))).toEqual([]);
  expect(bench.peers).toEqual([]);
  expect(bench.wifi.status).toMatchObject({ trust: Trust.Unsupported, resets: 1, resyncs: 0 });
});

it("the ISM43362 refuses", () => {
  const bench = ism43362({ driver: { security } });
  bench.user.reopenAfter = 1000;
  bench.user.open("broker", 1883);
  bench.clock.runFor(30_000);
  expect(bench.user.losses.length).toBeGreaterThan(10);
  expect(bench.peers).toEqual([]);
  expect(bench.commands.filter((command) => command === "P6=1")).toEqual([]);
  expect(bench.wifi.status.trust).toBe(Trust.Unsupported);
});

it("who does not ask for it is told so", () => {
  expect(new SimulatedBench({ seed: 1 }).wifi.status.trust).toBe(Trust.NotAsked);
});
