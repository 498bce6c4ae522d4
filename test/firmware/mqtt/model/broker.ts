/**
 * A broker as the specifications want it, with one client. It takes bytes and has bytes to say; what it knows of a
 * session survives the link until it is told to forget it. What the client does wrong is for the referee to find.
 */
import { type IPublishPacket, type Packet, type QoS } from "mqtt-packet";
import { idOf, type Level, payloadOf, readWhole, write } from "./packets";

const enum Step {
  /** Not sent on this link. */
  Due,
  /** Sent: PUBACK or PUBREC is awaited. */
  Sent,
  /** QoS 2: PUBREL is sent or due again, PUBCOMP is awaited. */
  Released,
}

/** A message for the client. */
interface Delivery {
  readonly id: number;
  readonly qos: QoS;
  readonly topic: string;
  readonly payload: string;
  step: Step;
  /** It was sent on an earlier link. */
  again: boolean;
}

interface Session {
  readonly filters: Map<string, QoS>;
  readonly deliveries: Delivery[];
  /** QoS 2 identifiers whose PUBREL has not come. */
  readonly received: Set<number>;
  lastId: number;
}

export interface Habits {
  /** How many messages above QoS 0 it has under way at once. */
  readonly window: number;
  /** The QoS that it grants at most. */
  readonly grant: QoS;
  /** Answers wait, in order, until they are let go: see {@link brokerAnswers}. */
  readonly slow: boolean;
}

interface Answer {
  readonly cmd: string;
  readonly bytes: Uint8Array;
}

export interface Broker {
  readonly level: Level;
  readonly habits: Habits;
  session: Session | undefined;
  connected: boolean;
  /** It has accepted the CONNECT of this link, whether or not that is over. */
  welcomed: boolean;
  /** What came of a packet that is not whole. */
  readonly heard: number[];
  /** What it has to say, from the next byte on. */
  readonly says: number[];
  /** With `slow`: answers that it still keeps to itself. */
  readonly waiting: Answer[];
  /** Messages of the client that it took over, in order: `topic payload qos`. */
  readonly arrived: string[];
  /** Messages that it owes the client, or owed it: `topic payload qos`. */
  readonly owed: string[];
  /** DISCONNECTs that it has had. */
  goodbyes: number;
}

export const plain: Habits = { window: 20, grant: 2, slow: false };

export function createBroker(level: Level, habits: Habits = plain): Broker {
  return {
    level,
    habits,
    session: undefined,
    connected: false,
    welcomed: false,
    heard: [],
    says: [],
    waiting: [],
    arrived: [],
    owed: [],
    goodbyes: 0,
  };
}

function say(broker: Broker, packet: Packet): void {
  const bytes = write(packet, broker.level);
  if (broker.habits.slow) broker.waiting.push({ cmd: packet.cmd, bytes });
  else broker.says.push(...bytes);
}

/** Lets go of so many of the answers that wait. */
export function brokerAnswers(broker: Broker, count: number): void {
  for (const { bytes } of broker.waiting.splice(0, count)) broker.says.push(...bytes);
}

/** The last acknowledgement that waits overtakes all that may be overtaken: their order is the broker's choice. */
export function brokerHurries(broker: Broker): void {
  const { waiting } = broker;
  const place = waiting.findLastIndex(({ cmd }) => cmd === "puback" || cmd === "pubcomp");
  const first = waiting[0]?.cmd === "connack" ? 1 : 0;
  if (place > first) waiting.splice(first, 0, ...waiting.splice(place, 1));
}

/** The connection is gone, with what was on its way. */
export function brokerCut(broker: Broker): void {
  broker.connected = false;
  broker.welcomed = false;
  broker.heard.length = 0;
  broker.says.length = 0;
  broker.waiting.length = 0;
  for (const delivery of broker.session?.deliveries ?? []) {
    if (delivery.step !== Step.Sent) continue;
    delivery.step = Step.Due;
    delivery.again = true;
  }
}

/** It loses what it knew. Only between connections. Gives the messages that were on their way to the client. */
export function brokerForgets(broker: Broker): string[] {
  const lost = broker.session?.deliveries.map(describe) ?? [];
  broker.session = undefined;
  return lost;
}

function describe({ topic, payload, qos }: Pick<Delivery, "topic" | "payload" | "qos">): string {
  return `${topic} ${payload} ${qos}`;
}

/** Someone publishes. The filters of these tests are plain topics. Gives whether anybody is subscribed. */
export function brokerPublishes(broker: Broker, topic: string, payload: string, qos: QoS): boolean {
  const session = broker.session;
  const granted = session?.filters.get(topic);
  if (session === undefined || granted === undefined) return false;
  const effective = lower(qos, granted);
  const delivery: Delivery = { id: nextId(session, effective), qos: effective, topic, payload, step: Step.Due, again: false };
  if (effective === 0) {
    if (broker.connected) say(broker, publishOf(delivery));
  } else {
    session.deliveries.push(delivery);
  }
  if (effective > 0 || broker.connected) broker.owed.push(describe(delivery));
  sendDue(broker);
  return true;
}

