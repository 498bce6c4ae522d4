/**
 * The settings that there are, in the order in which they are shown, and what each may be. One list for reading them
 * at boot, for the console, and for the tools. Two columns rather than a table of records, which would take a chip
 * ten times the memory.
 */
import type { Bytes } from "../../hal/hal";
import { decimalAt, isText, startsWith, textLength } from "#native";
import { type Protocol } from "../mqtt/connect";
import { isBetween, isHostAt, isIdAt, isPlainAt } from "./text-checks";

export const enum SettingKind {
  Device,
  Ssid,
  OtherSsid,
  WifiPassword,
  Baud,
  Host,
  OtherHost,
  Port,
  Protocol,
  Switch,
  User,
  Password,
}

/** Each key with its equals sign, as the line in storage begins. */
export const SETTING_KEYS: readonly string[] = [
  "device=",
  "wifi.ssid=",
  "wifi.password=",
  "wifi2.ssid=",
  "wifi2.password=",
  "wifi3.ssid=",
  "wifi3.password=",
  "wifi.baud=",
  "wifi.max-baud=",
  "wifi.power-save=",
  "mqtt.host=",
  "mqtt.port=",
  "mqtt2.host=",
  "mqtt2.port=",
  "mqtt3.host=",
  "mqtt3.port=",
  "mqtt.protocol=",
  "mqtt.tls=",
  "mqtt.user=",
  "mqtt.password=",
  "time.server=",
];

const KINDS: readonly SettingKind[] = [
  SettingKind.Device,
  SettingKind.Ssid,
  SettingKind.WifiPassword,
  SettingKind.OtherSsid,
  SettingKind.WifiPassword,
  SettingKind.OtherSsid,
  SettingKind.WifiPassword,
  SettingKind.Baud,
  SettingKind.Baud,
  SettingKind.Switch,
  SettingKind.Host,
  SettingKind.Port,
  SettingKind.OtherHost,
  SettingKind.Port,
  SettingKind.OtherHost,
  SettingKind.Port,
  SettingKind.Protocol,
  SettingKind.Switch,
  SettingKind.User,
  SettingKind.Password,
  SettingKind.OtherHost,
];

const LONGEST_CREDENTIAL = 128;

/** What {@link settingAt} gives for a key that is none. */
export const NO_SETTING = -1;

/** Which setting the `count` bytes at `at`, as `KEY=…`, name: its place in {@link SETTING_KEYS}, or {@link NO_SETTING}. */
export function settingAt(bytes: Bytes, at: number, count: number): number {
  for (let i = 0; i < SETTING_KEYS.length; i++) {
    if (startsWith(bytes, at, count, keyOf(i))) return i;
  }
  return NO_SETTING;
}

/** The key of a setting, with its equals sign. */
export function keyOf(setting: number): string {
  return SETTING_KEYS[setting] ?? "";
}

/** How many bytes a key takes, with its equals sign. */
export function keyLength(setting: number): number {
  return textLength(keyOf(setting));
}

function kindOf(setting: number): SettingKind {
  return KINDS[setting] ?? SettingKind.Device;
}

/** Whether the value is shown to nobody. */
export function isSecret(setting: number): boolean {
  const kind = kindOf(setting);
  return kind === SettingKind.WifiPassword || kind === SettingKind.Password;
}

/** Whether a board cannot do without. */
export function isRequired(setting: number): boolean {
  const kind = kindOf(setting);
  return kind === SettingKind.Device || kind === SettingKind.Ssid || kind === SettingKind.Host;
}

/** Whether a value will do. An empty one does unless the setting is required. */
export function isValid(setting: number, bytes: Bytes, at: number, count: number): boolean {
  if (count === 0) return !isRequired(setting);
  switch (kindOf(setting)) {
    case SettingKind.Device:
      return isIdAt(bytes, at, count);
    case SettingKind.Ssid:
    case SettingKind.OtherSsid:
      return isPlainAt(bytes, at, count, 1, 32);
    case SettingKind.WifiPassword:
      return isPlainAt(bytes, at, count, 0, 64);
    case SettingKind.Baud:
      return isBetween(decimalAt(bytes, at, count), 1200, 5000000);
    case SettingKind.Host:
    case SettingKind.OtherHost:
      return isHostAt(bytes, at, count);
    case SettingKind.Port:
      return isBetween(decimalAt(bytes, at, count), 1, 65535);
    case SettingKind.Protocol:
      return protocolAt(bytes, at, count) !== 0;
    case SettingKind.Switch:
      return isText(bytes, at, count, "on") || isText(bytes, at, count, "off");
    case SettingKind.User:
    case SettingKind.Password:
      return isPlainAt(bytes, at, count, 0, LONGEST_CREDENTIAL);
  }
}

/** The version of MQTT that is written in the range, as CONNECT has it; 0 when it is none. */
export function protocolAt(bytes: Bytes, at: number, count: number): Protocol | 0 {
  if (isText(bytes, at, count, "3.1")) return 3;
  if (isText(bytes, at, count, "3.1.1")) return 4;
  return isText(bytes, at, count, "5") ? 5 : 0;
}

/** By {@link SettingKind}. */
const ADVICE: readonly string[] = [
  "give 1 to 32 letters, digits, _ or -",
  "give 1 to 32 bytes",
  "give at most 32 bytes",
  "give at most 64 bytes",
  "give 1200 to 5000000",
  "give a host name or an address, 1 to 64 characters",
  "give a host name or an address, 1 to 64 characters",
  "give 1 to 65535",
  "give 3.1, 3.1.1 or 5",
  "give on or off",
  "give at most 128 bytes",
  "give at most 128 bytes",
];

/** What a value must be, as an order: "give 1 to 65535". */
export function adviceOf(setting: number): string {
  return ADVICE[kindOf(setting)] ?? "";
}
