/** The answer to `status`: how the board is doing, one `key=value` a line. */
import { QueueNumber, StartCause } from "../../hal/hal";
import { queueNumber } from "#native";
import { type Writer, writeDecimal, writeText } from "../core/writer";
import { brokerOf } from "../mqtt/brokers";
import { type Client, ClientState } from "../mqtt/client-state";
import { type KeeperStats } from "../mqtt/keeper";
import { outboxCount, outboxUsed } from "../mqtt/outbox";
import { WifiLoss, type WifiStatus, Way } from "../wifi/module";
import { type Console } from "./console-state";
import { joinReason } from "./journal";
import { VERSION } from "./version";

/** Writes line `step`. False when there are no more. */
export function writeStatusLine(console: Console, writer: Writer, step: number): boolean {
  if (step < BOARD_LINES) writeBoardLine(console, writer, step);
  else if (step < BOARD_LINES + LINK_LINES) writeLinkLine(console, writer, step - BOARD_LINES);
  else if (step < BOARD_LINES + LINK_LINES + WIFI_LINES) writeWifiLine(writer, console.wifi.status, step - BOARD_LINES - LINK_LINES);
  else return writeCounterLine(console, writer, step - BOARD_LINES - LINK_LINES - WIFI_LINES);
  return true;
}

const BOARD_LINES = 8;
const LINK_LINES = 2;
const WIFI_LINES = 19;
const COUNTER_LINES = 19;

function writeBoardLine(console: Console, writer: Writer, step: number): void {
  const { hal, parts } = console;
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
  }
}

function writeLinkLine(console: Console, writer: Writer, step: number): void {
  if (step === 0) writeWifi(writer, console.wifi.status);
  else writeMqtt(writer, console.parts.client);
}

/** The module: what it is at, and counters since power-on. */
function writeWifiLine(writer: Writer, wifi: WifiStatus, step: number): void {
  switch (step) {
    case 0:
      return numberLine(writer, "wifi.signal=", wifi.signal);
    case 1:
      return textLine(writer, "wifi.failure=", joinReason(wifi.joinFailure));
    case 2:
      return textLine(writer, "wifi.loss=", wifiLossText(wifi.loss));
    case 3:
      return numberLine(writer, "wifi.joins=", wifi.joins);
    case 4:
      return numberLine(writer, "wifi.joins.failed=", wifi.joinFailures);
    case 5:
      return numberLine(writer, "wifi.lost=", wifi.wifiLosses);
    case 6:
      return numberLine(writer, "module.baud=", wifi.baud);
    case 7:
      return numberLine(writer, "module.resets=", wifi.resets);
    case 8:
      return numberLine(writer, "module.reboots=", wifi.reboots);
    case 9:
      return numberLine(writer, "module.silent=", wifi.timeouts);
    case 10:
      return numberLine(writer, "module.busy=", wifi.busy);
    case 11:
      return numberLine(writer, "module.searches=", wifi.resyncs);
    case 12:
      return numberLine(writer, "module.escapes=", wifi.escapes);
    case 13:
      return numberLine(writer, "module.hunts=", wifi.hunts);
    case 14:
      return numberLine(writer, "module.pauses=", wifi.holdOffs);
    case 15:
      return numberLine(writer, "module.faster=", wifi.raises);
    case 16:
      return numberLine(writer, "module.slower=", wifi.fallbacks);
    case 17:
      return numberLine(writer, "module.refused=", wifi.openFailures);
    case 18:
      return numberLine(writer, "module.damaged=", wifi.damaged);
  }
}

/** Why the network was lost last; empty while it never was. */
function wifiLossText(loss: WifiLoss): string {
  switch (loss) {
    case WifiLoss.None:
      return "";
    case WifiLoss.Network:
      return "no network";
    case WifiLoss.Address:
      return "another address";
    case WifiLoss.Reboot:
      return "the module has rebooted";
    case WifiLoss.Silent:
      return "the module did not answer";
  }
}

