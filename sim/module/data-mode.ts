/** What takes the bytes from the host in place of the receive task, from a prompt on until it is left. */
export interface DataMode {
  /** Bytes as the UART driver hands them over: where a chunk ends may matter. */
  accept(chunk: Uint8Array): void;
}

/** Collects a known number of bytes. What comes after them in the same chunk is lost. */
export class Collector implements DataMode {
  private readonly bytes: Uint8Array;
  private filled = 0;

  constructor(
    length: number,
    private readonly done: (bytes: Uint8Array) => void,
  ) {
    this.bytes = new Uint8Array(length);
  }

  accept(chunk: Uint8Array): void {
    const used = chunk.subarray(0, this.bytes.length - this.filled);
    this.bytes.set(used, this.filled);
    this.filled += used.length;
    if (this.filled === this.bytes.length) {
      this.done(this.bytes);
    }
  }
}
