/** Reset and clock control: oscillators that are ready at once, the PLL's arithmetic, why the chip was reset. */
import { PlainRegisters } from "./part";

const CR = 0x00;
const PLLCFGR = 0x04;
const CFGR = 0x08;
const CSR = 0x74;

const HSION = 1 << 0;
const HSEON = 1 << 16;
const PLLON = 1 << 24;
const PLLSRC_HSE = 1 << 22;
const RMVF = 1 << 24;
const FLAGS = 0xfe000000;

const INTERNAL_HZ = 16_000_000;

/** Bits of CSR. A reset of any kind pulls the reset pin too. */
const PIN_RESET = 1 << 26;
export const ResetCause = {
  Power: (1 << 27) | PIN_RESET | (1 << 25),
  Restart: (1 << 28) | PIN_RESET,
  Watchdog: (1 << 29) | PIN_RESET,
} as const;

export class Clocks extends PlainRegisters {
  private causes = 0;

  /** `crystalHz`: what is soldered to the chip; undefined for nothing that swings. */
  constructor(private readonly crystalHz: number | undefined) {
    super(new Map([[CR, HSION | 0x80], [PLLCFGR, 0x24003010]]));
  }

  /** Adds to what the program will read as the cause of the reset. */
  note(cause: number): void {
    this.causes |= cause;
  }

  override read(offset: number): number {
    const word = super.read(offset);
    switch (offset) {
      case CR:
        return (word | (word & HSION) << 1 | (this.crystalSwings() ? HSEON << 1 : 0) | (this.pllHz() > 0 ? PLLON << 1 : 0)) >>> 0;
      case CFGR:
        return (word & ~12) | (this.source() << 2);
      case CSR:
        return ((word & ~(FLAGS | RMVF)) | (this.causes & FLAGS)) >>> 0;
      default:
        return word;
    }
  }

  override write(offset: number, value: number): void {
    if (offset === CSR && (value & RMVF) !== 0) this.causes = 0;
    super.write(offset, value);
  }

  /** What the processor runs at, in Hz. */
  get coreHz(): number {
    return [INTERNAL_HZ, this.crystalHz ?? 0, this.pllHz()][this.source()] ?? 0;
  }

  /** What the bus of USART2 and USART3, or that of USART1 and USART6, runs at, in Hz. */
  busHz(bus: 1 | 2): number {
    const code = (super.read(CFGR) >>> (bus === 1 ? 10 : 13)) & 7;
    return this.coreHz / (code < 4 ? 1 : 2 << (code - 4));
  }

  /** What the timers of bus 1 run at, in Hz: twice the bus, when it is divided. */
  get timerHz(): number {
    return this.busHz(1) === this.coreHz ? this.coreHz : 2 * this.busHz(1);
  }

  private crystalSwings(): boolean {
    return this.crystalHz !== undefined && (super.read(CR) & HSEON) !== 0;
  }

  /** 0 while it is off, and for settings that it cannot lock to: it wants 1 to 2 MHz in, and makes 100 to 432. */
  private pllHz(): number {
    if ((super.read(CR) & PLLON) === 0) return 0;
    const settings = super.read(PLLCFGR);
    const source = (settings & PLLSRC_HSE) === 0 ? INTERNAL_HZ : this.crystalSwings() ? this.crystalHz ?? 0 : 0;
    const input = source / (settings & 63);
    const inside = input * ((settings >>> 6) & 511);
    if (input < 0.95e6 || input > 2.1e6 || inside < 100e6 || inside > 432e6) return 0;
    return inside / (2 * (((settings >>> 16) & 3) + 1));
  }

  /** Which clock the processor runs from: 0 the internal one, 1 the crystal, 2 the PLL. */
  private source(): number {
    const wanted = super.read(CFGR) & 3;
    if (wanted === 1) return this.crystalSwings() ? 1 : 0;
    return wanted === 2 && this.pllHz() > 0 ? 2 : 0;
  }
}