/** Counters since power-on, and the high-water marks of what can be full. */
function writeCounterLine(console: Console, writer: Writer, step: number): boolean {
  const { hal, parts } = console;
  const stats = parts.client.stats;
  const outbox = parts.client.outbox;
  switch (step) {
    case 0:
      numberLine(writer, "published=", stats.published);
      return true;
    case 1:
      numberLine(writer, "acknowledged=", stats.acknowledged);
      return true;
    case 2:
      numberLine(writer, "retried=", stats.retried);
      return true;
    case 3:
      numberLine(writer, "refused=", stats.refused + stats.offline + stats.tooLong + outbox.dropped);
      return true;
    case 4:
      numberLine(writer, "dropped.oldest=", stats.overwritten);
      return true;
    case 5:
      numberLine(writer, "dropped.older=", stats.replaced);
      return true;
    case 6:
      numberLine(writer, "dropped.qos0=", stats.displaced);
      return true;
    case 7:
      numberLine(writer, "queued=", outboxCount(outbox));
      return true;
    case 8:
      numberLine(writer, "queued.bytes=", outboxUsed(outbox));
      return true;
    case 9:
      numberLine(writer, "queued.high=", queueNumber(outbox.queue, QueueNumber.HighCount));
      return true;
    case 10:
      numberLine(writer, "queued.bytes.high=", queueNumber(outbox.queue, QueueNumber.HighBytes));
      return true;
    case 11:
      numberLine(writer, "received=", stats.received);
      return true;
    case 12:
      numberLine(writer, "commands=", parts.commands.stats.obeyed);
      return true;
    case 13:
      numberLine(writer, "commands.refused=", parts.commands.stats.rejected);
      return true;
    case 14:
      numberLine(writer, "sessions=", stats.sessions);
      return true;
    case 15:
      numberLine(writer, "sessions.lost=", stats.losses);
      return true;
    case 16:
      numberLine(writer, "serial.lost=", hal.serial.lost());
      return true;
    case 17:
      numberLine(writer, "console.lost=", hal.console.lost());
      return true;
    case 18:
      numberLine(writer, "console.dropped=", console.output.ring.refused);
      return true;
    default:
      return parts.client.keeper !== undefined && writeKeptLine(parts.client.keeper.stats, writer, step - COUNTER_LINES);
  }
}

/** What is kept of the session: messages on the medium now; and since power-on, those that are not there or were lost. */
function writeKeptLine(stats: KeeperStats, writer: Writer, step: number): boolean {
  switch (step) {
    case 0:
      numberLine(writer, "kept=", stats.held);
      return true;
    case 1:
      numberLine(writer, "kept.restored=", stats.restored);
      return true;
    case 2:
      numberLine(writer, "kept.dropped=", stats.dropped);
      return true;
    case 3:
      numberLine(writer, "kept.refused=", stats.refused);
      return true;
    case 4:
      numberLine(writer, "kept.passed=", stats.passed);
      return true;
    default:
      return false;
  }
}

function textLine(writer: Writer, key: string, value: string): void {
  writeText(writer, key);
  writeText(writer, value);
}

function numberLine(writer: Writer, key: string, value: number): void {
  writeText(writer, key);
  writeDecimal(writer, value);
}

function writeWifi(writer: Writer, wifi: WifiStatus): void {
  writeText(writer, "wifi=");
  switch (wifi.way) {
    case Way.Off:
      writeText(writer, "off");
      return;
    case Way.Starting:
      writeText(writer, "starting the module");
      return;
    case Way.Looking:
      writeText(writer, "looking for the module");
      return;
    case Way.SettingUp:
      writeText(writer, "setting up the module");
      return;
    case Way.Joining:
      textLine(writer, "joining ", wifi.ssid);
      return;
    case Way.Joined:
      textLine(writer, "joined ", wifi.ssid);
      return;
    case Way.Lost:
      textLine(writer, "lost ", wifi.ssid);
      return;
  }
}

function writeMqtt(writer: Writer, client: Client): void {
  writeText(writer, "mqtt=");
  writeText(writer, mqttState(client.state));
  if (client.state === ClientState.Idle || client.state === ClientState.BackingOff) return;
  writeText(writer, " ");
  writeText(writer, brokerOf(client).host);
}

function mqttState(state: ClientState): string {
  switch (state) {
    case ClientState.Idle:
      return "off";
    case ClientState.BackingOff:
      return "waiting for the next try";
    case ClientState.Opening:
    case ClientState.Connecting:
      return "connecting to";
    case ClientState.Online:
      return "online at";
    case ClientState.Leaving:
    case ClientState.Closing:
      return "leaving";
  }
}

/** Why the board has started, in a word. */
export function startText(cause: StartCause): string {
  switch (cause) {
    case StartCause.PowerOn:
      return "power-on";
    case StartCause.Restart:
      return "restart";
    case StartCause.Watchdog:
      return "watchdog";
    case StartCause.Crash:
      return "crash";
  }
}
