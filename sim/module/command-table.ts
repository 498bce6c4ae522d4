import type { CommandEntry, CommandTable } from "./command-entry";
import { addressCommands } from "./commands/address";
import { basicCommands } from "./commands/basic";
import { sendingCommands } from "./commands/sending";
import { storageCommands } from "./commands/storage";
import { tcpCommands } from "./commands/tcp";
import { timeCommands } from "./commands/time";
import { tlsCommands } from "./commands/tls";
import { wifiCommands } from "./commands/wifi";
import type { Personality } from "./personality";

/** Every command of every generation. A new one is a new entry in one of the groups. */
const entries: ReadonlyMap<string, CommandEntry> = new Map([
  ...Object.entries(basicCommands),
  ...Object.entries(wifiCommands),
  ...Object.entries(addressCommands),
  ...Object.entries(tcpCommands),
  ...Object.entries(sendingCommands),
  ...Object.entries(tlsCommands),
  ...Object.entries(storageCommands),
  ...Object.entries(timeCommands),
]);

/** The commands that a module of this generation knows. Throws for one that nobody has written. */
export function commandTable({ name: personality, commands }: Personality): CommandTable {
  return new Map(commands.map((name) => {
    const entry = entries.get(name) ?? entries.get(name.replace(/_(CUR|DEF)$/, ""));
    if (entry === undefined) {
      throw new Error(`${personality} has AT${name}, and there is no such command`);
    }
    return [name, entry];
  }));
}
