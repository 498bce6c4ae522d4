import type { IPublishPacket, IPubrelPacket } from "mqtt-packet";
import { topicMatches } from "./topics";

/** A message as the broker handles it. */
export interface Message {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
}

/** QoS 1 and 2 messages that may be under way to one client. */
const RECEIVE_WINDOW = 20;
const LARGEST_PACKET_ID = 65535;

/** What a broker keeps of a client: its subscriptions, and of the messages at QoS 1 and 2 both ways what has not ended. */
export class Session {
  readonly subscriptions = new Map<string, 0 | 1 | 2>();
  /** Identifiers of messages at QoS 2 that came and were not released: what comes with one is a copy. */
  private readonly received = new Set<number>();
  /** Those that the client has, in the order in which it said so, and that it has not let go of. */
  private readonly released = new Set<number>();
  private readonly inFlight = new Map<number, IPublishPacket>();
  private readonly waiting: { readonly message: Message; readonly retain: boolean }[] = [];
  private lastId = 0;
  private send: ((packet: IPublishPacket | IPubrelPacket) => void) | undefined;

  /** The best QoS that a subscription grants for a topic; undefined if none matches. */
  granted(topic: string): 0 | 1 | 2 | undefined {
    let best: 0 | 1 | 2 | undefined;
    for (const [filter, qos] of this.subscriptions) {
      if (topicMatches(filter, topic) && (best === undefined || qos > best)) {
        best = qos;
      }
    }
    return best;
  }

  /** The client is here: what it has not acknowledged is sent again, then what has waited. */
  resume(send: (packet: IPublishPacket | IPubrelPacket) => void): void {
    this.send = send;
    for (const messageId of this.released) {
      send({ cmd: "pubrel", messageId });
    }
    for (const packet of this.inFlight.values()) {
      send({ ...packet, dup: true });
    }
    this.pump();
  }

  /** The client is gone. */
  suspend(): void {
    this.send = undefined;
  }

  /** Sends a message, or keeps it until the client is here; QoS 0 is not kept. */
  deliver(message: Message, retain: boolean): void {
    if (message.qos === 0) {
      this.send?.(publishPacket(message, retain));
      return;
    }
    this.waiting.push({ message, retain });
    this.pump();
  }

  /** The client has acknowledged a message at QoS 1. False if there is none of that id. */
  acknowledge(id: number): boolean {
    const known = this.inFlight.get(id)?.qos === 1 && this.inFlight.delete(id);
    this.pump();
    return known;
  }

  /** The client has a message at QoS 2, which is not sent again. False if there is none of that id. */
  confirm(id: number): boolean {
    if (this.inFlight.get(id)?.qos === 2) {
      this.inFlight.delete(id);
      this.released.add(id);
    }
    return this.released.has(id);
  }

  /** The client has let go of a message at QoS 2. False if there is none of that id. */
  complete(id: number): boolean {
    const known = this.released.delete(id);
    this.pump();
    return known;
  }

  /** A message at QoS 2 came. False if it is a copy. */
  take(id: number): boolean {
    const isNew = !this.received.has(id);
    this.received.add(id);
    return isNew;
  }

  /** The client will not send it again. */
  release(id: number): void {
    this.received.delete(id);
  }

  /** Messages that the client has not acknowledged, sent or not. */
  get pending(): number {
    return this.inFlight.size + this.released.size + this.waiting.length;
  }

  private pump(): void {
    while (this.send !== undefined && this.inFlight.size + this.released.size < RECEIVE_WINDOW) {
      const next = this.waiting.shift();
      if (next === undefined) {
        return;
      }
      const packet = { ...publishPacket(next.message, next.retain), messageId: this.freeId() };
      this.inFlight.set(packet.messageId, packet);
      this.send(packet);
    }
  }

  private freeId(): number {
    do {
      this.lastId = (this.lastId % LARGEST_PACKET_ID) + 1;
    } while (this.inFlight.has(this.lastId) || this.released.has(this.lastId));
    return this.lastId;
  }
}

function publishPacket(message: Message, retain: boolean): IPublishPacket {
  return { cmd: "publish", dup: false, retain, ...message };
}
