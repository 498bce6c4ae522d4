/** `moth emulate [APP] --board NAME` */
import type { Command } from "commander";
import type { BuiltFiles } from "../emulate/image";
import { Failure } from "../failure";
import type { RawOptions } from "../sim/options";
import { whole } from "../values";
import { declareOptions, playWith, reporterFor, withBroker } from "./playing";

interface RawEmulateOptions extends RawOptions {
  readonly board: string;
  readonly out: string;
  readonly consolePort?: string;
  readonly flash?: string;
}

export function declare(command: Command): void {
  command
    .argument("[app]", "the TypeScript file that exports the application by default (default: the sensor board)")
    .requiredOption("--board <name>", "pico, stm32f405 or host: what it is built for, and which chip is emulated")
    .option("--out <dir>", "where its image is put", "build")
    .option("--console-port <number>", "offer the board's console on this TCP port of this computer")
    .option("--flash <file>", "keep the chip's flash in a file from one run to the next (default: a new chip each time)");
  declareOptions(command).action(run);
}

async function run(app: string | undefined, raw: RawEmulateOptions): Promise<void> {
  const { checkOptions } = await import("../sim/options");
  const { Emulation, inWords } = await import("../emulate/emulation");
  const { sensorBoardFor } = await import("../sim/application");
  const { openConsolePort } = await import("../emulate/console-port");
  const options = { ...checkOptions(raw), board: raw.board, flashFile: raw.flash };
  const consolePort = raw.consolePort === undefined ? undefined : whole("--console-port", raw.consolePort, 1, 65535);
  const image = await builtImage(app ?? sensorBoardFor(options.broker?.tls === true), raw.board, raw.out);
  await withBroker(options, async (broker, brokerText, embedded) => {
    const reporter = await reporterFor(options);
    const place = options.board === "host" ? "on this computer" : `on an emulated ${options.board}`;
    reporter.note(`${image.elf} ${place} as ${options.device}, ${brokerText}, seed ${options.seed}`);
    const emulation = await Emulation.create(image, broker, options, reporter, embedded);
    const port = consolePort === undefined ? undefined : await openConsolePort(consolePort, (bytes) => emulation.type(bytes));
    if (consolePort !== undefined) reporter.note(`its console is on 127.0.0.1:${consolePort}`);
    emulation.onConsole = (bytes) => port?.say(bytes);
    try {
      await playWith(emulation, options, reporter, inWords);
    } finally {
      await port?.close();
    }
  });
}

/** Builds the image, as `moth build` does. What is wrong with the application is told in one line. */
async function builtImage(app: string, board: string, outDir: string): Promise<BuiltFiles> {
  const { buildForBoard } = await import("../build/board-build");
  const { lineOf } = await import("../build/problem");
  const result = buildForBoard(app, board, { outDir });
  if ("problems" in result) {
    const [first, ...others] = result.problems;
    const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
    throw new Failure(first === undefined ? `${app}: cannot be built` : `${lineOf(first)}${more}`);
  }
  const { elf, bin, uf2 } = result.report.files;
  if (elf === undefined) throw new Failure(`no emulator for the board ${board}: choose pico, stm32f405 or host`);
  return { elf, bin, uf2 };
}
