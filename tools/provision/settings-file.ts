/**
 * A file of settings, as `moth provision --settings` and `moth sim --settings` take it: lines of `key=value` as the
 * board keeps them, `#` before a remark, and `ca=FILE` for a certificate that lies beside it.
 */
import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { adviceOf, isValid, keyOf, NO_SETTING, settingAt, SETTING_KEYS } from "../../firmware/board/setting-fields";
import { Failure, reasonOf } from "../failure";

/** Values by their keys, without the empty ones. */
export type SettingValues = ReadonlyMap<string, string>;

export interface SettingsFile {
  readonly values: SettingValues;
  /** The certificates of authorities, PEM; undefined when the file names none. */
  readonly ca: string | undefined;
  /** What its owner should know, as a sentence; undefined when all is well. */
  readonly warning: string | undefined;
}

/** The keys that there are, in the order in which a board shows them. */
export const settingKeys: readonly string[] = SETTING_KEYS.map((key) => key.slice(0, -1));

export function readSettingsFile(path: string): SettingsFile {
  const text = readText(path, "the settings file");
  const lines = new Map<string, string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const where = `${path}:${index + 1}`;
    const [key, value] = pairIn(line, where);
    if (lines.has(key)) throw new Failure(`${where}: ${key} stands there twice: keep one of them`);
    lines.set(key, value);
  }
  const ca = lines.get("ca");
  lines.delete("ca");
  return {
    values: new Map([...lines].filter(([, value]) => value !== "")),
    ca: ca === undefined || ca === "" ? undefined : readCertificates(resolve(dirname(path), ca)),
    warning: isOpenToAll(path) ? `${path} can be read by others on this machine: run chmod 600 ${path}` : undefined,
  };
}

function pairIn(line: string, where: string): [string, string] {
  const at = line.indexOf("=");
  if (at < 0) throw new Failure(`${where}: no "=" in it: write key=value`);
  const key = line.slice(0, at);
  const value = line.slice(at + 1);
  if (key !== "ca") {
    const problem = settingProblem(key, value);
    if (problem !== undefined) throw new Failure(`${where}: ${problem}`);
  }
  return [key, value];
}

/** What the board would have against a setting, as a sentence; undefined when nothing. An empty value clears. */
export function settingProblem(key: string, value: string): string | undefined {
  const line = new TextEncoder().encode(`${key}=${value}`);
  const setting = settingAt(line, 0, line.length);
  if (setting === NO_SETTING) return `no such setting: ${key}: there are ${settingKeys.join(", ")} and ca`;
  const valueAt = keyOf(setting).length;
  if (value === "" || isValid(setting, line, valueAt, line.length - valueAt)) return undefined;
  return `${key}: ${adviceOf(setting)}`;
}

/** All a board has room for, in bytes. */
const LONGEST_CERTIFICATE = 4096;

/** The certificates in a PEM file, without what stands around them. */
export function readCertificates(path: string): string {
  const text = readText(path, "the CA file");
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (found === null) throw new Failure(`${path}: no certificate in it: give a file in PEM format`);
  const pem = `${found.map((certificate) => certificate.replace(/\r\n/g, "\n")).join("\n")}\n`;
  if (pem.length > LONGEST_CERTIFICATE) {
    throw new Failure(`${path}: ${pem.length} bytes of certificates, a board keeps ${LONGEST_CERTIFICATE}: give fewer`);
  }
  return pem;
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Failure(`cannot read ${what} ${path}: ${reasonOf(error)}`);
  }
}

/** Windows keeps no such bits. */
function isOpenToAll(path: string): boolean {
  return process.platform !== "win32" && (statSync(path).mode & 0o044) !== 0;
}
