/** `moth run [APP]` */
import { type Command, Option } from "commander";
import { isColorful } from "../colors";
import type { RawOptions, RunOptions } from "../run/options";
import { collect } from "../values";

export function declare(command: Command): void {
  command
    .argument("[app]", "the TypeScript file that exports the application by default (default: the sensor board)")
    .option("-p, --port <port>", "serial port of the module (default: MOTH_PORT, else the only one on USB)")
    .option("-b, --baud <rate>", "rate of the serial line, as the module has it", "115200")
    .requiredOption("--broker <url>", "mqtt://user@host:port, as the module reaches it, or mqtts:// for TLS; the password " +
      "comes from MOTH_MQTT_PASSWORD or is asked for")
    .option("--ca <file>", "with mqtts: the certificate of the broker's authority, PEM")
    .option("--cert <file>", "with mqtts: the board's own certificate, PEM, for a broker that asks for one")
    .option("--key <file>", "with mqtts: the key of that certificate, PEM, without a password")
    .requiredOption("--device <id>", "client id, and level of every topic")
    .requiredOption("--ssid <name>", "Wi-Fi network; its password comes from MOTH_WIFI_PASSWORD or is asked for")
    .addOption(new Option("--reset <line>", "line of the adapter that is wired to the module's reset (none: AT+RST)")
      .choices(["rts", "dtr", "none"]).default("none"))
    .option("--for <seconds>", "stop cleanly after so long (default: at Ctrl-C)")
    .option("--set <name=number>", "temperature or humidity at the start; may be given again", collect, [])
    .option("--state <dir>", "where the board keeps what must survive: its settings, passwords too, readable by you " +
      "only (default: a folder for the device among your programs' state)")
    .option("--json", "one JSON object an event, and a summary at the end")
    .addHelpText("after", "\nThe firmware runs on this computer, the Wi-Fi module behind the port is real. A computer has no\n" +
      "sensors and no relay: temperature and humidity are simulated, pin changes are printed.")
    .action(run);
}

async function run(app: string | undefined, raw: RawOptions): Promise<void> {
  const { checkBrokerForModule, checkOptions } = await import("../run/options");
  const { choosePort, isPseudoTerminal, listPorts } = await import("../run/ports");
  const { loadApplication } = await import("../sim/application");
  const { brokerPassword, wifiPassword } = await import("../password");
  const { provisionedFolder } = await import("../run/storage");
  const { openModulePort } = await import("../run/run");

  const options = checkOptions(raw);
  const { device, ssid, baud, pems, broker: { host, port, user, tls } } = options;
  const path = await choosePort(options.port, process.env["MOTH_PORT"], listPorts);
  if (!isPseudoTerminal(path)) checkBrokerForModule(options.broker);
  const application = await loadApplication(app, tls);
  // Before anybody is asked for a password: a port that cannot be had is said first.
  const modulePort = await openModulePort(path, options);
  try {
    const storage = provisionedFolder(options.state, {
      device,
      ssid,
      baud,
      host,
      port,
      user,
      wifiPassword: await wifiPassword(ssid),
      password: user === undefined ? undefined : await brokerPassword(user, host),
      others: new Map(tls ? [["mqtt.tls", "on"]] : []),
      pems,
    });
    await drive(application, modulePort, storage, path, options);
  } finally {
    await modulePort.serial.close();
  }
}

type Parts = ConstructorParameters<typeof import("../run/run").DesktopRun>;

async function drive(
  application: Parts[0], modulePort: Parts[1], storage: Parts[2], path: string, options: RunOptions,
): Promise<void> {
  const { DesktopRun } = await import("../run/run");
  const { JsonReporter, LineReporter } = await import("../sim/report");
  const { inWords } = await import("../sim/summary");
  const { brokerUrl } = await import("../values");
  const { device, baud, broker } = options;

  const color = isColorful(process.stdout);
  const reporter = options.json ? new JsonReporter(process.stdout) : new LineReporter(process.stdout, color);
  reporter.note(`${application.name} as ${device}, module on ${path} at ${baud} baud, broker ${brokerUrl(broker)}`);
  reporter.note("sensors are simulated, pin changes are printed; Ctrl-C stops cleanly");
  const session = new DesktopRun(application, modulePort, storage, options, reporter);
  const stop = (): void => session.stop();
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  try {
    const summary = await session.run();
    if (options.json) process.stdout.write(`${JSON.stringify({ event: "summary", ...summary })}\n`);
    else reporter.note(`\n${inWords(summary)}`);
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}
