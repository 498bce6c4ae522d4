/** What an application declares, and how its names and units are held together. */
import type { Bytes, Storage } from "../../hal/hal";
import { type ExactlyOnce } from "../mqtt/exactly-once";
import { type Five } from "../mqtt/five";
import { type Keeper } from "../mqtt/keeper";
import { type Security, type Trust } from "../wifi/module";
import { type NumberSpec } from "./number";
import { type PowerSpec } from "./power";
import { type ReadingSpec } from "./reading";
import { type RelaySpec } from "./relay";
import { type RuleSpec } from "./rule";

/** A board as an application declares it. */
export interface BoardSpec<
  R extends Record<string, ReadingSpec>,
  L extends Record<string, RelaySpec>,
  N extends Record<string, NumberSpec>,
> {
  /** What the application is called: letters, digits and hyphens. */
  readonly name: string;
  readonly readings: R;
  readonly relays: L;
  readonly numbers: N;
  readonly telemetry: {
    /** The number that is the interval, in seconds. */
    readonly every: keyof N & string;
    /** The fields of the JSON object, in their order. */
    readonly fields: readonly FieldName<R, L>[];
    /**
     * What becomes of a message that finds the outbox full, after a long time without a broker. Left out: the oldest go,
     * so that what arrives in the end leads without a gap to the present. Other messages of the board are never lost by
     * it: a rule's message, a state or a crash report that had to go waits until there is room again.
     */
    readonly whenFull?: TelemetryPolicy;
  };
  readonly rules: Readonly<Record<string, RuleSpec<R>>>;
  /**
   * Has the session kept over restarts: `keptSession` of `kept-session.ts`. Left out: each link begins a clean one, and
   * what was not acknowledged when the power went is lost.
   */
  readonly session?: SessionSpec | undefined;
  /**
   * Has the board sleep between its readings: `deepSleep` of `deep-sleep.ts`. Left out: it is awake all the time. `status`
   * shows how that goes.
   */
  readonly power?: PowerSpec | undefined;
  /** What of MQTT the board's client can do besides QoS 0 and 1 over 3.1 and 3.1.1. What is left out is not in the image. */
  readonly mqtt?: MqttFeatures | undefined;
}

/**
 * Features of the client, each made when there is a board. Those that change how messages are handed over (back-pressure,
 * acknowledgement by hand, payloads in parts, payloads from sources) are for handlers and publications of an application's
 * own, which a declared board has none of: who needs them makes a client with `createClient`.
 */
export interface MqttFeatures {
  /** QoS 2: `exactlyOnce` of `exactly-once.ts`. @boot */
  readonly exactlyOnce?: (this: void) => ExactlyOnce;
  /** MQTT 5.0, which the setting `mqtt.protocol=5` asks for: `five` of `five.ts`. @boot */
  readonly five?: (this: void) => Five;
}

/** What a board needs to speak TLS: `brokerTls` of `tls.ts`. */
export interface BoardTls {
  /** What the driver is given. `record` is lent for the length of each call: 1024 bytes. @boot */
  readonly create: (this: void, storage: Storage, record: Bytes, timeServer: string) => Security;
  /** What is missing, as a sentence that says what to do; empty when nothing is. @boot */
  readonly problem: (this: void, security: Security) => string;
  /** Why there is no stream to the broker, in words; empty when nothing is known against it. */
  readonly reason: (this: void, trust: Trust) => string;
}

/** Who keeps the session, once there is a board. `record` is lent: 1024 bytes for the length of a call. */
export interface SessionSpec {
  /** @boot */
  create(storage: Storage, record: Bytes): Keeper;
}

/**
 * `"drop oldest"` keeps the latest messages, as many as have room; `"refuse"` keeps the first ones; `"keep newest"` holds
 * no more than one, also when there is room, for boards of which only the present counts.
 */
export type TelemetryPolicy = "drop oldest" | "refuse" | "keep newest";

/**
 * A reading, a relay, `seq` (which counts the messages since power-on), `uptime` (seconds since power-on), or of a board
 * that sleeps `awake` (for how many milliseconds it was not, the last time).
 */
export type FieldName<R, L> = (keyof R & string) | (keyof L & string) | "seq" | "uptime" | "awake";
