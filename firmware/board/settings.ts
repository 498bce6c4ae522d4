/**
 * What a board is told once and keeps: who it is, which Wi-Fi networks and which brokers. It lies in storage slot 0 as
 * lines of `key=value`, written by whoever provisions the board; an application never holds it in its source.
 *
 *     device=greenhouse-1
 *     wifi.ssid=barn
 *     wifi.password=…
 *     wifi2.ssid=house            the network to try when the first cannot be joined; wifi3 after it
 *     wifi2.password=…
 *     wifi.baud=115200            the rate that the module's serial line boots with; this unless said otherwise
 *     wifi.max-baud=921600        how far it may be raised; this unless said otherwise
 *     wifi.power-save=on          the module's radio rests between packets; off unless said otherwise
 *     mqtt.host=192.168.1.10
 *     mqtt.port=1883              this unless said otherwise; with TLS 8883
 *     mqtt2.host=broker.example   the broker to try when the first cannot be reached; mqtt3 after it
 *     mqtt.protocol=3.1.1         this unless said otherwise: 3.1, 3.1.1, or 5 if the application carries it
 *     mqtt.tls=on                 TLS to each broker, whose certificate is checked; off unless said otherwise
 *     mqtt.user=moth              at whichever broker
 *     mqtt.password=…
 *     time.server=pool.ntp.org    this unless said otherwise; without the time no certificate can be checked
 */
import type { Bytes, Storage } from "../../hal/hal";
import { allocate, byteAt, copy, decimalAt, find, isText, putText, startsWith, textAt, textLength } from "#native";
import { type Broker } from "../mqtt/client-state";
import { type Protocol } from "../mqtt/connect";
import { type WifiNetwork } from "../wifi/module";
import { adviceOf, isRequired, isValid, keyLength, keyOf, protocolAt, SETTING_KEYS } from "./setting-fields";
import { SIZES } from "./sizes";

const LF = 10;
const SETTINGS_SLOT = 0;
const DEFAULT_BAUD = 115200;
/** What every adapter, chip and module of the last ten years can do without lines for flow control. */
const DEFAULT_MAX_BAUD = 921600;
const DEFAULT_PORT = 1883;
const DEFAULT_TLS_PORT = 8883;
const DEFAULT_TIME_SERVER = "pool.ntp.org";
/** MQTT 3.1.1. */
const DEFAULT_PROTOCOL = 4;
const DAMAGED = "the settings in storage are damaged or longer than 1024 bytes: provision the board anew";

export interface Settings {
  /** What is missing or wrong, as a sentence; empty when the board can run. */
  readonly problem: string;
  /** 1 to 32 of `A-Z a-z 0-9 _ -`: the client identifier and a level of every topic. */
  readonly device: string;
  /** In the order in which they are tried; at least one. */
  readonly networks: readonly WifiNetwork[];
  readonly brokers: readonly Broker[];
  /** Rate of the serial line to the Wi-Fi module in bits per second after a reset, and the highest to raise it to. */
  readonly baud: number;
  readonly maxBaud: number;
  readonly powerSave: boolean;
  /** The version of MQTT; 3.1.1, which is 4, unless `mqtt.protocol` says otherwise. */
  readonly protocol: Protocol;
  /** Whether every broker is to be reached by TLS, and who tells the time. */
  readonly tls: boolean;
  readonly timeServer: string;
  /** Up to 128 bytes each. Empty: none. */
  readonly user: string;
  readonly password: string;
  /** A record as storage has it, for whoever needs one for the length of a call. 1024 bytes. */
  readonly record: Bytes;
}

/** Reads the settings of a board. Without usable ones the fields are empty and `problem` says why. @boot */
export function loadSettings(storage: Storage): Settings {
  const record = allocate(SIZES.settings);
  const length = storage.load(SETTINGS_SLOT, record, 0, SIZES.settings);
  const read = length > 0 ? length : 0;
  const tls = isOn(record, read, "mqtt.tls=");
  const timeServer = textSetting(record, read, "time.server=");
  return {
    problem: length < 0 ? DAMAGED : problemOf(record, read),
    device: textSetting(record, read, "device="),
    networks: createNetworks(record, read),
    brokers: createBrokers(record, read, tls ? DEFAULT_TLS_PORT : DEFAULT_PORT),
    baud: numberOr(record, read, "wifi.baud=", DEFAULT_BAUD),
    maxBaud: numberOr(record, read, "wifi.max-baud=", DEFAULT_MAX_BAUD),
    powerSave: isOn(record, read, "wifi.power-save="),
    protocol: protocolOf(record, read),
    tls,
    timeServer: timeServer === "" ? DEFAULT_TIME_SERVER : timeServer,
    user: textSetting(record, read, "mqtt.user="),
    password: textSetting(record, read, "mqtt.password="),
    record,
  };
}

/** @boot */
function protocolOf(record: Bytes, length: number): Protocol {
  const at = settingValue(record, length, "mqtt.protocol=");
  const protocol = at < 0 ? 0 : protocolAt(record, at, lineEnd(record, length, at) - at);
  return protocol === 0 ? DEFAULT_PROTOCOL : protocol;
}

