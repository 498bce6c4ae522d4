/**
 * The firmware's MQTT client for programs of Node: the client of `firmware/mqtt` as it is, over a TCP or TLS socket and
 * the computer's clock. For test suites, benchmarks and scripts.
 *
 *     const client = await connect({ host: "localhost" });
 *     await client.subscribe("sport/#", 1, (message) => console.log(message.topic, message.text));
 *     await client.publish("sport/tennis", "15:0", { qos: 1 });
 *     await client.leave();
 */
import {
  addSubscription,
  clientLeave,
  clientPoll,
  clientStart,
  clientWait,
  createClient,
} from "../../firmware/mqtt/client";
import type { Span } from "../../firmware/core/link";
import { type Client, type ClientStats, ClientState, Mistake, PublishError } from "../../firmware/mqtt/client-state";
import type { SubscriptionOptions } from "../../firmware/mqtt/five";
import { createFive } from "../../firmware/mqtt/five/create";
import { isFailure } from "../../firmware/mqtt/five/reason";
import { type FiveState, type Report, Unsent } from "../../firmware/mqtt/five/state";
import { subscribeWith } from "../../firmware/mqtt/five/subscriptions";
import { outboxFits } from "../../firmware/mqtt/outbox";
import { lengthBytes, PacketType, type Qos } from "../../firmware/mqtt/packet";
import { createPublication, type Publication } from "../../firmware/mqtt/publication";
import { publishBytes } from "../../firmware/mqtt/publish";
import { subscribeAgain, type Subscription, SubscriptionState, unsubscribe } from "../../firmware/mqtt/subscriptions";
import { isTopicName } from "../../firmware/mqtt/topic";
import { QueueNumber } from "../hal";
import { NodeClock } from "./clock";
import { nodeEntropy } from "./entropy";
import { TcpLink } from "./link-tcp";
import { MqttError, whyOffline } from "./mqtt-error";
import {
  connectProblem,
  extrasOf,
  isServedAs,
  publicationOfOne,
  type PublishProperties,
  subscriptionProblem,
} from "./mqtt-five";
import { Flows } from "./mqtt-flows";
import { type Handler, MessageReader } from "./mqtt-message";
import { clientOptions, type MqttOptions } from "./mqtt-options";
import { reasonText } from "./mqtt-reason";
import { isText, queueNumber, textAt, u16At } from "./native";

export { type FiveConnect, RetainHandling, type SubscriptionOptions } from "../../firmware/mqtt/five";
export type { TlsOptions } from "./link-tcp";
export { MqttError, type MqttTrouble } from "./mqtt-error";
export type { PublishProperties, ReceivedProperties } from "./mqtt-five";
export type { Handler, ReceivedMessage } from "./mqtt-message";
export type { MqttOptions } from "./mqtt-options";

export interface PublishOptions {
  /** Default: 0. */
  readonly qos?: Qos;
  /** The broker keeps it, for those who subscribe later. Default: false. */
  readonly retain?: boolean;
  /** What the message says of itself, in MQTT 5.0. Its expiry counts from when it has room in the outbox. */
  readonly properties?: PublishProperties;
}

/** As many as Mosquitto bears in mind. */
const EXACTLY_ONCE_IN_FLIGHT = 20;
const LINK_PATIENCE = 10000;
const LEAVE_PATIENCE = 5000;
/** How long DISCONNECT may take to get out, in ms. */
const DISCONNECT_PATIENCE = 1000;
/** The longest topic, and the longest payload of one. */
const LONGEST = 65535;
/** How many messages are worth a packet of TCP while others are under way. */
const BATCH = 32;
/** How long fewer are held back, in ms. */
const HOLD = 1;
/** How many messages in the outbox can grow old, in MQTT 5.0. Any more keep the expiry that they were published with. */
const EXPIRIES = 256;
/** How many topics are kept encoded. When more are published to, it begins anew. */
const TOPICS_KEPT = 1000;

/**
 * A client with a session. Rejects with the reason when no broker gives one at the first try; then the client is
 * finished. Later, whatever it loses it comes back by itself.
 *
 * In a session that the broker has kept (`clean: false`), messages come at once, and those that nobody has subscribed to
 * by then are gone. Who wants them all makes a `new Mqtt(options)`, subscribes, and waits for its `firstTry`.
 */
