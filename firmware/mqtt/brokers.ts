/** The brokers of a client, in the order in which they are tried, and which of them is next. */
import { LinkLoss } from "../core/link";
import { type Broker, type Client } from "./client-state";

/** The broker of the last link, or of the present one. */
export function brokerOf(client: Client): Broker {
  return brokerAt(client, client.broker);
}

/** The broker at `place`, 0 or more. */
export function brokerAt({ options }: Client, place: number): Broker {
  return options.otherBrokers?.[place - 1] ?? options;
}

/** How many there are to try. */
export function brokersOf({ options }: Client): number {
  return 1 + (options.otherBrokers?.length ?? 0);
}

/**
 * After a link that led to no session, and not for want of a network, the next broker is tried. False when there is
 * none, or it is the first again. When a session is lost, its broker is asked first if it has kept it; otherwise the
 * first of all is.
 */
export function moveOn(client: Client, loss: LinkLoss): boolean {
  const ofBroker = loss === LinkLoss.Unreachable || loss === LinkLoss.Peer || loss === LinkLoss.Closed;
  if (client.welcome && client.options.cleanSession) client.nextBroker = 0;
  if (client.welcome || !ofBroker) return false;
  client.nextBroker = client.broker + 1;
  if (client.nextBroker === brokersOf(client)) client.nextBroker = 0;
  return client.nextBroker > 0;
}
