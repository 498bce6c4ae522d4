/**
 * What a board is told once and keeps: who it is, which Wi-Fi network and which broker. It lies in storage slot 0 as
 * lines of `key=value`, written by whoever provisions the board; an application never holds it in its source.
 *
 *     device=greenhouse-1
 *     wifi.ssid=barn
 *     wifi.password=…
 *     wifi.baud=115200
 *     mqtt.host=192.168.1.10
 *     mqtt.port=1883
 *     mqtt.user=moth
 *     mqtt.password=…
 */
import type { Bytes, Storage } from "../../hal/hal";
import { allocate, decimalAt, find, startsWith, textAt, textLength } from "#native";
import { SIZES } from "./sizes";
import { isBetween, isHost, isId, isPlainText } from "./text-checks";

const LF = 10;
const SETTINGS_SLOT = 0;
const DEFAULT_BAUD = 115200;
const LONGEST_CREDENTIAL = 128;
const DAMAGED = "the settings in storage are damaged or longer than 1024 bytes: provision the board anew";

export interface Settings {
  /** What is missing or wrong, as a sentence; empty when the board can run. */
  readonly problem: string;
  /** 1 to 32 of `A-Z a-z 0-9 _ -`: the client identifier and a level of every topic. */
  readonly device: string;
  /** 1 to 32 bytes, and 0 to 64, without control characters. */
  readonly ssid: string;
  readonly wifiPassword: string;
  /** Rate of the serial line to the Wi-Fi module in bits per second; 115200 unless `wifi.baud` says otherwise. */
  readonly baud: number;
  readonly host: string;
  readonly port: number;
  /** Up to 128 bytes each. Empty: none. */
  readonly user: string;
  readonly password: string;
}

/** Reads the settings of a board. Without usable ones the fields are empty and `problem` says why. @boot */
export function loadSettings(storage: Storage): Settings {
  const record = allocate(SIZES.settings);
  const length = storage.load(SETTINGS_SLOT, record, 0, SIZES.settings);
  const read = length > 0 ? length : 0;
  const settings = {
    problem: "",
    device: textSetting(record, read, "device"),
    ssid: textSetting(record, read, "wifi.ssid"),
    wifiPassword: textSetting(record, read, "wifi.password"),
    baud: valueAt(record, read, "wifi.baud=") < 0 ? DEFAULT_BAUD : numberSetting(record, read, "wifi.baud"),
    host: textSetting(record, read, "mqtt.host"),
    port: numberSetting(record, read, "mqtt.port"),
    user: textSetting(record, read, "mqtt.user"),
    password: textSetting(record, read, "mqtt.password"),
  };
  settings.problem = length < 0 ? DAMAGED : problemOf(settings);
  return settings;
}

/** @boot */
function problemOf(settings: Settings): string {
  if (!isId(settings.device)) return "setting device: give 1 to 32 letters, digits, _ or -";
  if (!isPlainText(settings.ssid, 1, 32)) return "setting wifi.ssid: give 1 to 32 bytes";
  if (!isPlainText(settings.wifiPassword, 0, 64)) return "setting wifi.password: give at most 64 bytes";
  if (!isBetween(settings.baud, 1200, 5000000)) return "setting wifi.baud: give 1200 to 5000000";
  if (!isHost(settings.host)) return "setting mqtt.host: give a host name or an address, 1 to 64 characters";
  if (!isBetween(settings.port, 1, 65535)) return "setting mqtt.port: give 1 to 65535";
  if (!isPlainText(settings.user, 0, LONGEST_CREDENTIAL)) return "setting mqtt.user: give at most 128 bytes";
  if (!isPlainText(settings.password, 0, LONGEST_CREDENTIAL)) return "setting mqtt.password: give at most 128 bytes";
  return "";
}

/** @boot */
function textSetting(record: Bytes, length: number, key: string): string {
  const at = valueAt(record, length, key + "=");
  return at < 0 ? "" : textAt(record, at, lineEnd(record, length, at) - at);
}

/** The decimal number of `key`, -1 when there is none. @boot */
export function numberSetting(record: Bytes, length: number, key: string): number {
  const at = valueAt(record, length, key + "=");
  return at < 0 ? -1 : decimalAt(record, at, lineEnd(record, length, at) - at);
}

/** Where the value of the line that begins with `prefix` begins; -1 without such a line. */
function valueAt(record: Bytes, length: number, prefix: string): number {
  let line = 0;
  while (line < length) {
    const end = lineEnd(record, length, line);
    if (startsWith(record, line, end - line, prefix)) return line + textLength(prefix);
    line = end + 1;
  }
  return -1;
}

function lineEnd(record: Bytes, length: number, at: number): number {
  const lf = find(record, at, length - at, LF);
  return lf < 0 ? length : lf;
}
