/**
 * A link is a byte stream to one peer: what MQTT runs on and what a Wi-Fi driver offers. The two meet here and know
 * nothing else of each other.
 *
 * A link is a lie: bytes that were taken have left this program, not arrived at the peer. Only what the peer says
 * in answer counts. When a link goes down, whatever was taken and not answered is in doubt.
 */
import type { Bytes, Millis } from "../../hal/hal";

export const enum LinkState {
  /** No stream, and nobody has asked for one. */
  Down,
  /** Asked for. The driver does what it takes (reset the module, join, connect) and reports `linkUp` or `linkDown`. */
  Opening,
  Up,
  /** Being closed by this side; `linkDown` follows. */
  Closing,
}

/** Why a link is down, by who is at fault. */
export const enum LinkLoss {
  /** This side asked for it. */
  Closed,
  /** The peer closed an open stream. */
  Peer,
  /** The peer could not be reached, or refused. */
  Unreachable,
  /** Wi-Fi was lost. */
  Network,
  /** The module reset itself, hung, or was reset. */
  Module,
  /** Bytes were lost or damaged between the module and us: the stream cannot be trusted any more. */
  Damaged,
}

/** Some bytes that their owner lends: valid until the next call into the owner, and not to be written to. */
export interface Span {
  bytes: Bytes;
  at: number;
  count: number;
}

/** What the user of a link may ask. None of it blocks. */
export interface Link {
  readonly state: LinkState;
  /** Whom to tell. Once, before anything else. @boot */
  attach(user: LinkUser): void;
  /**
   * Asks for a stream to `host` (name or dotted address, at most 64 bytes) and `port` (1 to 65535). Exactly one of
   * `linkUp` and `linkDown` follows, however long it takes. Ignored unless the link is down.
   */
  open(host: string, port: number): void;
  /**
   * Ends the stream once the run that is being sent, if any, is out. `linkDown(Closed)` follows. On a link that is
   * down it does nothing.
   */
  close(): void;
}

/**
 * What a link asks of its user. Every call comes from the driver's turn (`waiting` also when it works out how long it may
 * sleep), never from within `open` or `close`.
 */
export interface LinkUser {
  linkUp(now: Millis): void;
  linkDown(now: Millis, loss: LinkLoss): void;
  /** How many bytes the user can take now. 0: not now, leave them in the module. */
  room(): number;
  /** `count` bytes of the stream, at most what {@link room} said, lent for the length of the call. */
  received(now: Millis, bytes: Bytes, at: number, count: number): void;
  /** Whether bytes wait to be sent. */
  waiting(): boolean;
  /**
   * Fixes what is sent next, as one run of at most `limit` bytes, and gives its length; 0 when nothing waits.
   * From here on, {@link piece} and {@link taken} speak of this run until all of it is taken or the link is down.
   */
  offer(limit: number): number;
  /** Lends the next bytes of the run that lie in one piece: `count` is at least 1 while something of it is left. */
  piece(span: Span): void;
  /** The first `count` bytes of that piece have gone. */
  taken(now: Millis, count: number): void;
}

/** Stands in until somebody attaches to a link, and does nothing. */
export const NOBODY: LinkUser = {
  linkUp() {},
  linkDown() {},
  room() {
    return 0;
  },
  received() {},
  waiting() {
    return false;
  },
  offer() {
    return 0;
  },
  piece() {},
  taken() {},
};
