/** Telemetry: all fields of a board as one JSON object, every so often, numbered so that a loss can be seen. */
import type { Millis } from "../../hal/hal";
import { createJsonKey, jsonFieldRoom, writeJsonBoolean, writeJsonEnd, writeJsonFixed, writeJsonNull } from "../core/json";
import { arm, createDeadline, type Deadline, elapsed, isDue, later } from "../core/time";
import { type Writer } from "../core/writer";
import { type Client } from "../mqtt/client-state";
import { createPublication, type Publication, type WhenFull } from "../mqtt/publication";
import { publishBegin, publishEnd } from "../mqtt/publish";
import { type NumberSetting } from "./number";
import { type Reading } from "./reading";
import { type Relay } from "./relay";
import { type Uptime } from "./uptime";

/** One field of the object: it writes itself, key included. */
export interface Field {
  /** The most bytes it takes. */
  readonly room: number;
  write(writer: Writer): void;
}

export interface Telemetry {
  readonly publication: Publication;
  readonly fields: readonly Field[];
  readonly every: NumberSetting;
  readonly sequence: Sequence;
  /** When the next one is due. */
  readonly next: Deadline;
}

/** How many telemetry messages there have been since power-on, those that the outbox refused or dropped included. */
export interface Sequence {
  count: number;
}

/** @boot */
export function createTelemetry(
  topic: string,
  fields: readonly Field[],
  every: NumberSetting,
  sequence: Sequence,
  whenFull: WhenFull,
): Telemetry {
  let room = 1;
  for (let i = 0; i < fields.length; i++) room += fields[i]?.room ?? 0;
  const publication = createPublication(topic, 1, false, room, whenFull);
  return { publication, fields, every, sequence, next: createDeadline() };
}

/** Counts the interval from now. */
export function restartTelemetry(telemetry: Telemetry, now: Millis): void {
  arm(telemetry.next, now, telemetry.every.value * 1000);
}

/** The first one does not wait for the interval: whoever has just switched a board on wants to see it live. */
export function hurryFirstTelemetry(telemetry: Telemetry, now: Millis): void {
  if (telemetry.sequence.count === 0) arm(telemetry.next, now, 0);
}

/**
 * Publishes when it is due, online or not: offline the outbox keeps it. What the outbox refuses or drops is a gap in
 * `seq`.
 */
export function pollTelemetry(telemetry: Telemetry, client: Client, now: Millis): void {
  if (!isDue(telemetry.next, now)) return;
  telemetry.next.at = later(telemetry.next.at, telemetry.every.value * 1000);
  // After a standstill of more than an interval there is nothing to catch up with.
  if (elapsed(now, telemetry.next.at) >= 0) restartTelemetry(telemetry, now);
  telemetry.sequence.count++;
  const payload = publishBegin(client, telemetry.publication);
  if (payload === undefined) return;
  for (let i = 0; i < telemetry.fields.length; i++) telemetry.fields[i]?.write(payload);
  writeJsonEnd(payload);
  publishEnd(client);
}

/** @boot */
export function createSequenceField(name: string, first: boolean, sequence: Sequence): Field {
  const key = createJsonKey(name, first);
  return {
    room: jsonFieldRoom(key),
    write(writer) {
      writeJsonFixed(writer, key, sequence.count, 0);
    },
  };
}

/** @boot */
export function createUptimeField(name: string, first: boolean, uptime: Uptime): Field {
  const key = createJsonKey(name, first);
  return {
    room: jsonFieldRoom(key),
    write(writer) {
      writeJsonFixed(writer, key, uptime.seconds, 0);
    },
  };
}

/** A number with its decimals, or `null`: never NaN, which is not JSON. @boot */
export function createReadingField(name: string, first: boolean, reading: Reading): Field {
  const key = createJsonKey(name, first);
  return {
    room: jsonFieldRoom(key),
    write(writer) {
      if (reading.valid) writeJsonFixed(writer, key, reading.value, reading.decimals);
      else writeJsonNull(writer, key);
    },
  };
}

/** @boot */
export function createRelayField(name: string, first: boolean, relay: Relay): Field {
  const key = createJsonKey(name, first);
  return {
    room: jsonFieldRoom(key),
    write(writer) {
      writeJsonBoolean(writer, key, relay.on);
    },
  };
}
