/**
 * A client, a wire and a broker, and what is promised between them: QoS 1 at least once, QoS 2 exactly once, in order,
 * and at rest nobody owes anything.
 */
import { type QoS } from "mqtt-packet";
import { addSubscription, clientPoll, clientStart, clientWait, createClient } from "../../../../firmware/mqtt/client";
import { type Client, type ClientOptions, ClientState } from "../../../../firmware/mqtt/client-state";
import { LinkLoss, LinkState } from "../../../../firmware/core/link";
import { createExactlyOnce, type ExactlyOnceOptions } from "../../../../firmware/mqtt/exactly-once/create";
import { createFive } from "../../../../firmware/mqtt/five/create";
import { outboxCount, outboxUsed } from "../../../../firmware/mqtt/outbox";
import { type Publication } from "../../../../firmware/mqtt/publication";
import { publishText } from "../../../../firmware/mqtt/publish";
import { type ByHandTable, createByHand } from "../../../../firmware/mqtt/receive/by-hand";
import { createHold, type Held } from "../../../../firmware/mqtt/receive/hold";
import { createParts } from "../../../../firmware/mqtt/receive/parts";
import { type Message, type MessageHandler, type Subscription } from "../../../../firmware/mqtt/subscriptions";
import { textAt } from "../../../../hal/node/native";
import {
  type Broker,
  brokerAnswers,
  brokerCut,
  brokerForgets,
  brokerHears,
  createBroker,
  type Habits,
  plain,
} from "./broker";
import { type Level } from "./packets";
import { createReferee, type Referee, refereeGave, refereeNewLink, refereeOwed, refereeSaw } from "./referee";
import { createWire, type Wire } from "./wire";

/** What the link is good for until it is cut, in bytes since the beginning of the world. */
export interface Cut {
  /** So many bytes of the client reach the broker. */
  readonly out: number;
  /** So many bytes of the broker reach the client. */
  readonly in: number;
  /**
   * What happens there. `drop`: the link is lost. `swallow`: it is lost once it has taken all that the client had to say,
   * of which nothing arrives: a module that says SEND OK. `forget`: it is lost, and the broker forgets the session.
   * `pause`: only the stream is split.
   */
  readonly how: "drop" | "swallow" | "forget" | "pause";
}

export const whole: Cut = { out: Number.MAX_SAFE_INTEGER, in: Number.MAX_SAFE_INTEGER, how: "pause" };

export interface World {
  readonly client: Client;
  readonly wire: Wire;
  readonly broker: Broker;
  readonly referee: Referee;
  /** What the client's handlers were given, and what its outbox accepted, in order: `topic payload qos`. */
  readonly heard: string[];
  readonly accepted: string[];
  /** What either side gave up with a session that was lost: it may arrive once or not at all. */
  readonly pardoned: Set<string>;
  /**
   * The broker has forgotten a session; and a CONNACK was lost with its link. If that one told of the new session, the
   * next one does not, and nothing in MQTT tells a copy of the old session from a message of the new one: with both,
   * QoS 2 may come twice or not at all, which no client can help.
   */
  forgot: boolean;
  blind: boolean;
  readonly subscriptions: Subscription[];
  /** The features of the receiving side, if the client has them. */
  readonly held: Held | undefined;
  readonly hand: ByHandTable | undefined;
  /** How many messages the handlers were given, whether or not they have taken them over. */
  given: number;
  /** Bytes that the client was given and that lie in its hold, if any: of the referee's concern once they are read. */
  readonly unread: number[];
  /** What the application does when nothing else happens. Gives whether that was anything. */
  idle: () => boolean;
  /** In how small pieces bytes travel. */
  piece: number;
  limit: number;
  cut: Cut;
  /** Bytes that have travelled. */
  sent: number;
  received: number;
  cuts: number;
}

export interface WorldOptions {
  readonly client?: Partial<ClientOptions>;
  /** QoS 2, with room for so many identifiers each way. */
  readonly exactlyOnce?: ExactlyOnceOptions;
  readonly level?: Level;
  readonly habits?: Habits;
  readonly now?: number;
  /** How many bytes a hold takes, how many messages are acknowledged by hand at a time, and whether large ones come in parts. */
  readonly hold?: number;
  readonly byHand?: number;
  readonly parts?: boolean;
}

const defaults: ClientOptions = {
  host: "broker",
  port: 1883,
  clientId: "m1",
  cleanSession: false,
  keepAlive: 30,
  outboxSize: 1024,
  outboxSlots: 16,
  receiveSize: 128,
  subscribeRoom: 128,
  coalesce: 32767,
};

