import type { Command } from "./command-line";

/** What the module does with the bytes that it receives. */
export const enum ReceiveState {
  /** Collects a command line. */
  Idle,
  /** Runs a command, and refuses every other. */
  Processing,
  /** Has printed the prompt and collects the payload. */
  SendWait,
  /** Has the payload and has not reported on it. */
  Sending,
}

/** Why bytes from the host got nowhere. */
export type Loss = "overflow" | "asleep" | "booting" | "line too long" | "processing" | "sending" | "surplus";

/** What the task needs of the rest of the firmware. */
export interface ReceiverDuties {
  readonly echo: boolean;
  readonly showErrorCodes: boolean;
  /** Prints at once, between whatever other tasks print. */
  print(text: string | Uint8Array): void;
  /** Prints what came from the host back to it. */
  echoBack(bytes: Uint8Array): void;
  /** Whether a fault has a whole line be dropped without a word. */
  overlooks(line: Uint8Array): boolean;
  /** A whole line, for whoever watches. */
  saw(line: Uint8Array): void;
  /** So many bytes were thrown away, for whoever watches. */
  lost(count: number, cause: Loss): void;
  run(command: Command): void;
  send(payload: Uint8Array): void;
  restart(): void;
}

/** The task that reads what the host writes, in the chunks in which the UART driver hands it over. */
export interface ReceiveTask {
  readonly state: ReceiveState;
  /** Whether the next byte is the first of a line. */
  readonly atLineStart: boolean;
  accept(chunk: Uint8Array): void;
  /** The command is done: its result may be printed, and the next one may come. */
  becomeIdle(): void;
  /** The prompt is out: the next `length` bytes are payload. */
  awaitPayload(length: number): void;
}
