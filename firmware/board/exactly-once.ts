/**
 * A board with QoS 2, `mqtt: { exactlyOnce: exactlyOnce({ sending: 8, receiving: 60 }) }` in its declaration: its commands
 * come at QoS 2, and each is obeyed once. `receiving` is to be as many as may wait for the board at the broker, since
 * Mosquitto 2.0 sends them all at once: each takes 2 bytes, 4 with a session that is kept. More come in after a pause.
 */
import { type ExactlyOnce } from "../mqtt/exactly-once";
import { createExactlyOnce, type ExactlyOnceOptions } from "../mqtt/exactly-once/create";

/** @boot */
export function exactlyOnce(options: ExactlyOnceOptions): (this: void) => ExactlyOnce {
  /** @boot */
  function create(this: void): ExactlyOnce {
    return createExactlyOnce(options);
  }
  return create;
}
