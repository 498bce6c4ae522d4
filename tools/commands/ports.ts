/** `moth ports` */
import type { Command } from "commander";

interface PortsOptions {
  readonly json?: true;
}

export function declare(command: Command): void {
  command.option("--json", "list for machines").action(run);
}

async function run({ json }: PortsOptions): Promise<void> {
  const { listPorts, portLine } = await import("../run/ports");
  const ports = await listPorts();
  if (json === true) console.log(JSON.stringify(ports, undefined, 2));
  else if (ports.length === 0) console.log("no serial ports");
  else for (const port of ports) console.log(portLine(port));
}
