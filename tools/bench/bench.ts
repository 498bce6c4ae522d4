/** `npm run bench -- NAME`: figures, measured anew each time, with what they are compared to in the same run. */
import { Command, InvalidArgumentError } from "commander";
import pc from "picocolors";
import { isColorful } from "../colors";

interface Bench {
  readonly name: string;
  readonly summary: string;
  /** Measures, and gives the figures for machines and as lines for people. */
  readonly load: () => Promise<{ readonly measure: Measure; readonly keep?: (report: Report) => void }>;
}

export interface MeasureOptions {
  /** How many messages are measured at a time, where that can be chosen: few are for a look at whether it works. */
  readonly messages?: number | undefined;
}

type Measure = (options: MeasureOptions) => Report | Promise<Report>;

/** What a benchmark has found. */
export interface Report {
  readonly figures: unknown;
  readonly lines: readonly string[];
}

const benches: readonly Bench[] = [
  { name: "line", summary: "what the serial line carries at four rates, and power-on to the first reading", load: () => import("./line") },
  { name: "chip", summary: "what a message costs on the host runtime and on an emulated Pico", load: () => import("./chip") },
  { name: "mqtt", summary: "the client in Node against MQTT.js: CPU time, messages per second and heap", load: () => import("./mqtt") },
  { name: "day", summary: "a simulated day with faults: what it costs in real time", load: () => import("./day") },
];

function messageCount(text: string): number {
  if (!/^[0-9]{1,7}$/.test(text) || Number(text) < 2) throw new InvalidArgumentError("Give a whole number from 2 to 9999999.");
  return Number(text);
}

const program = new Command("npm run bench --").description("measures, and compares");
for (const { name, summary, load } of benches) {
  program
    .command(name)
    .description(summary)
    .option("--json", "figures for machines")
    .option("--keep", "keep the figures as what later ones are held against (chip)")
    .option("--messages <number>", "how many messages are measured at a time (mqtt)", messageCount)
    .action(async ({ json, keep, messages }: { json?: true; keep?: true; messages?: number }) => {
      const bench = await load();
      const report = await bench.measure({ messages });
      const { figures, lines } = report;
      if (keep === true) bench.keep?.(report);
      const text = json === true ? JSON.stringify(figures, undefined, 2) : lines.join("\n");
      process.stdout.write(`${text}\n`);
    });
}
program.configureOutput({
  outputError: (text, write) => write(pc.createColors(isColorful(process.stderr)).red(text)),
});
await program.parseAsync();
