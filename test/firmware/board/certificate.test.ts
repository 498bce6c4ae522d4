import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { crc32 } from "../../../hal/node/crc";
import type { Rig } from "./rig";
import { boardAndTerminal, recordOf, settingsOf, type Terminal } from "./terminal";

/** What looks like PEM, of exactly `size` bytes. */
function pemOf(size: number, kind = "CERTIFICATE"): string {
  let body = `-----BEGIN ${kind}-----\n`;
  for (let i = 0; body.length < size; i++) body += `${createHash("sha384").update(String(i)).digest("base64")}\n`;
  return body.slice(0, size);
}

function pieces(text: string): string[] {
  const count = Math.ceil(text.length / 256);
  return Array.from({ length: count }, (_, i) => Buffer.from(text.slice(i * 256, (i + 1) * 256)).toString("base64"));
}

function send(terminal: Terminal, text: string, name = "ca"): string[][] {
  return pieces(text).map((piece, i) => terminal.ask(`set ${name}.${i}=${piece}`));
}

const SLOTS = { ca: [4, 5, 6, 7], cert: [2, 64], key: [3, 65] };

function stored(rig: Rig, name: keyof typeof SLOTS = "ca"): string {
  return SLOTS[name].map((slot) => recordOf(rig, slot)).join("");
}

function digestOf(text: string): string {
  const crc = crc32(Buffer.from(text)).toString(16).padStart(8, "0");
  return `${text.length} bytes, CRC-32 ${crc}`;
}

describe("the certificate of an authority", () => {
  test.each([27, 256, 257, 1023, 1024, 1025, 2000, 4095, 4096])("of %d bytes is kept, and its digest is shown", (size) => {
    const { rig, terminal } = boardAndTerminal();
    const pem = pemOf(size);
    const answers = send(terminal, pem);
    for (const answer of answers) expect(answer.at(-1)).toBe("ok");
    expect(answers.at(-1)).toEqual([`ca=${digestOf(pem)}`, "ok"]);
    expect(stored(rig)).toBe(pem);
    expect(terminal.askMap("settings").get("ca")).toBe(digestOf(pem));
    expect(settingsOf(rig)).toContain("device=t1");
  });

  test("takes the place of a longer one, wholly", () => {
    const { rig, terminal } = boardAndTerminal();
    send(terminal, pemOf(4096));
    send(terminal, pemOf(1024));
    expect(stored(rig)).toBe(pemOf(1024));
    expect(terminal.askMap("settings").get("ca")).toBe(digestOf(pemOf(1024)));
  });

  test("ends with the slot that is not full, whatever lies behind it", () => {
    const { rig, terminal } = boardAndTerminal();
    rig.bench.storage.provision(4, pemOf(100));
    rig.bench.storage.provision(5, "left over");
    expect(terminal.askMap("settings").get("ca")).toBe(digestOf(pemOf(100)));
  });

  test("is forgotten when it is set to nothing", () => {
    const { rig, terminal } = boardAndTerminal();
    send(terminal, pemOf(3000));
    expect(terminal.ask("set ca=")).toEqual(["ca=(none)", "ok"]);
    expect(stored(rig)).toBe("");
  });

  test.each([
    ["ca.1 before ca.0", ["set ca.1=AAAA"], "ca: send the pieces one after the other"],
    ["ca.16", ["set ca.16=AAAA"], "ca: it has at most 16 pieces, 0 to 15"],
    ["ca.x", ["set ca.x=AAAA"], "ca: it has at most 16 pieces, 0 to 15"],
    ["no base64", ["set ca.0=A?=="], "ca: this is no base64: send the piece again"],
    ["half a group", ["set ca.0=AAAAA"], "ca: this is no base64: send the piece again"],
    ["nothing", ["set ca.0="], "ca: this is no base64: send the piece again"],
    ["no PEM", ["set ca.0=AAAA"], "ca: a certificate in PEM begins with -----BEGIN CERTIFICATE-----"],
    ["too long a piece", [`set ca.0=${"A".repeat(348)}`], "ca: a piece is at most 256 bytes"],
    ["a piece behind a short one", [`set ca.0=${pieces(pemOf(100))[0] ?? ""}`, "set ca.1=AAAA"], "ca: send the pieces"],
    ["a piece of the next slot behind a short one", [`set ca.0=${pieces(pemOf(100))[0] ?? ""}`, "set ca.4=AAAA"], "ca: send the pieces"],
    ["a piece twice", [`set ca.0=${pieces(pemOf(512))[0] ?? ""}`, "set ca.1=AAAA", "set ca.1=AAAA"], "ca: send the pieces"],
  ])("is refused: %s", (_name, commands, error) => {
    const { rig, terminal } = boardAndTerminal();
    const last = commands.map((command) => terminal.ask(command)).at(-1);
    expect(last).toEqual([expect.stringContaining(`error: ${error}`)]);
    expect(settingsOf(rig)).toContain("device=t1");
  });

  test("says when the storage does not take a piece, and goes on from there", () => {
    const { rig, terminal } = boardAndTerminal();
    const [first = "", second = ""] = pieces(pemOf(512));
    terminal.ask(`set ca.0=${first}`);
    const { storage } = rig.bench;
    const save = storage.save.bind(storage);
    storage.save = () => false;
    expect(terminal.ask(`set ca.1=${second}`)).toEqual(["error: ca: the storage did not take it: send the piece again"]);
    storage.save = save;
    terminal.ask(`set ca.1=${second}`);
    expect(stored(rig)).toBe(pemOf(512));
  });
});

