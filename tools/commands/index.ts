/** The verbs of `moth`. A command's module is loaded only when the command line names it, so `moth --help` is quick. */
import type { Command } from "commander";

export interface CommandModule {
  /** Adds arguments, options and the action. */
  declare(command: Command): void;
}

export interface Verb {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

export const verbs: readonly Verb[] = [
  { name: "sim", summary: "run an application on a simulated board", load: () => import("./sim") },
  { name: "run", summary: "run an application on this computer over a real module", load: () => import("./run") },
  { name: "ports", summary: "list the serial ports", load: () => import("./ports") },
  { name: "build", summary: "compile an application for a board", load: () => import("./build") },
];
