/** The options of `moth run`, checked. */
import { isIP } from "node:net";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { ResetWiring } from "../../hal/node/reset-line";
import { Failure } from "../failure";
import { type PemFlags, type Pems, pemsFor, readPemFlags } from "../provision/pem-files";
import { type BrokerAddress, brokerAddress, deviceId, seconds, setting, whole } from "../values";

export interface RunOptions {
  /** Undefined: the one that there is. */
  readonly port: string | undefined;
  readonly baud: number;
  readonly broker: BrokerAddress;
  /** What the board keeps for TLS; empty without. */
  readonly pems: Pems;
  readonly device: string;
  readonly ssid: string;
  readonly reset: ResetWiring;
  /** Seconds until a clean stop; undefined: until Ctrl-C. */
  readonly seconds: number | undefined;
  /** What of the world is set at the start, and to what. */
  readonly set: readonly (readonly [string, number])[];
  /** The folder of the board's storage. */
  readonly state: string;
  readonly json: boolean;
}

/** As commander gives them. */
export interface RawOptions extends PemFlags {
  readonly port?: string;
  readonly baud: string;
  readonly broker: string;
  readonly device: string;
  readonly ssid: string;
  readonly reset: ResetWiring;
  readonly for?: string;
  readonly set: readonly string[];
  readonly state?: string;
  readonly json?: true;
}

export function checkOptions(raw: RawOptions): RunOptions {
  const device = deviceId(raw.device);
  const broker = brokerAddress(raw.broker);
  return {
    port: raw.port,
    baud: whole("--baud", raw.baud, 1200, 5_000_000),
    broker,
    pems: pemsFor(broker.tls, readPemFlags(raw)),
    device,
    ssid: networkName(raw.ssid),
    reset: raw.reset,
    seconds: raw.for === undefined ? undefined : seconds(raw.for),
    set: raw.set.map(setting),
    state: raw.state === undefined ? join(stateFolder(), "moth", device) : resolve(raw.state),
    json: raw.json === true,
  };
}

/** The module is a computer of its own: to it, localhost is the module. */
export function checkBrokerForModule({ host }: BrokerAddress): void {
  if (!isThisComputer(host)) return;
  throw new Failure(
    `--broker ${host}: the module is another computer, and would look for the broker in itself: ` +
      "give the address that this computer has in the module's network",
  );
}

function isThisComputer(host: string): boolean {
  if (isIP(host) === 0) return /^(.+\.)?localhost\.?$/i.test(host);
  return /^(127\.|0\.0\.0\.0$|::1?$|::ffff:7f)/i.test(host);
}

function networkName(text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes < 1 || bytes > 32) throw new Failure(`--ssid ${text}: give 1 to 32 bytes`);
  return text;
}

/** Where programs of this user keep what is neither configuration nor cache. */
function stateFolder(): string {
  const { XDG_STATE_HOME: xdg, LOCALAPPDATA: local } = process.env;
  if (process.platform === "win32" && local !== undefined) return local;
  if (process.platform === "darwin") return join(homedir(), "Library", "Application Support");
  return xdg !== undefined && xdg !== "" ? xdg : join(homedir(), ".local", "state");
}
