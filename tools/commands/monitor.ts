/** `moth monitor` */
import type { Command } from "commander";

interface MonitorOptions {
  readonly port?: string;
  readonly timestamps?: true;
  readonly map?: string;
}

/** Ctrl-], which no board needs; Ctrl-C is for the board's own console. */
const LEAVE = 0x1d;

export function declare(command: Command): void {
  command
    .option("-p, --port <port>", "serial port of the board's console (default: MOTH_PORT, else the only one on USB)")
    .option("-t, --timestamps", "put the time of day before each line")
    .option("--map <file>", "source map to explain crashes with (default: that of the build that crashed, in build/)")
    .addHelpText("after", "\nOn a terminal every key goes to the board, Ctrl-] ends. A port that goes away is waited for.\n" +
      "Crash reports are followed by the lines of TypeScript that were running.")
    .action(run);
}

async function run({ port, timestamps, map }: MonitorOptions): Promise<void> {
  const { choosePort, listPorts } = await import("../run/ports");
  const { Decoder } = await import("../monitor/decode");
  const { LineView, timeOfDay } = await import("../monitor/lines");
  const { Monitor } = await import("../monitor/monitor");

  const decoder = new Decoder(map);
  const path = await choosePort(port, process.env["MOTH_PORT"], listPorts);
  const view = new LineView(process.stdout, {
    stamp: timestamps === true ? () => timeOfDay() : undefined,
    explain: (line) => decoder.explain(line),
  });
  const monitor = new Monitor(path, view);
  const stop = (): void => monitor.stop();
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  const keys = (bytes: Buffer): void => {
    const leave = process.stdin.isTTY ? bytes.indexOf(LEAVE) : -1;
    monitor.type(leave < 0 ? bytes : bytes.subarray(0, leave));
    if (leave >= 0) stop();
  };
  try {
    if (process.stdin.isTTY) process.stdin.setRawMode(true);
    process.stdin.on("data", keys);
    await monitor.run();
  } finally {
    process.stdin.off("data", keys);
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
    process.stdin.pause();
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}
