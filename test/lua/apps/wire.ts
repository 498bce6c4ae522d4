/** A link without a module or a broker, for applications of tests: the application says itself what comes of it. */
import type { Millis } from "../../../hal/hal";
import { allocate } from "#native";
import { type Link, LinkLoss, LinkState, type LinkUser, NOBODY, type Span } from "../../../firmware/core/link";

/** The most that a run of it carries, in bytes. */
const LIMIT = 512;

export interface Wire extends Link {
  state: LinkState;
  user: LinkUser;
  readonly span: Span;
}

/** @boot */
export function createWire(): Wire {
  const wire: Wire = {
    state: LinkState.Down,
    user: NOBODY,
    span: { bytes: allocate(1), at: 0, count: 0 },
    attach(user: LinkUser) {
      wire.user = user;
    },
    open() {
      wire.state = LinkState.Opening;
    },
    close() {
      wire.state = LinkState.Closing;
    },
  };
  return wire;
}

/** Takes all that the client has to send. */
export function send(wire: Wire, now: Millis): void {
  const user = wire.user;
  while (wire.state === LinkState.Up && user.waiting()) {
    let left = user.offer(LIMIT);
    if (left === 0) return;
    while (left > 0) {
      user.piece(wire.span);
      left -= wire.span.count;
      user.taken(now, wire.span.count);
    }
  }
}

/** Tells of a loss, when the client has closed the wire or, `lose`, when it breaks. */
export function endWire(wire: Wire, now: Millis, lose: boolean): void {
  if (wire.state !== LinkState.Closing && !(wire.state === LinkState.Up && lose)) return;
  const loss = wire.state === LinkState.Closing ? LinkLoss.Closed : LinkLoss.Network;
  wire.state = LinkState.Down;
  wire.user.linkDown(now, loss);
}
