/** What a flash run tells while it is under way. */
import { SingleBar } from "cli-progress";
import type { FlashFailure } from "./failure";

export type Step = "erase" | "write" | "verify" | "copy";

export interface FlashReport {
  /** Something that is settled: a sentence for people, an event with values for programs. */
  say(text: string, event: string, values?: Readonly<Record<string, unknown>>): void;
  /** A step of `total` bytes begins. */
  begin(step: Step, total: number): void;
  /** So many bytes of the step are done. */
  advance(done: number): void;
  /** The step is over, whether it came to its end or not. */
  end(): void;
  failed(failure: FlashFailure): void;
}

interface Output {
  write(text: string): unknown;
}

/** A line for each thing that is settled. */
export class LineReport implements FlashReport {
  constructor(private readonly out: Output) {}

  say(text: string): void {
    this.out.write(`${text}\n`);
  }

  begin(): void {}

  advance(): void {}

  end(): void {}

  failed(): void {}
}

/** With a bar for the step that is under way, on a terminal. */
export class BarReport extends LineReport {
  private readonly bar: SingleBar;

  /** `color`: whether the bar may have one. */
  constructor(stream: NodeJS.WriteStream, color: boolean) {
    super(stream);
    const bar = color ? "\u001b[36m{bar}\u001b[39m" : "{bar}";
    this.bar = new SingleBar({
      stream,
      format: `{step} ${bar} {percentage}%`,
      barCompleteChar: "#",
      barIncompleteChar: "-",
      clearOnComplete: true,
      hideCursor: true,
    });
  }

  override begin(step?: Step, total = 0): void {
    this.bar.start(total, 0, { step: (step ?? "").padEnd("verify".length) });
  }

  override advance(done = 0): void {
    this.bar.update(done);
  }

  override end(): void {
    this.bar.stop();
  }
}

/** One JSON object an event; progress at every whole percent. */
export class JsonReport implements FlashReport {
  private step: Step = "write";
  private total = 0;
  private percent = 0;

  constructor(private readonly out: Output) {}

  say(_text: string, event: string, values: Readonly<Record<string, unknown>> = {}): void {
    this.out.write(`${JSON.stringify({ event, ...values })}\n`);
  }

  begin(step: Step, total: number): void {
    this.step = step;
    this.total = total;
    this.percent = -1;
    this.advance(0);
  }

  advance(done: number): void {
    const percent = Math.floor((100 * done) / this.total);
    if (percent === this.percent) return;
    this.percent = percent;
    this.say("", "progress", { step: this.step, done, total: this.total });
  }

  end(): void {}

  failed({ reason, message, details }: FlashFailure): void {
    this.say("", "failed", { reason, message, ...details });
  }
}
