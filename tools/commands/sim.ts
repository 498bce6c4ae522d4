/** `moth sim [APP]` */
import { type Command, Option } from "commander";
import { brokerPassword } from "../password";
import { isColorful } from "../colors";
import type { EmbeddedBroker } from "../sim/broker";
import type { RawOptions, SimOptions } from "../sim/options";
import type { Broker } from "../sim/simulate";
import { collect } from "../values";

export function declare(command: Command): void {
  command
    .argument("[app]", "the TypeScript file that exports the application by default (default: the sensor board)")
    .option("--broker <url>", "mqtt://user@host:port; its password comes from MOTH_MQTT_PASSWORD or is asked for " +
      "(default: a broker of its own)")
    .option("--port <number>", "port of its own broker (default: 1883 if it is free)")
    .option("--device <id>", "client id, and level of every topic", "sim-1")
    .option("--for <seconds>", "stop cleanly after so long (default: at Ctrl-C)")
    .addOption(new Option("--speed <speed>", "as fast as real time, or as can be").choices(["real", "max"]).default("real"))
    .option("--baud <rate>", "rate of the serial line to the module", "115200")
    .option("--seed <number>", "for drift, jitter and backoff (default: a random one, which is shown)")
    .option("--set <name=number>", "temperature or humidity at the start; may be given again", collect, [])
    .addOption(new Option("--trace <what>", "show what goes over the wire").choices(["at", "mqtt", "all"]))
    .option("--json", "one JSON object an event, and a summary at the end")
    .action(run);
}

async function run(app: string | undefined, raw: RawOptions): Promise<void> {
  const { checkOptions } = await import("../sim/options");
  const { loadApplication } = await import("../sim/application");
  const options = checkOptions(raw);
  const application = await loadApplication(app);
  if (options.broker === undefined) {
    const { startEmbeddedBroker } = await import("../sim/broker");
    const broker = await startEmbeddedBroker(options.port);
    const remark = broker.remark === undefined ? "" : ` (${broker.remark})`;
    try {
      const address = { host: "127.0.0.1", port: broker.port, user: undefined, password: undefined };
      await simulate(options, application, address, `its own broker on mqtt://127.0.0.1:${broker.port}${remark}`, broker);
    } finally {
      await broker.close();
    }
  } else {
    const { checkReachable } = await import("../sim/broker");
    const { host, port, user } = options.broker;
    await checkReachable(host, port);
    const password = user === undefined ? undefined : await brokerPassword(user, host);
    await simulate(options, application, { host, port, user, password }, `broker mqtt://${host}:${port}`);
  }
}

type LoadedApplication = ConstructorParameters<typeof import("../sim/simulate").Simulation>[0];

async function simulate(
  options: SimOptions, application: LoadedApplication, broker: Broker, brokerText: string, embedded?: EmbeddedBroker,
): Promise<void> {
  const { Simulation } = await import("../sim/simulate");
  const { JsonReporter, LineReporter } = await import("../sim/report");
  const { inWords } = await import("../sim/summary");
  const { KEY_HELP, listenToKeys } = await import("../sim/keys");

  const color = isColorful(process.stdout);
  const reporter = options.json ? new JsonReporter(process.stdout) : new LineReporter(process.stdout, color);
  reporter.note(`${application.name} as ${options.device}, ${brokerText}, seed ${options.seed}`);
  const simulation = new Simulation(application, broker, options, reporter, embedded);

  const stop = (): void => simulation.stop();
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  const withKeys = !options.json && process.stdin.isTTY && process.stdout.isTTY;
  const silence = withKeys ? listenToKeys(process.stdin, simulation) : undefined;
  reporter.note(withKeys ? `${KEY_HELP}   Ctrl-C stop` : "Ctrl-C stops cleanly");
  try {
    const summary = await simulation.run();
    if (options.json) process.stdout.write(`${JSON.stringify({ event: "summary", ...summary })}\n`);
    else reporter.note(`\n${inWords(summary)}`);
  } finally {
    silence?.();
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}
