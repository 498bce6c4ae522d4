import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { fieldsOf, Program } from "../../e2e/processes";
import { PtyPair } from "../../hal/node/pty-pair";
import { attachBoard, type PortBoard } from "./board-on-port";
import { digestOf } from "../../../tools/provision/provision";
import { TerminalProgram } from "./terminal-program";

const OLD = "device=old\nwifi.ssid=attic\nwifi.password=old-secret\nwifi2.ssid=cellar\nmqtt.host=10.0.0.1\nmqtt.user=me\n";
const NEW = "# of the barn\nwifi.ssid=barn\nwifi.password=wifi-secret\nmqtt.host=10.0.0.9\nmqtt.port=1884\n" +
  "mqtt.user=moth\nmqtt.password=mqtt-secret\n";

export const PEM = `-----BEGIN CERTIFICATE-----\n${`${"TW90aCBpcyBmaXJtd2FyZSBmb3Igc2Vuc29yIGJvYXJkcywgYW5kIHRoaXMgaXM=".slice(0, 64)}\n`.repeat(18)}-----END CERTIFICATE-----\n`;

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "moth-provision-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function fileOf(text: string, mode = 0o600): string {
  const path = join(folder(), "settings");
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

async function board(settings = OLD): Promise<{ board: PortBoard; path: string; pair: PtyPair }> {
  const pair = await PtyPair.create();
  return { board: await attachBoard(pair.far, settings), path: pair.near, pair };
}

async function moth(args: readonly string[], env: Record<string, string> = {}): Promise<{ code: unknown; text: string }> {
  const program = new Program(process.execPath, ["tools/moth.mjs", "provision", ...args], env);
  const code = await program.ended;
  return { code, text: program.lines.join("\n") };
}

function expectNoSecret(text: string): void {
  expect(text).not.toMatch(/(wifi|mqtt|old)-secret/);
}

