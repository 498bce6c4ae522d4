/** A person at the console of an emulated board, who gives it its settings as soon as it asks for a command. */

import type { Pems } from "../provision/pem-files";
import { digestOf, pemCommands } from "../provision/provision";

const PROMPT = "moth> ";
const SECRET_SET = "(set)";

/** What the board is to know. */
export interface BoardWishes {
  /** Lines of `key=value`. */
  readonly settings: string;
  readonly pems?: Pems;
}

export interface ConsoleUserWires {
  /** Types on the board's console. */
  type(text: string): void;
  /** A whole line that the board has said, without its end. The board itself does not show secrets. */
  line(text: string): void;
  /** The board has refused what it was told, as a sentence. */
  refused(message: string): void;
}

/**
 * Asks what the board knows, sets what is different, and has the board start anew if that was anything. Afterwards it
 * only listens.
 */
export class ConsoleUser {
  private said = "";
  private answer: string[] = [];
  /** What is still to be typed, last first. */
  private readonly commands: string[] = [];
  private asked: string | undefined;
  private changed = 0;
  private done = false;
  private readonly decoder = new TextDecoder();

  constructor(
    private readonly wishes: BoardWishes,
    private readonly wires: ConsoleUserWires,
  ) {}

  /** Whether the board knows all it needs; until then the console is this person's. */
  get satisfied(): boolean {
    return this.done;
  }

  hear(bytes: Uint8Array): void {
    this.said += this.decoder.decode(bytes, { stream: true });
    for (;;) {
      const end = this.said.indexOf("\n");
      if (end < 0) break;
      const line = plain(this.said.slice(0, end));
      this.said = this.said.slice(end + 1);
      this.wires.line(line);
      this.takeLine(line);
    }
    if (!this.done && this.said.endsWith(PROMPT)) this.takePrompt();
  }

  /** The board was reset, or lost its power, in the middle of it all. */
  boardStarted(): void {
    this.said = "";
    this.answer = [];
    this.asked = undefined;
    this.commands.length = 0;
  }

  private takeLine(line: string): void {
    if (this.done || this.asked === undefined || line.startsWith("* ") || line.startsWith(PROMPT)) return;
    this.answer.push(line);
    if (line.startsWith("error: ")) this.wires.refused(`the board refuses "${this.asked.split("=")[0] ?? ""}": ${line}`);
    if (line === "ok" && this.asked === "settings") this.planFor(this.answer);
  }

  private takePrompt(): void {
    if (this.asked !== undefined && this.answer.length === 0) return;
    const next = this.asked === undefined ? "settings" : this.commands.pop();
    this.answer = [];
    if (next === undefined) {
      this.done = true;
      return;
    }
    this.asked = next;
    if (next === "reset") this.done = true;
    this.wires.type(`${next}\r`);
  }

  /** What the board does not know yet. Of a secret it only says that it has one. */
  private planFor(shown: readonly string[]): void {
    const has = new Set(shown);
    const { settings, pems = [] } = this.wishes;
    const missing = settings.split("\n").filter((line) => {
      const key = line.slice(0, line.indexOf("=") + 1);
      return line !== "" && !has.has(line) && !has.has(key + SECRET_SET);
    });
    const others = [...pems].filter(([key, pem]) => !has.has(`${key}=${digestOf(Buffer.from(pem))}`));
    this.changed += missing.length + others.length;
    if (this.changed > 0) this.commands.push("reset");
    const plan = [...missing.map((line) => `set ${line}`), ...others.flatMap(([key, pem]) => pemCommands(key, pem))];
    this.commands.push(...plan.reverse());
  }
}

/** A line as a terminal shows it: what was erased again is gone. */
function plain(line: string): string {
  return line.replace(/\r$/, "").replace(/^.*\r\u001b\[K/, "").replace(/\u001b\[[0-9;]*[A-Za-z]/g, "");
}
