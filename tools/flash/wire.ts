/** The serial line to a board, as flashing needs it. */
import type { ControlLines } from "../../hal/node/serial";

/** Every function that takes time rejects with a `PortError` when the port fails. */
export interface Wire {
  /** Hands all of `bytes` on to be sent. */
  send(bytes: Uint8Array): Promise<void>;
  /** Up to `count` bytes: as many as have come when there are enough, or after `ms`. */
  receive(count: number, ms: number): Promise<Uint8Array>;
  /** Drops what has come and was not received. */
  discard(): void;
  /** Drives the modem lines: true is asserted, 0 V at the adapter's pin. */
  setLines(lines: ControlLines): Promise<void>;
  pause(ms: number): Promise<void>;
  /**
   * Throws {@link Interrupted} when a person has asked to stop. Called where the board waits for nothing, so that it is
   * never left in the middle of a command.
   */
  checkpoint(): void;
  close(): Promise<void>;
}

export interface WireSettings {
  readonly baud: number;
  readonly parity: "none" | "even";
}

/** Opens the line, also again with other settings once the one before is closed. */
export type OpenWire = (settings: WireSettings) => Promise<Wire>;

/** A person asked to stop. */
export class Interrupted extends Error {}
