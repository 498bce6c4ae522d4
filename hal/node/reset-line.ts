import type { ResetLine } from "../hal";
import type { ControlLines } from "./serial";

/** Whatever has modem lines: a `NodeSerial`. */
export interface HasLines {
  setLines(lines: ControlLines): Promise<void>;
}

/** Which modem line of the adapter is wired to the module's reset: `none` leaves both lines as they are. */
export type ResetWiring = "rts" | "dtr" | "none";

/**
 * The module's reset on a modem line: asserted is reset. The other line is kept released, as boards with automatic
 * reset want it (asserted, it would choose their boot loader).
 */
export class ModemResetLine implements ResetLine {
  /** Releases both lines, if one is wired. Rejects with a `PortError` when the port has no such lines. */
  static async on(serial: HasLines, wiring: ResetWiring): Promise<ModemResetLine> {
    if (wiring !== "none") await serial.setLines({ rts: false, dtr: false });
    return new ModemResetLine(serial, wiring);
  }

  private constructor(
    private readonly serial: HasLines,
    private readonly wiring: ResetWiring,
  ) {}

  get present(): boolean {
    return this.wiring !== "none";
  }

  hold(reset: boolean): void {
    if (!this.present) return;
    const lines = { rts: reset && this.wiring === "rts", dtr: reset && this.wiring === "dtr" };
    // Lines that worked at the start fail only when the port is gone, which the port itself reports.
    this.serial.setLines(lines).catch(() => undefined);
  }
}
