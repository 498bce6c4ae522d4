/**
 * The size of every buffer of a board, in one place. The outbox and the control ring (which is made as large as CONNECT,
 * `subscribe` and some acknowledgements need) have high-water marks and counters of what they refused.
 */

/** In bytes, unless said otherwise. */
export const SIZES = {
  /** The outbox: messages in flight and messages waiting for a link. 32 readings of 120 bytes. */
  outbox: 4096,
  /** And how many messages at most. */
  outboxSlots: 32,
  /** The largest message that is delivered, topic included. */
  receive: 512,
  /** What is read from the serial port at a time; also the longest line of the module. */
  window: 1024,
  /** The most that one send of the module carries, if it takes as many. */
  send: 4096,
  /**
   * The most that one receive asks for: the answer fits the smallest ring of a serial port, so that at no rate and however
   * long a turn takes a byte of it is lost.
   */
  receivePiece: 960,
  /** All filters of a board together, as one SUBSCRIBE. */
  subscribe: 512,
  /** A record in storage, as long as one may be: of settings, and at other times of the numbers that a board keeps. */
  settings: 1024,
  /** The console: the longest line that is typed, and the ring of what is answered. */
  consoleLine: 384,
  consoleOutput: 768,
  /** How many events the journal remembers. */
  journal: 32,
};
