/** Where a program finds the module: a TCP port, or a pseudo terminal. One program at a time. */

/** The program's side of it. */
export interface Client {
  /** Who it is, for people. */
  readonly name: string;
  /** To the program. What it does not take for long is lost, as at a port that nobody reads. */
  write(bytes: Uint8Array): void;
  /** Takes no more bytes from the program for now. */
  pause(): void;
  resume(): void;
}

export interface OutletEvents {
  connected(client: Client): void;
  /** Bytes from the program; they are the callee's. */
  data(bytes: Uint8Array): void;
  gone(): void;
  /** Another one came while one was there, and was sent away. */
  refused(name: string): void;
  /** It works no more. */
  failed(message: string): void;
}

export interface Outlet {
  /** What a program has to open. */
  readonly address: string;
  close(): Promise<void>;
}

/** What waits for a program that does not read, before more of it is lost, in bytes. */
export const UNREAD_LIMIT = 65_536;
