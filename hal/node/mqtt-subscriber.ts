import { addSubscription } from "../../firmware/mqtt/client";
import type { Client } from "../../firmware/mqtt/client-state";
import type { SubscriptionOptions } from "../../firmware/mqtt/five";
import type { FiveState } from "../../firmware/mqtt/five/state";
import { subscribeWith } from "../../firmware/mqtt/five/subscriptions";
import type { Qos } from "../../firmware/mqtt/packet";
import { subscribeAgain, type Subscription, SubscriptionState, unsubscribe } from "../../firmware/mqtt/subscriptions";
import { MqttError } from "./mqtt-error";
import { isServedAs, subscriptionProblem } from "./mqtt-five";
import { type Handler, MessageReader } from "./mqtt-message";
import type { Turns } from "./mqtt-turns";
import { isText } from "./native";

interface Subscribed {
  readonly subscription: Subscription;
  handler: Handler;
  /** Why the broker did not do what it was asked last, if it has said so. */
  refusal: MqttError | undefined;
}

/** An answer of the broker that somebody waits for. */
interface Question {
  readonly entry: Subscribed;
  /** Whether the filter is to be on, or off. */
  readonly on: boolean;
  readonly resolve: (granted: number) => void;
  readonly reject: (error: MqttError) => void;
}

/** Which filters are subscribed, who takes their messages, and who waits for what the broker says of them. */
export class Subscriber {
  private readonly reader = new MessageReader();
  private readonly subscribed: Subscribed[] = [];
  private questions: Question[] = [];

  constructor(
    private readonly core: Client,
    private readonly five: FiveState | undefined,
    private readonly turns: Turns,
  ) {}

  subscribe(filter: string, qos: Qos, handler: Handler, options: SubscriptionOptions | undefined): Promise<number> {
    const entry = this.entryFor(filter, qos, handler, options);
    if (typeof entry === "string") return Promise.reject(new MqttError("invalid", entry));
    entry.handler = handler;
    entry.refusal = undefined;
    if (options !== undefined) subscribeWith(entry.subscription, options);
    subscribeAgain(entry.subscription);
    return this.ask(entry, true);
  }

  async unsubscribe(filter: string): Promise<void> {
    const entry = this.subscribed.find(({ subscription }) => subscription.wanted && isFilter(subscription, filter));
    if (entry === undefined) throw new MqttError("invalid", `${filter} is not subscribed`);
    entry.refusal = undefined;
    unsubscribe(entry.subscription);
    await this.ask(entry, false);
  }

  /** The broker does not do what it was asked for this filter, whose subscription is in `state` for it. */
  refused(filter: string, state: SubscriptionState, refusal: MqttError): void {
    for (const entry of this.subscribed) {
      if (entry.subscription.state === state && isFilter(entry.subscription, filter)) entry.refusal = refusal;
    }
  }

  /** Tells those who wait for a subscription's state. */
  answer(): void {
    if (this.questions.length === 0) return;
    this.questions = this.questions.filter(({ entry, on, resolve, reject }) => {
      const { state, granted } = entry.subscription;
      const isDone = state === (on ? SubscriptionState.Granted : SubscriptionState.Off);
      if (!isDone && state !== SubscriptionState.Refused) return true;
      if (isDone && entry.refusal === undefined) resolve(granted);
      else reject(entry.refusal ?? new MqttError("refused", "the broker refused the filter"));
      return false;
    });
  }

  /** No answer will come any more. */
  over(why: MqttError): void {
    for (const { reject } of this.questions.splice(0)) reject(why);
  }

  private ask(entry: Subscribed, on: boolean): Promise<number> {
    return new Promise((resolve, reject) => {
      this.questions.push({ entry, on, resolve, reject });
      this.turns.wake();
    });
  }

  /** What stands for a filter, made if need be; or why it cannot be subscribed so. */
  private entryFor(filter: string, qos: Qos, handler: Handler, options: SubscriptionOptions | undefined): Subscribed | string {
    const problem = options === undefined ? undefined : this.problemWith(filter, options);
    if (problem !== undefined) return problem;
    const known = this.subscribed.find(({ subscription }) => subscription.qos === qos && isFilter(subscription, filter));
    if (known === undefined) {
      if (this.isListened(filter)) return `${filter} is subscribed at another QoS: unsubscribe first`;
      return this.add(filter, qos, handler) ?? `${filter} is no topic filter, or there is no subscribeRoom left for it`;
    }
    if (options !== undefined && isOn(known) && !isServedAs(known.subscription.options ?? {}, options)) {
      return `${filter} is subscribed with other options: unsubscribe first`;
    }
    return known;
  }

  private problemWith(filter: string, options: SubscriptionOptions): string | undefined {
    return this.five === undefined ? "options of a subscription are for protocol 5" : subscriptionProblem(filter, options);
  }

  private isListened(filter: string): boolean {
    return this.subscribed.some(
      ({ subscription }) => subscription.state !== SubscriptionState.Off && isFilter(subscription, filter),
    );
  }

  private add(filter: string, qos: Qos, handler: Handler): Subscribed | undefined {
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
}

function isFilter({ filter }: Subscription, text: string): boolean {
  return isText(filter, 0, filter.length, text);
}

function isOn({ subscription: { state } }: Subscribed): boolean {
  return state !== SubscriptionState.Off && state !== SubscriptionState.Refused;
}
