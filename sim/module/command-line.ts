import type { CommandEntry, CommandTable, Handler } from "./command-entry";
import type { Timings } from "./personality";

const LF = 0x0a;
const CR = 0x0d;

/** Codes that `AT+SYSLOG=1` shows, as ESP-AT numbers them. */
export const enum ErrorCode {
  /** The line is no command at all. */
  Malformed = 0x01030000,
  /** Unknown name, or a form of it that does not exist. */
  Unsupported = 0x01090000,
  Busy = 0x010b0000,
}

/** A line that was understood. */
export interface Command {
  /** In capitals, with its +. */
  readonly name: string;
  readonly handler: Handler;
  /** What follows `=`, one character a byte; undefined when nothing is set. Not judged yet. */
  readonly parameters: string | undefined;
  /** Which of the personality's timings passes before it is carried out. */
  readonly takes: keyof Timings;
}

const NAME = /^\+?[A-Z0-9!%\-./:_]*/;

/** What makes a line one. */
export interface LineLimits {
  /** Longest line, in bytes with its CR LF. */
  readonly line: number;
  /** Whether a name must be written in capitals. */
  readonly capitals: boolean;
}

/**
 * Reads one command line, CR LF included, as `at_cmd_parse` does: `AT` in any case right at the start, a name, then `=?`, `?`, `=` with parameters, or nothing.
 */
export function parseCommandLine(line: Uint8Array, table: CommandTable, limits: LineLimits): Command | ErrorCode {
  if (line.length < 2 || line.length > limits.line || line.at(-1) !== LF || line.at(-2) !== CR) {
    return ErrorCode.Malformed;
  }
  // One character a byte: the syntax is ASCII, and what is not survives until the parameters are decoded.
  const text = Buffer.from(line.buffer, line.byteOffset, line.length - 2).toString("latin1");
  if (text.slice(0, 2).toUpperCase() !== "AT") {
    return ErrorCode.Malformed;
  }
  const body = text.slice(2);
  const name = NAME.exec(limits.capitals ? body : body.toUpperCase())?.[0] ?? "";
  const entry = table.get(name);
  const rest = body.slice(name.length);
  if (entry === undefined) {
    return ErrorCode.Unsupported;
  }
  const takes = entry.takes ?? "command";
  const handler = handlerFor(rest, entry);
  if (handler === undefined) {
    return ErrorCode.Unsupported;
  }
  const isSet = rest.startsWith("=") && rest !== "=?";
  return { name, handler, takes, parameters: isSet ? rest.slice(1) : undefined };
}

function handlerFor(rest: string, entry: CommandEntry): Handler | undefined {
  switch (rest) {
    case "":
      return entry.execute;
    case "?":
      return entry.query;
    case "=?":
      return entry.test;
    default:
      return rest.startsWith("=") ? entry.set : undefined;
  }
}
