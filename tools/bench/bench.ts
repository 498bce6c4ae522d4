/** `npm run bench -- NAME`: figures, measured anew each time, with what they are compared to in the same run. */
import { Command } from "commander";
import pc from "picocolors";
import { isColorful } from "../colors";

interface Bench {
  readonly name: string;
  readonly summary: string;
  /** Measures, and gives the figures for machines and as lines for people. */
  readonly load: () => Promise<{ readonly measure: () => Report | Promise<Report>; readonly keep?: (report: Report) => void }>;
}

/** What a benchmark has found. */
export interface Report {
  readonly figures: unknown;
  readonly lines: readonly string[];
}

const benches: readonly Bench[] = [
  { name: "line", summary: "MQTT bytes per second over the serial line at 115200 baud", load: () => import("./line") },
  { name: "chip", summary: "what a message costs on the host runtime and on an emulated Pico", load: () => import("./chip") },
  { name: "mqtt", summary: "the client in Node against MQTT.js: CPU time, messages per second and heap", load: () => import("./mqtt") },
  { name: "day", summary: "a simulated day with faults: what it costs in real time", load: () => import("./day") },
];

const program = new Command("npm run bench --").description("measures, and compares");
for (const { name, summary, load } of benches) {
  program
    .command(name)
    .description(summary)
    .option("--json", "figures for machines")
    .option("--keep", "keep the figures as what later ones are held against (chip)")
    .action(async ({ json, keep }: { json?: true; keep?: true }) => {
      const bench = await load();
      const report = await bench.measure();
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
