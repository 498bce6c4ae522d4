/** The options of `moth sim`, checked: whatever is wrong with them is a {@link Failure} that says what to give instead. */
import { Failure } from "../failure";

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
}

export type Trace = "at" | "mqtt" | "all";

export interface SimOptions {
  /** Undefined: an embedded broker. */
  readonly broker: BrokerAddress | undefined;
  /** Port of the embedded broker; undefined: 1883 if it is free, else any. */
  readonly port: number | undefined;
  readonly device: string;
  /** Simulated seconds until a clean stop; undefined: until Ctrl-C. */
  readonly seconds: number | undefined;
  readonly speed: "real" | "max";
  readonly baud: number;
  readonly seed: number;
  /** What of the world is set at the start, and to what. */
  readonly set: readonly (readonly [string, number])[];
  readonly trace: Trace | undefined;
  readonly json: boolean;
}

/** As commander gives them. */
export interface RawOptions {
  readonly broker?: string;
  readonly port?: string;
  readonly device: string;
  readonly for?: string;
  readonly speed: "real" | "max";
  readonly baud: string;
  readonly seed?: string;
  readonly set: readonly string[];
  readonly trace?: Trace;
  readonly json?: true;
}

export function checkOptions(raw: RawOptions): SimOptions {
  if (raw.broker !== undefined && raw.port !== undefined) {
    throw new Failure("--port is the port of the embedded broker: with --broker, write it into the URL");
  }
  return {
    broker: raw.broker === undefined ? undefined : brokerAddress(raw.broker),
    port: raw.port === undefined ? undefined : whole("--port", raw.port, 1, 65535),
    device: deviceId(raw.device),
    seconds: raw.for === undefined ? undefined : seconds(raw.for),
    speed: raw.speed,
    baud: whole("--baud", raw.baud, 1200, 5_000_000),
    seed: raw.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : whole("--seed", raw.seed, 0, 2 ** 32 - 1),
    set: raw.set.map(setting),
    trace: raw.trace,
    json: raw.json === true,
  };
}

function brokerAddress(text: string): BrokerAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Failure(`--broker ${text}: not a URL: write mqtt://host, mqtt://host:1883 or mqtt://user@host`);
  }
  if (url.password !== "") {
    throw new Failure(
      "--broker: a password on the command line can be read by everybody on this machine: " +
        "leave it out and set MOTH_MQTT_PASSWORD, or be asked for it",
    );
  }
  if (url.protocol !== "mqtt:") {
    throw new Failure(`--broker ${text}: only mqtt:// is supported so far`);
  }
  if (url.hostname === "" || !["", "/"].includes(url.pathname) || url.search !== "" || url.hash !== "") {
    throw new Failure(`--broker ${text}: write mqtt://host, mqtt://host:1883 or mqtt://user@host`);
  }
  const user = decodeURIComponent(url.username);
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? 1883 : Number(url.port),
    user: user === "" ? undefined : user,
  };
}

function deviceId(text: string): string {
  if (!/^[A-Za-z0-9_-]{1,32}$/.test(text)) {
    throw new Failure(`--device ${text}: give 1 to 32 letters, digits, _ or -`);
  }
  return text;
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0) || value > 1e9) {
    throw new Failure(`--for ${text}: give a number of seconds above 0`);
  }
  return value;
}

function whole(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value < least || value > most) {
    throw new Failure(`${flag} ${text}: give a whole number from ${least} to ${most}`);
  }
  return value;
}

function setting(text: string): [string, number] {
  const [name = "", value = "", ...rest] = text.split("=");
  if (name === "" || value.trim() === "" || rest.length > 0 || !Number.isFinite(Number(value))) {
    throw new Failure(`--set ${text}: write NAME=NUMBER, for example temperature=31`);
  }
  return [name, Number(value)];
}
