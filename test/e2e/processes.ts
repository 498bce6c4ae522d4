/** Real programs, started by tests, that are read line by line and never outlive their test. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { Account } from "./account";

export { freePort } from "../../tools/free-port";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface ProgramOptions {
  /** It serves more than one test: whoever starts it ends it. */
  readonly shared?: boolean;
}

/** A program that runs, and what it has said so far. */
export class Program {
  readonly ended: Promise<number | NodeJS.Signals>;
  private readonly process: ChildProcess;
  private readonly account = new Account<string>();

  constructor(command: string, args: readonly string[], env: Record<string, string> = {}, options: ProgramOptions = {}) {
    this.process = spawn(command, args, { cwd: ROOT, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      if (stream === null) continue;
      createInterface(stream).on("line", (line) => this.account.add(line));
    }
    this.ended = new Promise((resolve, reject) => {
      this.process.once("error", reject);
      this.process.once("close", (code, signal) => {
        resolve(code ?? signal ?? 0);
        this.account.close();
      });
    });
    if (options.shared === true) return;
    onTestFinished(async () => {
      this.process.kill("SIGKILL");
      await this.ended;
    });
  }

  /** Standard output and standard error, line by line, in the order in which they came. */
  get lines(): readonly string[] {
    return this.account.items;
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** The first thing, from line `from` on, that `find` makes of a line; fails with all that was said after `ms`. */
  until<T>(what: string, find: (line: string) => T | undefined, ms = 20_000, from = 0): Promise<T> {
    return this.account.until(find, from, ms, () => {
      const why = this.running ? `within ${ms} ms` : "before the program ended";
      return new Error(`${what} did not come ${why}; so far:\n${this.lines.join("\n")}`);
    });
  }
}

/** An event that `moth sim --json` told. */
export type SimEvent = Readonly<Record<string, unknown>>;

/** A board that `moth sim` or `moth run` drives, or a module that `moth module` offers, as a program of its own. */
export class Sim {
  readonly program: Program;

  constructor(args: readonly string[], env: Record<string, string> = {}, verb: "sim" | "run" | "module" = "sim") {
    this.program = new Program(process.execPath, ["tools/moth.mjs", verb, "--json", ...args], env);
  }

  /** Every event so far. */
  get events(): SimEvent[] {
    return this.program.lines.map(eventIn).filter((event) => event !== undefined);
  }

  /** The first event with these values, from line `from` on. */
  until(wanted: SimEvent, ms?: number, from?: number): Promise<SimEvent> {
    const matches = (line: string): SimEvent | undefined => {
      const event = eventIn(line);
      const fits = event !== undefined && Object.entries(wanted).every(([key, value]) => event[key] === value);
      return fits ? event : undefined;
    };
    return this.program.until(JSON.stringify(wanted), matches, ms, from);
  }

  online(): Promise<SimEvent> {
    return this.until({ event: "online" });
  }
}

function eventIn(line: string): SimEvent | undefined {
  return line.startsWith("{") ? fieldsOf(line) : undefined;
}

/** The fields of a JSON object. Throws when the text is none. */
export function fieldsOf(json: string): SimEvent {
  const value: unknown = JSON.parse(json);
  if (typeof value !== "object" || value === null) throw new TypeError(`${json} is no JSON object`);
  return Object.fromEntries(Object.entries(value));
}
