/** RESETS: nearly every block comes up held, and is let go by the firmware. `rp2040js` has them all running. */
import { BasePeripheral, type RP2040 } from "rp2040js";

const RESET = 0x0;
const DONE = 0x8;
const ALL = 0x1ffffff;
/** What the boot ROM has let go when it enters the second stage: the pins of the flash. */
const LEFT_RUNNING = (1 << 6) | (1 << 9);

export class Resets extends BasePeripheral {
  private held = ALL & ~LEFT_RUNNING;

  constructor(rp2040: RP2040) {
    super(rp2040, "RESETS");
  }

  isHeld(bit: number): boolean {
    return (this.held & (1 << bit)) !== 0;
  }

  override readUint32(offset: number): number {
    switch (offset & 0xfff) {
      case RESET:
        return this.held;
      case DONE:
        return ALL & ~this.held;
      default:
        return super.readUint32(offset);
    }
  }

  override writeUint32(offset: number, value: number): void {
    if (offset === RESET) this.held = value & ALL;
    else super.writeUint32(offset, value);
  }
}
