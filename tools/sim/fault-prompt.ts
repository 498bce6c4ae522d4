/** Asks for a fault at the keyboard, while lines of what happens go on appearing. */
import type { Key } from "node:readline";
import { faultNames } from "../../sim/faults";

const CLEAR = "\r\u001b[K";

export class FaultPrompt {
  /** Whether keys are for it. */
  open = false;
  private typed = "";

  constructor(
    private readonly output: NodeJS.WritableStream,
    private readonly chosen: (text: string) => void,
  ) {}

  start(): void {
    this.open = true;
    this.typed = "";
    this.show();
  }

  /** Enter ends it with what was typed, Escape without; Tab completes a name. */
  take(text: string | undefined, key: Key): void {
    if (key.name === "return" || key.name === "enter") {
      this.close();
      if (this.typed !== "") this.chosen(this.typed);
      return;
    }
    if (key.name === "escape") {
      this.close();
      return;
    }
    if (key.name === "backspace") this.typed = this.typed.slice(0, -1);
    else if (key.name === "tab") this.complete();
    else if (text !== undefined && /^[a-z0-9._@%:]$/i.test(text)) this.typed += text;
    this.show();
  }

  /** As far as all names go that begin like this; if that is no further, they are shown. */
  private complete(): void {
    const names = faultNames.filter((name) => name.startsWith(this.typed));
    const [first = this.typed] = names;
    let length = first.length;
    while (!names.every((name) => name.startsWith(first.slice(0, length)))) length -= 1;
    if (length === this.typed.length && names.length > 1) this.output.write(`${CLEAR}${names.join(" ")}\n`);
    this.typed = first.slice(0, Math.max(length, this.typed.length));
  }

  private show(): void {
    this.output.write(`${CLEAR}fault (Tab lists, Enter strikes): ${this.typed}`);
  }

  private close(): void {
    this.open = false;
    this.output.write(CLEAR);
  }
}
