/** `moth flash IMAGE|APP` */
import { type Command, Option } from "commander";
import { isColorful } from "../colors";
import { Failure } from "../failure";
import type { LineChoice } from "../flash/lines";
import type { FlashReport } from "../flash/report";
import { whole } from "../values";

interface RawOptions {
  readonly port?: string;
  readonly board?: string;
  readonly baud: string;
  readonly drive?: string;
  readonly resetLine: LineChoice;
  readonly bootLine: LineChoice;
  readonly invertReset?: true;
  readonly invertBoot?: true;
  readonly json?: true;
}

const LINES = ["dtr", "rts", "none"];

export function declare(command: Command): void {
  command
    .argument("<image>", "what \"moth build\" made, the .uf2 for a Pico and the .bin for an STM32F405; or an application,\n" +
      "a TypeScript file, which is built first")
    .option("-p, --port <port>", "serial port of the board (STM32F405 default: MOTH_PORT, else the only one on USB)")
    .option("--board <name>", "board to build an application for; an image for another board is refused")
    .option("-b, --baud <rate>", "rate of the line to the STM32's boot loader, which adapts to it", "115200")
    .option("--drive <dir>", "drive of the Pico (default: the only one that is there)")
    .addOption(new Option("--reset-line <line>", "line of the adapter that is wired to the STM32's reset (NRST)")
      .choices(LINES).default("none"))
    .addOption(new Option("--boot-line <line>", "line of the adapter that is wired to the STM32's BOOT0")
      .choices(LINES).default("none"))
    .option("--invert-reset", "a released reset line holds the board in reset (a transistor is in between)")
    .option("--invert-boot", "an asserted boot line makes BOOT0 high (a transistor is in between)")
    .option("--json", "one JSON object an event")
    .addHelpText("after", "\nPico: hold BOOTSEL while you plug it in, and its drive appears. A Pico that runs Moth shows its drive by\n" +
      "itself when --port names its console.\n" +
      "STM32F405: over PA9 (TX) and PA10 (RX), or PB10 and PB11, with BOOT0 at 3.3 V and reset pressed once. A board that\n" +
      "runs Moth with its console on these pins goes there by itself. Where DTR and RTS are wired to reset and BOOT0,\n" +
      "--reset-line and --boot-line need no hand: an asserted line is 0 V at the adapter's pin, so wired straight, an\n" +
      "asserted reset line holds reset and a released boot line makes BOOT0 high.\n" +
      "Only the sectors under the image are erased; the board's settings stay. Everything written is read back.")
    .action(run);
}

async function run(image: string, raw: RawOptions): Promise<void> {
  const { flash } = await import("../flash/flash");
  const { resetLine: reset, bootLine: boot, invertReset = false, invertBoot = false } = raw;
  if (reset !== "none" && reset === boot) throw new Failure(`--reset-line ${reset} --boot-line ${boot}: one line cannot do both`);
  const baud = whole("--baud", raw.baud, 1200, 115200);
  const report = await reportFor(raw.json === true);

  const end = new AbortController();
  const stop = (): void => end.abort();
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  try {
    const wiring = { reset, boot, invertReset, invertBoot };
    const options = { board: raw.board, port: raw.port, baud, drive: raw.drive, wiring };
    const problems = await flash(image, options, report, end.signal);
    for (const problem of problems) console.error(problem);
    if (problems.length > 0) process.exitCode = 1;
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}

async function reportFor(json: boolean): Promise<FlashReport> {
  const { BarReport, JsonReport, LineReport } = await import("../flash/report");
  if (json) return new JsonReport(process.stdout);
  return process.stdout.isTTY ? new BarReport(process.stdout, isColorful(process.stdout)) : new LineReport(process.stdout);
}
