import type { CommandTable } from "./command-entry";
import { basicCommands } from "./commands/basic";
import { tcpCommands } from "./commands/tcp";
import { wifiCommands } from "./commands/wifi";

/** Every command that the simulated module knows. A new one is a new entry in one of the groups. */
export const commandTable: CommandTable = new Map([
  ...Object.entries(basicCommands),
  ...Object.entries(wifiCommands),
  ...Object.entries(tcpCommands),
]);
