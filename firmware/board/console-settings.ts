/** The answers to `settings` and `set`. A secret is shown to nobody: only that there is one. */
import { byteAt, decimalAt, find, startsWith, textLength } from "#native";
import type { Bytes } from "../../hal/hal";
import { writeBytes, writeDecimal, writeHex, writeText, type Writer } from "../core/writer";
import { digestBegin, digestMore, dropParts, keepPiece, Pem, PEM_NAMES } from "./certificate";
import { argumentAt } from "./console-line";
import { Answer, answerError, answerWith, type Console } from "./console-state";
import { Happening, note } from "./journal";
import { adviceOf, isSecret, isValid, keyLength, keyOf, NO_SETTING, SETTING_KEYS, settingAt } from "./setting-fields";
import { lineEnd, readSettings, replaceSetting, saveSettings, settingValue, TOO_LONG } from "./settings";

const EQUALS = 0x3d;
const DOT = 0x2e;
/** What {@link pemAt} gives for what is no certificate and no key. */
const NO_PEM = -1;

const NO_KEY = 'no "=" in it: write set KEY=VALUE, for example set wifi.ssid=barn';
const UNKNOWN =
  "no such setting: there are device, wifi.ssid, wifi.password, the same of wifi2 and wifi3, wifi.baud, wifi.max-baud, " +
  "wifi.power-save, mqtt.host, mqtt.port, the same of mqtt2 and mqtt3, mqtt.protocol, mqtt.tls, mqtt.user, mqtt.password, time.server, ca, cert and key";
const NOT_SAVED = "the storage did not take it, the old settings stand: try again";
const NO_ROOM = "all settings together take at most 1024 bytes, the old ones stand: shorten some";

/** Begins the answer to `settings`. */
export function showSettings(console: Console): void {
  showPem(console, Answer.Settings, Pem.Authority);
}

/** Begins an answer that shows certificates and key, from `pem` on. */
function showPem(console: Console, answer: Answer, pem: Pem): void {
  answerWith(console, answer);
  console.pem = pem;
  digestBegin(console.digest);
}

/** Writes line `step`. False when there are no more. */
export function writeSettingsLine(console: Console, writer: Writer, step: number): boolean {
  if (step < SETTING_KEYS.length) {
    writeSetting(console, writer, step);
    return true;
  }
  if (writePemLine(console, writer)) return true;
  if (console.pem === Pem.Key) return false;
  console.pem++;
  digestBegin(console.digest);
  return true;
}

/** The line of a setting, as it is in storage. */
export function writeSetting(console: Console, writer: Writer, setting: number): void {
  const record = console.settings.record;
  // Anew for each line: between two of them others have the record.
  const length = readSettings(console.hal.storage, record);
  const key = keyOf(setting);
  const at = settingValue(record, length, key);
  const count = at < 0 ? 0 : lineEnd(record, length, at) - at;
  writeText(writer, key);
  if (isSecret(setting)) writeText(writer, count === 0 ? "(none)" : "(set)");
  else if (count > 0) writeBytes(writer, record, at, count);
}

/**
 * The digest of a certificate or of the key, as far as it was read in this step; the step that has read all of it writes
 * the line. False when that has been.
 */
export function writePemLine(console: Console, writer: Writer): boolean {
  const digest = console.digest;
  if (digest.length < 0) return false;
  if (!digestMore(digest, console.hal.storage, console.pem, console.settings.record)) return true;
  writeText(writer, PEM_NAMES[console.pem] ?? "");
  if (digest.length === 0) {
    writeText(writer, "=(none)");
  } else {
    writeText(writer, "=");
    writeDecimal(writer, digest.length);
    writeText(writer, " bytes, CRC-32 ");
    writeHex(writer, ~digest.crc);
  }
  digest.length = -1;
  return true;
}

/** Obeys `set`. */
export function obeySet(console: Console): void {
  const line = console.line;
  const at = argumentAt(line);
  const count = line.count - at;
  if (find(line.bytes, at, count, EQUALS) < 0) {
    answerError(console, "", NO_KEY);
    return;
  }
  const setting = settingAt(line.bytes, at, count);
  if (setting !== NO_SETTING) {
    change(console, setting, at + keyLength(setting));
    return;
  }
  const pem = pemAt(line.bytes, at, count);
  if (pem === NO_PEM) answerError(console, "", UNKNOWN);
  else changePem(console, pem, at + textLength(PEM_NAMES[pem] ?? ""));
}

/** Which certificate or key the range, as `KEY=…` or `KEY.N=…`, is of, or {@link NO_PEM}. */
function pemAt(bytes: Bytes, at: number, count: number): Pem | -1 {
  for (let pem = 0; pem < PEM_NAMES.length; pem++) {
    const name = PEM_NAMES[pem] ?? "";
    if (!startsWith(bytes, at, count, name)) continue;
    const behind = byteAt(bytes, at + textLength(name));
    if (behind === EQUALS || behind === DOT) return pem;
  }
  return NO_PEM;
}

function change(console: Console, setting: number, at: number): void {
  const line = console.line;
  const count = line.count - at;
  if (!isValid(setting, line.bytes, at, count)) {
    answerError(console, keyOf(setting), adviceOf(setting));
    return;
  }
  const storage = console.hal.storage;
  const record = console.settings.record;
  const length = replaceSetting(
    record,
    readSettings(storage, record),
    keyOf(setting),
    line.bytes,
    at,
    count,
  );
  if (length === TOO_LONG) {
    answerError(console, "", NO_ROOM);
  } else if (!saveSettings(storage, record, length)) {
    answerError(console, "", NOT_SAVED);
  } else {
    note(console.parts.journal, Happening.Set, "", 0);
    answerWith(console, Answer.OneSetting);
    console.setting = setting;
  }
}

/** `at`: behind its name. There is an equals sign in the line. */
function changePem(console: Console, pem: Pem, at: number): void {
  const { bytes, count } = console.line;
  const equals = find(bytes, at, count - at, EQUALS);
  const { storage } = console.hal;
  const record = console.settings.record;
  let problem = "";
  if (equals > at) {
    const piece = decimalAt(bytes, at + 1, equals - at - 1);
    problem = keepPiece(storage, record, pem, piece, bytes, equals + 1, count - equals - 1);
  } else if (count > equals + 1) {
    problem = "comes in pieces: write set NAME.0=BASE64";
  } else if (!dropParts(storage, record, pem, 0)) {
    problem = "the storage did not take it: try again";
  }
  if (problem === "") showPem(console, Answer.Pem, pem);
  else answerError(console, PEM_NAMES[pem] ?? "", problem);
}
