import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { fieldsOf, Program } from "../../e2e/processes";
import { PtyPair } from "../../hal/node/pty-pair";
import { Authority } from "../../interop/brokers/certificates";
import { attachBoard, type PortBoard } from "./board-on-port";
import { readPemFlags } from "../../../tools/provision/pem-files";
import { checkTls, digestOf } from "../../../tools/provision/provision";
import { TerminalProgram } from "./terminal-program";

const OLD = "device=old\nwifi.ssid=attic\nwifi.password=old-secret\nwifi2.ssid=cellar\nmqtt.host=10.0.0.1\nmqtt.user=me\n";
const NEW = "# of the barn\nwifi.ssid=barn\nwifi.password=wifi-secret\nmqtt.host=10.0.0.9\nmqtt.port=1884\n" +
  "mqtt.user=moth\nmqtt.password=mqtt-secret\n";

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

  test("writes certificates and key that the file or flags name, and changes nothing the second time but what it cannot see", async () => {
    const { board: there, path } = await board();
    const ca = new Authority("our authority");
    const { cert, key } = ca.sign("board");
    const settings = fileOf(`${NEW}mqtt.tls=on\ntime.server=10.0.0.1\nca=ca.pem\nkey=\n`);
    writeFileSync(join(settings, "../ca.pem"), `Subject: CN=barn\r\n${ca.cert.toString().replaceAll("\n", "\r\n")}`);
    chmodSync(key, 0o644);
    const args = ["--port", path, "--settings", settings, "--cert", cert, "--key", key];
    const first = await moth(args);
    expect(first).toMatchObject({ code: 0 });
    expect([4, 2, 3].map((slot) => there.record(slot))).toEqual([ca.certFile, cert, key].map((file) => readFileSync(file, "utf8")));
    const digest = digestOf(readFileSync(key));
    expect(first.text).toContain(`key             ${digest}`);
    expect(first.text).toMatch(/set ca\nset cert\nset key\n/);
    expect(first.text).toContain(`${key} can be read by others on this machine`);
    expect(first.text).not.toContain("PRIVATE KEY");
    expectNoSecret(first.text);
    await expect.poll(() => there.bench.machine.board?.problem).toContain("this application has no TLS");
    chmodSync(key, 0o600);
    const second = await moth([...args, "--json"]);
    expect(fieldsOf(second.text)["changed"]).toEqual(["set wifi.password", "set mqtt.password"]);
    // Without TLS, what it was for goes too.
    const third = await moth(["--port", path, "--settings", fileOf(NEW), "--json"]);
    expect(fieldsOf(third.text)["changed"]).toEqual([
      "cleared mqtt.tls", "cleared time.server", "set wifi.password", "set mqtt.password", "cleared ca", "cleared cert", "cleared key",
    ]);
  });

  test("says what is wrong with certificates and keys in one line, and leaves the board alone", async () => {
    const { board: there, path } = await board();
    const ca = new Authority("our authority");
    const one = ca.sign("one");
    const other = ca.sign("other");
    const where = folder();
    const written = (name: string, content: string | Uint8Array): string => {
      const file = join(where, name);
      writeFileSync(file, content);
      chmodSync(file, 0o600);
      return file;
    };
    const der = (pem: string): Uint8Array => Buffer.from(readFileSync(pem, "utf8").replace(/-----.*-----/g, ""), "base64");
    const many = written("many.pem", ca.cert.toString().repeat(8));
    const derCert = written("der.crt", der(one.cert));
    const derKey = written("der.key", der(one.key));
    const torn = written("torn.pem", ca.cert.toString().replace(/\n[^\n]{10}/, "\nAAAAAAAAAA"));
    const locked = written("locked.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
    const text = written("notes.txt", "nothing\n");
    const check = (flags: readonly string[]): void => {
      const named: Record<string, string> = {};
      for (let i = 0; i + 1 < flags.length; i += 2) named[flags[i]?.slice(2) ?? ""] = flags[i + 1] ?? "";
      const values = new Map([["mqtt.tls", "on"]]);
      const pems = readPemFlags(named);
      checkTls(values, { values, kept: new Set(), pems, pemsKept: new Set() }, new Map());
    };
    for (const [flags, message] of [
      [["--ca", join(where, "none.pem")], /cannot read the CA file .*none.pem: no such file/],
      [["--ca", text], /notes.txt: no certificate in it: give a file in PEM format/],
      [["--ca", derCert], /der.crt: is DER, a board takes PEM: openssl x509 -inform der -in .*der.crt -out .*der.crt.pem converts it/],
      [["--ca", torn], /torn.pem: a certificate in it is damaged: get it anew/],
      [["--ca", many], /many.pem: \d+ bytes, a board keeps 4096 of a ca: leave out the authorities that are not the broker's/],
      [["--cert", written("long.pem", ca.cert.toString().repeat(4)), "--key", one.key], /a board keeps 2048 of a cert: leave out what is above it/],
      [["--cert", one.cert, "--key", one.cert], /no private key in it: give a file in PEM format/],
      [["--cert", one.cert, "--key", derKey], /der.key: is DER, a board takes PEM: openssl pkey -inform der/],
      [["--cert", one.cert, "--key", locked], /locked.key: the key is encrypted, and a board cannot ask for its password: openssl pkey/],
      [["--cert", one.cert], /a cert without its key is of no use: give key=FILE, or --key FILE, too/],
      [["--key", one.key], /a key without its cert is of no use: give cert=FILE, or --cert FILE, too/],
      [["--cert", one.cert, "--key", other.key], /the key is not that of the certificate/],
      [[], /mqtt.tls=on checks the broker's certificate: give the one of its authority with ca=FILE, or --ca FILE/],
    ] as const) {
      expect(() => check(flags), flags.join(" ")).toThrow(message);
    }
    const { code, text: said } = await moth(["--port", path, "--settings", fileOf(`${NEW}mqtt.tls=on\n`)]);
    expect(code).toBe(1);
    expect(said).toMatch(/^moth: mqtt.tls=on checks the broker's certificate: .*$/);
    expect(await moth(["--port", path, "--check", "--ca", ca.certFile])).toEqual({ code: 1, text: "moth: --check changes nothing: leave --ca out" });
    expect(there.record(0)).toBe(OLD);
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
    await answer("TLS to the broker, on or off", "\r");
    await answer("Broker, its name or address:", "\r");
    await answer("Port of 10.0.0.1:", "\r");
    await answer("Broker to fall back on", "\r");
    await answer("User at the broker", "\r");
    await answer("Password of me", "mqtt-secret\r");
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
