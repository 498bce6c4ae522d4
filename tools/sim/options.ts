/** The options of `moth sim`, checked: whatever is wrong with them is a {@link Failure} that says what to give instead. */
import { Failure } from "../failure";
import { type BrokerAddress, brokerAddress, deviceId, seconds, setting, whole } from "../values";

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
