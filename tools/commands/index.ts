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
  { name: "emulate", summary: "run an application's image on an emulated chip", load: () => import("./emulate") },
  { name: "run", summary: "run an application on this computer over a real module", load: () => import("./run") },
  { name: "ports", summary: "list the serial ports", load: () => import("./ports") },
  { name: "build", summary: "compile an application for a board", load: () => import("./build") },
  { name: "flash", summary: "write an image into a board", load: () => import("./flash") },
  { name: "provision", summary: "tell a board its networks, brokers and name", load: () => import("./provision") },
  { name: "monitor", summary: "be the terminal of a board, and explain its crashes", load: () => import("./monitor") },
  { name: "module", summary: "offer a simulated Wi-Fi module to any program, as a TCP port or a serial device", load: () => import("./module") },
  { name: "faults", summary: "list what can go wrong with a simulated module, and what a host should do", load: () => import("./faults") },
  { name: "decode", summary: "explain the crash reports in a text", load: () => import("./decode") },
];
