/** The whole board, at a real Mosquitto over TLS with an authority of its own. */
import { describe, expect, test } from "vitest";
import { secureMosquitto } from "./secure-mosquitto";
import { Sim } from "./processes";

const tls = secureMosquitto();

/** A simulated board that goes to one of the broker's listeners, and believes its authority. */
function simAt(port: number, device: string, ...flags: readonly string[]): Sim {
  const address = ["--broker", `mqtts://localhost:${port}`, "--device", device];
  return new Sim([...address, "--ca", tls().ca, "--seed", "3", ...flags]);
}

/** That a device has not said a word of MQTT. */
function expectNothingFrom(device: string): void {
  expect(tls().broker.log.filter((line) => line.includes(`as ${device} `))).toEqual([]);
}

describe("a board with the certificate of the broker's authority", () => {
  test.each(["esp-at-5", "esp-at-2.2"])("publishes and obeys at QoS 1, and leaves in good order, with %s", async (personality) => {
    const { broker, ports } = tls();
    const device = `good-${personality.replace(".", "-")}`;
    const all = await broker.subscribe(`moth/${device}/#`);
    const sim = simAt(ports.good, device, "--personality", personality);
    await sim.until({ event: "subscribed" });
    broker.publish(`moth/${device}/relay/set`, "ON");
    await sim.until({ event: "pin", pin: 2, high: true });
    await all.until(`moth/${device}/relay`, "ON");
    await sim.until({ event: "acknowledged", name: `moth/${device}/telemetry` });
    const told = sim.events.filter(({ topic }) => topic === "tls").map(({ event }) => event);
    expect([told.at(-1), told.includes("refused")]).toEqual(["verified", false]);
    sim.program.kill("SIGINT");
    await all.until(`moth/${device}/availability`, "offline");
    expect(await sim.program.ended).toBe(0);
  });

  test("shows its own to a broker that asks who it is", async () => {
    const { broker, client: { cert, key }, ports } = tls();
    const sim = simAt(ports.mutual, "mutual", "--cert", cert, "--key", key, "--trace", "at");
    await sim.until({ event: "acknowledged", name: "moth/mutual/telemetry" });
    expect(broker.log.some((line) => line.includes("as mutual "))).toBe(true);
  });
});

describe("nothing is sent, and the reason shown, where the broker", () => {
  test.each([
    ["untrusted", "its certificate is not signed by the CA", "is signed by another authority"],
    ["expired", "its certificate has expired", "has a certificate of yesterday"],
    ["misnamed", "its certificate is for another host", "has one for another host"],
    ["mutual", "it refused the certificate of this board, or wants one", "asks for a certificate that the board has not"],
  ] as const)("%s: %s, since it %s", async (listener, reason, _why) => {
    const sim = simAt(tls().ports[listener], listener === "mutual" ? "nobody" : listener, "--for", "25", "--speed", "max");
    expect(await sim.until({ event: "refused" })).toMatchObject({ topic: "tls", host: "localhost", reason });
    expect(await sim.program.ended).toBe(1);
    expect(sim.program.lines.at(-1)).toBe(`moth: the board never came online: ${reason}`);
    expectNothingFrom(listener === "mutual" ? "nobody" : listener);
  });

  test("cannot be checked, as NonOS AT cannot", async () => {
    const sim = simAt(tls().ports.good, "nonos", "--personality", "nonos-1.7", "--for", "25", "--speed", "max");
    await sim.until({ event: "refused", reason: "the Wi-Fi module cannot check certificates" });
    expect(await sim.program.ended).toBe(1);
    expectNothingFrom("nonos");
  });
});

test("what is wrong with the flags is told in a line, before anything runs", async () => {
  const { ca } = tls();
  for (const [flags, message] of [
    [["--broker", "mqtts://localhost"], "mqtts checks the broker's certificate: give the one of its authority with --ca FILE"],
    [["--broker", "mqtt://localhost", "--ca", ca], "--ca is for TLS: write the broker as mqtts://host"],
  ] as const) {
    const { program } = new Sim(flags);
    expect(await program.ended).toBe(1);
    expect(program.lines).toEqual([`moth: ${message}`]);
  }
});
