/**
 * What is known of the crash before: published once, at QoS 1, and forgotten when the broker has acknowledged it. Until
 * then the runtime keeps it, so a board that cannot reach its broker, or crashes again, still has something to tell.
 */
import type { Bytes, System } from "../../hal/hal";
import { type Client } from "../mqtt/client-state";
import { outboxHolds } from "../mqtt/outbox";
import { createPublication, type Publication } from "../mqtt/publication";
import { canPublish, publishBegin, publishEnd } from "../mqtt/publish";
import { Happening, type Journal, note } from "./journal";

const LONGEST_REPORT = 256;

const enum Progress {
  /** There is nothing to tell. */
  None,
  /** Not in the outbox yet. */
  Owed,
  /** In the outbox, until the broker acknowledges it. */
  Queued,
}

export interface CrashReport {
  readonly system: System;
  readonly publication: Publication;
  progress: Progress;
  /** The packet identifier that it was queued with. */
  id: number;
}

/** `scratch` is written over. @boot */
export function createCrashReport(system: System, topic: string, scratch: Bytes): CrashReport {
  const length = system.crash(scratch, 0, scratch.length);
  const progress = length === 0 ? Progress.None : Progress.Owed;
  return { system, publication: createPublication(topic, 1, false, LONGEST_REPORT), progress, id: 0 };
}

/** Takes the report one step further, if it can go. */
export function pollCrashReport(report: CrashReport, client: Client, journal: Journal): void {
  if (report.progress === Progress.None) return;
  if (report.progress === Progress.Owed) {
    queue(report, client);
  } else if (!outboxHolds(client.outbox, report.id)) {
    report.progress = Progress.None;
    report.system.forgetCrash();
    note(journal, Happening.CrashTold, "", 0);
  }
}

/** A message was dropped that waited: if it was the report, it is owed again. */
export function crashReportDropped(report: CrashReport, id: number): void {
  if (report.progress === Progress.Queued && report.id === id) report.progress = Progress.Owed;
}

function queue(report: CrashReport, client: Client): void {
  if (!canPublish(client, report.publication)) return;
  const payload = publishBegin(client, report.publication);
  if (payload === undefined) return;
  report.id = client.lastId;
  payload.at += report.system.crash(payload.bytes, payload.at, payload.end - payload.at);
  if (publishEnd(client)) report.progress = Progress.Queued;
}
