/**
 * While nothing is read from the link by our own choice, PINGRESP and the acknowledgements that the broker has sent lie
 * unread: patience with them rests, and begins anew when reading does.
 */
import type { Millis } from "../../../hal/hal";
import { arm } from "../../core/time";
import { type Client, ClientState } from "../client-state";
import { ACK_PATIENCE, PINGRESP_PATIENCE } from "../sender";

/** A reason to read nothing is over. There may be another. */
export function readAgain(client: Client, now: Millis): void {
  const { hold, byHand } = client;
  if (!client.paused || client.state !== ClientState.Online) return;
  if (hold !== undefined && hold.holding) return;
  if (byHand !== undefined && byHand.count === byHand.slots) return;
  client.paused = false;
  if (client.pingresp.armed) arm(client.pingresp, now, PINGRESP_PATIENCE);
  if (client.ack.armed) arm(client.ack, now, ACK_PATIENCE);
  const patience = client.exactlyOnce?.patience;
  if (patience?.armed === true) arm(patience, now, ACK_PATIENCE);
}
