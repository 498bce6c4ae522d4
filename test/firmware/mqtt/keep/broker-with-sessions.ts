/**
 * A broker with one client, as far as sessions go: QoS 1 and 2 in both directions, by the book. It uses a packet
 * identifier again as soon as it is free, so that a client that takes a new message for a copy of an old one is found out.
 */
import { generate, type IPublishPacket, type Packet } from "mqtt-packet";

interface Outgoing {
  readonly payload: string;
  readonly qos: 1 | 2;
  readonly id: number;
  /** PUBREC has come: from now on it is PUBREL that is said. */
  released: boolean;
}

export interface Broker {
  /** Says what its client has sent. Gives the bytes of the answers. */
  take(packet: Packet): number[];
  /** A message for its client. Gives the bytes that go at once. */
  publish(payload: string, qos: 1 | 2): number[];
  disconnected(): void;
  /** Forgets its client, as one does that was restarted without a disc. */
  forget(): void;
  /** How often each payload has arrived, in the order of the first time. */
  readonly arrived: Map<string, number>;
  /** What the client did wrong, as sentences. */
  readonly faults: string[];
  /** Identifiers that are held in either direction. */
  held(): number;
}

export function createBroker(window: number): Broker {
  let present = false;
  let connected = false;
  let subscribed = false;
  let received = new Set<number>();
  let sent: Outgoing[] = [];
  let waiting: { payload: string; qos: 1 | 2 }[] = [];
  const arrived = new Map<string, number>();
  const faults: string[] = [];

  function bytesOf(packet: Packet): number[] {
    return [...generate(packet)];
  }

  function publishOf({ payload, qos, id }: Outgoing, dup: boolean): number[] {
    return bytesOf({ cmd: "publish", topic: "command", payload, qos, messageId: id, dup, retain: false });
  }

  function freeId(): number {
    for (let id = 1; ; id++) if (!sent.some((each) => each.id === id)) return id;
  }

  function pump(): number[] {
    const bytes: number[] = [];
    while (connected && subscribed && sent.length < window) {
      const next = waiting.shift();
      if (next === undefined) break;
      const outgoing = { ...next, id: freeId(), released: false };
      sent.push(outgoing);
      bytes.push(...publishOf(outgoing, false));
    }
    return bytes;
  }

  function connack(): number[] {
    const bytes = bytesOf({ cmd: "connack", returnCode: 0, sessionPresent: present });
    present = true;
    connected = true;
    for (const outgoing of sent) {
      if (outgoing.released) bytes.push(...bytesOf({ cmd: "pubrel", messageId: outgoing.id }));
      else bytes.push(...publishOf(outgoing, true));
    }
    return [...bytes, ...pump()];
  }

  function arrives(payload: string): void {
    arrived.set(payload, (arrived.get(payload) ?? 0) + 1);
  }

  function publishCame(packet: IPublishPacket): number[] {
    const id = packet.messageId ?? 0;
    const payload = packet.payload.toString();
    if (packet.qos === 2) {
      // A copy is told by its identifier alone. [MQTT-4.3.3-2]
      if (!received.has(id)) arrives(payload);
      received.add(id);
      return bytesOf({ cmd: "pubrec", messageId: id });
    }
    arrives(payload);
    return packet.qos === 1 ? bytesOf({ cmd: "puback", messageId: id }) : [];
  }

  function ended(id: number, what: (outgoing: Outgoing) => boolean): number[] {
    const before = sent.length;
    sent = sent.filter((outgoing) => outgoing.id !== id || !what(outgoing));
    if (sent.length === before) faults.push(`ended ${id}, which it was not at`);
    return pump();
  }

  return {
    arrived,
    faults,
    take(packet) {
      const id = "messageId" in packet ? (packet.messageId ?? 0) : 0;
      switch (packet.cmd) {
        case "connect":
          if (packet.clean === true) faults.push("wanted a clean session");
          return connack();
        case "publish":
          return publishCame(packet);
        case "pubrel":
          received.delete(id);
          return bytesOf({ cmd: "pubcomp", messageId: id });
        case "puback":
          return ended(id, ({ qos }) => qos === 1);
        case "pubrec": {
          const outgoing = sent.find((each) => each.id === id && each.qos === 2);
          if (outgoing !== undefined) outgoing.released = true;
          return bytesOf({ cmd: "pubrel", messageId: id });
        }
        case "pubcomp":
          return ended(id, ({ released }) => released);
        case "subscribe":
          subscribed = true;
          return [...bytesOf({ cmd: "suback", messageId: id, granted: packet.subscriptions.map(({ qos }) => qos) }), ...pump()];
        case "pingreq":
          return bytesOf({ cmd: "pingresp" });
        default:
          throw new Error(`the client sent ${packet.cmd}`);
      }
    },
    publish(payload, qos) {
      waiting.push({ payload, qos });
      return pump();
    },
    disconnected() {
      connected = false;
    },
    forget() {
      present = false;
      subscribed = false;
      received = new Set();
      sent = [];
      waiting = [];
    },
    held() {
      return received.size + sent.length + waiting.length;
    },
  };
}
