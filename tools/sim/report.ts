/** What `moth sim` tells while it runs: one line an event, for people or, with `--json`, for machines. */
import pc from "picocolors";

/** Who an event is about; the first column of a line. */
export type Topic = "host" | "power" | "module" | "fault" | "wifi" | "tcp" | "tls" | "mqtt" | "send" | "receive" | "ack" | "pin" | "world" | "broker" | "console" | "trace";

export interface Reporter {
  /**
   * `time`: simulated ms. `event`: its name for machines, in kebab case. `text`: what happened, for people. `data`:
   * the same for machines.
   */
  event(time: number, topic: Topic, event: string, text: string, data?: Record<string, unknown>): void;
  /** A line that is about the simulation, not in it. Not shown to machines. */
  note(text: string): void;
}

export class LineReporter implements Reporter {
  private readonly colors;

  constructor(
    private readonly out: NodeJS.WritableStream,
    color: boolean,
  ) {
    this.colors = pc.createColors(color);
  }

  event(time: number, topic: Topic, _event: string, text: string): void {
    const stamp = this.colors.dim((time / 1000).toFixed(3).padStart(10));
    this.out.write(`${stamp}  ${this.paint(topic, topic.padEnd(8))} ${text}\n`);
  }

  note(text: string): void {
    this.out.write(`${text}\n`);
  }

  private paint(topic: Topic, text: string): string {
    switch (topic) {
      case "power":
      case "module":
        return this.colors.yellow(text);
      case "fault":
        return this.colors.red(text);
      case "wifi":
      case "tcp":
      case "tls":
        return this.colors.blue(text);
      case "mqtt":
        return this.colors.magenta(text);
      case "send":
      case "ack":
        return this.colors.green(text);
      case "receive":
      case "pin":
        return this.colors.cyan(text);
      case "world":
      case "broker":
        return this.colors.bold(text);
      case "host":
      case "console":
        return this.colors.magenta(text);
      case "trace":
        return this.colors.dim(text);
    }
  }
}

export class JsonReporter implements Reporter {
  constructor(private readonly out: NodeJS.WritableStream) {}

  event(time: number, topic: Topic, event: string, _text: string, data: Record<string, unknown> = {}): void {
    this.out.write(`${JSON.stringify({ time: Math.round(time) / 1000, topic, event, ...data })}\n`);
  }

  note(): void {
    // Machines are only told events.
  }
}

const LONGEST_SHOWN = 200;

/** Text from outside, safe to show: control characters are escaped, so that no payload can play with the terminal. */
export function printable(text: string): string {
  const shown = text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
  return shown.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code === 10 ? "\\n" : code === 13 ? "\\r" : `\\u{${code.toString(16)}}`;
  });
}
