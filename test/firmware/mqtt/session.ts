/** A client on a scripted link, and the few things that nearly every test of it does. */
import { generate, type IPublishPacket, type Packet } from "mqtt-packet";
import { clientPoll, clientStart, clientWait, createClient } from "../../../firmware/mqtt/client";
import type { Client, ClientOptions } from "../../../firmware/mqtt/client-state";
import { LinkLoss, LinkState } from "../../../firmware/core/link";
import type { Message, MessageHandler } from "../../../firmware/mqtt/subscriptions";
import { textAt } from "../../../hal/node/native";
import { createScriptedLink, type ScriptedLink } from "./scripted-link";

export interface Session {
  readonly client: Client;
  readonly link: ScriptedLink;
  /** What the application was told: `online`, `online, session present`, `offline`, `session lost, 0 discarded`. */
  readonly events: string[];
  /** What the entropy gives next. A backoff of up to `n` ms is `n % (ceiling + 1)`. */
  entropy: number;
  /** Called from within the events. */
  onOnline: () => void;
  onOffline: () => void;
  onDropped: (id: number) => void;
  onSessionLost: (discarded: number) => void;
}

export const defaults: ClientOptions = {
  host: "broker",
  port: 1883,
  clientId: "t1",
  cleanSession: false,
  keepAlive: 30,
  outboxSize: 1024,
  outboxSlots: 8,
  receiveSize: 128,
  subscribeRoom: 128,
  coalesce: 32767,
};

export function createSession(options: Partial<ClientOptions> = {}, now = 0): Session {
  const link = createScriptedLink(options.protocol);
  link.now = now;
  const entropy = { next: () => session.entropy };
  const client = createClient({ ...defaults, ...options }, link, entropy, {
    online(_now, sessionPresent) {
      session.events.push(sessionPresent ? "online, session present" : "online");
      session.onOnline();
    },
    offline() {
      session.events.push("offline");
      session.onOffline();
    },
    dropped(id) {
      session.onDropped(id);
    },
    sessionLost(_now, discarded) {
      session.events.push(`session lost, ${discarded} discarded`);
      session.onSessionLost(discarded);
    },
  });
  const nothing = (): undefined => undefined;
  const session: Session = {
    client,
    link,
    events: [],
    entropy: 0,
    onOnline: nothing,
    onOffline: nothing,
    onDropped: nothing,
    onSessionLost: nothing,
  };
  return session;
}

export function poll({ client, link }: Session): void {
  clientPoll(client, link.now);
}

/** From not started or backing off to a stream that is up, with CONNECT sent and not answered. */
export function dial(session: Session): void {
  clientStart(session.client, session.link.now);
  passTime(session, clientWait(session.client, session.link.now));
  session.link.up();
  session.link.flush();
}

/** The same, and the broker's CONNACK. */
export function connect(session: Session, sessionPresent = false): void {
  dial(session);
  session.link.takePackets();
  fromBroker(session, { cmd: "connack", returnCode: 0, reasonCode: 0, sessionPresent });
  poll(session);
}

export function fromBroker({ client, link }: Session, packet: Packet, chunk?: number): void {
  const rest = link.receive(generate(packet, { protocolVersion: client.options.protocol ?? 4 }), chunk);
  if (rest.length > 0) throw new Error(`the client left ${rest.length} bytes of a ${packet.cmd} unread`);
}

export function raw({ link }: Session, ...bytes: number[]): void {
  link.receive(Uint8Array.from(bytes));
}

/** The link is gone, and after the backoff there is another, on which the broker answers. */
export function reconnect(session: Session, sessionPresent: boolean, loss: LinkLoss = LinkLoss.Peer): void {
  session.link.down(loss);
  connect(session, sessionPresent);
}

/** Lets time pass as the main loop does: it sleeps as long as the client says that it may be left alone. */
export function passTime(session: Session, ms: number): void {
  const { client, link } = session;
  let left = ms;
  for (;;) {
    poll(session);
    const wait = Math.min(clientWait(client, link.now), left);
    if (left === 0) return;
    // A wait of 0 that polling does not end would hang the board in a loop that never sleeps.
    if (wait === 0 && isStuck(session)) throw new Error("the client cannot be left alone, and polling changes nothing");
    link.now = (link.now + wait) | 0;
    left -= wait;
  }
}

function isStuck(session: Session): boolean {
  for (let turn = 0; turn < 3; turn++) {
    poll(session);
    if (clientWait(session.client, session.link.now) > 0) return false;
  }
  return true;
}

/** Polls and sends until there is nothing more to say, and gives the packets. */
export function exchange(session: Session): Packet[] {
  for (let turn = 0; turn < 4; turn++) {
    poll(session);
    session.link.flush();
  }
  return session.link.takePackets();
}

/** The link that the client has given up is gone. */
export function finishClosing(session: Session): void {
  if (session.link.state !== LinkState.Closing) throw new Error("the client has not closed its link");
  session.link.down(LinkLoss.Closed);
}

export function message(topic: string, payload: string, options: Partial<IPublishPacket> = {}): IPublishPacket {
  return { cmd: "publish", qos: 0, dup: false, retain: false, topic, payload, ...options };
}

/** The packet identifiers go on behind `id`, as if it were the last one that was given. */
export function goOnBehind({ client }: Session, id: number): void {
  client.lastId = id;
  client.freeTo = 0;
}

/** How many messages at QoS 1 and 2 were sent and have not ended. */
export function underWay({ client }: Session): number {
  return client.window - client.quota;
}

/** Only the PUBLISH packets, each as `topic payload qos id` with ` dup` and ` retain`. */
export function publishes(packets: readonly Packet[]): string[] {
  const lines: string[] = [];
  for (const packet of packets) {
    if (packet.cmd !== "publish") continue;
    const marks = `${packet.dup ? " dup" : ""}${packet.retain ? " retain" : ""}`;
    lines.push(`${packet.topic} ${packet.payload.toString()} ${packet.qos} ${packet.messageId ?? 0}${marks}`);
  }
  return lines;
}

export function commands(packets: readonly Packet[]): string[] {
  return packets.map((packet) => packet.cmd);
}

/** A handler that writes down what it is given, each as `topic payload qos` with ` retain` and ` dup`. */
export function createListener(): MessageHandler & { readonly heard: string[] } {
  const heard: string[] = [];
  return {
    heard,
    message(_now, given) {
      heard.push(describeMessage(given));
    },
  };
}

export function describeMessage(given: Message): string {
  const topic = textAt(given.bytes, given.topicAt, given.topicLength);
  const payload = textAt(given.bytes, given.payloadAt, given.payloadLength);
  return `${topic} ${payload} ${given.qos}${given.retain ? " retain" : ""}${given.dup ? " dup" : ""}`;
}
