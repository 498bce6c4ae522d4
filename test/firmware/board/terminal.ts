/** A person's terminal, or a program that drives the console: at the far end of the console of a rig. */
import type { LineEnd } from "../../../sim/line";
import { Rig, type RigOptions } from "./rig";

export const PROMPT = "moth> ";

export class Terminal {
  /** Everything that the board has said so far, as it came. */
  screen = "";
  private readonly decoder = new TextDecoder();
  private readonly piece = new Uint8Array(4096);

  constructor(
    private readonly rig: Rig,
    private readonly end: LineEnd = rig.bench.console.module,
  ) {}

  /** Types bytes and gives them, and an answer, the time they take. */
  type(text: string | Uint8Array, ms = 500): this {
    this.end.write(typeof text === "string" ? new TextEncoder().encode(text) : text);
    this.rig.clock.runFor(ms);
    return this.look();
  }

  /** Takes in what has come. */
  look(): this {
    for (let count = this.end.read(this.piece); count > 0; count = this.end.read(this.piece)) {
      this.screen += this.decoder.decode(this.piece.subarray(0, count), { stream: true });
    }
    return this;
  }

  /** The lines of the answer to a command, without its echo and the prompt behind it. */
  ask(command: string, ms = 500): string[] {
    const from = this.look().screen.length;
    this.type(`${command}\r`, ms);
    const said = this.screen.slice(from);
    if (!said.endsWith(PROMPT)) throw new Error(`no prompt behind the answer to ${command}: ${JSON.stringify(said)}`);
    const [, ...lines] = said.slice(0, -PROMPT.length).split("\r\n");
    return lines.slice(0, -1);
  }

  /** The answer to a command that gives `key=value` lines, as a map; the `ok` behind them is checked. */
  askMap(command: string): Map<string, string> {
    const lines = this.ask(command);
    if (lines.pop() !== "ok") throw new Error(`no ok behind ${command}`);
    return new Map(lines.map((line) => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }));
  }
}

/** A board that has been on for 4 s, and a terminal on it. */
export function boardAndTerminal(options: RigOptions = {}, settings?: string): { rig: Rig; terminal: Terminal } {
  const rig = new Rig(options);
  if (settings !== undefined) rig.bench.storage.provision(0, settings);
  rig.start();
  const terminal = new Terminal(rig).look();
  return { rig, terminal };
}

/** What the storage of a rig holds in slot 0. */
export function settingsOf(rig: Rig): string {
  return recordOf(rig, 0);
}

export function recordOf(rig: Rig, slot: number): string {
  const record = new Uint8Array(1024);
  const length = rig.bench.storage.load(slot, record, 0, record.length);
  return new TextDecoder().decode(record.subarray(0, Math.max(length, 0)));
}
