import type { Loss } from "./receive-task";

/**
 * What may be watched of a module. All hooks are optional. Bytes that a hook is given belong to the module: copy to
 * keep.
 */
export interface ModuleObserver {
  /** Bytes as they came from the host, also those that the module throws away. */
  fromHost?(bytes: Uint8Array): void;
  /** Bytes as they go onto the wire to the host, one call a response or message. */
  toHost?(bytes: Uint8Array): void;
  /** Bytes from the host that got nowhere, and why. */
  lost?(count: number, cause: Loss): void;
  /** A whole command line, without its line end, before it is judged. */
  command?(line: string): void;
  reset?(cause: ResetCause): void;
  /** What it draws current for has changed, or begun again. */
  draws?(draw: Draw): void;
  /** A fault strikes; `argument` if it has one. */
  fault?(name: string, argument: number | undefined): void;
  /** The command interpreter listens. */
  ready?(): void;
  wifiJoined?(ssid: string, ip: string): void;
  wifiLost?(): void;
  linkOpened?(link: number, host: string, port: number): void;
  linkRefused?(link: number, host: string, port: number, reason: string): void;
  linkClosed?(link: number): void;
  /** Bytes that were handed to the network. */
  linkSent?(link: number, bytes: Uint8Array): void;
  /** Bytes that came from the network; the host has not seen them yet. */
  linkReceived?(link: number, bytes: Uint8Array): void;
}

/** "off": there is no supply; "held": in reset; "asleep": deep sleep; "on": all else, from the beginning of a boot. */
export type Draw = "off" | "held" | "asleep" | "on";

/** "wake": from deep sleep; "exception": what the firmware's own watchdog makes of one; "crash": the hardware's watchdog. */
export type ResetCause = "power" | "pin" | "wake" | "command" | "exception" | "crash";

/** Whether nobody wanted the reset. */
export function fellOver(cause: ResetCause): boolean {
  return cause === "exception" || cause === "crash";
}