export function createWorld(given: WorldOptions = {}): World {
  const { client: options = {}, exactlyOnce, level = 4, habits = plain, now = 0 } = given;
  const wire = createWire(now);
  const held = given.hold === undefined ? undefined : createHold(given.hold);
  const hand = given.byHand === undefined ? undefined : createByHand(given.byHand);
  const feature = {
    ...(held === undefined ? {} : { hold: held }),
    ...(hand === undefined ? {} : { byHand: hand }),
    ...(given.parts === true ? { parts: createParts() } : {}),
    ...(exactlyOnce === undefined ? {} : { exactlyOnce: createExactlyOnce(exactlyOnce) }),
    ...(level === 5 ? { protocol: level, five: createFive({}) } : {}),
  };
  const client = createClient({ ...defaults, ...options, ...feature }, wire, { next: () => 0 }, {
    online: () => undefined,
    offline: () => undefined,
  });
  const referee = createReferee(level, Math.min(options.maxInFlight ?? 65535, exactlyOnce?.sending ?? 65535));
  const world: World = {
    client,
    wire,
    broker: createBroker(level, habits),
    referee,
    heard: [],
    accepted: [],
    pardoned: new Set(),
    forgot: false,
    blind: false,
    subscriptions: [],
    held,
    hand,
    given: 0,
    unread: [],
    idle: () => false,
    piece: 4096,
    limit: 2048,
    cut: whole,
    sent: 0,
    received: 0,
    cuts: 0,
  };
  return world;
}

/** A handler that writes down what comes. */
export function listener(world: World): MessageHandler {
  return {
    message(_now, { bytes, topicAt, topicLength, payloadAt, payloadLength, qos }: Message) {
      const topic = textAt(bytes, topicAt, topicLength);
      world.given++;
      world.heard.push(`${topic} ${textAt(bytes, payloadAt, payloadLength)} ${qos}`);
    },
  };
}

export function subscribe(world: World, filter: string, qos: QoS): Subscription {
  const subscription = addSubscription(world.client, filter, qos, listener(world));
  if (subscription === undefined) throw new Error(`no subscription to ${filter}`);
  world.subscriptions.push(subscription);
  return subscription;
}

export function start(world: World): void {
  clientStart(world.client, world.wire.now);
}

/** Publishes, and bears in mind what was accepted. */
export function publish(world: World, publication: Publication, topic: string, payload: string): boolean {
  const accepted = publishText(world.client, publication, payload);
  if (accepted) world.accepted.push(`${topic} ${payload} ${publication.qos}`);
  return accepted;
}

/** The link is gone, and whatever was on its way. */
export function cutLink(world: World, loss = LinkLoss.Network): void {
  const { client, wire, broker } = world;
  if (wire.state === LinkState.Down || wire.state === LinkState.Opening) return;
  // A client that leaves has not lost its link; one that says in MQTT 5.0 why it closes it, has.
  if (client.state !== ClientState.Leaving || !client.leaving) world.cuts++;
  if (broker.welcomed && world.referee.connacks === 0) world.blind = true;
  wire.down(wire.state === LinkState.Closing ? LinkLoss.Closed : loss);
  brokerCut(broker);
  world.unread.length = 0;
}

/** Tells the referee what the client has read. */
function tellReferee({ referee, unread, held }: World): void {
  const ready = unread.length - (held?.count ?? 0);
  if (ready > 0) refereeGave(referee, unread.splice(0, ready));
}

/** Bytes from the client, at most `most`. Gives whether there were any. */
export function carryOut(world: World, most = Number.MAX_SAFE_INTEGER): boolean {
  const { wire, broker, referee, cut } = world;
  const left = cut.out - world.sent;
  tellReferee(world);
  const bytes = wire.take(Math.min(most, left), world.piece, world.limit);
  world.sent += bytes.length;
  refereeSaw(referee, bytes);
  brokerHears(broker, bytes);
  if (world.sent < cut.out) return bytes.length > 0;
  if (cut.how === "swallow") refereeSaw(referee, wire.take(Number.MAX_SAFE_INTEGER, world.piece, world.limit));
  cutAsAsked(world);
  return true;
}

function cutAsAsked(world: World): void {
  const { how } = world.cut;
  world.cut = whole;
  if (how !== "pause") cutLink(world);
  if (how === "forget") forget(world);
}

/** The client has ended its link, perhaps just now. In MQTT 5.0 it may still have to say why; it hears nothing more. */
function isClosing({ client, wire }: World): boolean {
  return wire.state === LinkState.Closing || (client.state === ClientState.Leaving && !client.leaving);
}

/** Bytes to the client, at most `most`. Gives whether any were taken. */
export function carryIn(world: World, most = Number.MAX_SAFE_INTEGER): boolean {
  const { wire, broker, cut } = world;
  if (wire.state !== LinkState.Up) return false;
  const left = cut.in - world.received;
  const bytes = broker.says.slice(0, Math.min(most, left));
  // What the client answers while it reads is sent later, so all that it reads can be told before.
  const deaf = isClosing(world);
  const room = wire.give(bytes, world.piece);
  if (!deaf) world.unread.push(...bytes.slice(0, room));
  tellReferee(world);
  broker.says.splice(0, room);
  world.received += room;
  if (world.received < cut.in) return room > 0;
  cutAsAsked(world);
  return true;
}

