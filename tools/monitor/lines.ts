/** Takes what a board says apart into lines, as it comes, and shows them: with the time, and crashes explained. */

export interface LineOptions {
  /** The time to put before each line; undefined: none. */
  readonly stamp: (() => string) | undefined;
  /** What is to be said behind a line. */
  readonly explain: (line: string) => readonly string[];
}

/**
 * Passes text on at once, so that an echo is seen while it is typed. The time stands before the first character of a
 * line, what a line means behind its end.
 */
export class LineView {
  private line = "";
  private begun = false;

  constructor(
    private readonly out: { write(text: string): unknown },
    private readonly options: LineOptions,
  ) {}

  /** `text`: what the board has said, in whatever pieces. */
  take(text: string): void {
    let shown = "";
    for (const piece of text.split(/(?<=\n)/)) {
      shown += this.stamped(piece) + piece;
      this.line += piece;
      if (!piece.endsWith("\n")) continue;
      const line = this.line.replace(/\r?\n$/, "");
      for (const extra of this.options.explain(line)) shown += `${this.stamped("", true)}${extra}\r\n`;
      this.line = "";
      this.begun = false;
    }
    this.out.write(shown);
  }

  /** A line of the monitor's own. */
  remark(text: string): void {
    const end = this.line === "" ? "" : "\r\n";
    this.line = "";
    this.begun = false;
    this.out.write(`${end}${this.stamped("", true)}--- ${text}\r\n`);
  }

  private stamped(piece: string, always = false): string {
    const { stamp } = this.options;
    if (stamp === undefined || (!always && (this.begun || piece === ""))) return "";
    if (!always) this.begun = true;
    return `${stamp()}  `;
  }
}

/** Local time of day, to the millisecond. */
export function timeOfDay(date = new Date()): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const ms = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}