function lower(a: QoS, b: QoS): QoS {
  return a < b ? a : b;
}

function nextId(session: Session, qos: QoS): number {
  if (qos === 0) return 0;
  do session.lastId = session.lastId === 65535 ? 1 : session.lastId + 1;
  while (session.deliveries.some(({ id }) => id === session.lastId));
  return session.lastId;
}

function publishOf({ topic, payload, qos, id, again }: Delivery): IPublishPacket {
  const packet: IPublishPacket = { cmd: "publish", qos, dup: again, retain: false, topic, payload };
  return qos === 0 ? packet : { ...packet, messageId: id };
}

/** Sends what is due, in order, as far as its window goes. */
function sendDue(broker: Broker): void {
  const { session, connected } = broker;
  if (session === undefined || !connected) return;
  for (const delivery of session.deliveries.slice(0, broker.habits.window)) {
    if (delivery.step !== Step.Due) continue;
    delivery.step = Step.Sent;
    say(broker, publishOf(delivery));
  }
}

function end(session: Session, id: number): void {
  const place = session.deliveries.findIndex((delivery) => delivery.id === id);
  if (place >= 0) session.deliveries.splice(place, 1);
}

/** Bytes of the client have come. */
export function brokerHears(broker: Broker, bytes: readonly number[]): void {
  broker.heard.push(...bytes);
  for (const { packet } of readWhole(broker.heard, broker.level)) answer(broker, packet);
}

function answer(broker: Broker, packet: Packet): void {
  if (packet.cmd === "connect") {
    if (packet.protocolVersion !== broker.level) throw new Error(`the client speaks level ${packet.protocolVersion ?? 0}`);
    accept(broker, packet.clean === true);
    return;
  }
  const { session } = broker;
  if (session === undefined || !broker.connected) throw new Error(`${packet.cmd} where CONNECT was expected`);
  const messageId = idOf(packet);
  switch (packet.cmd) {
    case "publish":
      take(broker, session, packet);
      return;
    case "puback":
      end(session, messageId);
      sendDue(broker);
      return;
    case "pubrec": {
      const delivery = session.deliveries.find(({ id }) => id === messageId);
      if (delivery !== undefined) delivery.step = Step.Released;
      say(broker, { cmd: "pubrel", messageId });
      return;
    }
    case "pubrel":
      session.received.delete(messageId);
      say(broker, { cmd: "pubcomp", messageId });
      return;
    case "pubcomp":
      end(session, messageId);
      sendDue(broker);
      return;
    case "subscribe": {
      const granted = packet.subscriptions.map(({ qos }) => lower(qos, broker.habits.grant));
      packet.subscriptions.forEach(({ topic }, i) => session.filters.set(topic, granted[i] ?? 0));
      say(broker, { cmd: "suback", messageId, granted });
      return;
    }
    case "unsubscribe":
      for (const filter of packet.unsubscriptions) session.filters.delete(filter);
      say(broker, { cmd: "unsuback", messageId, granted: packet.unsubscriptions.map(() => 0) });
      return;
    case "pingreq":
      say(broker, { cmd: "pingresp" });
      return;
    case "disconnect":
      broker.goodbyes++;
      broker.connected = false;
      return;
    default:
      throw new Error(`the client sent ${packet.cmd}`);
  }
}

/** On resume, PUBRELs that are owed and the messages that are owed go first, each in its order. [MQTT-4.4.0-1] */
function accept(broker: Broker, clean: boolean): void {
  if (broker.connected) throw new Error("a second CONNECT");
  if (clean) broker.session = undefined;
  const sessionPresent = broker.session !== undefined;
  const session = (broker.session ??= { filters: new Map(), deliveries: [], received: new Set(), lastId: 0 });
  broker.connected = true;
  broker.welcomed = true;
  say(broker, broker.level === 5 ? { cmd: "connack", reasonCode: 0, sessionPresent } : { cmd: "connack", returnCode: 0, sessionPresent });
  for (const { step, id } of session.deliveries) {
    if (step === Step.Released) say(broker, { cmd: "pubrel", messageId: id });
  }
  sendDue(broker);
}

function take(broker: Broker, session: Session, packet: IPublishPacket): void {
  const messageId = idOf(packet);
  const line = describe({ topic: packet.topic, payload: payloadOf(packet), qos: packet.qos });
  if (packet.qos === 2) {
    if (!session.received.has(messageId)) broker.arrived.push(line);
    session.received.add(messageId);
    say(broker, { cmd: "pubrec", messageId });
    return;
  }
  broker.arrived.push(line);
  if (packet.qos === 1) say(broker, { cmd: "puback", messageId });
}
