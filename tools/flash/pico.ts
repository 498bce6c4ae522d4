/** Flashes a Pico: copies the UF2 file to the drive that its boot ROM shows, and sees it take the file and go. */
import { type FileHandle, open as openFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PortError } from "../../hal/node/port-error";
import { reasonOf } from "../failure";
import { portFailure } from "../run/port-failure";
import { deviceOf, type Drive, driveAt, findDrives, isThere, PICO_ID, type Places, unmountedPico } from "./drives";
import { FlashFailure, inBytes } from "./failure";
import type { PicoImage } from "./image";
import type { FlashReport } from "./report";
import type { OpenWire } from "./wire";

/** Handed to the drive at a time, and waited for: what is left at the end then says how far a copy came. */
const PIECE = 32 * 1024;
const LOOK_EVERY = 100;
const CONSOLE_BAUD = 115200;

export interface PicoOptions {
  /** The drive, when a person has named it. */
  readonly drive: string | undefined;
  /** The console of a board that runs Moth, to be asked for its drive if there is none. */
  readonly port: string | undefined;
  readonly open: OpenWire;
  readonly places: Places;
  readonly signal: AbortSignal;
  /** How long to wait for a drive to appear, and to vanish, in ms. Defaults: 15 s and 10 s. */
  readonly appearPatience?: number;
  readonly vanishPatience?: number;
}

/** Throws a {@link FlashFailure} that also says what is in the board now. */
export async function flashPico(image: PicoImage, options: PicoOptions, report: FlashReport): Promise<void> {
  const drive = options.drive === undefined ? await findDrive(options, report) : namedDrive(options.drive);
  const device = deviceOf(drive, options.places);
  report.say(`${drive.path}: ${drive.model} (${drive.boardId})`, "drive", { ...drive });
  report.begin("copy", image.bytes.length);
  try {
    await copy(image, drive, options.signal, report);
  } finally {
    report.end();
  }
  report.say(`copied ${inBytes(image.bytes.length)}`, "copied", { bytes: image.bytes.length });
  await seeItGo(drive, device, options);
  const { blocks } = image.uf2;
  report.say(
    `the Pico took all ${blocks} blocks and restarted; its drive cannot be read back, so the flash was not compared`,
    "taken", { blocks, compared: false },
  );
}

async function findDrive(options: PicoOptions, report: FlashReport): Promise<Drive> {
  const { port, places } = options;
  const found = theOnly(findDrives(places));
  if (found !== undefined) return found;
  if (port === undefined) throw noDrive(places, "hold BOOTSEL while you plug the Pico in, then try again");
  await askOnConsole(options.open);
  report.say(`${port}: asked the board for its drive`, "asked", { port });
  const deadline = performance.now() + (options.appearPatience ?? 15_000);
  while (performance.now() < deadline) {
    const drive = theOnly(findDrives(places));
    if (drive !== undefined) return drive;
    await wait(options.signal, "the search for the drive; nothing in the board was changed");
  }
  throw noDrive(places, `the board on ${port} was asked and shows none: hold BOOTSEL while you plug the Pico in`);
}

/** The drive of the only Pico. Between two there is no guessing. */
function theOnly(drives: readonly Drive[]): Drive | undefined {
  const picos = drives.filter(({ boardId }) => boardId === PICO_ID);
  if (picos.length > 1) {
    const paths = picos.map(({ path }) => path).join(", ");
    throw new FlashFailure("drive", `more than one Pico waits for an image: choose one with --drive: ${paths}`);
  }
  return picos[0];
}

function noDrive(places: Places, advice: string): FlashFailure {
  const device = unmountedPico(places);
  if (device !== undefined) {
    return new FlashFailure("drive", `the Pico's drive ${device} is not mounted: run "udisksctl mount -b ${device}"`);
  }
  const [other] = findDrives(places);
  const seen = other === undefined ? "" : ` (${other.path} is of another board: ${other.model})`;
  return new FlashFailure("drive", `no Pico drive found${seen}: ${advice}`);
}

function namedDrive(path: string): Drive {
  const drive = driveAt(path);
  if (drive === undefined) throw new FlashFailure("drive", `${path}: not the drive of a Pico: it has no INFO_UF2.TXT`);
  if (drive.boardId !== PICO_ID) {
    const text = `found ${drive.boardId} (${drive.model}), this image is for ${PICO_ID} (RP2040)`;
    throw new FlashFailure("wrong-chip", `${path}: wrong board: ${text}`, { found: drive.boardId, expected: PICO_ID });
  }
  return drive;
}

async function askOnConsole(open: OpenWire): Promise<void> {
  try {
    const wire = await open({ baud: CONSOLE_BAUD, parity: "none" });
    try {
      await wire.send(new TextEncoder().encode("\rbootloader\r"));
      await wire.pause(200);
    } finally {
      await wire.close();
    }
  } catch (error) {
    if (error instanceof PortError) throw new FlashFailure("port", portFailure(error, "the console of a board").message);
    throw error;
  }
}

async function copy(image: PicoImage, drive: Drive, signal: AbortSignal, report: FlashReport): Promise<void> {
  const { bytes, name } = image;
  const path = join(drive.path, name);
  let done = 0;
  let file: FileHandle | undefined;
  try {
    file = await openFile(path, "w");
    while (done < bytes.length) {
      if (signal.aborted) throw interrupted(`the copy; ${INCOMPLETE}`);
      const piece = bytes.subarray(done, done + PIECE);
      await file.writeFile(piece);
      done += piece.length;
      // The board leaves the moment that it has the last block: this, and closing, may find nobody there any more.
      await file.sync();
      report.advance(done);
    }
  } catch (error) {
    if (error instanceof FlashFailure) throw error;
    if (done < bytes.length) throw copyFailure(drive, error, done, bytes.length);
  } finally {
    await file?.close().catch(() => undefined);
  }
}

const INCOMPLETE = "the board holds no complete firmware now: hold BOOTSEL while you plug it in, and flash it again";

function copyFailure(drive: Drive, error: unknown, done: number, total: number): FlashFailure {
  if (driveAt(drive.path) === undefined) {
    const text = `${drive.path}: the drive went away after ${done.toLocaleString("en")} of ${inBytes(total)} (was the Pico unplugged?)`;
    return new FlashFailure("drive", `${text}; ${INCOMPLETE}`, { done, total });
  }
  return new FlashFailure("drive", `${drive.path}: cannot write there: ${reasonOf(error)}`, { done, total });
}

async function seeItGo(drive: Drive, device: string | undefined, options: PicoOptions): Promise<void> {
  const deadline = performance.now() + (options.vanishPatience ?? 10_000);
  while (isThere(drive, device)) {
    if (performance.now() > deadline) {
      const text = "the file was copied, but the drive is still there: the Pico did not take it";
      throw new FlashFailure("drive", `${drive.path}: ${text}; unplug it and try again`);
    }
    await wait(options.signal, "the wait for the Pico to take the file; flash it again if it does not start");
  }
}

async function wait(signal: AbortSignal, during: string): Promise<void> {
  await sleep(LOOK_EVERY, undefined, { signal }).catch(() => {
    throw interrupted(during);
  });
}

function interrupted(during: string): FlashFailure {
  return new FlashFailure("interrupted", `interrupted during ${during}`);
}
