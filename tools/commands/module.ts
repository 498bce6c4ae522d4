/** `moth module` */
import type { Command } from "commander";
import { isColorful } from "../colors";
import { Failure } from "../failure";
import type { ServedModule } from "../module/served-module";
import { collect, whole } from "../values";

interface ModuleOptions {
  readonly listen?: string;
  readonly pty?: string | true;
  readonly personality?: string;
  readonly fault: readonly string[];
  readonly baud: string;
  readonly seed?: string;
  readonly ssid: string;
  readonly resetOnConnect?: true;
  readonly trace?: true;
  readonly json?: true;
}

const KEYS = "keys: r reset the module   p cut or restore its power   f a fault   h help   q stop";

export function declare(command: Command): void {
  command
    .option("--listen <host:port>", "offer its serial line as a TCP port (port 0: any that is free)")
    .option("--pty [link]", "offer it as a serial device, with a link of this name to it; needs socat")
    .option("--personality <name>", "what it is: nonos-1.7, esp-at-2.2, esp-at-5 or ism43362 (default: esp-at-5)")
    .option("--fault <name[@time][:arg]>", "have it fail: see moth faults; may be given again", collect, [])
    .option("--baud <rate>", "the rate that it comes up with", "115200")
    .option("--seed <number>", "for jitter and chance (default: a random one, which is shown)")
    .option("--ssid <name>", "the network in its air; the password is MOTH_WIFI_PASSWORD, without it the network is open", "moth")
    .option("--reset-on-connect", "cut its power for a moment whenever a program connects")
    .option("--trace", "show what goes over the line")
    .option("--json", "one JSON object an event, and a summary at the end")
    .addHelpText("after", "\nFor any program that expects an AT module on a serial port, one at a time. The line has the module's rate:\n" +
      "when the program changes it (AT+UART_CUR), its own is taken to follow. The module keeps its power when a program\n" +
      "leaves; instead of a reset line there is the key r, and --reset-on-connect. Its links are real connections of this\n" +
      "computer.")
    .action(run);
}

async function run(raw: ModuleOptions): Promise<void> {
  const { DEFAULT_PERSONALITY } = await import("../../sim/module/personalities");
  const { faultRequest } = await import("../faults");
  const { personalityNamed } = await import("../sim/options");
  const { JsonReporter, LineReporter } = await import("../sim/report");
  const { ServedModule } = await import("../module/served-module");
  const { openTcpOutlet, listenAddress } = await import("../module/tcp-outlet");
  const { openPtyOutlet } = await import("../module/pty-outlet");

  if ((raw.listen === undefined) === (raw.pty === undefined)) {
    throw new Failure("say where a program finds the module: --listen HOST:PORT or --pty, one of them");
  }
  const address = raw.listen === undefined ? undefined : listenAddress(raw.listen);
  const personality = personalityNamed(raw.personality ?? DEFAULT_PERSONALITY);
  const baud = whole("--baud", raw.baud, 1200, 5_000_000);
  const seed = raw.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : whole("--seed", raw.seed, 0, 2 ** 32 - 1);
  const json = raw.json === true;
  const reporter = json ? new JsonReporter(process.stdout) : new LineReporter(process.stdout, isColorful(process.stdout));
  const wifi = { ssid: raw.ssid, password: process.env["MOTH_WIFI_PASSWORD"] ?? "" };
  const served = new ServedModule({
    personality,
    baud,
    seed,
    faults: raw.fault.map((text) => faultRequest(text, personality)),
    wifi,
    resetOnConnect: raw.resetOnConnect === true,
    trace: raw.trace === true,
  }, reporter);
  const outlet = address === undefined
    ? await openPtyOutlet(raw.pty === true ? undefined : raw.pty, served)
    : await openTcpOutlet(address, served);
  try {
    const protection = wifi.password === "" ? "open" : "with a password";
    reporter.note(`module ${personality} at ${outlet.address}, ${baud} baud, Wi-Fi ${wifi.ssid} (${protection}), seed ${seed}`);
    if (json) reporter.event(0, "host", "offered", "", { address: outlet.address, personality, baud, ssid: wifi.ssid, seed });
    const summary = await playWith(served, json, (text) => reporter.note(text));
    if (json) process.stdout.write(`${JSON.stringify({ event: "summary", ...summary })}\n`);
    else {
      const { seconds, clients, fromHost, toHost, lost } = summary;
      reporter.note(`\nafter ${seconds.toFixed(1)} s: ${clients} programs, ${fromHost} bytes to the module (${lost} lost), ${toHost} from it`);
    }
  } finally {
    await outlet.close();
  }
}

/** Runs it with the keys of the terminal and the signals of the process. */
async function playWith(served: ServedModule, json: boolean, note: (text: string) => void): ReturnType<ServedModule["run"]> {
  const { listen } = await import("../module/keys");
  const stop = (): void => served.stop();
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  const withKeys = !json && process.stdin.isTTY && process.stdout.isTTY;
  const silence = withKeys ? listen(process.stdin, process.stdout, served, () => note(KEYS)) : undefined;
  note(withKeys ? `${KEYS}   Ctrl-C stop` : "Ctrl-C stops cleanly");
  try {
    return await served.run();
  } finally {
    silence?.();
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}
