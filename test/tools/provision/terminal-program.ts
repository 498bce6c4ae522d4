/** A program on a terminal of its own, with somebody at the keys. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { onTestFinished } from "vitest";
import { ROOT } from "../../e2e/processes";
import { requireTool } from "../../system";

export class TerminalProgram {
  /** Everything that was on the screen, control sequences included. */
  screen = "";
  private seen = 0;
  readonly ended: Promise<unknown>;
  private readonly process: ChildProcessWithoutNullStreams;
  private heard: () => void = () => undefined;

  /** `command`: without spaces in its words. */
  constructor(command: readonly string[], env: Record<string, string> = {}) {
    const address = `EXEC:${command.join(" ")},pty,setsid,ctty,stderr,sane`;
    this.process = spawn(requireTool("socat"), ["-", address], { cwd: ROOT, env: { ...process.env, ...env } });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.on("data", (bytes: Buffer) => {
        this.screen += bytes.toString();
        this.heard();
      });
    }
    this.ended = new Promise((resolve) => this.process.once("close", resolve));
    onTestFinished(async () => {
      this.process.kill("SIGKILL");
      await this.ended;
    });
  }

  type(text: string): void {
    this.process.stdin.write(text);
  }

  /** Waits until `text` is on the screen, from what was there at the last call on. */
  async until(text: string, ms = 20_000): Promise<void> {
    const from = this.seen;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${JSON.stringify(text)} did not come; the screen has: ${JSON.stringify(this.screen.slice(from))}`));
      }, ms);
      this.heard = () => {
        const at = this.screen.indexOf(text, from);
        if (at < 0) return;
        this.seen = at + text.length;
        clearTimeout(timer);
        resolve();
      };
      this.heard();
    });
  }
}
