/** `moth provision` */
import type { Command } from "commander";

interface ProvisionOptions {
  readonly port?: string;
  readonly settings?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly check?: true;
  readonly json?: true;
}

export function declare(command: Command): void {
  command
    .option("-p, --port <port>", "serial port of the board's console (default: MOTH_PORT, else the only one on USB)")
    .option("--settings <file>", "lines of key=value, as the board shows them; nothing is asked, and what the file does " +
      "not name is cleared, but for the device id")
    .option("--ca <file>", "certificate of the broker's authority, PEM; takes the place of ca=FILE in the settings")
    .option("--cert <file>", "the board's own certificate, PEM, for a broker that asks for one")
    .option("--key <file>", "the key of that certificate, PEM, without a password")
    .option("--check", "show what the board has, and change nothing")
    .option("--json", "report for machines")
    .addHelpText("after", "\nSecrets are asked for or read from the file, never given on the command line, and never shown.")
    .action(run);
}

async function run({ port, settings, check, json, ...files }: ProvisionOptions): Promise<void> {
  const { Failure } = await import("../failure");
  const { choosePort, listPorts } = await import("../run/ports");
  const { BoardConsole } = await import("../provision/board-console");
  const { provision } = await import("../provision/provision");
  const { settingLines } = await import("../provision/questions");


  const flag = settings === undefined ? Object.keys(files)[0] : "settings";
  if (check === true && flag !== undefined) throw new Failure(`--check changes nothing: leave --${flag} out`);
  const tell = (text: string): void => {
    if (json !== true) console.log(text);
  };
  // A file that is wrong, or nobody to ask, is said before a port is touched.
  const wishesOf = check === true ? undefined : await wishesFrom(settings, files);
  const path = await choosePort(port, process.env["MOTH_PORT"], listPorts);
  const board = await BoardConsole.open(path);
  const changed: string[] = [];
  try {
    if (wishesOf !== undefined) {
      const wishes = await wishesOf(board);
      await provision(board, wishes, (what) => {
        changed.push(what);
        tell(what);
      });
    }
    const shown = await board.askMap("settings");
    tell(`${path} has:`);
    for (const line of settingLines(shown)) tell(line);
    if (changed.length > 0) {
      await board.ask("reset");
      tell("the board starts anew with these settings");
    }
    if (json === true) {
      console.log(JSON.stringify({ port: path, changed, settings: Object.fromEntries(shown) }, undefined, 2));
    }
  } finally {
    await board.close();
  }
}

type Board = import("../provision/board-console").BoardConsole;
type Wishes = import("../provision/provision").Wishes;
type PemFlags = import("../provision/pem-files").PemFlags;

async function wishesFrom(file: string | undefined, flags: PemFlags): Promise<(board: Board) => Promise<Wishes>> {
  const { openToAll, readPemFlags } = await import("../provision/pem-files");
  const given = readPemFlags(flags);
  const warn = (warning: string | undefined): void => {
    if (warning !== undefined) console.error(`moth: warning: ${warning}`);
  };
  if (flags.key !== undefined) warn(openToAll(flags.key));
  if (file === undefined) {
    const { askForWishes, terminalAsker } = await import("../provision/questions");
    const asker = await terminalAsker();
    return async (board) =>
      askForWishes(asker, await board.askMap("settings"), (await board.askMap("status")).get("id"), given);
  }
  const { readSettingsFile } = await import("../provision/settings-file");
  const { values, pems, warnings } = readSettingsFile(file);
  for (const warning of warnings) warn(warning);
  return () => Promise.resolve({ values, kept: new Set(), pems: new Map([...pems, ...given]), pemsKept: new Set() });
}
