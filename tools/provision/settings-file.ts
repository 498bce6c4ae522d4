/**
 * A file of settings, as `moth provision --settings` and `moth sim --settings` take it: lines of `key=value` as the
 * board keeps them, `#` before a remark, and `ca=FILE`, `cert=FILE` and `key=FILE` for what lies beside it.
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { adviceOf, isValid, keyOf, NO_SETTING, settingAt, SETTING_KEYS } from "../../firmware/board/setting-fields";
import { Failure, reasonOf } from "../failure";
import { isPemKey, openToAll, PEM_KEYS, type PemKey, type Pems, readPem } from "./pem-files";

/** Values by their keys, without the empty ones. */
export type SettingValues = ReadonlyMap<string, string>;

export interface SettingsFile {
  readonly values: SettingValues;
  /** What is in the files that it names. */
  readonly pems: Pems;
  /** What its owner should know, as sentences. */
  readonly warnings: readonly string[];
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
  const pems = new Map<PemKey, string>();
  const secrets = [path];
  for (const key of PEM_KEYS) {
    const named = lines.get(key) ?? "";
    lines.delete(key);
    if (named === "") continue;
    const file = resolve(dirname(path), named);
    pems.set(key, readPem(key, file));
    if (key === "key") secrets.push(file);
  }
  return {
    values: new Map([...lines].filter(([, value]) => value !== "")),
    pems,
    warnings: secrets.map(openToAll).filter((warning) => warning !== undefined),
  };
}

function pairIn(line: string, where: string): [string, string] {
  const at = line.indexOf("=");
  if (at < 0) throw new Failure(`${where}: no "=" in it: write key=value`);
  const key = line.slice(0, at);
  const value = line.slice(at + 1);
  if (!isPemKey(key)) {
    const problem = settingProblem(key, value);
    if (problem !== undefined) throw new Failure(`${where}: ${problem}`);
  }
  return [key, value];
}

/** What the board would have against a setting, as a sentence; undefined when nothing. An empty value clears. */
export function settingProblem(key: string, value: string): string | undefined {
  const line = new TextEncoder().encode(`${key}=${value}`);
  const setting = settingAt(line, 0, line.length);
  if (setting === NO_SETTING) return `no such setting: ${key}: there are ${settingKeys.join(", ")}, ca, cert and key`;
  const valueAt = keyOf(setting).length;
  if (value === "" || isValid(setting, line, valueAt, line.length - valueAt)) return undefined;
  return `${key}: ${adviceOf(setting)}`;
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Failure(`cannot read ${what} ${path}: ${reasonOf(error)}`);
  }
}
