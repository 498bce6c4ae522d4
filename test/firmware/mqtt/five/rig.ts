/** A client that speaks MQTT 5.0 on a scripted link, and what its application was told. */
import type { IConnackPacket, IPublishPacket, Packet } from "mqtt-packet";
import { addSubscription } from "../../../../firmware/mqtt/client";
import type { ClientOptions } from "../../../../firmware/mqtt/client-state";
import { createExactlyOnce } from "../../../../firmware/mqtt/exactly-once/create";
import { createFive } from "../../../../firmware/mqtt/five/create";
import type { FiveOptions, FiveState, Report } from "../../../../firmware/mqtt/five/state";
import type { Qos } from "../../../../firmware/mqtt/packet";
import { type MessageHandler, type Subscription } from "../../../../firmware/mqtt/subscriptions";
import { textAt } from "../../../../hal/node/native";
import type { Span } from "../../../../firmware/core/link";
import { createListener, createSession, dial, exchange, fromBroker, poll, type Session } from "../session";
import { tellProperties } from "./wire";

export interface FiveSession extends Session {
  readonly five: FiveState;
  /** Each report: `4 reason 135 id 1 about a/b: text (reference)`; each message that is not sent: `unsent 0 a/b`. */
  readonly told: string[];
  /** The properties of the packet of each report. */
  readonly properties: string[][];
}

const QOS2 = { sending: 8, receiving: 8 };

/** `options` may name no `five`; with `qos2` it has the feature `exactlyOnce`. */
export function createFiveSession(
  own: FiveOptions = {},
  options: Partial<ClientOptions> = {},
  qos2 = false,
): FiveSession {
  const told: string[] = [];
  const properties: string[][] = [];
  const events = {
    told(_now: number, report: Report) {
      told.push(describeReport(report));
      properties.push(tellProperties(five.properties));
    },
    unsent(_now: number, why: number, topic: Span) {
      told.push(`unsent ${why} ${spanText(topic)}`);
    },
  };
  const five = createFive({ events, ...own });
  const exactlyOnce = qos2 ? { exactlyOnce: createExactlyOnce(QOS2) } : {};
  const session = createSession({ protocol: 5, five, ...exactlyOnce, ...options });
  return Object.assign(session, { five, told, properties });
}

export function spanText({ bytes, at, count }: Span): string {
  return count === 0 ? "" : textAt(bytes, at, count);
}

function describeReport({ packet, reason, id, topic, text, reference }: Report): string {
  const about = topic.count > 0 ? ` about ${spanText(topic)}` : "";
  const words = text.count > 0 ? `: ${spanText(text)}` : "";
  const other = reference.count > 0 ? ` (${spanText(reference)})` : "";
  return `${packet} reason ${reason} id ${id}${about}${words}${other}`;
}

type Grants = NonNullable<IConnackPacket["properties"]>;

/** From not started or backing off to a session. What was said on the way is forgotten, but CONNECT is given. */
export function begin(session: FiveSession, grants: Grants = {}, sessionPresent = false): Packet | undefined {
  dial(session);
  const [connect] = session.link.takePackets();
  fromBroker(session, { cmd: "connack", returnCode: 0, reasonCode: 0, sessionPresent, properties: grants });
  poll(session);
  session.told.length = 0;
  session.properties.length = 0;
  return connect;
}

/** The same, with every subscription granted. */
export function settle(session: FiveSession, grants: Grants = {}): void {
  begin(session, grants);
  grantAll(session);
}

export function grantAll(session: FiveSession): void {
  for (let packets = exchange(session); packets.length > 0; packets = exchange(session)) {
    for (const packet of packets) {
      if (packet.cmd !== "subscribe" || packet.messageId === undefined) continue;
      const granted = packet.subscriptions.map(({ qos }) => qos);
      fromBroker(session, { cmd: "suback", messageId: packet.messageId, granted });
    }
  }
}

export function subscribe(session: Session, filter: string, qos: Qos, handler: MessageHandler): Subscription {
  const subscription = addSubscription(session.client, filter, qos, handler);
  if (subscription === undefined) throw new Error(`the client refuses ${filter}`);
  return subscription;
}

/** Online, and all that comes below `a/` is written down, at any quality of service. */
export function listening(own: FiveOptions = {}, options: Partial<ClientOptions> = {}): FiveSession & { heard: string[] } {
  const session = createFiveSession(own, options, true);
  const listener = createListener();
  subscribe(session, "a/#", 2, listener);
  settle(session);
  return Object.assign(session, { heard: listener.heard });
}

type PublishProperties = NonNullable<IPublishPacket["properties"]>;

export function publish(
  session: Session,
  topic: string,
  payload: string,
  properties: PublishProperties = {},
  more: Partial<IPublishPacket> = {},
  chunk?: number,
): void {
  fromBroker(session, { cmd: "publish", qos: 0, dup: false, retain: false, topic, payload, properties, ...more }, chunk);
}

/** The reason codes of the DISCONNECTs that were sent. */
export function goodbyes(packets: readonly Packet[]): number[] {
  const reasons: number[] = [];
  for (const packet of packets) {
    if (packet.cmd === "disconnect") reasons.push(packet.reasonCode ?? 0);
  }
  return reasons;
}
