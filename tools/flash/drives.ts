/** The drives of boards that wait for a UF2 file, wherever this computer's system shows them. */
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";

/** What every UF2 boot loader says about itself, in the root of its drive. */
const INFO = "INFO_UF2.TXT";
/** The label of the RP2040's drive, and the id of its boot ROM. */
export const PICO_ID = "RPI-RP2";

export interface Drive {
  readonly path: string;
  readonly boardId: string;
  readonly model: string;
}

/** Where to look. `root` comes before every absolute path. */
export interface Places {
  readonly platform: NodeJS.Platform;
  readonly root: string;
  readonly user: string;
}

export function thisComputer(): Places {
  return { platform: process.platform, root: "", user: userInfo().username };
}

/** All drives of UF2 boot loaders. */
export function findDrives(places: Places): Drive[] {
  const byRealPath = new Map<string, Drive>();
  for (const path of candidates(places)) {
    const drive = driveAt(path);
    if (drive !== undefined) byRealPath.set(realpathSync(path), drive);
  }
  return [...byRealPath.values()];
}

/** The drive that a folder is; undefined if it is none. */
export function driveAt(path: string): Drive | undefined {
  let text: string;
  try {
    text = readFileSync(join(path, INFO), "latin1");
  } catch {
    return undefined;
  }
  const field = (name: string): string => new RegExp(`^${name}:[ \\t]*(.*?)\\s*$`, "m").exec(text)?.[1] ?? "unknown";
  return { path, boardId: field("Board-ID"), model: field("Model") };
}

/** The device of a Pico that Linux sees and nobody has mounted. */
export function unmountedPico({ platform, root }: Places): string | undefined {
  const link = `${root}/dev/disk/by-label/${PICO_ID}`;
  if (platform !== "linux" || !existsSync(link)) return undefined;
  const device = realpathSync(link);
  return mounts(root).some((mount) => mount.device === device) ? undefined : device;
}

/**
 * Whether a drive is there now. Linux shows the files of a drive that was pulled out from its memory until somebody
 * unmounts it; its device is gone at once.
 */
export function isThere(drive: Drive, device: string | undefined): boolean {
  return driveAt(drive.path) !== undefined && (device === undefined || existsSync(device));
}

/** The device file that a drive is mounted from, where the system has such a thing. */
export function deviceOf(drive: Drive, { platform, root }: Places): string | undefined {
  if (platform !== "linux") return undefined;
  const path = realpathSync(drive.path);
  const device = mounts(root).find((mount) => mount.path === path)?.device;
  return device !== undefined && existsSync(device) ? device : undefined;
}

function candidates({ platform, root, user }: Places): string[] {
  if (platform === "win32") return DRIVE_LETTERS.map((letter) => `${root}${letter}:\\`);
  if (platform === "darwin") return foldersIn(`${root}/Volumes`);
  const mounted = mounts(root).filter(({ type }) => FAT.has(type)).map(({ path }) => `${root}${path}`);
  const parents = [`/media/${user}`, `/run/media/${user}`, "/media", "/mnt"].map((path) => `${root}${path}`);
  return [...mounted, ...parents.flatMap(foldersIn), `${root}/mnt`];
}

/** A and B are floppy drives, C is the system's. */
const DRIVE_LETTERS = Array.from("DEFGHIJKLMNOPQRSTUVWXYZ");
const FAT = new Set(["vfat", "msdos", "fuseblk"]);

function foldersIn(path: string): string[] {
  try {
    return readdirSync(path).map((name) => join(path, name));
  } catch {
    return [];
  }
}

interface Mount {
  readonly device: string;
  readonly path: string;
  readonly type: string;
}

function mounts(root: string): Mount[] {
  let text: string;
  try {
    text = readFileSync(`${root}/proc/mounts`, "utf8");
  } catch {
    return [];
  }
  return text.split("\n").map((line) => {
    const [device = "", path = "", type = ""] = line.split(" ").map(unescaped);
    return { device, path, type };
  });
}

/** Blanks and the like are written as octal numbers there. */
function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
