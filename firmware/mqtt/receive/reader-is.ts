import { type Reader, type ReaderState } from "../reader";

/** Whether a reader is in `state`, after a call that may have changed that: the compiler would know better. */
export function readerIs(reader: Reader, state: ReaderState): boolean {
  return reader.state === state;
}
