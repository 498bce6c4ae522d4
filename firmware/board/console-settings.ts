/** The answers to `settings` and `set`. A secret is shown to nobody: only that there is one. */
import { decimalAt, find, isText, startsWith } from "#native";
import { writeBytes, writeDecimal, writeHex, writeText, type Writer } from "../core/writer";
import { digestBegin, digestMore, dropParts, keepPiece } from "./certificate";
import { argumentAt } from "./console-line";
import { Answer, answerError, answerWith, type Console } from "./console-state";
import { Happening, note } from "./journal";
import { adviceOf, isSecret, isValid, keyLength, keyOf, NO_SETTING, SETTING_KEYS, settingAt } from "./setting-fields";
import { lineEnd, readSettings, replaceSetting, saveSettings, settingValue, TOO_LONG } from "./settings";

const EQUALS = 0x3d;
/** `ca` with its dot. */
const CA_SIZE = 3;

const NO_KEY = 'no "=" in it: write set KEY=VALUE, for example set wifi.ssid=barn';
const UNKNOWN =
  "no such setting: there are device, wifi.ssid, wifi.password, the same of wifi2 and wifi3, wifi.baud, mqtt.host, " +
  "mqtt.port, the same of mqtt2 and mqtt3, mqtt.protocol, mqtt.user, mqtt.password, and ca";
const NOT_SAVED = "the storage did not take it, the old settings stand: try again";
const NO_ROOM = "all settings together take at most 1024 bytes, the old ones stand: shorten some";

/** Begins the answer to `settings`. */
export function showSettings(console: Console): void {
  answerWith(console, Answer.Settings);
  digestBegin(console.digest);
}

/** Writes line `step`. False when there are no more. */
export function writeSettingsLine(console: Console, writer: Writer, step: number): boolean {
  if (step < SETTING_KEYS.length) {
    writeSetting(console, writer, step);
    return true;
  }
  return writeCertificateLine(console, writer);
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
 * The certificate, as far as it was read in this step; the step that has read all of it writes the line. False when
 * that has been.
 */
export function writeCertificateLine(console: Console, writer: Writer): boolean {
  const digest = console.digest;
  if (digest.length < 0) return false;
  if (!digestMore(digest, console.hal.storage, console.settings.record)) return true;
  if (digest.length === 0) {
    writeText(writer, "ca=(none)");
  } else {
    writeText(writer, "ca=");
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
  if (setting !== NO_SETTING) change(console, setting, at + keyLength(setting));
  else if (startsWith(line.bytes, at, count, "ca.")) addPiece(console, at + CA_SIZE);
  else if (isText(line.bytes, at, count, "ca=")) dropCertificate(console);
  else if (startsWith(line.bytes, at, count, "ca=")) answerError(console, "ca", 'comes in pieces: write set ca.0=BASE64');
  else answerError(console, "", UNKNOWN);
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

function addPiece(console: Console, at: number): void {
  const line = console.line;
  const equals = find(line.bytes, at, line.count - at, EQUALS);
  const piece = decimalAt(line.bytes, at, equals - at);
  const problem = keepPiece(
    console.hal.storage,
    console.settings.record,
    piece,
    line.bytes,
    equals + 1,
    line.count - equals - 1,
  );
  if (problem === "") showCertificate(console);
  else answerError(console, "ca", problem);
}

function dropCertificate(console: Console): void {
  if (dropParts(console.hal.storage, console.settings.record, 0)) showCertificate(console);
  else answerError(console, "ca", "the storage did not take it: try again");
}

function showCertificate(console: Console): void {
  answerWith(console, Answer.Certificate);
  digestBegin(console.digest);
}
