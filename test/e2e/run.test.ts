import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { openPort, PtyPair } from "../hal/node/pty-pair";
import { attachModule, SSID, WIFI_PASSWORD } from "./module-on-port";
import { Mosquitto } from "./mosquitto";
import { Program, Sim } from "./processes";

const SECRET = { MOTH_WIFI_PASSWORD: WIFI_PASSWORD };

function stateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "moth-state-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function argumentsFor(port: string, broker: string, state = stateFolder()): string[] {
  return ["--port", port, "--broker", broker, "--device", "t1", "--ssid", SSID, "--state", state];
}

/** Runs `moth run` to its end. */
async function moth(args: readonly string[], env: Record<string, string> = {}): Promise<{ code: unknown; lines: readonly string[] }> {
  const program = new Program(process.execPath, ["tools/moth.mjs", "run", ...args], { ...SECRET, ...env });
  const code = await program.ended;
  return { code, lines: program.lines };
}

describe("the firmware on a computer, over a serial port", () => {
  test("brings its board online, publishes, obeys, keeps its interval, and stops cleanly", async () => {
    const broker = await Mosquitto.start();
    const subscriber = await broker.subscribe("moth/t1/#");
    const pair = await PtyPair.create();
    await attachModule(pair.far);
    const state = stateFolder();
    const args = argumentsFor(pair.near, broker.url, state);

    const run = new Sim([...args, "--set", "temperature=31"], SECRET, "run");
    await run.online();
    await run.until({ event: "acknowledged" });
    await subscriber.program.until("telemetry", () => subscriber.payloads("moth/t1/telemetry")[0]);
    expect(subscriber.payloads("moth/t1/telemetry")[0]).toMatch(
      /^\{"seq":1,"temperature":31\.0,"humidity":\d+\.\d,"relay":false,"uptime":\d+\}$/,
    );
    broker.publish("moth/t1/relay/set", "ON");
    await run.until({ event: "pin", pin: 2, high: true });
    await subscriber.until("moth/t1/relay", "ON");
    broker.publish("moth/t1/interval/set", "77");
    await subscriber.until("moth/t1/interval", "77");
    // A change is saved when it has stood for 5 s.
    await new Promise((resolve) => setTimeout(resolve, 6000));

    run.program.kill("SIGINT");
    expect(await run.until({ event: "summary" })).toMatchObject({ obeyed: 2, sessions: 1, unsent: 0 });
    expect(await run.program.ended).toBe(0);
    expect(subscriber.payloads("moth/t1/availability")).toEqual(["online", "offline"]);
    expect(broker.log.some((line) => line.includes("Received DISCONNECT from t1"))).toBe(true);

    const from = subscriber.program.lines.length;
    const again = new Sim([...args, "--for", "10"], SECRET, "run");
    await again.online();
    await subscriber.until("moth/t1/interval", "77", undefined, from);
    expect(await again.program.ended).toBe(0);
    expect([...run.program.lines, ...again.program.lines].join("\n")).not.toContain("secret");
  }, 90_000);

  test("ends in one line when the port is gone", async () => {
    const broker = await Mosquitto.start();
    const pair = await PtyPair.create();
    await attachModule(pair.far);
    const run = new Sim(argumentsFor(pair.near, broker.url), SECRET, "run");
    await run.online();
    await pair.cut();
    expect(await run.program.ended).toBe(1);
    const complaints = run.program.lines.filter((line) => !line.startsWith("{"));
    expect(complaints).toEqual([`moth: ${pair.near}: the port is gone: was the adapter unplugged?`]);
  }, 60_000);

  test("says that the module is silent when nothing answers", async () => {
    const pair = await PtyPair.create();
    const run = new Sim(argumentsFor(pair.near, "mqtt://127.0.0.1"), SECRET, "run");
    await run.until({ event: "silent" }, 30_000);
    run.program.kill("SIGINT");
    expect(await run.program.ended).toBe(1);
    expect(run.program.lines.at(-1)).toBe(
      "moth: the board never came online: the module does not answer: check power, wiring (RX to TX) and --baud",
    );
  }, 60_000);

  test("says what Wi-Fi and broker have against it", async () => {
    const broker = await Mosquitto.start({ user: "moth", password: "right" });
    const pair = await PtyPair.create();
    await attachModule(pair.far);
    const args = argumentsFor(pair.near, `mqtt://moth@127.0.0.1:${broker.port}`);
    const password = { MOTH_MQTT_PASSWORD: "wrong" };
    const stranger = new Sim(args, { MOTH_WIFI_PASSWORD: "wrong", ...password }, "run");
    expect(await stranger.until({ event: "join-failed" })).toMatchObject({ reason: "wrong password" });
    stranger.program.kill("SIGINT");
    expect(await stranger.program.ended).toBe(1);
    expect(stranger.program.lines.at(-1)).toBe(`moth: the board never came online: cannot join ${SSID} (wrong password)`);
    const { code, lines } = await moth(args, password);
    expect(code).toBe(1);
    expect(lines.at(-1)).toMatch(/^moth: the broker at .* refused: (not authorised|bad user name or password)$/);
  }, 60_000);

  test("gives one line and exit code 1 for each thing that is wrong at the start", async () => {
    const pair = await PtyPair.create();
    await openPort({ path: pair.far, baud: 115200 });
    const address = "mqtt://192.0.2.1";
    const wrong: [string[], RegExp][] = [
      [argumentsFor("/dev/no-such-port", address), /^moth: \/dev\/no-such-port: no such port: "moth ports" lists/],
      [argumentsFor(pair.far, address), /far: busy: another program has it open$/],
      [argumentsFor("/dev/null", address), /^moth: \/dev\/null: cannot be used as the serial port of a module/],
      [argumentsFor("/dev/null", "mqtt://localhost"), /^moth: --broker localhost: the module is another computer/],
      [argumentsFor("/dev/null", "mqtt://127.0.0.2:1884"), /the module is another computer/],
      [argumentsFor("/dev/null", "mqtt://[::1]"), /the module is another computer/],
      [[...argumentsFor(pair.near, address), "--reset", "rts"], /near: it has no rts line .*: use --reset none$/],
      [[...argumentsFor(pair.near, address), "--set", "pressure=1000"], /nothing here is called "pressure"/],
      [argumentsFor(pair.near, address, "/dev/null/x"), /^moth: --state \/dev\/null\/x: part of the path is a file/],
      [[...argumentsFor(pair.near, address), "--baud", "fast"], /--baud fast: give a whole number/],
      [[...argumentsFor(pair.near, address), "--ssid", "x".repeat(33)], /--ssid x+: give 1 to 32 bytes/],
      [["--port", pair.near, "--broker", address, "--device", "t1"], /required option '--ssid <name>'/],
    ];
    // One after the other: some of them open the same port.
    for (const [args, message] of wrong) {
      const { code, lines } = await moth(args);
      expect({ args, code }).toEqual({ args, code: 1 });
      expect(lines.filter((line) => line.startsWith("moth: "))).toEqual([expect.stringMatching(message)]);
      expect(lines.join("\n")).not.toMatch(/\n\s+at /);
    }
    const silent = { MOTH_WIFI_PASSWORD: "", MOTH_PORT: "/dev/no-such-port" };
    const { lines } = await moth(["--broker", address, "--device", "t1", "--ssid", SSID], silent);
    expect(lines).toEqual([expect.stringContaining("/dev/no-such-port: no such port")]);
  }, 60_000);
});