export async function connect(options: MqttOptions): Promise<Mqtt> {
  const client = new Mqtt(options);
  try {
    await client.firstTry;
  } catch (error) {
    await client.leave(0);
    throw error;
  }
  return client;
}

interface Subscribed {
  readonly subscription: Subscription;
  handler: Handler;
  /** Why the broker did not do what it was asked last, if it has said so. */
  refusal: MqttError | undefined;
}

/** A publish that waits: for room in the outbox, or for others at QoS 2. */
interface Backlog {
  readonly publication: Publication;
  readonly payload: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: MqttError) => void;
}

/** An answer of the broker that somebody waits for. */
interface Question {
  readonly entry: Subscribed;
  /** Whether the filter is to be on, or off. */
  readonly on: boolean;
  readonly resolve: (granted: number) => void;
  readonly reject: (error: MqttError) => void;
}

/** A client that begins to connect when it is made, and stays at it until it is told to leave. */
export class Mqtt {
  /** The firmware's client, for whoever wants to look inside. */
  readonly core: Client;
  /** And its MQTT 5.0: what the broker grants in this session is in `granted`. */
  readonly five: FiveState | undefined;
  /** Ends with the first session, or with the reason why none of the brokers gave one at the first try. */
  readonly firstTry: Promise<void>;

  private readonly exactlyOnceInFlight: number;
  private readonly clock = new NodeClock();
  private readonly link: TcpLink;
  private readonly flows: Flows;
  private readonly reader = new MessageReader();
  /** What the broker has said with the CONNACK that refuses, or DISCONNECT, of this link. */
  private lastWords = "";
  private readonly subscribed: Subscribed[] = [];
  private questions: Question[] = [];
  private backlog: Backlog[] = [];
  private readonly topics = new Map<string, (Publication | undefined)[]>();
  /** Where a text is encoded. */
  private readonly scratch = Buffer.allocUnsafeSlow(LONGEST);
  private timer: NodeJS.Timeout | undefined;
  /** When the timer ends, on the clock of `performance.now()`. */
  private timerAt = Infinity;
  private lastTimer: NodeJS.Timeout | undefined;
  private soon = false;
  private turning = false;
  private readonly turnSoon = (): void => this.turn();
  /** Runs while messages are held back. */
  private heldBack: NodeJS.Timeout | undefined;
  private readonly release = (): void => {
    this.heldBack = undefined;
    this.link.pump();
    this.flows.gone();
  };
  private onLeft: (() => void)[] = [];
  /** It has left. */
  private over = false;

  constructor(options: MqttOptions) {
    const isFive = options.protocol === 5;
    if (!isFive && options.five !== undefined) throw new MqttError("invalid", "five is for protocol 5");
    const problem = options.five === undefined ? undefined : connectProblem(options.five);
    if (problem !== undefined) throw new MqttError("invalid", problem);
    const events = {
      told: (_now: number, report: Report) => this.told(report),
      unsent: (_now: number, why: Unsent, topic: Span) => this.unsent(why, topic),
    };
    this.five = isFive ? createFive({ ...options.five, expiries: EXPIRIES, events }) : undefined;
    this.exactlyOnceInFlight = options.exactlyOnceInFlight ?? EXACTLY_ONCE_IN_FLIGHT;
    this.link = new TcpLink({
      clock: this.clock,
      tls: options.tls,
      patience: options.linkPatience ?? LINK_PATIENCE,
      onTurn: () => this.turn(),
      isBusy: () => (this.core.exactlyOnce?.received.count ?? 0) >= 2 * BATCH,
    });
    let onFirst: { resolve: () => void; reject: (error: MqttError) => void } | undefined;
    this.firstTry = new Promise((resolve, reject) => (onFirst = { resolve, reject }));
    // Not everybody waits for it.
    this.firstTry.catch(() => undefined);
    this.core = createClient(clientOptions(options, this.five), this.link, options.entropy ?? nodeEntropy, {
      online: (_now, sessionPresent) => {
        onFirst?.resolve();
        options.onOnline?.(sessionPresent);
      },
      offline: () => {
        const why = whyOffline(this.core, this.link.problem, this.lastWords);
        this.lastWords = "";
        this.forget(why);
        if (this.core.nextBroker === 0 && !this.core.welcome) onFirst?.reject(why);
        options.onOffline?.(why);
      },
      sessionLost: (_now, discarded) => {
        this.flows.reconcile(new MqttError("dropped", "the broker has forgotten the session, and may have taken it or not"));
        options.onSessionLost?.(discarded);
      },
    });
    if (this.core.mistake === Mistake.ClientId) throw new MqttError("invalid", "this client id cannot be used: see clientId");
    this.flows = new Flows(this.core);
    this.watchAcks();
    clientStart(this.core, this.clock.now());
    this.wake();
  }

