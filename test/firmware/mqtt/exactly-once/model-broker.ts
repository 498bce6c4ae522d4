/**
 * A broker with one client, by the book at QoS 1 and 2, which loses links and may forget the session with one. It takes
 * and gives packets; what it says is bytes that have still to get through.
 */
import { generate, type IPublishPacket, type Packet } from "mqtt-packet";
import { message } from "../session";

interface Outbound {
  readonly payload: string;
  readonly qos: 1 | 2;
  id: number;
  /** Not sent; sent; PUBREC has come. */
  stage: "waiting" | "sent" | "released";
}

export interface ModelBroker {
  /** What it says, as bytes, and has not got through yet. */
  said: number[];
  /** The payloads that it was given, each time that it was given one as a new message. */
  readonly arrived: string[];
  /** What clients must not do, as sentences. */
  readonly faults: string[];
  /** Those that the client has confirmed to the end. */
  readonly completed: string[];
  /** It has begun a session that the client may not know of: the link was lost before the client said a word in it. */
  doubted: boolean;
  /** How many messages for the client it has not been rid of. */
  pending(): number;
  publish(payload: string, qos: 1 | 2): void;
  take(packet: Packet): void;
  linkLost(): void;
  forget(): void;
}

export function createModelBroker(): ModelBroker {
  const faults: string[] = [];
  const arrived: string[] = [];
  const received = new Set<number>();
  const released = new Set<number>();
  let outbound: Outbound[] = [];
  let knows = false;
  let subscribed = false;
  let connected = false;
  let lastId = 0;
  /** A session was begun, and nothing has come since from the client. */
  let untold = false;

  function say(packet: Packet): void {
    if (connected) broker.said.push(...generate(packet));
  }

  function sendPublish({ payload, qos, id }: Outbound, dup: boolean): void {
    say(message("in/a", payload, { qos, messageId: id, dup }));
  }

  function pump(): void {
    if (!subscribed || !connected) return;
    for (const each of outbound) {
      if (each.stage !== "waiting") continue;
      each.stage = "sent";
      each.id = ++lastId;
      sendPublish(each, false);
    }
  }

  function resume(): void {
    // What is known to have arrived is released first, in the order of the PUBRECs; then the rest, in its own order.
    for (const each of outbound) if (each.stage === "released") say({ cmd: "pubrel", messageId: each.id });
    for (const each of outbound) if (each.stage === "sent") sendPublish(each, true);
    pump();
  }

  function takePublish(packet: IPublishPacket): void {
    const payload = packet.payload.toString();
    const id = packet.messageId ?? 0;
    if (packet.qos === 1) {
      arrived.push(payload);
      say({ cmd: "puback", messageId: id });
    }
    if (packet.qos !== 2) return;
    if (released.has(id) && packet.dup) faults.push(`${payload} was published again after its PUBREL`);
    if (!received.has(id)) arrived.push(payload);
    released.delete(id);
    received.add(id);
    say({ cmd: "pubrec", messageId: id });
  }

  function end(id: number, qos: 1 | 2): void {
    for (const each of outbound) if (each.id === id && each.qos === qos) broker.completed.push(each.payload);
    outbound = outbound.filter((each) => each.id !== id || each.qos !== qos);
  }

  const broker: ModelBroker = {
    said: [],
    arrived,
    faults,
    completed: [],
    doubted: false,
    pending() {
      return outbound.length;
    },
    publish(payload, qos) {
      outbound.push({ payload, qos, id: 0, stage: "waiting" });
      pump();
    },
    take(packet) {
      const id = packet.messageId ?? 0;
      untold = packet.cmd === "connect" && (untold || !knows);
      switch (packet.cmd) {
        case "connect":
          connected = true;
          say({ cmd: "connack", returnCode: 0, sessionPresent: knows });
          knows = true;
          resume();
          return;
        case "publish":
          takePublish(packet);
          return;
        case "pubrel":
          received.delete(id);
          released.add(id);
          say({ cmd: "pubcomp", messageId: id });
          return;
        case "subscribe":
          subscribed = true;
          say({ cmd: "suback", messageId: id, granted: packet.subscriptions.map(({ qos }) => qos) });
          pump();
          return;
        case "puback":
          end(id, 1);
          return;
        case "pubrec":
          for (const each of outbound) if (each.id === id && each.qos === 2) each.stage = "released";
          say({ cmd: "pubrel", messageId: id });
          return;
        case "pubcomp":
          end(id, 2);
          return;
        case "pingreq":
          say({ cmd: "pingresp" });
          return;
        default:
          faults.push(`the client sent ${packet.cmd}`);
      }
    },
    linkLost() {
      connected = false;
      broker.said = [];
      if (untold) broker.doubted = true;
    },
    forget() {
      knows = false;
      subscribed = false;
      received.clear();
      released.clear();
      lastId = 0;
      // What was in flight to the client is forgotten with the session.
      outbound = outbound.filter(({ stage }) => stage === "waiting");
    },
  };
  return broker;
}
