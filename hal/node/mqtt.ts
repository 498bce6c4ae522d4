/**
 * The firmware's MQTT client for programs of Node: the client of `firmware/mqtt` as it is, over a TCP or TLS socket and
 * the computer's clock. For test suites, benchmarks and scripts.
 *
 *     const client = await connect({ host: "localhost" });
 *     await client.subscribe("sport/#", 1, (message) => console.log(message.topic, message.text));
 *     await client.publish("sport/tennis", "15:0", { qos: 1 });
 *     await client.leave();
 *
 * Behind it:
 *
 *     mqtt-options      what it is told, and what the firmware's client is told of it
 *     mqtt-publisher    messages on their way into the outbox
 *     mqtt-flows        who waits for the end of which message
 *     mqtt-subscriber   filters, and who waits for what the broker says of them
 *     mqtt-message      messages that came in
 *     mqtt-turns        when it has its turn, and when what it has to say goes out
 *     link-tcp          the socket
 */
import { clientLeave, clientStart, createClient } from "../../firmware/mqtt/client";
import type { Span } from "../../firmware/core/link";
import { type Client, type ClientStats, ClientState, Mistake } from "../../firmware/mqtt/client-state";
import type { SubscriptionOptions } from "../../firmware/mqtt/five";
import { createFive } from "../../firmware/mqtt/five/create";
import { isFailure } from "../../firmware/mqtt/five/reason";
import type { FiveState, Report, Unsent } from "../../firmware/mqtt/five/state";
import { PacketType, type Qos } from "../../firmware/mqtt/packet";
import { SubscriptionState } from "../../firmware/mqtt/subscriptions";
import { NodeClock } from "./clock";
import { nodeEntropy } from "./entropy";
import { TcpLink } from "./link-tcp";
import { MqttError, unsentError, whyOffline } from "./mqtt-error";
import { connectProblem } from "./mqtt-five";
import { Flows } from "./mqtt-flows";
import type { Handler } from "./mqtt-message";
import { clientOptions, type MqttOptions } from "./mqtt-options";
import { Publisher, type PublishOptions } from "./mqtt-publisher";
import { reasonText } from "./mqtt-reason";
import { Subscriber } from "./mqtt-subscriber";
import { Turns } from "./mqtt-turns";
import { textAt, u16At } from "./native";

export { type FiveConnect, RetainHandling, type SubscriptionOptions } from "../../firmware/mqtt/five";
export type { TlsOptions } from "./link-tcp";
export { MqttError, type MqttTrouble } from "./mqtt-error";
export type { PublishProperties, ReceivedProperties } from "./mqtt-five";
export type { Handler, ReceivedMessage } from "./mqtt-message";
export type { MqttOptions } from "./mqtt-options";
export type { PublishOptions } from "./mqtt-publisher";

/** As many as Mosquitto bears in mind. */
const EXACTLY_ONCE_IN_FLIGHT = 20;
const LINK_PATIENCE = 10000;
const LEAVE_PATIENCE = 5000;
/** How long DISCONNECT may take to get out, in ms. */
const DISCONNECT_PATIENCE = 1000;
/** How many messages in the outbox can grow old, in MQTT 5.0. Any more keep the expiry that they were published with. */
const EXPIRIES = 256;

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

/** A client that begins to connect when it is made, and stays at it until it is told to leave. */
export class Mqtt {
  /** The firmware's client, for whoever wants to look inside. */
  readonly core: Client;
  /** And its MQTT 5.0: what the broker grants in this session is in `granted`. */
  readonly five: FiveState | undefined;
  /** Ends with the first session, or with the reason why none of the brokers gave one at the first try. */
  readonly firstTry: Promise<void>;

  private readonly clock = new NodeClock();
  private readonly link: TcpLink;
  private readonly flows: Flows;
  private readonly turns: Turns;
  private readonly publisher: Publisher;
  private readonly subscriber: Subscriber;
  /** What the broker has said with the CONNACK that refuses, or DISCONNECT, of this link. */
  private lastWords = "";
  private lastTimer: NodeJS.Timeout | undefined;
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
    this.link = new TcpLink({
      clock: this.clock,
      tls: options.tls,
      patience: options.linkPatience ?? LINK_PATIENCE,
      onTurn: () => this.turns.turn(),
      isBusy: () => this.turns.isBusy(),
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
        this.publisher.linkLost(why);
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
    this.turns = new Turns(this.core, this.link, this.clock, this.flows, {
      refill: () => this.publisher.refill(),
      answer: () => this.subscriber.answer(),
      finish: () => this.finish(),
    });
    const { exactlyOnceInFlight = EXACTLY_ONCE_IN_FLIGHT } = options;
    this.publisher = new Publisher(this.core, this.five, this.flows, this.turns, exactlyOnceInFlight);
    this.subscriber = new Subscriber(this.core, this.five, this.turns);
    this.watchAcks();
    clientStart(this.core, this.clock.now());
    this.turns.wake();
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
   * the broker has acknowledged it, at QoS 2 with its PUBCOMP, over however many links that takes. While the outbox is
   * full, messages wait for room in their order; whoever publishes without end must wait for the promises. Rejects with
   * a {@link MqttError}; it carries the reason code when the broker, in MQTT 5.0, has acknowledged the message with one
   * of 128 or more.
   */
  publish(topic: string, payload: string | Uint8Array, options?: PublishOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.over) reject(new MqttError("left", "the client has left"));
      else this.publisher.publish(topic, payload, options, resolve, reject);
    });
  }

  /**
   * Subscribes, and keeps the subscription up over lost sessions. Ends with the QoS that the broker has granted. The
   * same filter again: the new handler takes the place of the old one. `options` say how MQTT 5.0 is to serve it; left
   * out, they stay as they are. Rejects with a {@link MqttError}.
   */
  subscribe(filter: string, qos: Qos, handler: Handler, options?: SubscriptionOptions): Promise<number> {
    return this.subscriber.subscribe(filter, qos, handler, options);
  }

  /** Ends a subscription. The promise ends when the broker has said so; messages may come until then. */
  unsubscribe(filter: string): Promise<void> {
    return this.subscriber.unsubscribe(filter);
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
      this.turns.wake();
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

  private finish(): void {
    this.over = true;
    clearTimeout(this.lastTimer);
    const left = new MqttError("left", "the client has left");
    this.publisher.over(left);
    this.subscriber.over(left);
    for (const resolve of this.onLeft.splice(0)) resolve();
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
    this.subscriber.refused(textAt(topic.bytes, topic.at, topic.count), state, refusal);
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
