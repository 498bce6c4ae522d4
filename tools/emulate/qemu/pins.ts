/** One of the chip's ports of 16 pins. */
import { PlainRegisters } from "./part";

const MODER = 0x00;
const PUPDR = 0x0c;
const IDR = 0x10;
const ODR = 0x14;
const BSRR = 0x18;
const PINS = 16;

const OUTPUT = 1;
const ANALOG = 3;
const PULL_UP = 1;

/** What a port comes up with: the debugger's pins of A and B are not inputs. */
const INITIAL: readonly ReadonlyMap<number, number>[] = [
  new Map([[MODER, 0xa8000000], [PUPDR, 0x64000000]]),
  new Map([[MODER, 0x00000280], [PUPDR, 0x00000100]]),
];

export interface PinWiring {
  /** The chip drives a pin, or has let go of it (undefined). */
  readonly drive: (pin: number, level: boolean | undefined) => void;
  /** The level that the world puts on a pin; undefined when nothing is connected to it. */
  readonly level: (pin: number) => boolean | undefined;
}

export class PinPort extends PlainRegisters {
  private readonly driven = new Map<number, boolean>();

  /** `port`: 0 is A. Pins are numbered from `16 * port`. */
  constructor(private readonly port: number, private readonly wiring: PinWiring) {
    super(INITIAL[port] ?? new Map());
  }

  override read(offset: number): number {
    return offset === IDR ? this.levels() : super.read(offset);
  }

  override write(offset: number, value: number): void {
    if (offset === BSRR) {
      super.write(ODR, (super.read(ODR) & ~(value >>> 16)) | (value & 0xffff));
    } else {
      super.write(offset, value);
    }
    this.settle();
  }

  override reset(): void {
    super.reset();
    this.settle();
  }

  private twoBits(register: number, pin: number): number {
    return (super.read(register) >>> (2 * pin)) & 3;
  }

  private output(pin: number): boolean {
    return ((super.read(ODR) >>> pin) & 1) === 1;
  }

  private levels(): number {
    let levels = 0;
    for (let pin = 0; pin < PINS; pin += 1) if (this.level(pin)) levels |= 1 << pin;
    return levels;
  }

  private level(pin: number): boolean {
    const mode = this.twoBits(MODER, pin);
    if (mode === OUTPUT) return this.output(pin);
    if (mode === ANALOG) return false;
    return this.wiring.level(PINS * this.port + pin) ?? this.twoBits(PUPDR, pin) === PULL_UP;
  }

  /** Tells the world what has changed on the outputs. */
  private settle(): void {
    for (let pin = 0; pin < PINS; pin += 1) {
      const level = this.twoBits(MODER, pin) === OUTPUT ? this.output(pin) : undefined;
      if (level === this.driven.get(pin)) continue;
      if (level === undefined) this.driven.delete(pin);
      else this.driven.set(pin, level);
      this.wiring.drive(PINS * this.port + pin, level);
    }
  }
}
