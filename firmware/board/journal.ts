/**
 * The journal: the last things that happened to a board, for whoever asks at its console. The oldest gives way to the
 * newest.
 */
import type { Bytes } from "../../hal/hal";
import { allocate, byteAt, div, mod, putU16, u16At } from "#native";
import { LinkLoss } from "../core/link";
import { writeDecimal, type Writer, writeText } from "../core/writer";
import { Fault } from "../mqtt/client-state";
import { type JoinFailure, type Trust } from "../wifi/module";
import { type Uptime } from "./uptime";

export const enum Happening {
  /** The program started. `what`: why. */
  Boot,
  /** `what`: the network. */
  Joined,
  /** `what`: the network, `detail`: a `JoinFailure`. */
  JoinFailed,
  WifiLost,
  ModuleReset,
  /** `what`: the broker's host. */
  Online,
  /** A session's end, and a try that led to none. `what`: the host, `detail`: see {@link reasonOf}. */
  SessionLost,
  ConnectFailed,
  /** `what`: the command. */
  CommandRefused,
  /** Somebody has changed a setting at the console. */
  Set,
  /** The broker has the report of the crash before. */
  CrashTold,
}

/** On a chip a table for each event would take ten times the memory. */
export interface Journal {
  readonly uptime: Uptime;
  /** Why there is no stream that is safe, in words. */
  readonly trustReason: (this: void, trust: Trust) => string;
  readonly size: number;
  /** Of each event: what happened, a byte; `detail`, two bytes; seconds since power-on, four. */
  readonly facts: Bytes;
  /** A text that lives for ever: a setting, or one of the program's own. */
  readonly what: string[];
  /** How many events there have been; the newest stands at `count - 1`, counted around. */
  count: number;
}

/** How many bytes of facts an event has, and where they begin. */
const FACTS = 7;
const DETAIL_AT = 1;
const TIME_AT = 3;

/** @boot */
export function createJournal(uptime: Uptime, size: number, trustReason: (this: void, trust: Trust) => string): Journal {
  const what: string[] = [];
  for (let i = 0; i < size; i++) what.push("");
  return { uptime, trustReason, size, facts: allocate(size * FACTS), what, count: 0 };
}

/** Writes down what has happened now. `detail` is 0 to 65535. */
export function note(journal: Journal, happening: Happening, what: string, detail: number): void {
  const { facts, uptime } = journal;
  const slot = mod(journal.count, journal.size);
  const at = slot * FACTS;
  facts[at] = happening;
  putU16(facts, at + DETAIL_AT, detail);
  putU16(facts, at + TIME_AT, div(uptime.seconds, 65536));
  putU16(facts, at + TIME_AT + 2, uptime.seconds);
  journal.what[slot] = what;
  journal.count++;
}

/** The number of the oldest event that is remembered, from 0. */
export function oldestEvent(journal: Journal): number {
  return journal.count > journal.size ? journal.count - journal.size : 0;
}

/**
 * Why a link is down, as one number: a fault of the session, a refusal of the broker, or a loss of the link, which for one
 * that never was may be that the broker is not trusted.
 */
export function reasonOf(fault: Fault, refusal: number, loss: LinkLoss, trust: Trust): number {
  if (fault === Fault.Refused) return REFUSALS + refusal;
  if (fault !== Fault.None) return FAULTS + fault;
  return loss === LinkLoss.Unreachable ? TRUSTS + trust : loss;
}

const FAULTS = 100;
const REFUSALS = 200;
const TRUSTS = 300;

/** Writes event `event`, one that is still remembered, as `12 s joined barn`. */
export function writeEvent(writer: Writer, journal: Journal, event: number): void {
  const slot = mod(event, journal.size);
  const what = journal.what[slot] ?? "";
  const { facts } = journal;
  const at = slot * FACTS;
  const detail = u16At(facts, at + DETAIL_AT);
  const happening: Happening = byteAt(facts, at);
  writeDecimal(writer, u16At(facts, at + TIME_AT) * 65536 + u16At(facts, at + TIME_AT + 2));
  writeText(writer, " s ");
  switch (happening) {
    case Happening.Boot:
      writeTwo(writer, "started by ", what);
      return;
    case Happening.Joined:
      writeTwo(writer, "joined ", what);
      return;
    case Happening.JoinFailed:
      writeTwo(writer, "cannot join ", what);
      writeTwo(writer, ": ", joinReason(detail));
      return;
    case Happening.WifiLost:
      writeTwo(writer, "lost the Wi-Fi ", what);
      return;
    case Happening.ModuleReset:
      writeText(writer, "the Wi-Fi module was reset");
      return;
    case Happening.Online:
      writeTwo(writer, "online at ", what);
      return;
    case Happening.SessionLost:
      writeTwo(writer, "lost ", what);
      writeTwo(writer, ": ", lossReason(journal, detail));
      return;
    case Happening.ConnectFailed:
      writeTwo(writer, "no session at ", what);
      writeTwo(writer, ": ", lossReason(journal, detail));
      return;
    case Happening.CommandRefused:
      writeTwo(writer, "refused the command ", what);
      return;
    case Happening.Set:
      writeText(writer, "settings changed at the console");
      return;
    case Happening.CrashTold:
      writeText(writer, "the broker has the crash report");
      return;
  }
}

function writeTwo(writer: Writer, first: string, second: string): void {
  writeText(writer, first);
  writeText(writer, second);
}

/** By {@link JoinFailure}. */
const JOIN_FAILURES: readonly string[] = ["", "time-out", "wrong password", "no such network", "the module refused"];

/** Why a join failed, in words; empty when none has. */
export function joinReason(reason: JoinFailure): string {
  return JOIN_FAILURES[reason] ?? "";
}

/** By {@link LinkLoss}. */
const LOSSES: readonly string[] = [
  "closed by this board",
  "closed by the broker",
  "the broker cannot be reached",
  "no Wi-Fi",
  "the Wi-Fi module was lost",
  "bytes were lost at the Wi-Fi module",
];

/** By the codes of a CONNACK. [MQTT 3.1.1 §3.2.2.3] */
const CONNECT_REFUSALS: readonly string[] = [
  "",
  "",
  "the broker refuses the device id",
  "the broker is not available",
  "bad user or password",
  "not authorised",
];

/** By {@link Fault}, those that a declared board can meet. */
const FAULT_TEXTS: readonly string[] = [
  "",
  "",
  "the broker did not answer CONNECT",
  "the broker did not answer PINGREQ",
  "the broker did not acknowledge",
  "the broker broke the protocol",
  "no room for an acknowledgement",
  "the board cut it",
  "a message had no end",
];

/** Why a link is down, in words: see {@link reasonOf}. */
function lossReason(journal: Journal, reason: number): string {
  if (reason >= TRUSTS) {
    const distrust = journal.trustReason(reason - TRUSTS);
    return distrust === "" ? lossReason(journal, LinkLoss.Unreachable) : distrust;
  }
  if (reason >= REFUSALS) return textOr(CONNECT_REFUSALS[reason - REFUSALS], "the broker refuses MQTT 3.1.1");
  if (reason >= FAULTS) return textOr(FAULT_TEXTS[reason - FAULTS], "no room for an acknowledgement");
  return LOSSES[reason] ?? "";
}

function textOr(text: string | undefined, otherwise: string): string {
  return text === undefined || text === "" ? otherwise : text;
}
