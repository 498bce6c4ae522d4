import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Mosquitto } from "./mosquitto";
import { freePort, Program, ROOT, Sim } from "./processes";

/** Runs `moth sim` to its end. */
async function moth(args: readonly string[], env: Record<string, string> = {}): Promise<{ code: unknown; lines: readonly string[] }> {
  const program = new Program(process.execPath, ["tools/moth.mjs", "sim", ...args], env);
  const code = await program.ended;
  return { code, lines: program.lines };
}

describe("moth sim", () => {
  test("runs the main job on its own broker and exits 0 after --for", async () => {
    const { code, lines } = await moth(["--for", "15"]);
    expect(code).toBe(0);
    expect(lines.some((line) => /mqtt +online$/.test(line))).toBe(true);
    const acknowledged = lines.filter((line) => line.includes('telemetry acknowledged'));
    expect(acknowledged.length).toBeGreaterThanOrEqual(2);
    expect(lines.join("\n")).toMatch(/published +\d+, acknowledged \d+, retried 0, refused 0/);
    expect(lines.join("\n")).toMatch(/outbox +\d+ of 4096 bytes at most/);
  });

  test("says nothing to a terminal that is none: no colours, no keys", async () => {
    const { lines } = await moth(["--for", "4", "--speed", "max"]);
    expect(lines.join("\n")).not.toContain("\u001b");
    expect(lines.join("\n")).not.toContain("keys:");
  });

  test("gives one line and exit code 1 for each thing that is wrong with its flags", async () => {
    const wrong: [string[], RegExp][] = [
      [["--broker", "nonsense"], /--broker nonsense: not a URL: write mqtt:/],
      [["--broker", "http://h"], /give mqtt:\/\/host, or mqtts:\/\/host for TLS$/],
      [["--broker", "mqtt://u:secret@h"], /MOTH_MQTT_PASSWORD/],
      [["--device", "a/b"], /--device a\/b: give 1 to 32 letters/],
      [["--for", "-1"], /--for -1: give a number/],
      [["--speed", "warp"], /real, max/],
      [["--personality", "esp-at-9"], /--personality esp-at-9: choose one of nonos-1.7, esp-at-2.2, esp-at-5/],
      [["--baud", "fast"], /--baud fast: give a whole number/],
      [["--set", "temperature"], /--set temperature: write NAME=NUMBER/],
      [["--set", "pressure=1000"], /--set pressure=1000: nothing here is called "pressure"/],
      [["--set", "temperature=500"], /--set temperature=500: temperature must be from -40 to 125/],
      [["--sped", "max"], /Did you mean one of --seed, --speed/],
      [["no-such-app.ts"], /cannot read no-such-app.ts: no such file/],
      [["hal/hal.ts"], /no default export/],
    ];
    const results = await Promise.all(wrong.map(([args]) => moth(args)));
    for (const [index, { code, lines }] of results.entries()) {
      const [args, message] = wrong[index] ?? [[], /never/];
      expect({ args, code }).toEqual({ args, code: 1 });
      expect(lines.filter((line) => line.startsWith("moth: "))).toEqual([expect.stringMatching(message)]);
      expect(lines.join("\n")).not.toMatch(/\n\s+at /);
      expect(lines.join("\n")).not.toContain("secret");
    }
  }, 60_000);

  test("says that a broker cannot be reached", async () => {
    const port = await freePort();
    const { code, lines } = await moth(["--broker", `mqtt://127.0.0.1:${port}`]);
    expect(code).toBe(1);
    expect(lines).toEqual([expect.stringContaining(`cannot reach the broker at 127.0.0.1:${port} (connection refused)`)]);
  });

  test("says that a port is taken", async () => {
    const server = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { code, lines } = await moth(["--port", String(port)]);
    expect(code).toBe(1);
    expect(lines).toEqual([expect.stringContaining(`--port ${port}: another program listens there`)]);
  });

  test("takes the password from the environment, and says when the broker does not like it", async () => {
    const broker = await Mosquitto.start({ user: "moth", password: "right" });
    const url = `mqtt://moth@127.0.0.1:${broker.port}`;
    const good = new Sim(["--broker", url, "--trace", "all"], { MOTH_MQTT_PASSWORD: "right" });
    await good.until({ event: "acknowledged" });
    expect(good.program.lines.join("\n")).not.toContain("right");
    const bad = await moth(["--broker", url], { MOTH_MQTT_PASSWORD: "wrong" });
    expect(bad.code).toBe(1);
    expect(bad.lines.at(-1)).toMatch(/^moth: the broker at .* refused: (not authorised|bad user name or password)$/);
    const none = await moth(["--broker", url]);
    expect(none.code).toBe(1);
    expect(none.lines).toEqual([expect.stringContaining("no password for moth: set MOTH_MQTT_PASSWORD")]);
  });

  test("shows a broker that goes away while it runs, and why each new try fails", async () => {
    const broker = await Mosquitto.start();
    const sim = new Sim(["--broker", broker.url]);
    await sim.online();
    await broker.stop();
    await sim.until({ event: "closed" });
    await sim.until({ event: "unreachable", reason: "connection refused" });
    expect(sim.program.running).toBe(true);
  });

  test("stops in good order, without a word, when nobody reads its output any more", async () => {
    const broker = await Mosquitto.start();
    const subscriber = await broker.subscribe("moth/t1/availability");
    const line = `${process.execPath} tools/moth.mjs sim --broker ${broker.url} --device t1 | head -15`;
    const program = new Program("bash", ["-o", "pipefail", "-c", line]);
    expect(await program.ended).toBe(0);
    expect(program.lines.filter((text) => /Error|EPIPE|^ +at /.test(text))).toEqual([]);
    await subscriber.until("moth/t1/availability", "offline");
    expect(broker.log.some((text) => text.includes("Received DISCONNECT from t1"))).toBe(true);
  });

  test("colours nothing but a terminal, also where CI is set", async () => {
    const { lines } = await moth(["--for", "3", "--speed", "max"], { CI: "true" });
    const { lines: wrong } = await moth(["--for", "x"], { CI: "true" });
    expect([...lines, ...wrong].join("\n")).not.toContain("\u001b");
  });

  test("that is stopped before the board is online has not failed", async () => {
    const sim = new Sim([]);
    await sim.until({ event: "power-on" });
    sim.program.kill("SIGINT");
    expect(await sim.program.ended).toBe(0);
  });

  test("type-checks an application, and names file and line of what is wrong", async () => {
    const folder = mkdtempSync(join(ROOT, "build-test-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, "board.ts");
    const shipped = readFileSync(join(ROOT, "firmware/apps/sensor-board.ts"), "utf8");
    const imported = shipped.replace("../board/board", "../firmware/board/board");
    writeFileSync(file, imported.replace('when: "temperature"', 'when: "temprature"'));
    const { code, lines } = await moth([file]);
    expect(code).toBe(1);
    expect(lines).toEqual([expect.stringMatching(/^moth: build-test-.*board\.ts:\d+:\d+: .*temprature/)]);
  });

  test("prints --help and exits 0", async () => {
    const { code, lines } = await moth(["--help"]);
    expect(code).toBe(0);
    expect(lines.join("\n")).toContain("--broker <url>");
  });
});
