/** `moth faults` */
import type { Command } from "commander";

interface FaultsOptions {
  readonly json?: true;
}

export function declare(command: Command): void {
  command
    .option("--json", "list for machines")
    .addHelpText("after", "\nsim, emulate and module take them as --fault NAME[@TIME][:ARG], which may be given again: at a time\n" +
      "(90, 90s, 5m), by chance at each occasion (@5%), or without either once it makes sense. A duration is\n" +
      "a number of seconds, or 500ms, 2m. While they run, the key f asks for one.")
    .action(run);
}

async function run({ json }: FaultsOptions): Promise<void> {
  const { faultNames, FAULTS } = await import("../../sim/faults");
  const { amount } = await import("../faults");
  const { default: pc } = await import("picocolors");
  const { isColorful } = await import("../colors");
  if (json === true) {
    const list = faultNames.map((name) => {
      const { seen, host, occasion, argument, until, notIn } = FAULTS[name];
      return { name, seen, host, occasion, argument, until, notIn };
    });
    console.log(JSON.stringify(list, undefined, 2));
    return;
  }
  const { bold, dim } = pc.createColors(isColorful(process.stdout));
  const width = Math.max(...faultNames.map((name) => name.length));
  for (const name of faultNames) {
    const { seen, host, occasion, argument, until, notIn } = FAULTS[name];
    const range = argument === undefined ? [] : [
      `:ARG ${argument.name}, ${amount(argument, argument.least)} to ${amount(argument, argument.most)}, else ${amount(argument, argument.usual)}`,
    ];
    const facts = [
      occasion === "now" ? "at once" : `at ${occasion}`,
      ...range,
      ...(until === undefined ? [] : [`until ${until}`]),
      ...(notIn === undefined ? [] : [`not in ${notIn.join(", ")}`]),
    ];
    console.log(`${bold(name.padEnd(width))}  ${dim(facts.join("; "))}`);
    console.log(`${"".padEnd(width)}  ${seen}`);
    console.log(`${"".padEnd(width)}  ${dim("host:")} ${host}`);
  }
}
