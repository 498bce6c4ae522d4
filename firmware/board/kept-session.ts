/**
 * A board whose session survives power cuts:
 *
 *     export default board({
 *       name: "meter",
 *       session: keptSession({ perMinute: 2 }),
 *       …
 *     });
 *
 * What it publishes at QoS 1 is kept until the broker has acknowledged it, and the broker keeps the commands that are
 * sent while the board is away: they are obeyed when it is back, however old. `status` shows what is kept. How many
 * messages there is room for, and how long the flash lasts, is told in `firmware/mqtt/keep/keep.ts`.
 */
import { createKeeper, type KeeperOptions } from "../mqtt/keep/keep";
import { type SessionSpec } from "./spec";

/** @boot */
export function keptSession(options: KeeperOptions): SessionSpec {
  return {
    /** @boot */
    create(storage, record) {
      return createKeeper(storage, record, options);
    },
  };
}
