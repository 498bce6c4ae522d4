/** The options of `moth sim`, checked: whatever is wrong with them is a {@link Failure} that says what to give instead. */
import { DEFAULT_PERSONALITY } from "../../sim/module/personalities";
import { isModuleName, MODULE_NAMES, type ModuleName } from "../../sim/modules";
import { Failure } from "../failure";
import { faultRequest, type FaultRequest } from "../faults";
import { type PemFlags, type Pems, pemsFor, readPemFlags } from "../provision/pem-files";
import { readSettingsFile, type SettingValues } from "../provision/settings-file";
import { type BrokerAddress, brokerAddress, deviceId, seconds, setting, usualPort, whole } from "../values";

export type Trace = "at" | "mqtt" | "all";

/** What a board is called, and the rate of its line, unless somebody says otherwise. */
export const DEVICE = "sim-1";
export const BAUD = "115200";

export interface SimOptions {
  /** Undefined: an embedded broker. */
  readonly broker: BrokerAddress | undefined;
  /** Port of the embedded broker; undefined: 1883 if it is free, else any. */
  readonly port: number | undefined;
  readonly device: string;
  /** What the board is told besides: the rest of a settings file. */
  readonly settings: SettingValues;
  /** What the board keeps for TLS; empty without. */
  readonly pems: Pems;
  /** Simulated seconds until a clean stop; undefined: until Ctrl-C. */
  readonly seconds: number | undefined;
  readonly speed: "real" | "max";
  readonly baud: number;
  /** What the Wi-Fi module is. */
  readonly personality: ModuleName;
  /** What goes wrong with the module. */
  readonly faults: readonly FaultRequest[];
  readonly seed: number;
  /** What of the world is set at the start, and to what. */
  readonly set: readonly (readonly [string, number])[];
  readonly trace: Trace | undefined;
  readonly json: boolean;
}

/** As commander gives them. */
export interface RawOptions extends PemFlags {
  readonly broker?: string;
  readonly port?: string;
  readonly device?: string;
  readonly settings?: string;
  readonly for?: string;
  readonly speed: "real" | "max";
  readonly baud?: string;
  readonly personality?: string;
  readonly seed?: string;
  readonly fault: readonly string[];
  readonly set: readonly string[];
  readonly trace?: Trace;
  readonly json?: true;
}

export function checkOptions(raw: RawOptions): SimOptions {
  if (raw.broker !== undefined && raw.port !== undefined) {
    throw new Failure("--port is the port of the embedded broker: with --broker, write it into the URL");
  }
  const file = raw.settings === undefined ? undefined : readSettingsFile(raw.settings);
  const settings: SettingValues = file?.values ?? new Map();
  const broker = raw.broker === undefined ? (raw.port === undefined ? brokerIn(settings) : undefined) : brokerAddress(raw.broker);
  const tls = broker?.tls === true;
  const personality = personalityNamed(raw.personality ?? DEFAULT_PERSONALITY);
  return {
    broker,
    port: raw.port === undefined ? undefined : whole("--port", raw.port, 1, 65535),
    device: deviceId(raw.device ?? settings.get("device") ?? DEVICE),
    settings: new Map([...restOf(settings, raw), ...(tls ? [["mqtt.tls", "on"] as const] : [])]),
    pems: pemsFor(tls, new Map([...(tls ? (file?.pems ?? []) : []), ...readPemFlags(raw)])),
    seconds: raw.for === undefined ? undefined : seconds(raw.for),
    speed: raw.speed,
    baud: whole("--baud", raw.baud ?? settings.get("wifi.baud") ?? BAUD, 1200, 5_000_000),
    personality,
    faults: raw.fault.map((text) => faultRequest(text, personality)),
    seed: raw.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : whole("--seed", raw.seed, 0, 2 ** 32 - 1),
    set: raw.set.map(setting),
    trace: raw.trace,
    json: raw.json === true,
  };
}

/** What `--personality` takes. */
export function personalityNamed(name: string): ModuleName {
  if (!isModuleName(name)) {
    throw new Failure(`--personality ${name}: choose one of ${MODULE_NAMES.join(", ")}`);
  }
  return name;
}

/** The first broker of a settings file. */
function brokerIn(settings: SettingValues): BrokerAddress | undefined {
  const host = settings.get("mqtt.host");
  if (host === undefined) return undefined;
  const tls = settings.get("mqtt.tls") === "on";
  return { host, port: Number(settings.get("mqtt.port") ?? usualPort(tls)), user: settings.get("mqtt.user"), tls };
}

/** A broker on the command line takes the place of all that the file has. */
function restOf(settings: SettingValues, { broker, port }: RawOptions): SettingValues {
  const ownBroker = broker !== undefined || port !== undefined;
  return new Map([...settings].filter(([key]) => !(ownBroker && key.startsWith("mqtt"))));
}
