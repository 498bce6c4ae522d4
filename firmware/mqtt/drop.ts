/** Cutting a session off, for whoever wants the broker to publish the will, or has no faith in the link. */
import { type Client, ClientState, Fault } from "./client-state";
import { fail } from "./incoming";

/**
 * Ends the link without DISCONNECT: the broker publishes the will. What was not acknowledged is sent again in the next
 * session, for which the client backs off as after a loss; when it was leaving, there is none. It may be called from
 * within a handler: its message is not acknowledged then, and what has come behind it is not read. Without a link it
 * does nothing.
 */
export function clientDrop(client: Client): void {
  switch (client.state) {
    case ClientState.Opening:
    case ClientState.Connecting:
    case ClientState.Online:
    case ClientState.Leaving:
      fail(client, Fault.Dropped);
      return;
    case ClientState.Idle:
    case ClientState.BackingOff:
    case ClientState.Closing:
      return;
  }
}
