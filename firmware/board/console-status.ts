/**
 * The answer to `status`: how the board is doing, one `key=value` a line. What is said of each state, and the counters,
 * stand in columns: a table takes a chip a tenth of the flash that as many branches take.
 */
import { QueueNumber, type StartCause } from "../../hal/hal";
import { queueNumber } from "#native";
import { type Writer, writeDecimal, writeText } from "../core/writer";
import { brokerOf } from "../mqtt/brokers";
import { type Client, type ClientStats, ClientState } from "../mqtt/client-state";
import { type KeeperStats } from "../mqtt/keeper";
import { outboxCount, outboxUsed } from "../mqtt/outbox";
import { Trust, type WifiStatus, Way } from "../wifi/module";
import { type Console } from "./console-state";
import { joinReason } from "./journal";
import { VERSION } from "./version";

/** Writes line `step`. False when there are no more. */
export function writeStatusLine(console: Console, writer: Writer, step: number): boolean {
  const wifiLine = step - STATE_LINES;
  const clientLine = wifiLine - WIFI_KEYS.length;
  const counterLine = clientLine - CLIENT_KEYS.length;
  if (wifiLine < 0) writeStateLine(console, writer, step);
  else if (clientLine < 0) writeWifiCounter(console.wifi.status, writer, wifiLine);
  else if (counterLine < 0) writeClientCounter(console.parts.client.stats, writer, clientLine);
  else if (counterLine < COUNTER_LINES) writeCounterLine(console, writer, counterLine);
  else return writeFeatureLine(console, writer, counterLine - COUNTER_LINES);
  return true;
}

const STATE_LINES = 16;
const COUNTER_LINES = 10;

function writeStateLine(console: Console, writer: Writer, step: number): void {
  const { hal, parts } = console;
  const wifi = console.wifi.status;
  switch (step) {
    case 0:
      return textLine(writer, "name=", console.name);
    case 1:
      return textLine(writer, "version=", VERSION);
    case 2:
      return textLine(writer, "device=", console.settings.device);
    case 3:
      writeText(writer, "id=");
      writer.at += hal.system.id(writer.bytes, writer.at, writer.end - writer.at);
      return;
    case 4:
      return numberLine(writer, "uptime=", parts.journal.uptime.seconds);
    case 5:
      return textLine(writer, "start=", startText(hal.system.cause()));
    case 6:
      writeText(writer, "crash=");
      writer.at += hal.system.crash(writer.bytes, writer.at, writer.end - writer.at);
      return;
    case 7:
      return textLine(writer, "problem=", parts.problem);
    case 8:
      textLine(writer, "wifi=", WAYS[wifi.way] ?? "");
      if (wifi.way >= Way.Joining) writeText(writer, wifi.ssid);
      return;
    case 9:
      return textLine(writer, "wifi.failure=", joinReason(wifi.joinFailure));
    case 10:
      return textLine(writer, "wifi.loss=", WIFI_LOSSES[wifi.loss] ?? "");
    case 11:
      return textLine(writer, "tls=", wifi.trust > Trust.Verified ? "failed" : (TRUSTS[wifi.trust] ?? ""));
    case 12:
      return textLine(writer, "tls.failure=", parts.journal.trustReason(wifi.trust));
    case 13:
      return textLine(writer, "tls.time=", wifi.timeKnown ? "known" : "unknown");
    case 14:
      return textLine(writer, "wifi.power-save=", POWER_SAVES[wifi.powerSave] ?? "");
    case 15:
      return writeMqtt(writer, parts.client);
  }
}

/** By {@link Way}; a network's name stands behind the last three. */
const WAYS: readonly string[] = [
  "off", "starting the module", "looking for the module", "setting up the module", "joining ", "joined ", "lost ",
];

/** Why the network was lost last, by `WifiLoss`; empty while it never was. */
const WIFI_LOSSES: readonly string[] = [
  "", "no network", "another address", "the module has rebooted", "the module did not answer",
];

/** By `PowerSave`. */
const POWER_SAVES: readonly string[] = ["off", "this module cannot", "the module refuses", "on"];

/** What there is to say of TLS while nothing is wrong, by {@link Trust}. */
const TRUSTS: readonly string[] = ["off", "not tried yet", "verified"];

/** By {@link ClientState}; a broker's host stands behind the last five. */
const MQTT_STATES: readonly string[] = [
  "off", "waiting for the next try", "connecting to ", "connecting to ", "online at ", "leaving ", "leaving ",
];

function writeMqtt(writer: Writer, client: Client): void {
  textLine(writer, "mqtt=", MQTT_STATES[client.state] ?? "");
  if (client.state > ClientState.BackingOff) writeText(writer, brokerOf(client).host);
}

