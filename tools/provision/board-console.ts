/** The console of a board behind a serial port, as a program uses it: one command after the other, each answered. */
import { NodeSerial } from "../../hal/node/serial";
import { PortError } from "../../hal/node/port-error";
import { Failure } from "../failure";
import { portFailure } from "../run/port-failure";

export const CONSOLE_BAUD = 115200;
const PROMPT = "moth> ";
/** How long an answer may take, in ms: a save that has to erase flash first takes 2 s. */
const ANSWER_PATIENCE = 5000;
/** How long a board may take to the first prompt, and how often it is asked: opening a port resets some boards. */
const PROMPT_PATIENCE = 1500;
const PROMPT_TRIES = 4;
/** What the board says when part of a line did not reach it, and how often the line is sent again. */
const LOST = "bytes of the line were lost";
const SEND_TRIES = 3;

/** What the board itself says against a command: what is wrong and what to do. */
export class Refusal extends Error {}

export class BoardConsole {
  private said = "";
  private readonly decoder = new TextDecoder();
  private readonly piece = new Uint8Array(1024);
  private gone: Failure | undefined;
  private heard: () => void = () => undefined;

  /** Opens the port and waits for the prompt. Fails in one line. */
  static async open(path: string): Promise<BoardConsole> {
    let serial: NodeSerial;
    try {
      serial = await NodeSerial.open({ path, baud: CONSOLE_BAUD });
    } catch (error) {
      if (error instanceof PortError) throw portFailure(error);
      throw error;
    }
    const console = new BoardConsole(path, serial);
    try {
      await console.begin();
    } catch (error) {
      await console.close();
      throw error;
    }
    return console;
  }

  private constructor(
    private readonly path: string,
    private readonly serial: NodeSerial,
  ) {
    serial.onReceive = () => this.take();
    serial.onFailure = (error) => {
      this.gone = portFailure(error);
      this.heard();
    };
  }

  /**
   * The lines of the answer, without the `ok` behind them. Rejects with a {@link Refusal} that has what the board says
   * is wrong, or with a {@link Failure} when no answer comes.
   */
  async ask(command: string): Promise<string[]> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.askOnce(command);
      } catch (error) {
        const lost = error instanceof Refusal && error.message.startsWith(LOST);
        if (!lost || tries === SEND_TRIES) throw error;
      }
    }
  }

  /** An answer of `key=value` lines. */
  async askMap(command: string): Promise<Map<string, string>> {
    const lines = await this.ask(command);
    return new Map(lines.filter((line) => line.includes("=")).map((line) => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }));
  }

  async close(): Promise<void> {
    await this.serial.close();
  }

  /** Throws away whatever stands in the line, and has the board tell only what it is asked. */
  private async begin(): Promise<void> {
    for (let tries = 1; ; tries++) {
      this.said = "";
      this.write("\u0003");
      if (await this.until(() => this.said.endsWith(PROMPT), PROMPT_PATIENCE)) break;
      if (tries === PROMPT_TRIES) {
        throw new Failure(
          `${this.path}: no prompt of a board: is this the port of its console (${CONSOLE_BAUD} baud), and does it run Moth?`,
        );
      }
    }
    await this.ask("log off");
  }

  private async askOnce(command: string): Promise<string[]> {
    this.said = "";
    this.write(`${command}\r`);
    let answer: string[] | undefined;
    await this.until(() => (answer = answerIn(this.said)) !== undefined, ANSWER_PATIENCE);
    if (answer === undefined) throw new Failure(`${this.path}: the board did not answer: try again`);
    const last = answer.pop() ?? "";
    if (last !== "ok") throw new Refusal(last.slice(ERROR.length));
    return answer;
  }

  private write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.serial.write(bytes, 0, bytes.length);
  }

  private take(): void {
    for (;;) {
      const count = this.serial.read(this.piece, 0, this.piece.length);
      if (count === 0) break;
      this.said += this.decoder.decode(this.piece.subarray(0, count), { stream: true });
    }
    this.heard();
  }

  /** Waits until something is so. False when it was not within `patience` ms. */
  private until(isSo: () => boolean, patience: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const end = (so: boolean): void => {
        clearTimeout(timer);
        this.heard = () => undefined;
        resolve(so);
      };
      const timer = setTimeout(() => end(false), patience);
      this.heard = () => {
        if (isSo()) {
          end(true);
        } else if (this.gone !== undefined) {
          clearTimeout(timer);
          reject(this.gone);
        }
      };
      this.heard();
    });
  }
}

const ERROR = "error: ";

/** The lines behind the echo up to `ok` or `error: …`; undefined while that has not come. */
function answerIn(said: string): string[] | undefined {
  const lines = said.split("\r\n");
  lines.pop();
  const answer = lines.slice(1).filter((line) => !isUnasked(line));
  const end = answer.findIndex((line) => line === "ok" || line.startsWith(ERROR));
  return end < 0 ? undefined : answer.slice(0, end + 1);
}

/** What a board tells by itself stands on a line of its own. */
function isUnasked(line: string): boolean {
  return /^(.*\r\u001b\[K)?\* /.test(line);
}
