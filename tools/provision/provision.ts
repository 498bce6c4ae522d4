/** Writes settings into a board over its console, and reads back what it has. */
import { isRequired, isSecret } from "../../firmware/board/setting-fields";
import { PIECE } from "../../firmware/board/certificate";
import { crc32 } from "../../hal/node/crc";
import { Failure } from "../failure";
import { type BoardConsole, Refusal } from "./board-console";
import { settingKeys, type SettingValues } from "./settings-file";

/** What a secret is called in what a board shows. */
export const SECRET_SET = "(set)";

/** What is to be in the board. */
export interface Wishes {
  /** Every optional setting that is not among them is cleared, but for those of `kept`. */
  readonly values: SettingValues;
  /** What stays as the board has it. */
  readonly kept: ReadonlySet<string>;
  /** The certificate; undefined: it has none. */
  readonly ca: string | undefined;
  readonly caKept: boolean;
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
  if (!wishes.caKept) await setCertificate(board, has.get("ca") ?? "", wishes.ca, told);
}

/** Before anything is changed: with part of the settings a board runs no better than with none. */
function checkComplete(wanted: SettingValues, kept: ReadonlySet<string>, has: SettingValues): void {
  for (const [number, key] of settingKeys.entries()) {
    const there = wanted.has(key) || (kept.has(key) && isThere(has.get(key)));
    if (isRequired(number) && !there) throw new Failure(`no ${key}: a board cannot do without it`);
  }
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

async function setCertificate(
  board: BoardConsole, has: string, pem: string | undefined, told: (what: string) => void,
): Promise<void> {
  if (pem === undefined) {
    if (!isThere(has)) return;
    await board.ask("set ca=");
    told("cleared ca");
    return;
  }
  const bytes = Buffer.from(pem);
  const digest = digestOf(bytes);
  if (has === digest) return;
  let shown = "";
  for (let at = 0; at < bytes.length; at += PIECE) {
    const piece = bytes.subarray(at, at + PIECE).toString("base64");
    try {
      [shown = ""] = await board.ask(`set ca.${at / PIECE}=${piece}`);
    } catch (error) {
      if (error instanceof Refusal) throw new Failure(`the board refuses the certificate: ${error.message}`);
      throw error;
    }
  }
  if (shown !== `ca=${digest}`) throw new Failure("the board has another certificate than was sent: try again");
  told("set ca");
}

/** A certificate as a board describes it. */
export function digestOf(pem: Uint8Array): string {
  return `${pem.length} bytes, CRC-32 ${crc32(pem).toString(16).padStart(8, "0")}`;
}
