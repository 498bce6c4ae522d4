/** `moth sim [APP]` */
import type { Command } from "commander";
import type { RawOptions } from "../sim/options";
import { declareOptions, playWith, reporterFor, withBroker } from "./playing";

export function declare(command: Command): void {
  command.argument("[app]", "the TypeScript file that exports the application by default (default: the sensor board)");
  declareOptions(command).action(run);
}

async function run(app: string | undefined, raw: RawOptions): Promise<void> {
  const { checkOptions } = await import("../sim/options");
  const { loadApplication } = await import("../sim/application");
  const { Simulation } = await import("../sim/simulate");
  const { inWords } = await import("../sim/summary");
  const options = checkOptions(raw);
  const application = await loadApplication(app, options.broker?.tls === true);
  await withBroker(options, async (broker, brokerText, embedded) => {
    const reporter = await reporterFor(options);
    reporter.note(`${application.name} as ${options.device}, ${brokerText}, seed ${options.seed}`);
    const simulation = new Simulation(application, broker, options, reporter, embedded);
    await playWith(simulation, options, reporter, inWords);
  });
}
