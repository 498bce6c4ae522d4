/** Writes settings into a board over its console, and reads back what it has. */
import { isRequired, isSecret } from "../../firmware/board/setting-fields";
import { PIECE } from "../../firmware/board/certificate";
import { crc32 } from "../../hal/node/crc";
import { Failure } from "../failure";
import { type BoardConsole, Refusal } from "./board-console";
import { checkIdentity, PEM_KEYS, type PemKey, type Pems } from "./pem-files";
import { settingKeys, type SettingValues } from "./settings-file";

/** What a secret is called in what a board shows. */
export const SECRET_SET = "(set)";

/** What is to be in the board. */
export interface Wishes {
  /** Every optional setting that is not among them is cleared, but for those of `kept`. */
  readonly values: SettingValues;
  /** What stays as the board has it. */
  readonly kept: ReadonlySet<string>;
  /** Certificates and key; those that are in neither the board is to be without. */
  readonly pems: Pems;
  readonly pemsKept: ReadonlySet<PemKey>;
}

/** The key of a setting by its number, and the other way round. */
function numberOf(key: string): number {
  return settingKeys.indexOf(key);
}

export function isSecretKey(key: string): boolean {
  return numberOf(key) >= 0 && isSecret(numberOf(key));
}

/** What a board should be called that was not given a name: the end of its chip's number. */
export function suggestedDevice(id: string | undefined): string {
  return `moth-${(id ?? "").slice(-6)}`;
}

/** Brings the board to what is wished for. `told` hears of each setting that is changed, never its value. */
export async function provision(board: BoardConsole, wishes: Wishes, told: (what: string) => void): Promise<void> {
  const has = await board.askMap("settings");
  const wanted = new Map(wishes.values);
  if (!wanted.has("device") && !wishes.kept.has("device")) {
    const given = has.get("device") ?? "";
    wanted.set("device", given === "" ? suggestedDevice((await board.askMap("status")).get("id")) : given);
  }
  checkComplete(wanted, wishes.kept, has);
  checkTls(wanted, wishes, has);
  // What is cleared makes room for what is set.
  for (const key of settingKeys) {
    if (wanted.has(key) || wishes.kept.has(key) || !isThere(has.get(key))) continue;
    await set(board, key, "");
    told(`cleared ${key}`);
  }
  for (const key of settingKeys) {
    const value = wanted.get(key);
    // Whether a secret is the same nobody can see.
    if (value === undefined || (!isSecretKey(key) && has.get(key) === value)) continue;
    await set(board, key, value);
    told(`set ${key}`);
  }
  for (const key of PEM_KEYS) {
    if (!wishes.pemsKept.has(key)) await setPem(board, key, has.get(key) ?? "", wishes.pems.get(key), told);
  }
}

/** Before anything is changed: with part of the settings a board runs no better than with none. */
function checkComplete(wanted: SettingValues, kept: ReadonlySet<string>, has: SettingValues): void {
  for (const [number, key] of settingKeys.entries()) {
    const there = wanted.has(key) || (kept.has(key) && isThere(has.get(key)));
    if (isRequired(number) && !there) throw new Failure(`no ${key}: a board cannot do without it`);
  }
}

/** The same for TLS. `wanted`: the settings that are wished for. */
export function checkTls(wanted: SettingValues, { kept, pems, pemsKept }: Wishes, has: SettingValues): void {
  const keeps = (key: PemKey): boolean => pemsKept.has(key) && isThere(has.get(key));
  checkIdentity(pems, keeps);
  const tls = wanted.get("mqtt.tls") ?? (kept.has("mqtt.tls") ? has.get("mqtt.tls") : undefined);
  if (tls !== "on" || pems.has("ca") || keeps("ca")) return;
  throw new Failure("mqtt.tls=on checks the broker's certificate: give the one of its authority with ca=FILE, or --ca FILE");
}

function isThere(shown: string | undefined): boolean {
  return shown !== undefined && shown !== "" && shown !== "(none)";
}

async function set(board: BoardConsole, key: string, value: string): Promise<void> {
  try {
    const [shown = ""] = await board.ask(`set ${key}=${value}`);
    const expected = isSecretKey(key) ? (value === "" ? "(none)" : SECRET_SET) : value;
    if (shown !== `${key}=${expected}`) throw new Failure(`the board took ${key} for something else: try again`);
  } catch (error) {
    if (error instanceof Refusal) throw new Failure(`the board refuses ${key}: ${error.message}`);
    throw error;
  }
}

async function setPem(
  board: BoardConsole, key: PemKey, has: string, pem: string | undefined, told: (what: string) => void,
): Promise<void> {
  if (pem === undefined) {
    if (!isThere(has)) return;
    await board.ask(`set ${key}=`);
    told(`cleared ${key}`);
    return;
  }
  const digest = digestOf(Buffer.from(pem));
  if (has === digest) return;
  let shown = "";
  for (const command of pemCommands(key, pem)) {
    try {
      [shown = ""] = await board.ask(command);
    } catch (error) {
      if (error instanceof Refusal) throw new Failure(`the board refuses the ${key}: ${error.message}`);
      throw error;
    }
  }
  if (shown !== `${key}=${digest}`) throw new Failure(`the board has another ${key} than was sent: try again`);
  told(`set ${key}`);
}

/** What brings a certificate or the key into a board, piece by piece. */
export function pemCommands(key: PemKey, pem: string): string[] {
  const bytes = Buffer.from(pem);
  const count = Math.ceil(bytes.length / PIECE);
  return Array.from({ length: count }, (_, piece) => {
    const part = bytes.subarray(piece * PIECE, (piece + 1) * PIECE);
    return `set ${key}.${piece}=${part.toString("base64")}`;
  });
}

/** A certificate or key as a board describes it. */
export function digestOf(pem: Uint8Array): string {
  return `${pem.length} bytes, CRC-32 ${crc32(pem).toString(16).padStart(8, "0")}`;
}
