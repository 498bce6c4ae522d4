/** The plainest of blocks: registers that keep what is written to them. */
import { BasePeripheral, type RP2040 } from "rp2040js";

export class PlainRegisters extends BasePeripheral {
  private readonly values: Map<number, number>;

  /** `initial`: what each register holds after reset, by its offset. Others do not exist. */
  constructor(rp2040: RP2040, name: string, initial: readonly (readonly [number, number])[]) {
    super(rp2040, name);
    this.values = new Map(initial);
  }

  override readUint32(offset: number): number {
    return this.values.get(offset & 0xfff) ?? super.readUint32(offset);
  }

  override writeUint32(offset: number, value: number): void {
    if (this.values.has(offset)) this.values.set(offset, value >>> 0);
    else super.writeUint32(offset, value);
  }
}
