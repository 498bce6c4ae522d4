/** What the tests of the receiving side do again and again. */
import { generate, type Packet } from "mqtt-packet";
import { addSubscription } from "../../../../firmware/mqtt/client";
import type { Qos } from "../../../../firmware/mqtt/packet";
import type { MessageHandler, Subscription } from "../../../../firmware/mqtt/subscriptions";
import { connect, exchange, fromBroker, type Session } from "../session";

export function subscribe(session: Session, filter: string, handler: MessageHandler, qos: Qos = 1): Subscription {
  const subscription = addSubscription(session.client, filter, qos, handler);
  if (subscription === undefined) throw new Error(`the client refuses ${filter}`);
  return subscription;
}

/** Online, with every subscription asked for and granted. */
export function settle(session: Session): void {
  connect(session);
  exchange(session);
  granted(session);
}

export function granted(session: Session): void {
  const { subscriptions, subscribeId } = session.client;
  if (subscribeId === 0) return;
  fromBroker(session, { cmd: "suback", messageId: subscribeId, granted: subscriptions.map(({ qos }) => qos) });
}

/** The identifiers of the acknowledgements among what was sent. */
export function acks(packets: readonly Packet[], cmd: "puback" | "pubrec" = "puback"): number[] {
  return packets.flatMap((packet) => (packet.cmd === cmd ? [packet.messageId ?? 0] : []));
}

export function bytesOf(...packets: readonly Packet[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(packets.map((packet) => generate(packet))));
}
