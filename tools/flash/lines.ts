/** DTR and RTS of the adapter, where they are wired to the board's reset and BOOT0. */
import type { ControlLines } from "../../hal/node/serial";
import type { Wire } from "./wire";

export type LineChoice = "dtr" | "rts" | "none";

/**
 * An asserted line is 0 V at the adapter's pin, a released one 3.3 V. Wired straight, an asserted line holds NRST (low)
 * and a released one makes BOOT0 high. The inversions are for a transistor in between.
 */
export interface Wiring {
  readonly reset: LineChoice;
  readonly boot: LineChoice;
  readonly invertReset: boolean;
  readonly invertBoot: boolean;
}

/** How long reset is held, and how long the chip gets to start, in ms. */
const HOLD = 50;
const START = 100;

/** What both lines must be for these states of the board's pins. A line that is not wired stays released. */
export function linesFor(wiring: Wiring, pins: { readonly reset: boolean; readonly boot0: boolean }): ControlLines {
  const lines = { dtr: false, rts: false };
  if (wiring.reset !== "none") lines[wiring.reset] = pins.reset !== wiring.invertReset;
  if (wiring.boot !== "none") lines[wiring.boot] = pins.boot0 === wiring.invertBoot;
  return lines;
}

/** Resets the board into its boot loader as far as the lines reach; a person does the rest. */
export async function resetIntoBootLoader(wire: Wire, wiring: Wiring): Promise<void> {
  if (wiring.reset === "none" && wiring.boot === "none") return;
  await wire.setLines(linesFor(wiring, { reset: true, boot0: true }));
  await wire.pause(HOLD);
  await wire.setLines(linesFor(wiring, { reset: false, boot0: true }));
  await wire.pause(START);
  // What the board said while it started is of no interest.
  wire.discard();
}

/** Resets the board into its firmware. False when it is not wired for that. */
export async function resetIntoFirmware(wire: Wire, wiring: Wiring): Promise<boolean> {
  if (wiring.reset === "none" || wiring.boot === "none") return false;
  await wire.setLines(linesFor(wiring, { reset: true, boot0: false }));
  await wire.pause(HOLD);
  await wire.setLines(linesFor(wiring, { reset: false, boot0: false }));
  return true;
}
