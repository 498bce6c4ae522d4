/** What `moth sim` and `moth emulate` share: their options, the broker they talk to, keys and signals, the summary. */
import { type Command, Option } from "commander";
import { brokerPassword } from "../password";
import { isColorful } from "../colors";
import type { EmbeddedBroker } from "../sim/broker";
import type { Player } from "../sim/keys";
import type { SimOptions } from "../sim/options";
import type { Reporter } from "../sim/report";
import type { Broker } from "../sim/session";
import { brokerUrl, collect } from "../values";

export function declareOptions(command: Command): Command {
  return command
    .option("--broker <url>", "mqtt://user@host:port, or mqtts:// for TLS; its password comes from " +
      "MOTH_MQTT_PASSWORD or is asked for (default: a broker of its own)")
    .option("--ca <file>", "with mqtts: the certificate of the broker's authority, PEM")
    .option("--cert <file>", "with mqtts: the board's own certificate, PEM, for a broker that asks for one")
    .option("--key <file>", "with mqtts: the key of that certificate, PEM, without a password")
    .option("--port <number>", "port of its own broker (default: 1883 if it is free)")
    .option("--device <id>", "client id, and level of every topic (default: sim-1)")
    .option("--settings <file>", "lines of key=value, as moth provision takes them: broker and device come from it unless " +
      "flags say otherwise")
    .option("--for <seconds>", "stop cleanly after so long (default: at Ctrl-C)")
    .addOption(new Option("--speed <speed>", "as fast as real time, or as can be").choices(["real", "max"]).default("real"))
    .option("--baud <rate>", "rate of the serial line to the module (default: 115200)")
    .option("--personality <name>", "what the Wi-Fi module is: nonos-1.7, esp-at-2.2, esp-at-5 or ism43362 (default: esp-at-5)")
    .option("--fault <name[@time][:arg]>", "have the module fail: see moth faults; may be given again (without a time: once " +
      "it makes sense)", collect, [])
    .option("--seed <number>", "for drift, jitter and backoff (default: a random one, which is shown)")
    .option("--set <name=number>", "temperature or humidity at the start; may be given again", collect, [])
    .addOption(new Option("--trace <what>", "show what goes over the wire").choices(["at", "mqtt", "all"]))
    .option("--json", "one JSON object an event, and a summary at the end");
}

/** The broker, what to call it, and the embedded one if it is that. */
type UseBroker = (broker: Broker, text: string, embedded?: EmbeddedBroker) => Promise<void>;

/** Calls `use` with the broker that the options want, which is there for so long. */
export async function withBroker(options: SimOptions, use: UseBroker): Promise<void> {
  if (options.broker === undefined) {
    const { startEmbeddedBroker } = await import("../sim/broker");
    const broker = await startEmbeddedBroker(options.port);
    const remark = broker.remark === undefined ? "" : ` (${broker.remark})`;
    try {
      const address = { host: "127.0.0.1", port: broker.port, user: undefined, password: undefined };
      await use(address, `its own broker on mqtt://127.0.0.1:${broker.port}${remark}`, broker);
    } finally {
      await broker.close();
    }
  } else {
    const { checkReachable } = await import("../sim/broker");
    const { host, port, user } = options.broker;
    // With one to fall back on, a broker may well be away.
    if (!options.settings.has("mqtt2.host") && !options.settings.has("mqtt3.host")) await checkReachable(host, port);
    const password = await passwordFor(options, user, host);
    await use({ host, port, user, password }, `broker ${brokerUrl(options.broker)}`);
  }
}

/** A settings file that has a user has the password too, if there is one. */
async function passwordFor({ settings }: SimOptions, user: string | undefined, host: string): Promise<string | undefined> {
  if (user === undefined) return undefined;
  return settings.has("mqtt.user") ? settings.get("mqtt.password") : brokerPassword(user, host);
}

export async function reporterFor(options: SimOptions): Promise<Reporter> {
  const { JsonReporter, LineReporter } = await import("../sim/report");
  return options.json ? new JsonReporter(process.stdout) : new LineReporter(process.stdout, isColorful(process.stdout));
}

/** Runs a session with the keys of the terminal and the signals of the process, and shows its summary. */
export async function playWith<Summary extends object>(
  session: Player & { run(): Promise<Summary> }, options: SimOptions, reporter: Reporter, inWords: (summary: Summary) => string,
): Promise<void> {
  const { KEY_HELP, listenToPlayer } = await import("../sim/keys");
  const stop = (): void => session.stop();
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  const withKeys = !options.json && process.stdin.isTTY && process.stdout.isTTY;
  const silence = withKeys ? listenToPlayer(process.stdin, process.stdout, session) : undefined;
  reporter.note(withKeys ? `${KEY_HELP}   Ctrl-C stop` : "Ctrl-C stops cleanly");
  try {
    const summary = await session.run();
    if (options.json) process.stdout.write(`${JSON.stringify({ event: "summary", ...summary })}\n`);
    else reporter.note(`\n${inWords(summary)}`);
  } finally {
    silence?.();
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}
