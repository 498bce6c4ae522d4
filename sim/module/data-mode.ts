/** What takes the bytes from the host in place of the receive task, from a prompt on until it is left. */
export interface DataMode {
  /** Bytes as the UART driver hands them over: where a chunk ends may matter. */
  accept(chunk: Uint8Array): void;
}

const CANCEL = Buffer.from("+++");
const BACKSLASH = 0x5c;
const ZERO = 0x30;

/**
 * AT+CIPSENDEX: collects up to `length` bytes, or until the two bytes `\\0`. A backslash stands for itself only in
 * pairs; before anything else it goes away. `done` gets the payload, or undefined if `+++` has cancelled it. What comes
 * after that is lost.
 */
export class Unescaper implements DataMode {
  private readonly payload: number[] = [];
  private taken = 0;
  private escaped = false;
  private over = false;

  constructor(
    private readonly length: number,
    private readonly done: (payload: Uint8Array | undefined) => void,
  ) {}

  accept(chunk: Uint8Array): void {
    if (!this.over && CANCEL.equals(chunk)) {
      this.end(undefined);
      return;
    }
    for (const byte of chunk) {
      if (this.over) {
        return;
      }
      this.take(byte);
    }
  }

  private take(byte: number): void {
    this.taken += 1;
    if (this.escaped && byte === ZERO) {
      this.end(Uint8Array.from(this.payload));
      return;
    }
    if (byte === BACKSLASH && !this.escaped) {
      this.escaped = true;
    } else {
      this.payload.push(byte);
      this.escaped = false;
    }
    if (this.taken === this.length) {
      this.end(Uint8Array.from(this.payload));
    }
  }

  private end(payload: Uint8Array | undefined): void {
    this.over = true;
    this.done(payload);
  }
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
