import type { IPublishPacket } from "mqtt-packet";
import { topicMatches } from "./topics";

/** A message as the broker handles it. */
export interface Message {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1;
}

/** QoS 1 messages that may be under way to one client. */
const RECEIVE_WINDOW = 20;
const LARGEST_PACKET_ID = 65535;

/** What a broker keeps of a client: its subscriptions, and the QoS 1 messages that it has not acknowledged. */
export class Session {
  readonly subscriptions = new Map<string, 0 | 1>();
  private readonly inFlight = new Map<number, IPublishPacket>();
  private readonly waiting: { readonly message: Message; readonly retain: boolean }[] = [];
  private lastId = 0;
  private send: ((packet: IPublishPacket) => void) | undefined;

  /** The best QoS that a subscription grants for a topic; undefined if none matches. */
  granted(topic: string): 0 | 1 | undefined {
    let best: 0 | 1 | undefined;
    for (const [filter, qos] of this.subscriptions) {
      if (topicMatches(filter, topic)) {
        best = best === 1 ? 1 : qos;
      }
    }
    return best;
  }

  /** The client is here: what it has not acknowledged is sent again, then what has waited. */
  resume(send: (packet: IPublishPacket) => void): void {
    this.send = send;
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

  /** The client has acknowledged a message. False if there is none of that id. */
  acknowledge(id: number): boolean {
    const known = this.inFlight.delete(id);
    this.pump();
    return known;
  }

  /** Messages that the client has not acknowledged, sent or not. */
  get pending(): number {
    return this.inFlight.size + this.waiting.length;
  }

  private pump(): void {
    while (this.send !== undefined && this.inFlight.size < RECEIVE_WINDOW) {
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
    } while (this.inFlight.has(this.lastId));
    return this.lastId;
  }
}

function publishPacket(message: Message, retain: boolean): IPublishPacket {
  return { cmd: "publish", dup: false, retain, ...message };
}
