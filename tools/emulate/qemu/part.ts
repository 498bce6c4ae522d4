/** A part of the chip as its registers: what the emulator puts where QEMU has nothing. */
export interface Part {
  /** What the program reads from the register at `offset`: a word, unsigned. */
  read(offset: number): number;
  /** The program has written a word to it. */
  write(offset: number, value: number): void;
  /** The chip is reset. */
  reset(): void;
}

/** Registers that keep what is written to them. */
export class PlainRegisters implements Part {
  protected readonly words = new Map<number, number>();

  constructor(private readonly initial: ReadonlyMap<number, number> = new Map()) {}

  read(offset: number): number {
    return this.words.get(offset) ?? this.initial.get(offset) ?? 0;
  }

  write(offset: number, value: number): void {
    this.words.set(offset, value >>> 0);
  }

  reset(): void {
    this.words.clear();
  }
}
