/** Why a serial port cannot be had, or not any longer. */
export type PortTrouble =
  /** There is no port of that name. */
  | "missing"
  /** Another program has it. */
  | "busy"
  /** This user may not open it. */
  | "forbidden"
  /** It was there, and went away: the adapter was unplugged. */
  | "gone"
  /** It is no serial port, or cannot do what was asked of it; the message says what. */
  | "unfit";

/** What a serial port is reported with. The message is the operating system's, for people who look deeper. */
export class PortError extends Error {
  constructor(
    readonly path: string,
    readonly trouble: PortTrouble,
    message: string,
  ) {
    super(message);
  }
}

/** Sorts what `serialport` says when it cannot open a port; it has no codes. */
export function openingTrouble(message: string): PortTrouble {
  if (/no such file|file not found/i.test(message)) return "missing";
  // Windows says "Access denied" of a port that another program has.
  if (/cannot lock|busy|access denied/i.test(message)) return "busy";
  if (/permission denied|not permitted/i.test(message)) return "forbidden";
  return "unfit";
}