/** One turn of the main loop, without bytes. Gives whether anything has changed. */
export function turn(world: World): boolean {
  const { client, wire, referee } = world;
  clientPoll(client, wire.now);
  if (wire.state === LinkState.Opening) {
    refereeNewLink(referee);
    wire.up();
    return true;
  }
  if (wire.state === LinkState.Closing) {
    // What the client had begun to send is still finished.
    carryOut(world);
    cutLink(world);
    return true;
  }
  return false;
}

/** Lets everything happen that happens on its own, on a link that comes up whenever it is asked for. */
export function settle(world: World): void {
  const { client, wire, broker } = world;
  for (let round = 0; round < 3_000; round++) {
    const moved = [turn(world), carryOut(world), carryIn(world)].includes(true);
    if (moved) continue;
    if (broker.waiting.length > 0) {
      brokerAnswers(broker, 1);
      continue;
    }
    if (world.idle()) continue;
    if (client.state !== ClientState.BackingOff) return;
    wire.now = (wire.now + clientWait(client, wire.now)) | 0;
  }
  throw new Error("the world does not come to rest");
}

/**
 * The broker loses what it knew, which it may do while nobody is connected. What was on its way at QoS 2 is given up by
 * the client, since nobody can tell whether it has arrived.
 */
export function forget(world: World): void {
  if (world.broker.connected) throw new Error("a broker does not forget a session that is connected");
  world.forgot = true;
  for (const line of [...brokerForgets(world.broker), ...world.accepted.filter((each) => qosOf(each) === 2)]) {
    world.pardoned.add(line);
  }
}

function duplicates(lines: readonly string[]): string[] {
  return lines.filter((line, i) => lines.indexOf(line) !== i);
}

function topicOf(line: string): string {
  return line.split(" ", 1).join();
}

function qosOf(line: string): number {
  return Number(line.at(-1));
}

/**
 * What was promised of these lines and was not kept. Each of `sent` is another; `came` is what there is of them at the
 * other end.
 */
export function broken(sent: readonly string[], came: readonly string[], { pardoned, blind, forgot }: World): string[] {
  const found: string[] = [];
  const undecided = blind && forgot;
  const once = new Set(came);
  for (const line of sent) {
    const promised = qosOf(line) === 1 || (qosOf(line) === 2 && !undecided);
    if (promised && !once.has(line) && !pardoned.has(line)) found.push(`lost: ${line}`);
  }
  for (const line of duplicates(came)) {
    if (qosOf(line) === 0 || (qosOf(line) === 2 && !undecided)) found.push(`twice: ${line}`);
  }
  for (const line of once) if (!sent.includes(line)) found.push(`made up: ${line}`);
  for (const topic of new Set(sent.map(topicOf))) {
    const first = [...once].filter((line) => topicOf(line) === topic);
    const inOrder = sent.filter((line) => topicOf(line) === topic && once.has(line));
    if (inOrder.join() !== first.join()) found.push(`out of order: ${first.join(", ")}`);
  }
  return found;
}

/** Everything that is wrong in a world at rest. */
export function wrongs(world: World): string[] {
  const { client, broker, referee, accepted, heard } = world;
  const { stats } = client;
  const found = [
    ...referee.faults,
    ...broken(accepted, broker.arrived, world).map((what) => `to the broker: ${what}`),
    ...broken(broker.owed, heard, world).map((what) => `to the client: ${what}`),
  ];
  if (stats.violations > 0) found.push(`takes ${stats.violations} packets of a good broker for violations`);
  if (client.state === ClientState.Online) found.push(...refereeOwed(referee));
  const held = outboxCount(client.outbox);
  if (held > 0 || outboxUsed(client.outbox) > 0) found.push(`${held} messages stay in the outbox`);
  if (client.quota !== client.window) found.push(`${client.window - client.quota} of the window never come back`);
  const remembered = (client.exactlyOnce?.releases.count ?? 0) + (client.exactlyOnce?.received.count ?? 0);
  if (remembered > 0 && !(world.blind && world.forgot)) found.push(`${remembered} identifiers at QoS 2 are never forgotten`);
  const left = broker.session?.deliveries.length ?? 0;
  if (left > 0) found.push(`${left} deliveries of the broker never end`);
  if ((broker.session?.received.size ?? 0) > 0) found.push("messages of the client are never released");
  return [...found, ...miscounted(world)];
}

/** Counters that do not say what has happened. */
function miscounted({ client, referee, accepted, given, cuts }: World): string[] {
  const { published, acknowledged, received, unmatched, retried, losses } = client.stats;
  const discarded = client.exactlyOnce?.stats.discarded ?? 0;
  const promised = accepted.filter((line) => qosOf(line) > 0).length;
  const sums: readonly (readonly [what: string, counted: number, happened: number])[] = [
    ["published", published, accepted.length],
    ["acknowledged and discarded", acknowledged + discarded, promised - outboxCount(client.outbox)],
    ["received", received - unmatched, given],
    ["links lost", losses, cuts],
  ];
  const found = sums
    .filter(([, counted, happened]) => counted !== happened)
    .map(([what, counted, happened]) => `counts ${counted} ${what}, there were ${happened}`);
  return retried < referee.resends ? [...found, `counts ${retried} resends of ${referee.resends}`] : found;
}
