/** One flash run, from the image file to the board that runs it. */
import { Failure } from "../failure";
import { choosePort, listPorts } from "../run/ports";
import { thisComputer } from "./drives";
import { FlashFailure, inBytes } from "./failure";
import { type Image, isApplication, readImage } from "./image";
import type { Wiring } from "./lines";
import { flashPico } from "./pico";
import type { FlashReport } from "./report";
import { SerialWire } from "./serial-wire";
import { flashStm32 } from "./stm32";
import type { OpenWire } from "./wire";

export interface FlashOptions {
  /** Undefined: the one that the image is for. */
  readonly board: string | undefined;
  readonly port: string | undefined;
  readonly baud: number;
  readonly drive: string | undefined;
  readonly wiring: Wiring;
}

/**
 * Flashes an image, or an application once it is built. Gives what is wrong with the application, line by line: nothing
 * when the board runs it. Throws a `Failure`, which the report has been told of.
 */
export async function flash(
  path: string, options: FlashOptions, report: FlashReport, signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    if (!isApplication(path)) {
      await flashFile(path, options, report, signal);
      return [];
    }
    const { buildImage } = await import("./application");
    const built = buildImage(path, options.board, report);
    if ("problems" in built) return built.problems;
    await flashFile(built.image, options, report, signal);
    return [];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const failure = error instanceof FlashFailure ? error : new FlashFailure("other", error.message);
    report.failed(failure);
    throw failure;
  }
}

async function flashFile(path: string, options: FlashOptions, report: FlashReport, signal: AbortSignal): Promise<void> {
  const begin = performance.now();
  const image = readImage(path, options.board);
  const bytes = image.chip === "rp2040" ? image.uf2.size : image.bytes.length;
  report.say(`${path}: ${inBytes(bytes)} for the ${image.board}`, "image", { path, board: image.board, bytes });
  const remarks = await flashImage(image, options, report, signal);
  const seconds = Number(((performance.now() - begin) / 1000).toFixed(1));
  const repeated = remarks.repeats > 0 ? `, ${remarks.repeats} commands repeated` : "";
  report.say(`done in ${seconds} s${repeated}`, "done", { seconds, ...remarks });
}

async function flashImage(
  image: Image, options: FlashOptions, report: FlashReport, signal: AbortSignal,
): Promise<{ repeats: number; junk: number }> {
  const wireOn = (path: string): OpenWire => (settings) => SerialWire.open(path, settings, signal);
  if (image.chip === "rp2040") {
    const { drive, port } = options;
    const open = wireOn(port ?? "");
    await flashPico(image, { drive, port, open, places: thisComputer(), signal }, report);
    return { repeats: 0, junk: 0 };
  }
  if (options.drive !== undefined) throw new FlashFailure("drive", `--drive is for a Pico: the ${image.board} is flashed over --port`);
  const path = await portFor(options);
  return flashStm32(image, wireOn(path), { path, baud: options.baud, wiring: options.wiring }, report);
}

async function portFor({ port }: FlashOptions): Promise<string> {
  try {
    return await choosePort(port, process.env["MOTH_PORT"], listPorts);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new FlashFailure("port", error.message);
  }
}
