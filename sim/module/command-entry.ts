import type { Firmware } from "./firmware";
import type { Parameters } from "./parameters";
import type { Timings } from "./personality";

/** How a handler leaves its command. */
export const enum Outcome {
  Ok,
  Error,
  /** Still running: the handler sees to it that {@link Firmware.finish} is called. */
  Later,
}

/** How a command was called. */
export interface Call {
  /** With its +, as the reply to a query begins. */
  readonly name: string;
  /** Whether what it sets goes to flash: by the ending of its name, or as AT+SYSSTORE has it. */
  readonly store: boolean;
}

/** Carries a command out. A `ParameterError` that it throws ends the command with ERROR. */
export type Handler = (firmware: Firmware, parameters: Parameters, call: Call) => Outcome;

/** One command and the forms in which it exists. */
export interface CommandEntry {
  readonly execute?: Handler;
  readonly query?: Handler;
  readonly set?: Handler;
  readonly test?: Handler;
  /** Which timing passes before the handler runs. Default "command". */
  readonly takes?: keyof Timings;
}

/** The commands by the name that follows `AT`. */
export type CommandTable = ReadonlyMap<string, CommandEntry>;