/** The first setting that is missing or wrong. @boot */
function problemOf(record: Bytes, length: number): string {
  for (let i = 0; i < SETTING_KEYS.length; i++) {
    const key = keyOf(i);
    const at = settingValue(record, length, key);
    const missing = at < 0 && isRequired(i);
    if (missing || (at >= 0 && !isValid(i, record, at, lineEnd(record, length, at) - at))) {
      return "setting " + textOfKey(i) + ": " + adviceOf(i);
    }
  }
  return "";
}

/** A key without its equals sign. @boot */
function textOfKey(setting: number): string {
  const count = keyLength(setting);
  const bytes = allocate(count);
  putText(bytes, 0, keyOf(setting));
  return textAt(bytes, 0, count - 1);
}

/** @boot */
function createNetworks(record: Bytes, length: number): WifiNetwork[] {
  const ssid = textSetting(record, length, "wifi.ssid=");
  const networks = [{ ssid, password: textSetting(record, length, "wifi.password=") }];
  addNetwork(networks, textSetting(record, length, "wifi2.ssid="), textSetting(record, length, "wifi2.password="));
  addNetwork(networks, textSetting(record, length, "wifi3.ssid="), textSetting(record, length, "wifi3.password="));
  return networks;
}

/** @boot */
function addNetwork(networks: WifiNetwork[], ssid: string, password: string): void {
  if (ssid !== "") networks.push({ ssid, password });
}

/** @boot */
function createBrokers(record: Bytes, length: number, defaultPort: number): Broker[] {
  const host = textSetting(record, length, "mqtt.host=");
  const brokers = [{ host, port: numberOr(record, length, "mqtt.port=", defaultPort) }];
  const second = textSetting(record, length, "mqtt2.host=");
  if (second !== "") brokers.push({ host: second, port: numberOr(record, length, "mqtt2.port=", defaultPort) });
  const third = textSetting(record, length, "mqtt3.host=");
  if (third !== "") brokers.push({ host: third, port: numberOr(record, length, "mqtt3.port=", defaultPort) });
  return brokers;
}

/** Whether a switch is on; without a line of its own it is off. */
function isOn(record: Bytes, length: number, key: string): boolean {
  const at = settingValue(record, length, key);
  return at >= 0 && isText(record, at, lineEnd(record, length, at) - at, "on");
}

/** The value of the line that begins with `key`; empty without such a line. @boot */
function textSetting(record: Bytes, length: number, key: string): string {
  const at = settingValue(record, length, key);
  return at < 0 ? "" : textAt(record, at, lineEnd(record, length, at) - at);
}

/** @boot */
function numberOr(record: Bytes, length: number, key: string, otherwise: number): number {
  const at = settingValue(record, length, key);
  if (at < 0 || lineEnd(record, length, at) === at) return otherwise;
  return decimalAt(record, at, lineEnd(record, length, at) - at);
}

/** The decimal number of `key`, -1 when there is none. @boot */
export function numberSetting(record: Bytes, length: number, key: string): number {
  return numberOr(record, length, key + "=", -1);
}

/** Reads the record of settings anew. Gives its length; 0 when there is none, or when it is damaged. */
export function readSettings(storage: Storage, record: Bytes): number {
  const length = storage.load(SETTINGS_SLOT, record, 0, SIZES.settings);
  return length > 0 ? length : 0;
}

/** Where the value of the line that begins with `key`, equals sign included, begins; -1 without such a line. */
export function settingValue(record: Bytes, length: number, key: string): number {
  let line = 0;
  while (line < length) {
    const end = lineEnd(record, length, line);
    if (startsWith(record, line, end - line, key)) return line + textLength(key);
    line = end + 1;
  }
  return -1;
}

/** Where the line that `at` lies in ends: its line feed, or the end of the record. */
export function lineEnd(record: Bytes, length: number, at: number): number {
  const lf = find(record, at, length - at, LF);
  return lf < 0 ? length : lf;
}

/** What {@link replaceSetting} gives when the record would become too long. */
export const TOO_LONG = -1;

/**
 * Sets the line of `key`, equals sign included, to the `count` bytes at `at`; none of them, and there is no line. Gives
 * the new length of the record, or {@link TOO_LONG}; then the record is no longer what it was.
 */
export function replaceSetting(record: Bytes, length: number, key: string, from: Bytes, at: number, count: number): number {
  const keySize = textLength(key);
  let end = length;
  const value = settingValue(record, length, key);
  if (value >= 0) {
    const line = value - keySize;
    const after = lineEnd(record, length, value) + 1;
    const rest = after < length ? length - after : 0;
    if (rest > 0) copy(record, after, record, line, rest);
    end = line + rest;
  }
  if (count === 0) return end;
  // The last line may have come without a line feed.
  const gap = end > 0 && byteAt(record, end - 1) !== LF ? 1 : 0;
  if (end + gap + keySize + count + 1 > SIZES.settings) return TOO_LONG;
  if (gap === 1) record[end] = LF;
  end += gap;
  end += putText(record, end, key);
  copy(from, at, record, end, count);
  record[end + count] = LF;
  return end + count + 1;
}

/** Keeps the record. False when the storage did not take it: the old one stands. */
export function saveSettings(storage: Storage, record: Bytes, length: number): boolean {
  return storage.save(SETTINGS_SLOT, record, 0, length);
}