/** The fields of a record that are numbers. */
type Counters<T> = { readonly [K in keyof T]: T[K] extends number ? K : never }[keyof T];

/** The module: what it is at, and counters since power-on. */
const WIFI_KEYS: readonly string[] = [
  "wifi.signal=", "wifi.joins=", "wifi.joins.failed=", "wifi.lost=", "module.baud=", "module.resets=", "module.reboots=",
  "module.silent=", "module.busy=", "module.searches=", "module.escapes=", "module.hunts=", "module.pauses=",
  "module.faster=", "module.slower=", "module.refused=", "module.damaged=", "tls.time.failed=", "tls.written=",
];
const WIFI_FIELDS: readonly Counters<WifiStatus>[] = [
  "signal", "joins", "joinFailures", "wifiLosses", "baud", "resets", "reboots",
  "timeouts", "busy", "resyncs", "escapes", "hunts", "holdOffs",
  "raises", "fallbacks", "openFailures", "damaged", "timeFailures", "certificateWrites",
];

function writeWifiCounter(status: Readonly<WifiStatus>, writer: Writer, line: number): void {
  const field = WIFI_FIELDS[line];
  if (field !== undefined) numberLine(writer, WIFI_KEYS[line] ?? "", status[field]);
}

/** Counters since power-on. */
const CLIENT_KEYS: readonly string[] = [
  "published=", "acknowledged=", "retried=", "dropped.oldest=", "dropped.older=", "dropped.qos0=", "received=", "sessions=",
  "sessions.lost=",
];
const CLIENT_FIELDS: readonly Counters<ClientStats>[] = [
  "published", "acknowledged", "retried", "overwritten", "replaced", "displaced", "received", "sessions",
  "losses",
];

function writeClientCounter(stats: ClientStats, writer: Writer, line: number): void {
  const field = CLIENT_FIELDS[line];
  if (field !== undefined) numberLine(writer, CLIENT_KEYS[line] ?? "", stats[field]);
}

/** More of them, and the high-water marks of what can be full. */
function writeCounterLine(console: Console, writer: Writer, step: number): void {
  const { hal, parts } = console;
  const stats = parts.client.stats;
  const outbox = parts.client.outbox;
  switch (step) {
    case 0:
      return numberLine(writer, "refused=", stats.refused + stats.offline + stats.tooLong + outbox.dropped);
    case 1:
      return numberLine(writer, "queued=", outboxCount(outbox));
    case 2:
      return numberLine(writer, "queued.bytes=", outboxUsed(outbox));
    case 3:
      return numberLine(writer, "queued.high=", queueNumber(outbox.queue, QueueNumber.HighCount));
    case 4:
      return numberLine(writer, "queued.bytes.high=", queueNumber(outbox.queue, QueueNumber.HighBytes));
    case 5:
      return numberLine(writer, "commands=", parts.commands.stats.obeyed);
    case 6:
      return numberLine(writer, "commands.refused=", parts.commands.stats.rejected);
    case 7:
      return numberLine(writer, "serial.lost=", hal.serial.lost());
    case 8:
      return numberLine(writer, "console.lost=", hal.console.lost());
    case 9:
      return numberLine(writer, "console.dropped=", console.output.ring.refused);
  }
}

/** What is kept of the session: messages on the medium now; and since power-on, those that are not there or were lost. */
const KEPT_KEYS: readonly string[] = ["kept=", "kept.restored=", "kept.dropped=", "kept.refused=", "kept.passed="];
const KEPT_FIELDS: readonly Counters<KeeperStats>[] = ["held", "restored", "dropped", "refused", "passed"];

/** What there is to say of what not every board has. False when there are no more, or none at all. */
function writeFeatureLine(console: Console, writer: Writer, line: number): boolean {
  if (writeKept(console.parts.client, writer, line)) return true;
  const kept = console.parts.client.keeper === undefined ? 0 : KEPT_KEYS.length;
  return console.power !== undefined && console.power.statusLine(writer, line - kept);
}

/** False when there are no more, or none at all. */
function writeKept(client: Client, writer: Writer, line: number): boolean {
  const field = KEPT_FIELDS[line];
  if (client.keeper === undefined || field === undefined) return false;
  numberLine(writer, KEPT_KEYS[line] ?? "", client.keeper.stats[field]);
  return true;
}

function textLine(writer: Writer, key: string, value: string): void {
  writeText(writer, key);
  writeText(writer, value);
}

function numberLine(writer: Writer, key: string, value: number): void {
  writeText(writer, key);
  writeDecimal(writer, value);
}

/** By {@link StartCause}. */
const STARTS: readonly string[] = ["power-on", "restart", "watchdog", "crash"];

/** Why the board has started, in a word. */
export function startText(cause: StartCause): string {
  return STARTS[cause] ?? "";
}