describe("the board's own certificate and key", () => {
  const CERT = pemOf(1025);
  const KEY = pemOf(1704, "RSA PRIVATE KEY");

  test("are kept beside the authority's, each of up to 2048 bytes, and shown as digests only", () => {
    const { rig, terminal } = boardAndTerminal();
    send(terminal, pemOf(4096));
    for (const [cert, key] of [[pemOf(2048), pemOf(2048, "PRIVATE KEY")], [CERT, KEY]] as const) {
      expect(send(terminal, cert, "cert").at(-1)).toEqual([`cert=${digestOf(cert)}`, "ok"]);
      expect(send(terminal, key, "key").at(-1)).toEqual([`key=${digestOf(key)}`, "ok"]);
      expect([stored(rig), stored(rig, "cert"), stored(rig, "key")]).toEqual([pemOf(4096), cert, key]);
    }
    const shown = terminal.askMap("settings");
    expect([shown.get("ca"), shown.get("cert"), shown.get("key")]).toEqual([pemOf(4096), CERT, KEY].map(digestOf));
    expect(recordOf(rig, 1)).toBe("");
  });

  test("are forgotten one by one", () => {
    const { rig, terminal } = boardAndTerminal();
    send(terminal, CERT, "cert");
    send(terminal, KEY, "key");
    expect(terminal.ask("set key=")).toEqual(["key=(none)", "ok"]);
    expect([stored(rig, "cert"), stored(rig, "key")]).toEqual([CERT, ""]);
  });

  test("of the key nothing is ever shown, neither while it is typed nor in the log", () => {
    const { rig, terminal } = boardAndTerminal();
    terminal.ask("log on");
    send(terminal, KEY, "key");
    for (const command of ["settings", "status", "log", "help"]) terminal.ask(command);
    const known = terminal.look().screen;
    for (const piece of pieces(KEY)) expect(known).not.toContain(piece.slice(0, 12));
    expect(known).not.toContain("PRIVATE KEY");
    expect(known).toContain(`set key.0=${"*".repeat(344)}`);
    expect(stored(rig, "key")).toBe(KEY);
  });

  test("of the certificate all is shown while it is typed", () => {
    const { terminal } = boardAndTerminal();
    expect(terminal.type("set cert.0=AAAA").screen).toContain("set cert.0=AAAA");
  });

  test.each([
    ["cert.8", ["set cert.8=AAAA"], "cert: it has at most 8 pieces, 0 to 7: take EC P-256, or RSA of 2048 bits"],
    ["a key for a certificate", [`set cert.0=${pieces(KEY)[0] ?? ""}`], "cert: a certificate in PEM begins with"],
    ["a certificate for a key", [`set key.0=${pieces(CERT)[0] ?? ""}`], "key: a key in PEM begins with -----BEGIN PRIVATE KEY-----"],
    ["a piece that does not follow", [`set key.0=${pieces(KEY)[0] ?? ""}`, "set key.2=AAAA"], "key: send the pieces"],
  ])("are refused: %s", (_name, commands, error) => {
    const { terminal } = boardAndTerminal();
    const last = commands.map((command) => terminal.ask(command)).at(-1);
    expect(last).toEqual([expect.stringContaining(`error: ${error}`)]);
  });
});
