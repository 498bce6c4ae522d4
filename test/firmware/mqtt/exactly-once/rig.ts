/** A client with QoS 2 on a scripted link, and what its tests say to it as the broker. */
import type { IPublishPacket, Packet } from "mqtt-packet";
import { addSubscription } from "../../../../firmware/mqtt/client";
import type { ClientOptions } from "../../../../firmware/mqtt/client-state";
import type { ExactlyOnce, IdList } from "../../../../firmware/mqtt/exactly-once";
import { createExactlyOnce } from "../../../../firmware/mqtt/exactly-once/create";
import { idListAt } from "../../../../firmware/mqtt/exactly-once/id-list";
import { createPublication } from "../../../../firmware/mqtt/publication";
import { publishText } from "../../../../firmware/mqtt/publish";
import { connect, createListener, createSession, exchange, fromBroker, message, type Session } from "../session";

export interface Rig extends Session {
  readonly exactlyOnce: ExactlyOnce;
  /** What the subscription to `in/#` was given. */
  readonly heard: string[];
}

export const valve = createPublication("valve", 2, false, 80);
export const reading = createPublication("reading", 1, false, 80);
export const live = createPublication("live", 0, false, 80);

export interface RigOptions extends Partial<ClientOptions> {
  readonly sending?: number;
  readonly receiving?: number;
  readonly pubackEnds?: boolean;
}

export function createRig({ sending = 8, receiving = 8, pubackEnds, ...options }: RigOptions = {}, now = 0): Rig {
  const exactlyOnce = createExactlyOnce({ sending, receiving, pubackEnds });
  const session = createSession({ exactlyOnce, ...options }, now);
  const listener = createListener();
  if (addSubscription(session.client, "in/#", 2, listener) === undefined) throw new Error("no subscription");
  return Object.assign(session, { exactlyOnce, heard: listener.heard });
}

/** The same, with a session, its subscription granted and nothing left to say. */
export function online(options: RigOptions = {}, now = 0): Rig {
  const rig = createRig(options, now);
  connect(rig);
  settle(rig);
  return rig;
}

/** Exchanges until nothing is left to say but what is asked of the broker, and grants every subscription. */
export function settle(rig: Rig): Packet[] {
  const packets = exchange(rig);
  for (const packet of packets) {
    if (packet.cmd !== "subscribe") continue;
    fromBroker(rig, { cmd: "suback", messageId: packet.messageId ?? 0, granted: packet.subscriptions.map(({ qos }) => qos) });
  }
  return packets.filter(({ cmd }) => cmd !== "subscribe");
}

/** Publishes and sends. Gives the identifier. */
export function send(rig: Rig, payload: string, publication = valve): number {
  if (!publishText(rig.client, publication, payload)) throw new Error(`no room for ${payload}`);
  const id = rig.client.lastId;
  settle(rig);
  return id;
}

export type Acknowledgement = "puback" | "pubrec" | "pubrel" | "pubcomp";

export function acknowledge(rig: Rig, cmd: Acknowledgement, messageId: number): string[] {
  fromBroker(rig, { cmd, messageId });
  return said(rig);
}

export function deliver(rig: Rig, payload: string, messageId: number, options: Partial<IPublishPacket> = {}): string[] {
  fromBroker(rig, message("in/a", payload, { qos: 2, messageId, ...options }));
  return said(rig);
}

/** What the client says now, each packet as its name and identifier; a PUBLISH with its payload, QoS and DUP. */
export function said(rig: Rig): string[] {
  return settle(rig).map(describePacket);
}

export function describePacket(packet: Packet): string {
  if (packet.cmd !== "publish") return packet.messageId === undefined ? packet.cmd : `${packet.cmd} ${packet.messageId}`;
  const dup = packet.dup ? " dup" : "";
  return `publish ${packet.payload.toString()} ${packet.qos} ${packet.messageId ?? 0}${dup}`;
}

export function idsOf(list: IdList): number[] {
  return Array.from({ length: list.count }, (_, i) => idListAt(list, i));
}
