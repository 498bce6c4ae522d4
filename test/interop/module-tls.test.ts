import { readFileSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { AccessPoint } from "../../sim/air";
import { SimClock } from "../../sim/clock";
import { SerialLine } from "../../sim/line";
import { CLIENT_FILES, type ClientFile } from "../../sim/module/certificate-store";
import { EspAtModule, moduleRings } from "../../sim/module/esp-at";
import { PERSONALITIES, type PersonalityName } from "../../sim/module/personalities";
import { TcpNetwork } from "../../sim/network/tcp";
import { Outside, runPaced } from "../../sim/pace";
import { Random } from "../../sim/random";
import { Mosquitto } from "../e2e/mosquitto";
import { Authority, type Certificate } from "./brokers/certificates";

const NAMES: readonly PersonalityName[] = ["nonos-1.7", "esp-at-2.2", "esp-at-5"];
const SERVER_NAMES = { names: "DNS:localhost" };
const OK = "\r\nOK\r\n";
/** MQTT 3.1.1: CONNECT of the client "m", and what a broker says to it. */
const CONNECT = Buffer.from("100d00044d5154540402003c00016d", "hex");
const CONNACK = Buffer.from("20020000", "hex");

/** A simulated module with the real network behind it, and a host that types commands. */
class Host {
  private readonly clock = new SimClock();
  private readonly outside = new Outside(this.clock);
  private readonly line: SerialLine;
  private readonly module: EspAtModule;
  private heard = "";

  constructor(name: PersonalityName, files: Partial<Record<ClientFile, Uint8Array>>) {
    const personality = PERSONALITIES[name];
    this.line = new SerialLine(this.clock, { hostReceiveRing: 65_536, ...moduleRings(personality) });
    this.module = new EspAtModule({
      clock: this.clock,
      line: this.line.module,
      network: new TcpNetwork(this.outside),
      air: new AccessPoint(this.clock, "moth", "12345678"),
      random: new Random(1),
      personality,
    });
    for (const file of CLIENT_FILES) {
      const content = files[file];
      if (content !== undefined) this.module.burn(file, content);
    }
    this.line.host.onWake(() => this.listen());
    onTestFinished(() => this.module.powerOff());
  }

  /** In the network, with the time from a time server where the generation has any use for it. */
  async join(): Promise<void> {
    this.module.powerOn();
    await this.until(/ready\r\n/);
    await this.ask("ATE0");
    await this.ask("AT+CWMODE=1");
    await this.ask('AT+CWJAP="moth","12345678"');
    await this.ask("AT+SYSLOG=1");
    await this.ask("AT+CIPSNTPCFG=1,0");
    await this.pass(1_000);
  }

  /** Types a command, and gives all that was said up to its result. */
  async ask(command: string): Promise<string> {
    this.heard = "";
    this.line.host.write(Buffer.from(`${command}\r\n`));
    await this.until(/\r\n(OK|ERROR|FAIL)\r\n/);
    await this.pass(20);
    return this.heard;
  }

  async write(bytes: Uint8Array, awaited: RegExp): Promise<void> {
    this.line.host.write(bytes);
    await this.until(awaited);
  }

  private async until(awaited: RegExp): Promise<void> {
    await runPaced(this.clock, {
      speed: "max",
      outside: this.outside,
      until: () => {
        this.listen();
        return awaited.test(this.heard);
      },
    });
  }

  private async pass(ms: number): Promise<void> {
    const end = this.clock.now + ms;
    this.clock.at(end, () => undefined);
    await runPaced(this.clock, { speed: "max", outside: this.outside, until: () => this.clock.now >= end });
    this.listen();
  }

  private listen(): void {
    const bytes = new Uint8Array(4096);
    for (let count = this.line.host.read(bytes); count > 0; count = this.line.host.read(bytes)) {
      this.heard += Buffer.from(bytes.subarray(0, count)).toString("latin1");
    }
  }
}

/** What the module says when it is asked to connect to a Mosquitto with that certificate, and to verify it. */
async function start(
  name: PersonalityName, certificate: Certificate, files: Partial<Record<ClientFile, Uint8Array>>,
  { mode = 2, clientCa, host = "localhost", before = [] }:
  { mode?: number; clientCa?: Authority; host?: string; before?: readonly string[] } = {},
): Promise<{ module: Host; said: string }> {
  const broker = await Mosquitto.start({
    tls: { ...certificate, ...(clientCa === undefined ? {} : { clientCa: clientCa.certFile }) },
  });
  const module = new Host(name, files);
  await module.join();
  await module.ask(`AT+CIPSSLCCONF=${mode}`);
  for (const command of before) await module.ask(command);
  return { module, said: await module.ask(`AT+CIPSTART="SSL","${host}",${broker.port}`) };
}

describe("the simulated module, to Mosquitto over TLS", () => {
  test.each(NAMES)("connects to one that its authority signed, and carries MQTT, with %s", async (name) => {
    const ca = new Authority("our authority");
    const { module, said } = await start(name, ca.sign("broker", SERVER_NAMES), { client_ca: ca.cert });
    expect(said).toBe(`CONNECT\r\n${OK}`);
    await module.ask(`AT+CIPSEND=${CONNECT.length}`);
    const answer = new RegExp(`\\+IPD,4:${CONNACK.toString("latin1")}`);
    await module.write(CONNECT, answer);
  });

  test("refuses another authority, another name and yesterday's certificate, and says which, with esp-at-5", async () => {
    const ca = new Authority("our authority");
    const files = { client_ca: ca.cert };
    const refusal = (flaw: string): string => `+ERRNO:${flaw}\r\n\r\nERROR\r\n`;
    const other = new Authority("their authority").sign("broker", SERVER_NAMES);
    expect((await start("esp-at-5", other, files)).said).toBe(refusal("0x8"));
    const misnamed = ca.sign("broker", { names: "DNS:elsewhere.test" });
    expect((await start("esp-at-5", misnamed, files)).said).toBe(refusal("0x4"));
    const expired = ca.sign("broker", { ...SERVER_NAMES, expired: true });
    expect((await start("esp-at-5", expired, files)).said).toBe(refusal("0x1"));
    const named = { before: ['AT+CIPSSLCCN="elsewhere.test"'] };
    expect((await start("esp-at-5", misnamed, files, named)).said).toBe(`CONNECT\r\n${OK}`);
  });

  test("refuses every certificate while it believes that it is 1970, with esp-at-5", async () => {
    const ca = new Authority("our authority");
    const { said } = await start("esp-at-5", ca.sign("broker", SERVER_NAMES), { client_ca: ca.cert },
      { before: ["AT+SYSTIMESTAMP=100"] });
    expect(said).toBe("+ERRNO:0x200\r\n\r\nERROR\r\n");
  });

  test.each(NAMES)("shows its own certificate to one that asks for it, with %s", async (name) => {
    const ca = new Authority("our authority");
    const { cert, key } = ca.sign("board");
    const identity = { client_cert: readFileSync(cert), client_key: readFileSync(key) };
    const server = ca.sign("broker", SERVER_NAMES);
    const files = { client_ca: ca.cert, ...identity };
    expect((await start(name, server, files, { mode: 3, clientCa: ca })).said).toBe(`CONNECT\r\n${OK}`);
    expect((await start(name, server, files, { clientCa: ca })).said).toContain("\r\nERROR\r\n");
  });

  test("refuses nothing that it is not asked to verify", async () => {
    const expired = new Authority("anybody").sign("broker", { names: "DNS:elsewhere.test", expired: true });
    expect((await start("esp-at-5", expired, {}, { mode: 0 })).said).toBe(`CONNECT\r\n${OK}`);
  });
});
