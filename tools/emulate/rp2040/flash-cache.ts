/**
 * The cache between the bus and the flash: 16 KB in lines of 8 bytes, two for each place. A line that is not in it
 * takes a read of the flash, and the processor waits.
 */
const LINE_BITS = 3;
const SETS = 1024;

export class FlashCache {
  /** Clocks of the processor that a line from the flash takes. */
  missCycles = 0;
  /** Clocks that the processor has waited, since they were last taken. */
  private waited = 0;
  private latest = -1;
  /** The line used last in each set, then the other one. */
  private readonly first = new Int32Array(SETS).fill(-1);
  private readonly second = new Int32Array(SETS).fill(-1);

  /** `offset`: in the flash. */
  read(offset: number): void {
    const line = offset >> LINE_BITS;
    if (line === this.latest) return;
    this.latest = line;
    const set = line & (SETS - 1);
    if (this.first[set] === line) return;
    if (this.second[set] !== line) this.waited += this.missCycles;
    this.second[set] = this.first[set] ?? -1;
    this.first[set] = line;
  }

  takeWaited(): number {
    const { waited } = this;
    this.waited = 0;
    return waited;
  }

  /** Forgets everything. */
  flush(): void {
    this.latest = -1;
    this.first.fill(-1);
    this.second.fill(-1);
  }
}
