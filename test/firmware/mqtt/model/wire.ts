/**
 * A link as a driver offers it, whose far end is the test. It knows nothing of packets: it takes bytes of the client and
 * gives it bytes, in pieces as small as the test likes, and is cut wherever the test likes.
 */
import { type Link, type LinkLoss, LinkState, type LinkUser, type Span } from "../../../../firmware/core/link";
import type { Millis } from "../../../../hal/hal";

export interface Wire extends Link {
  state: LinkState;
  now: Millis;
  up(): void;
  down(loss: LinkLoss): void;
  /** Takes at most `most` bytes of what the client has to say, `piece` at a time, out of runs of at most `limit`. */
  take(most: number, piece: number, limit: number): number[];
  /** Gives bytes to the client, `piece` at a time and never more than it has room for. Gives how many it took. */
  give(bytes: readonly number[], piece: number): number;
}

export function createWire(now: Millis): Wire {
  const users: LinkUser[] = [];
  let runLeft = 0;
  function user(): LinkUser {
    const [only] = users;
    if (only === undefined) throw new Error("nobody is attached to the wire");
    return only;
  }
  const wire: Wire = {
    state: LinkState.Down,
    now,
    attach(someone) {
      users[0] = someone;
    },
    open() {
      if (wire.state !== LinkState.Down) throw new Error("opened a link that is not down");
      wire.state = LinkState.Opening;
    },
    close() {
      if (wire.state !== LinkState.Down) wire.state = LinkState.Closing;
    },
    up() {
      wire.state = LinkState.Up;
      runLeft = 0;
      user().linkUp(wire.now);
    },
    down(loss) {
      wire.state = LinkState.Down;
      runLeft = 0;
      user().linkDown(wire.now, loss);
    },
    take(most, piece, limit) {
      const taken: number[] = [];
      const span: Span = { bytes: new Uint8Array(1), at: 0, count: 0 };
      // A run that was begun is finished even if the client closes the link meanwhile.
      while (taken.length < most && (runLeft > 0 || (wire.state === LinkState.Up && user().waiting()))) {
        if (runLeft === 0) {
          runLeft = user().offer(limit);
          if (runLeft > limit) throw new Error(`a run of ${runLeft} bytes, the limit is ${limit}`);
        }
        if (runLeft === 0) break;
        user().piece(span);
        if (span.count < 1) throw new Error(`an empty piece, with ${runLeft} bytes of the run left`);
        const count = Math.min(span.count, piece, runLeft, most - taken.length);
        for (let i = 0; i < count; i++) taken.push(span.bytes[span.at + i] ?? -1);
        runLeft -= count;
        user().taken(wire.now, count);
      }
      return taken;
    },
    give(bytes, piece) {
      let at = 0;
      while (at < bytes.length && wire.state === LinkState.Up) {
        const count = Math.min(piece, user().room(), bytes.length - at);
        if (count < 1) break;
        // What the client keeps beyond the call must be a copy.
        const lent = Uint8Array.from(bytes.slice(at, at + count));
        user().received(wire.now, lent, 0, count);
        lent.fill(0xee);
        at += count;
      }
      return at;
    },
  };
  return wire;
}