describe("moth provision", () => {
  test("writes a file of settings into a board, clears what is not in it, shows no secret, and has it start anew", async () => {
    const { board: there, path } = await board();
    const { code, text } = await moth(["--port", path, "--settings", fileOf(NEW)]);
    expect({ code, text }).toMatchObject({ code: 0 });
    expect(there.record(0).split("\n").sort()).toEqual([
      "", "device=old", "mqtt.host=10.0.0.9", "mqtt.password=mqtt-secret", "mqtt.port=1884", "mqtt.user=moth",
      "wifi.password=wifi-secret", "wifi.ssid=barn",
    ]);
    expect(text).toContain("cleared wifi2.ssid");
    expect(text).toContain("set wifi.password");
    expect(text).toMatch(/wifi\.password +\(set\)/);
    expect(text).toMatch(/wifi\.ssid +barn/);
    expect(text).toContain("the board starts anew");
    expectNoSecret(text);
    await expect.poll(() => there.bench.machine.board?.device).toBe("old");
    expect(there.bench.machine.board?.problem).toBe("");
  });

  test("names a board that has no name after its chip, and takes MOTH_PORT for the port", async () => {
    const { board: there, path } = await board("");
    const { code, text } = await moth(["--settings", fileOf(NEW)], { MOTH_PORT: path });
    expect({ code, text }).toMatchObject({ code: 0 });
    expect(there.record(0)).toContain("device=moth-1f2a34\n");
  });

  test("writes a certificate that the file names, and changes nothing the second time but what it cannot see", async () => {
    const { board: there, path } = await board();
    const settings = fileOf(`${NEW}ca=ca.pem\n`);
    writeFileSync(join(settings, "../ca.pem"), `Subject: CN=barn\n${PEM}`);
    const first = await moth(["--port", path, "--settings", settings, "--json"]);
    expect(first.code).toBe(0);
    expect([4, 5, 6].map((slot) => there.record(slot)).join("")).toBe(PEM);
    const report = fieldsOf(first.text);
    expect(report["settings"]).toMatchObject({ ca: digestOf(Buffer.from(PEM)) });
    expect(report["changed"]).toContain("set ca");
    expectNoSecret(first.text);
    const second = await moth(["--port", path, "--settings", settings, "--json"]);
    expect(fieldsOf(second.text)["changed"]).toEqual(["set wifi.password", "set mqtt.password"]);
  });

  test("asks at a terminal, with what the board has as the answers, and shows no password", async () => {
    const { board: there, path } = await board();
    const program = new TerminalProgram([process.execPath, "tools/moth.mjs", "provision", "--port", path]);
    const answer = async (question: string, keys: string): Promise<void> => {
      await program.until(question);
      program.type(keys);
    };
    await answer("Device id:", "\r");
    await answer("Wi-Fi network:", "barn\r");
    await answer("Password of the Wi-Fi barn", "wifi-secret\r");
    await answer("Wi-Fi network to fall back on (- for none)", "-\r");
    await answer("Broker, its name or address:", "\r");
    await answer("Port of 10.0.0.1:", "\r");
    await answer("Broker to fall back on", "\r");
    await answer("User at the broker", "\r");
    await answer("Password of me", "mqtt-secret\r");
    await answer("CA certificate", "\r");
    await program.until("the board starts anew");
    await program.ended;
    expect(there.record(0).split("\n").sort()).toEqual([
      "", "device=old", "mqtt.host=10.0.0.1", "mqtt.password=mqtt-secret", "mqtt.port=1883", "mqtt.user=me",
      "wifi.password=wifi-secret", "wifi.ssid=barn",
    ]);
    expectNoSecret(program.screen);
  });

  test("changes nothing when Ctrl-C is the answer", async () => {
    const { board: there, path } = await board();
    const program = new TerminalProgram([process.execPath, "tools/moth.mjs", "provision", "--port", path]);
    await program.until("Device id:");
    program.type("\u0003");
    await program.until("moth: stopped: nothing was changed");
    expect(there.record(0)).toBe(OLD);
  });

  test("--check shows what a board has and changes nothing", async () => {
    const { board: there, path } = await board();
    const { code, text } = await moth(["--port", path, "--check"]);
    expect(code).toBe(0);
    expect(text).toMatch(/device +old/);
    expect(text).toMatch(/wifi\.password +\(set\)/);
    expect(text).toMatch(/mqtt\.password +\(none\)/);
    expectNoSecret(text);
    expect(there.bench.storage.writes.every((count) => count === 0)).toBe(true);
  });

  test("warns of a file that others can read", async () => {
    const { path } = await board();
    const settings = fileOf(NEW, 0o644);
    const { code, text } = await moth(["--port", path, "--settings", settings]);
    expect(code).toBe(0);
    expect(text).toContain(`moth: warning: ${settings} can be read by others on this machine: run chmod 600 ${settings}`);
  });

  test.each([
    ["device=a b\n", /settings:1: device: give 1 to 32 letters/],
    ["wifi.ssid=barn\nmqtt.port=x\n", /settings:2: mqtt.port: give 1 to 65535/],
    ["ssid=barn\n", /settings:1: no such setting: ssid: there are device, /],
    ["wifi.ssid\n", /settings:1: no "=" in it: write key=value/],
    ["wifi.ssid=a\nwifi.ssid=b\n", /settings:2: wifi.ssid stands there twice/],
    ["ca=missing.pem\n", /cannot read the CA file .*missing.pem: no such file/],
    ["ca=settings\n", /settings: no certificate in it: give a file in PEM format/],
    ["wifi.ssid=barn\n", /no mqtt.host: a board cannot do without it/],
  ])("refuses a file with %j in one line, and leaves the board alone", async (text, message) => {
    const { board: there, path } = await board();
    const result = await moth(["--port", path, "--settings", fileOf(text)]);
    expect(result.code).toBe(1);
    expect(result.text).toMatch(message);
    expect(result.text).toMatch(/^moth: .*$/);
    expect(there.record(0)).toBe(OLD);
  });

  test("says that nobody can be asked, that there is no such port, and that nobody answers at it", async () => {
    const nobody = await moth(["--port", "/dev/none"]);
    expect(nobody).toEqual({ code: 1, text: "moth: no terminal to ask at: give the settings with --settings FILE" });
    const none = await moth(["--port", "/dev/none", "--check"]);
    expect(none.code).toBe(1);
    expect(none.text).toMatch(/^moth: \/dev\/none: no such port/);
    const pair = await PtyPair.create();
    const silent = await moth(["--port", pair.near, "--check"]);
    expect(silent.code).toBe(1);
    expect(silent.text).toMatch(/^moth: .*: no prompt of a board: is this the port of its console \(115200 baud\)/);
  });

  test("says what the board has against a setting", async () => {
    const { board: there, path } = await board();
    there.bench.storage.save = () => false;
    const { code, text } = await moth(["--port", path, "--settings", fileOf(NEW)]);
    expect(code).toBe(1);
    expect(text).toMatch(/moth: the board refuses wifi2.ssid: the storage did not take it, the old settings stand: try again$/);
  });

  test("sends a line again of which the board has lost a part", async () => {
    const { board: there, path } = await board();
    const { host } = there.bench.console;
    let lost = 0;
    let commands = 0;
    Object.defineProperty(host, "lost", { get: () => lost });
    const read = host.read.bind(host);
    host.read = (into, at, room) => {
      const count = read(into, at, room);
      // Something is missing in the second command, and only there.
      if (into.subarray(at ?? 0, (at ?? 0) + count).includes(0x0d) && ++commands === 2) lost = 1;
      return count;
    };
    const { code, text } = await moth(["--port", path, "--check"]);
    expect({ code, text }).toMatchObject({ code: 0 });
    expect(commands).toBeGreaterThan(2);
  });
});