  /** Whether there is a session. */
  get online(): boolean {
    return this.core.state === ClientState.Online;
  }

  /** Counters since the beginning. */
  get stats(): ClientStats {
    return this.core.stats;
  }

  /**
   * Publishes. The promise ends when the message's flow does: at QoS 0 when it was handed to the socket, at QoS 1 when
   * the broker has acknowledged it, at QoS 2 with its PUBCOMP, over however many links that takes. While the outbox is full, messages wait for
   * room in their order; whoever publishes without end must wait for the promises. Rejects with a {@link MqttError}; it
   * carries the reason code when the broker, in MQTT 5.0, has acknowledged the message with one of 128 or more.
   */
  publish(topic: string, payload: string | Uint8Array, options?: PublishOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.over) {
        reject(new MqttError("left", "the client has left"));
        return;
      }
      const topical = this.publicationOf(topic, options?.qos ?? 0, options?.retain ?? false);
      const bytes = typeof payload === "string" ? this.encode(payload) : payload;
      const publication = this.forMessage(topical, bytes?.length ?? 0, options?.properties);
      if (publication instanceof MqttError) {
        reject(publication);
        return;
      }
      const refusal = bytes === undefined ? "longer than 65535 bytes" : this.refusalOf(publication, bytes.length);
      if (bytes === undefined || refusal !== undefined) {
        reject(new MqttError("invalid", `this message to ${topic} can never be sent: it is ${refusal}`));
      } else if (publication.qos === 0 && !this.online) {
        reject(new MqttError("offline", "there is no session, and QoS 0 is not kept for the next one"));
      } else if (this.backlog.length > 0 || !this.offer(publication, bytes, resolve, reject)) {
        this.backlog.push({ publication, payload: Buffer.from(bytes), resolve, reject });
      }
    });
  }

  /**
   * Subscribes, and keeps the subscription up over lost sessions. Ends with the QoS that the broker has granted. The
   * same filter again: the new handler takes the place of the old one. `options` say how MQTT 5.0 is to serve it; left
   * out, they stay as they are. Rejects with a {@link MqttError}.
   */
  subscribe(filter: string, qos: Qos, handler: Handler, options?: SubscriptionOptions): Promise<number> {
    return new Promise((resolve, reject) => {
      const problem = options === undefined ? undefined : this.problemWith(filter, options);
      if (problem !== undefined) {
        reject(new MqttError("invalid", problem));
        return;
      }
      const known = this.subscribedTo(filter, qos);
      if (known === undefined && this.isListened(filter)) {
        reject(new MqttError("invalid", `${filter} is subscribed at another QoS: unsubscribe first`));
        return;
      }
      if (known !== undefined && options !== undefined && isOn(known) && !isServedAs(known.subscription.options ?? {}, options)) {
        reject(new MqttError("invalid", `${filter} is subscribed with other options: unsubscribe first`));
        return;
      }
      const entry = known ?? this.addFilter(filter, qos, handler);
      if (entry === undefined) {
        reject(new MqttError("invalid", `${filter} is no topic filter, or there is no subscribeRoom left for it`));
        return;
      }
      entry.handler = handler;
      entry.refusal = undefined;
      if (options !== undefined) subscribeWith(entry.subscription, options);
      subscribeAgain(entry.subscription);
      this.questions.push({ entry, on: true, resolve, reject });
      this.wake();
    });
  }

  /** Ends a subscription. The promise ends when the broker has said so; messages may come until then. */
  unsubscribe(filter: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const entry = this.subscribed.find(({ subscription }) => subscription.wanted && isFilter(subscription, filter));
      if (entry === undefined) {
        reject(new MqttError("invalid", `${filter} is not subscribed`));
        return;
      }
      entry.refusal = undefined;
      unsubscribe(entry.subscription);
      this.questions.push({ entry, on: false, resolve: () => resolve(), reject });
      this.wake();
    });
  }

  /**
   * Leaves in good order: what was published goes out and is acknowledged, for at most `patience` ms, then farewell and
   * DISCONNECT; the will is not published. A broker that reads nothing any more is left without. The promise ends when
   * the socket is closed.
   */
  leave(patience = LEAVE_PATIENCE): Promise<void> {
    return new Promise((resolve) => {
      this.onLeft.push(resolve);
      if (!this.core.leaving) {
        clientLeave(this.core, this.clock.now(), patience);
        this.lastTimer = setTimeout(() => this.link.cut(), patience + DISCONNECT_PATIENCE);
      }
      this.wake();
    });
  }

  /** Cuts the connection off, as a network does. The client comes back by itself. */
  cut(): void {
    this.link.cut();
  }

  /** Ends without a word, as a program that crashes does: the broker publishes the will. */
  die(): Promise<void> {
    const ended = this.leave(0);
    this.link.cut();
    return ended;
  }

  /** Everything that is due, and when the next turn is. */
  private turn(): void {
    this.soon = false;
    if (this.turning) {
      this.wake();
      return;
    }
    this.turning = true;
    this.refill();
    clientPoll(this.core, this.clock.now());
    this.pump();
    this.refill();
    this.pump();
    if (this.questions.length > 0) this.answer();
    this.turning = false;
    if (this.core.state === ClientState.Idle) this.finish();
    else this.sleep();
  }

  private pump(): void {
    if (this.holdsBack()) {
      this.heldBack ??= setTimeout(this.release, HOLD);
      return;
    }
    this.link.pump();
    this.flows.gone();
  }

  /**
   * With many messages under way, a few more are worth no packet of their own: the broker has enough to do, and each of
   * its answers may bring some more. They wait until they are many, those under way are few, or a moment is over; no
   * longer, since a broker's system may keep its answers back until it hears from ours.
   */
  private holdsBack(): boolean {
    const { core } = this;
    if (core.window - core.quota < 2 * BATCH) return false;
    // What is said in between is held back only when it is most likely said of our own messages.
    if (core.controlDue && this.flows.exactlyOnce < 2 * BATCH) return false;
    return queueNumber(core.outbox.queue, QueueNumber.Due) + queueNumber(core.control, QueueNumber.Due) < BATCH;
  }

  /** Takes a turn when what runs now has come to its end, so that what it still asks for goes out together. */
  private wake(): void {
    if (this.soon) return;
    this.soon = true;
    setImmediate(this.turnSoon);
  }

  /** Sees to it that the next turn comes no later than the client wants. A timer that ends early does no harm. */
  private sleep(): void {
    const at = performance.now() + clientWait(this.core, this.clock.now());
    if (this.timer !== undefined && this.timerAt <= at) return;
    clearTimeout(this.timer);
    this.timerAt = at;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.turn();
    }, Math.ceil(at - performance.now()));
  }

  private finish(): void {
    this.over = true;
    clearTimeout(this.timer);
    clearTimeout(this.lastTimer);
    clearTimeout(this.heldBack);
    this.timer = undefined;
    const left = new MqttError("left", "the client has left");
    this.flows.over(left);
    for (const { reject } of this.backlog.splice(0)) reject(left);
    for (const { reject } of this.questions.splice(0)) reject(left);
    for (const resolve of this.onLeft.splice(0)) resolve();
  }

  /** QoS 0 was for the session that is gone. */
  private forget(why: MqttError): void {
    this.flows.linkLost(why);
    if (this.backlog.length === 0) return;
    const kept = this.backlog.filter(({ publication }) => publication.qos > 0);
    for (const { publication, reject } of this.backlog) if (publication.qos === 0) reject(why);
    this.backlog = kept;
  }

  /** Puts a message into the outbox. False when it has to wait. */
  private offer(
    publication: Publication,
    payload: Uint8Array,
    resolve: () => void,
    reject: (error: MqttError) => void,
  ): boolean {
    if (publication.qos === 2 && this.flows.exactlyOnce >= this.exactlyOnceInFlight) return false;
    const remaining = this.bodySize(publication, payload.length);
    const size = 1 + lengthBytes(remaining) + remaining;
    if (!outboxFits(this.core.outbox, size)) {
      if (!this.link.flowing || this.turning) return false;
      this.pump();
      if (!outboxFits(this.core.outbox, size)) return false;
    }
    if (!publishBytes(this.core, publication, payload, 0, payload.length)) {
      const refusal = this.refusalByBroker();
      if (refusal !== undefined) reject(refusal);
      return refusal !== undefined;
    }
    this.flows.add(publication.qos, resolve, reject);
    this.wake();
    return true;
  }

  private refill(): void {
    if (this.backlog.length === 0) return;
    let done = 0;
    for (const { publication, payload, resolve, reject } of this.backlog) {
      if (!this.offer(publication, payload, resolve, reject)) break;
      done++;
    }
    this.backlog.splice(0, done);
  }

  private encode(text: string): Uint8Array | undefined {
    if (text.length * 3 > LONGEST && Buffer.byteLength(text) > LONGEST) return undefined;
    return this.scratch.subarray(0, this.scratch.write(text));
  }

  private refusalOf(publication: Publication, length: number): string | undefined {
    const size = 1 + 3 + this.bodySize(publication, length);
    const { outboxSize } = this.core.options;
    return size > outboxSize ? `${size} bytes, and the outbox has ${outboxSize}` : undefined;
  }

  /** What comes behind the fixed header of a PUBLISH with a payload of `length` bytes. */
  private bodySize({ head, extras }: Publication, length: number): number {
    if (this.five === undefined) return head.length + length;
    const size = extras?.size ?? 0;
    return head.length + lengthBytes(size) + size + length;
  }

  /** Why the broker of this session would not take the message that was refused last; `undefined` if it is not for that. */
  private refusalByBroker(): MqttError | undefined {
    switch (this.core.publishError) {
      case PublishError.PacketTooLarge:
        return unsentError(Unsent.TooLarge);
      case PublishError.QosTooHigh:
        return unsentError(Unsent.Qos);
      case PublishError.RetainRefused:
        return unsentError(Unsent.Retain);
      default:
        return undefined;
    }
  }

  /** What one message is published with. */
  private forMessage(
    publication: Publication | MqttError,
    length: number,
    properties: PublishProperties | undefined,
  ): Publication | MqttError {
    if (publication instanceof MqttError) return publication;
    if (this.five === undefined) return properties === undefined ? publication : new MqttError("invalid", "properties are for protocol 5");
    const extras = properties === undefined ? undefined : extrasOf(properties);
    if (typeof extras === "string") return new MqttError("invalid", extras);
    return publicationOfOne(publication, length, extras);
  }

  private problemWith(filter: string, options: SubscriptionOptions): string | undefined {
    return this.five === undefined ? "options of a subscription are for protocol 5" : subscriptionProblem(filter, options);
  }

  private publicationOf(topic: string, qos: Qos, retain: boolean): Publication | MqttError {
    const kind = qos * 2 + (retain ? 1 : 0);
    const known = this.topics.get(topic);
    const publication = known?.[kind];
    if (publication !== undefined) return publication;
    const bytes = Buffer.from(topic);
    if (bytes.length > LONGEST || !isTopicName(bytes, 0, bytes.length)) {
      return new MqttError("invalid", `${JSON.stringify(topic)} is no topic name that can be published to`);
    }
    if (this.topics.size >= TOPICS_KEPT) this.topics.clear();
    const kinds = known ?? [];
    const made = createPublication(topic, qos, retain, LONGEST);
    kinds[kind] = made;
    this.topics.set(topic, kinds);
    return made;
  }

  private subscribedTo(filter: string, qos: Qos): Subscribed | undefined {
    return this.subscribed.find(({ subscription }) => subscription.qos === qos && isFilter(subscription, filter));
  }

  private isListened(filter: string): boolean {
    return this.subscribed.some(
      ({ subscription }) => subscription.state !== SubscriptionState.Off && isFilter(subscription, filter),
    );
  }

  private addFilter(filter: string, qos: Qos, handler: Handler): Subscribed | undefined {
    const take = (message: Parameters<MessageReader["read"]>[0]): void => {
      try {
        entry?.handler(this.reader.read(message, this.five?.properties));
      } catch (error) {
        // It is the program's, not the client's: thrown where it does not get into the client's way.
        queueMicrotask(() => {
          throw error;
        });
      }
    };
    const subscription = addSubscription(this.core, filter, qos, { message: (_now, message) => take(message) });
    const entry: Subscribed | undefined = subscription === undefined ? undefined : { subscription, handler, refusal: undefined };
    if (entry !== undefined) this.subscribed.push(entry);
    return entry;
  }

  /** Tells those who wait for a subscription's state. */
  private answer(): void {
    this.questions = this.questions.filter(({ entry, on, resolve, reject }) => {
      const { state, granted } = entry.subscription;
      const isDone = state === (on ? SubscriptionState.Granted : SubscriptionState.Off);
      if (!isDone && state !== SubscriptionState.Refused) return true;
      if (isDone && entry.refusal === undefined) resolve(granted);
      else reject(entry.refusal ?? new MqttError("refused", "the broker refused the filter"));
      return false;
    });
  }

  /** MQTT 5.0: the broker has said why. */
  private told({ packet, reason, id, topic, text }: Report): void {
    const words = textAt(text.bytes, text.at, text.count);
    if (packet === PacketType.Disconnect || packet === PacketType.Connack) {
      this.lastWords = isFailure(reason) || packet === PacketType.Disconnect ? words : "";
      return;
    }
    // Of a message that waits for no acknowledgement on this link, there is no topic, and it is not over.
    if (!isFailure(reason) || topic.count === 0) return;
    const refusal = new MqttError("refused", `the broker refused: ${reasonText(reason, words)}`, { reasonCode: reason });
    if (packet === PacketType.Puback || packet === PacketType.Pubrec) {
      this.flows.ended(id, refusal);
      return;
    }
    const state = packet === PacketType.Suback ? SubscriptionState.Refused : SubscriptionState.Leaving;
    const filter = textAt(topic.bytes, topic.at, topic.count);
    for (const entry of this.subscribed) {
      if (entry.subscription.state === state && isFilter(entry.subscription, filter)) entry.refusal = refusal;
    }
  }

  /** MQTT 5.0: a message that waited is dropped. Only those at QoS 1 and 2 wait; the identifier stands behind the topic. */
  private unsent(why: Unsent, topic: Span): void {
    this.flows.unsent(u16At(topic.bytes, topic.at + topic.count), unsentError(why));
  }

  /** The client counts acknowledgements; here it is also told which message each of them was for. */
  private watchAcks(): void {
    const { stats, reader } = this.core;
    const inner = { ...reader.events };
    reader.events.packet = (now, first, bytes, at, count) => {
      const before = stats.acknowledged;
      inner.packet(now, first, bytes, at, count);
      if (stats.acknowledged !== before) this.flows.ended(u16At(bytes, at));
    };
  }
}

function isFilter({ filter }: Subscription, text: string): boolean {
  return isText(filter, 0, filter.length, text);
}

function isOn({ subscription: { state } }: Subscribed): boolean {
  return state !== SubscriptionState.Off && state !== SubscriptionState.Refused;
}

function unsentError(why: Unsent): MqttError {
  switch (why) {
    case Unsent.TooLarge:
      return new MqttError("refused", "the broker of this session does not take so large a packet");
    case Unsent.Qos:
      return new MqttError("refused", "the broker of this session does not have this QoS");
    case Unsent.Retain:
      return new MqttError("refused", "the broker of this session retains nothing");
    case Unsent.Expired:
      return new MqttError("dropped", "its expiry was over before it could be sent");
  }
}
